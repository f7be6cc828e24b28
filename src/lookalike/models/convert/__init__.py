"""Backbones from elsewhere, converted once to a bundle: transformers' folders, hub ids, Keras' ResNet weights."""

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.errors import MissingExtraError
from lookalike.files import digest
from lookalike.models.bundle import Bundle, identify, read, write
from lookalike.models.convert.architectures import architecture_of
from lookalike.models.convert.tokenizer_files import has_tokenizer
from lookalike.models.tokens import FILE

if TYPE_CHECKING:
    from lookalike.models.convert.feature_extractor import FeatureExtractor
    from lookalike.models.convert.model_files import ModelFiles
    from lookalike.models.convert.torch_engine import TorchEngine


FORMAT = 4  # of what a conversion gives: raised, everything is converted again
NO_MATTER = {"architectures", "_name_or_path", "transformers_version", "dtype", "torch_dtype", "id2label", "label2id"}


def convert(name: str | Path, kept: Path) -> Bundle:
    """The bundle of a model from elsewhere, made at its first use; later uses load nothing of the model.

    Args:
        name: a folder in transformers' format, OWNER/MODEL or OWNER/MODEL@REVISION of the hub, or a file of Keras'
            ResNet weights (.h5).
        kept: the folder that keeps bundles.
    Raises: BundleError, which says in one line what is wrong with it; MissingExtraError.
    """
    from lookalike.models.convert import hub, keras_resnet, model_files

    path = Path(name)
    if path.is_dir():
        source = model_files.from_folder(path)
        return _made(source, _place(source.called, source.key, kept))
    if path.is_file():
        place = _place(path.name, model_files.digest_of_files([path]), kept)
        if place.is_dir():
            return read(place)
        with tempfile.TemporaryDirectory() as folder:
            return _made(keras_resnet.as_source(path, Path(folder)), place)
    if (found := _of_hub(str(name), kept)) is not None:
        return read(found)
    source = hub.fetch(str(name))
    return _made(source, _place(source.called, source.key, kept))


def network(bundle: Bundle) -> "FeatureExtractor":
    """The torch network of a bundle that was made here: what its graph computes, with weights that can learn.

    Raises: BundleError, for a bundle that was not; MissingExtraError.
    """
    try:
        from lookalike.models.convert import transformers_model
    except ImportError as error:
        raise MissingExtraError(f"{bundle.name} in torch", "learn") from error
    return transformers_model.of_bundle(bundle)


def engine_on(bundle: Bundle, device: str) -> "TorchEngine":
    """What runs a bundle's network by torch on a device.

    Raises: BundleError, when torch cannot run it, or does not have the device; MissingExtraError.
    """
    try:
        from lookalike.models.convert import torch_engine
    except ImportError as error:
        raise MissingExtraError(f"{bundle.name} on {device}", "learn") from error
    return torch_engine.TorchEngine(bundle, device)


def _made(source: "ModelFiles", place: Path) -> Bundle:
    if place.is_dir():
        return read(place)
    try:
        from lookalike.models.convert import text_tower, torch_to_onnx, transformers_model
    except ImportError as error:
        raise MissingExtraError(f"converting {source.name}", "learn") from error
    family = architecture_of(source.name, source.config())
    words = bool(family.text) and has_tokenizer(source.folder)
    extractor = transformers_model.load(source, words)
    text = text_tower.convert(source, family, extractor.depths[0].length) if words else None
    model = torch_to_onnx.export(source.name, extractor, extractor.prepared.side_px, extractor.depths)
    torch_to_onnx.check(source.name, extractor, extractor.prepared.side_px, extractor.depths, model)
    settings = transformers_model.trainable_files(extractor)
    preprocessing: dict[str, Any] = {
        **vars(extractor.prepared),
        "resize": "squash",
        "depths": [one.table() for one in extractor.depths],
        "config": {key: value for key, value in source.config().items() if key not in NO_MATTER},
    }
    if text is not None:
        preprocessing |= {"text": vars(text.tower), "tokenizer": digest([text.files[FILE]]).hex()}
    bundle = Bundle(
        path=place,
        name=source.called,
        id=identify(transformers_model.tensors(source), preprocessing),
        side_px=extractor.prepared.side_px,
        depths=extractor.depths,
        layers=source.layers or torch_to_onnx.layers(extractor),
        licence=source.licence,
        source=source.origin,
        text=None if text is None else text.tower,
    )
    return write(bundle, model, settings if text is None else settings | text.files)


def _place(name: str, key: str, kept: Path) -> Path:
    return kept / f"{_slug(name)}-{FORMAT}-{key[:12]}"


def _of_hub(name: str, kept: Path) -> Path | None:
    """The bundle that a hub id was converted to, the newest one; the hub is not contacted again."""
    model, _, revision = name.partition("@")
    if revision and not re.fullmatch(r"[0-9a-f]{12,40}", revision):
        return None
    found = [path for path in kept.glob(f"{_slug(model)}-{FORMAT}-{revision[:12]}*") if path.is_dir()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "--", name).strip(".-")[-80:]
