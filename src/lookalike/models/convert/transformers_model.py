"""Networks of transformers as torch modules: loaded from safetensors alone, the outputs of their stages pooled."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from lookalike.errors import BundleError, MissingExtraError
from lookalike.models.bundle import Bundle
from lookalike.models.convert import preprocessing
from lookalike.models.convert.architectures import Architecture, architecture_of, own_side_px, vision_part
from lookalike.models.convert.config_schema import network_settings
from lookalike.models.convert.feature_extractor import FeatureExtractor
from lookalike.models.convert.model_files import PREPROCESSOR, WEIGHTS, ModelFiles
from lookalike.models.convert.preprocessing import Preprocessing

MOST_PATCHES = 4096  # attention takes memory by their square: 0.8 GB at 12 heads
UNUSED = ("mask_token", "pooler.")  # weights that may be missing: nothing here uses them


def load(source: ModelFiles, words: bool = False) -> FeatureExtractor:
    """The network of a source, in float32, in evaluation mode.

    Args:
        source: the model's files.
        words: whether it shall give pictures in the space of its texts.
    Raises: BundleError, for a kind that is not known, code of its own, settings that cannot be, weights that are
        missing or no numbers; MissingExtraError.
    """
    family, settings = _described(source.name, source.config())
    if words:
        family = family.with_words
        if family.joint:
            settings |= network_settings(source.name, {"projection_dim": source.config().get("projection_dim")})
    prepared = preprocessing.read(source.name, source.preprocessor(), own_side_px(settings) if family.fixed else None)
    tower = load_tower(source, family.architecture, settings, **family.options)
    return _extractor(source.name, tower, family, prepared, words)


def load_tower(source: ModelFiles, architecture: str, settings: dict[str, Any], **options: bool) -> Any:
    """One network of a source, in float32, in evaluation mode.

    Args:
        source: the model's files.
        architecture: its class in transformers.
        settings: checked ones.
        options: how it is made.
    Raises: as `load`.
    """
    made = _class(source.name, architecture)
    with _quiet(), _one_line(source.name):
        config = made.config_class(**settings)
        _check_size(source, made, config, options)
        tower, found = made.from_pretrained(
            source.folder,
            config=config,
            use_safetensors=True,
            weights_only=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
            attn_implementation="eager",
            dtype=torch.float32,
            ignore_mismatched_sizes=True,  # they are raised below
            **options,
        )
    missing = sorted(key for key in found["missing_keys"] if not any(part in key for part in UNUSED))
    if missing or found["mismatched_keys"]:
        raise _other_weights(source.name, ", ".join(missing[:2]) or "other shapes")
    return tower


def _class(name: str, architecture: str) -> Any:
    """A class of transformers. Raises: BundleError, where the one installed does not have it; MissingExtraError."""
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError(name, "learn") from error
    found = getattr(transformers, architecture, None)
    if found is None:
        raise BundleError(f"{name}: transformers {transformers.__version__} does not know it. Upgrade transformers.")
    return found


def of_bundle(bundle: Bundle) -> FeatureExtractor:
    """The network of a bundle that was converted from a model of `load`.

    Raises: BundleError, when the bundle has no weights that can learn.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        config = json.loads((bundle.path / "config.json").read_text(encoding="utf-8"))
        preprocessor = json.loads((bundle.path / PREPROCESSOR).read_text(encoding="utf-8"))
        weights = load_file(bundle.path / "weights.safetensors")
    except (OSError, ValueError, RecursionError, SafetensorError) as error:
        raise BundleError(
            f"{bundle.path}: has no weights that can learn ({error}). Convert the model anew from where it came from."
        ) from error
    family, settings = _described(bundle.name, config)
    words = bundle.depths[0].power == 1
    if words:
        family = family.with_words
    architecture = _class(bundle.name, family.architecture)
    with _one_line(bundle.name):
        made = architecture.config_class(**settings)
        with torch.device("meta"):
            tower = architecture._from_config(made, attn_implementation="eager", **family.options)
        if _values(tower) > sum(tensor.numel() for tensor in weights.values()):
            raise _other_weights(bundle.name, "too few values")
        tower = architecture._from_config(made, attn_implementation="eager", **family.options)
        tower.load_state_dict(weights)
    prepared = preprocessing.read(bundle.name, preprocessor, bundle.side_px)
    return _extractor(bundle.name, tower, family, prepared, words, tuple(depth.name for depth in bundle.depths))


def _described(name: str, config: dict[str, Any]) -> tuple[Architecture, dict[str, Any]]:
    """The family that config.json names, and its checked settings."""
    family = architecture_of(name, config)
    if config.get("quantization_config") is not None:
        network_settings(name, {"quantization_config": config["quantization_config"]})
    return family, network_settings(name, vision_part(name, config))


def _check_size(source: ModelFiles, architecture: Any, config: Any, options: dict[str, bool]) -> None:
    """Raises: BundleError, when a network of these settings has more values than the file of weights."""
    from safetensors import safe_open

    with safe_open(source.folder / WEIGHTS, "pt") as file:
        there = sum(math.prod(file.get_slice(key).get_shape()) for key in file.keys())  # noqa: SIM118  (no mapping)
        tensors = len(file.keys())
    if sum(getattr(config, "depths", None) or [getattr(config, "num_hidden_layers", 1)]) > tensors:
        raise _other_weights(source.name, f"only {tensors} tensors")
    with torch.device("meta"):  # shapes alone, no memory
        wanted = _values(architecture(config, **options))
    if wanted > there:
        raise _other_weights(source.name, f"{there:,} values, not {wanted:,}")


def _values(tower: nn.Module) -> int:
    """The number of values in the weights that are used."""
    return sum(one.numel() for name, one in tower.named_parameters() if not any(part in name for part in UNUSED))


def _extractor(
    name: str,
    tower: nn.Module,
    family: Architecture,
    prepared: Preprocessing,
    words: bool,
    names: tuple[str, ...] | None = None,
) -> FeatureExtractor:
    """The network with its pictures' side and scale; a picture was run through it.

    Raises: BundleError, for pictures that it cannot take, and where the features are no numbers.
    """
    config: Any = tower.config
    if family.tokens and not 1 <= (patches := (prepared.side_px // config.patch_size) ** 2) <= MOST_PATCHES:
        raise BundleError(
            f"{name}: pictures of {prepared.side_px} px in patches of {config.patch_size} px make {patches:,} patches; "
            f"1 to {MOST_PATCHES:,} can be computed. Correct the size in preprocessor_config.json."
        )
    with _one_line(name), torch.no_grad():
        extractor = FeatureExtractor(tower.eval(), family, prepared, words, names).eval()
        features = extractor(torch.full((1, prepared.side_px, prepared.side_px, 3), 127, dtype=torch.uint8))
    if not all(torch.isfinite(one).all() for one in features):
        raise BundleError(f"{name}: gives features that are no numbers. Its weights are damaged; copy them again.")
    return extractor


def _other_weights(name: str, what: str) -> BundleError:
    return BundleError(
        f"{name}: model.safetensors does not hold the weights that config.json speaks of ({what}). "
        "Copy both from one place."
    )


@contextmanager
def _one_line(name: str) -> Iterator[None]:
    """Whatever a broken file makes transformers or torch raise, as a BundleError of one line."""
    try:
        yield
    except BundleError:
        raise
    except Exception as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise BundleError(f"{name}: transformers cannot load it ({reason}). Copy its files again.") from error


def trainable_files(network: FeatureExtractor) -> dict[str, bytes]:
    """What a bundle keeps of a network so that it can learn: its files, by name."""
    from safetensors.torch import save

    tower: Any = network.tower
    table = {
        "size": network.prepared.side_px,
        "rescale_factor": network.prepared.scale,
        "image_mean": list(network.prepared.mean),
        "image_std": list(network.prepared.deviation),
    }
    return {
        "weights.safetensors": save({name: tensor.contiguous() for name, tensor in tower.state_dict().items()}),
        "config.json": (json.dumps(tower.config.to_diff_dict(), indent=2, sort_keys=True) + "\n").encode(),
        PREPROCESSOR: (json.dumps(table, indent=2) + "\n").encode(),
    }


def tensors(source: ModelFiles) -> dict[str, Any]:
    """The tensors of a source as they lie in its file, as bytes under the names that they have there."""
    from safetensors.torch import load_file

    found = load_file(source.folder / WEIGHTS)
    return {
        f"{name} {tensor.dtype} {list(tensor.shape)}": tensor.reshape(-1).view(torch.uint8).numpy()
        for name, tensor in found.items()
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Hides the reports and progress bars of transformers: what matters in them is raised."""
    from transformers.utils import logging

    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()
