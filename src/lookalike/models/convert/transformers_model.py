"""Networks of transformers as torch modules: loaded from safetensors alone, the outputs of their stages pooled."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from lookalike.errors import BundleError, MissingExtraError
from lookalike.models.bundle import Bundle, StageOutput
from lookalike.models.convert import preprocessing
from lookalike.models.convert.architectures import Architecture, architecture_of, own_side_px
from lookalike.models.convert.model_files import PREPROCESSOR, WEIGHTS, ModelFiles
from lookalike.models.convert.preprocessing import Preprocessing

SHALLOWER = 0.5  # docs/decisions/0013: the weight of a stage before the last
BLOCKS = ("encoder.stages", "encoder.layers", "encoder.layer", "layers")  # where a network keeps its blocks
UNUSED = ("mask_token", "pooler.")  # weights that may be missing: nothing here uses them


class FeatureExtractor(nn.Module):
    """uint8 pictures (n, side, side, 3) -> pooled outputs of stages, (n, length) float32 each, in order of `depths`.

    Networks of stages give the mean over all places of each stage. Networks of tokens give what stands for the whole
    picture, and the mean over the patches after the last block, three quarters and half of them.
    """

    def __init__(self, tower: nn.Module, family: Architecture, prepared: Preprocessing):
        super().__init__()
        self.tower, self.family, self.prepared = tower, family, prepared
        self.factors: Tensor
        self.offsets: Tensor
        self.register_buffer("factors", torch.tensor(prepared.factors).reshape(3, 1, 1), persistent=False)
        self.register_buffer("offsets", torch.tensor(prepared.offsets).reshape(3, 1, 1), persistent=False)
        parts = blocks(tower)
        before = [len(parts) * 3 // 4, len(parts) // 2] if family.tokens else range(len(parts) - 1, 0, -1)
        self.places = [place for place in dict.fromkeys(before) if 0 < place < len(parts)]
        self._given: dict[int, Tensor] = {}
        for place in self.places:
            parts[place - 1].register_forward_hook(self._keep(place))
        with torch.no_grad():
            example = torch.zeros(1, prepared.side_px, prepared.side_px, 3, dtype=torch.uint8)
            lengths = [one.shape[1] for one in self(example)]
        weights = [1.0] + [SHALLOWER] * (len(lengths) - 1)
        self.depths = tuple(map(StageOutput, self.names, lengths, weights))

    @property
    def names(self) -> list[str]:
        """Of the outputs, in order."""
        if self.family.tokens:
            return ["features", "patches", *(f"patches{place}" for place in self.places)]
        return ["features", *(f"stage{place}" for place in self.places)]

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """uint8 (n, side, side, 3) -> (n, length) each."""
        given = self.tower(pixel_values=self.pixels(image))
        return self.whole(given) + tuple(self.pooled(place) for place in self.places)

    def pixels(self, image: Tensor) -> Tensor:
        """uint8 (n, side, side, 3) -> float32 (n, 3, side, side), scaled as the network wants it."""
        return image.permute(0, 3, 1, 2).to(torch.float32) * self.factors + self.offsets

    def whole(self, given: Any) -> tuple[Tensor, ...]:
        """The pooled outputs of the whole tower: what stands for the whole picture, and the mean of its patches."""
        last: Tensor = given.last_hidden_state
        if not self.family.tokens:
            return (given.pooler_output.flatten(1) if self.family.summary == "pooler" else last.mean((2, 3)),)
        whole = given.pooler_output if self.family.summary == "pooler" else last[:, 0]
        return whole, self._mean_of_patches(last)

    def pooled(self, place: int) -> Tensor:
        """The pooled output after `place` blocks, of the last batch: (n, length)."""
        given = self._given[place]
        return self._mean_of_patches(given) if self.family.tokens else given.mean((2, 3))

    def _mean_of_patches(self, tokens: Tensor) -> Tensor:
        return tokens[:, tokens.shape[1] - self._patches() :].mean(1)  # before them: the class, registers

    def _patches(self) -> int:
        config: Any = self.tower.config
        return int((self.prepared.side_px // config.patch_size) ** 2)

    def _keep(self, place: int) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            self._given[place] = output[0] if isinstance(output, tuple) else output

        return hook


def load(source: ModelFiles) -> FeatureExtractor:
    """The network of a source, in float32, in evaluation mode.

    Raises: BundleError, for a kind that is not known, code of its own, weights that are missing; MissingExtraError.
    """
    try:
        import transformers
    except ImportError as error:
        raise MissingExtraError(source.name, "learn") from error
    config = source.config()
    family = architecture_of(source.name, config)
    side = own_side_px(config) if family.fixed else None
    prepared = preprocessing.read(source.name, source.preprocessor(), side)
    architecture = getattr(transformers, family.architecture)
    with _quiet():
        try:
            tower, found = architecture.from_pretrained(
                source.folder,
                use_safetensors=True,
                weights_only=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
                attn_implementation="eager",
                dtype=torch.float32,
                ignore_mismatched_sizes=True,  # they are raised below
                **family.options,
            )
        except Exception as error:  # whatever a broken file makes transformers raise
            reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
            raise BundleError(
                f"{source.name}: transformers cannot load it ({reason}). Copy its files again."
            ) from error
    missing = sorted(key for key in found["missing_keys"] if not any(part in key for part in UNUSED))
    if missing or found["mismatched_keys"]:
        raise BundleError(
            f"{source.name}: model.safetensors does not hold the weights that config.json speaks of "
            f"({', '.join(missing[:2]) or 'other shapes'}). Copy both from one place."
        )
    return FeatureExtractor(tower.eval(), family, prepared).eval()


def of_bundle(bundle: Bundle) -> FeatureExtractor:
    """The network of a bundle that was converted from a model of `load`.

    Raises: BundleError, when the bundle has no weights that can learn.
    """
    import transformers
    from safetensors.torch import load_file

    try:
        config = json.loads((bundle.path / "config.json").read_text(encoding="utf-8"))
        preprocessor = json.loads((bundle.path / PREPROCESSOR).read_text(encoding="utf-8"))
        weights = load_file(bundle.path / "weights.safetensors")
    except (OSError, ValueError) as error:
        raise BundleError(
            f"{bundle.path}: has no weights that can learn ({error}). Convert the model anew from where it came from."
        ) from error
    family = architecture_of(bundle.name, config)
    architecture = getattr(transformers, family.architecture)
    tower = architecture._from_config(
        architecture.config_class.from_dict(config), attn_implementation="eager", **family.options
    )
    tower.load_state_dict(weights)
    return FeatureExtractor(tower.eval(), family, preprocessing.read(bundle.name, preprocessor, bundle.side_px)).eval()


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


def blocks(tower: nn.Module) -> nn.ModuleList:
    """The blocks of a network, or its stages, in order. Raises: BundleError, when they are not where they were."""
    roots = [tower, getattr(tower, "vision_model", tower)]
    for root in roots:
        for path in BLOCKS:
            try:
                found = root.get_submodule(path)
            except AttributeError:
                continue
            if isinstance(found, nn.ModuleList):
                return found
    raise BundleError(f"{type(tower).__name__}: its blocks are not where they were. Upgrade lookalike.")


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
