"""The network of a converted bundle: transformers' own network, cut between its blocks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from lookalike.learning.finetuning.split_network import SplitNetwork
from lookalike.models.bundle import Bundle
from lookalike.models.convert import network, torch_to_onnx, transformers_model
from lookalike.models.convert.feature_extractor import blocks

STEMS = ("embedder", "embeddings", "pre_layrnorm")  # what a tower does before its first block


class TransformersNetwork(SplitNetwork):
    """What transformers' network computes; it can be cut before each of its blocks.

    Raises: what `lookalike.models.convert.network` raises.
    """

    def __init__(self, bundle: Bundle):
        super().__init__()
        self.bundle = bundle
        self.network = network(bundle)
        tower = self.network.tower
        root = getattr(tower, "vision_model", tower)
        self._stems = [getattr(root, name) for name in STEMS if hasattr(root, name)]
        self._blocks: list[tuple[int, nn.Module]] = []  # in which block each of the parts between cuts lies
        for i, block in enumerate(blocks(tower)):
            inside: Any = getattr(block, "layers", [block])
            self._blocks += [(i, part) for part in (*getattr(block, "downsampling_layer", ()), *inside)]
        self.eval()
        self.requires_grad_(False)

    def forward_frozen(self, image: Tensor, at: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        """See `SplitNetwork`. Cut 0 is the picture itself, cut 1 lies before the first block."""
        if at == 0:
            return image, ()
        block, part = self._blocks[at - 1]
        hook = part.register_forward_pre_hook(_stop, with_kwargs=True)
        try:
            self.network(image)
        except _Reached as reached:
            return reached.activation, self._pooled(self._places(block))
        finally:
            hook.remove()
        raise AssertionError("the tower never came to its own block")

    def forward_trainable(self, activation: Tensor, pooled: tuple[Tensor, ...], at: int) -> tuple[Tensor, ...]:
        """See `SplitNetwork`."""
        if at == 0:
            found: tuple[Tensor, ...] = self.network(activation)
            return found
        whole = self.network.whole(self._given(activation, at))
        # The deepest depth comes first, so those that were pooled before the cut come last.
        later = [place for place in self.network.places if place not in self._places(self._blocks[at - 1][0])]
        return whole + self._pooled(later) + pooled

    def last_feature_map(self, activation: Tensor, at: int) -> Tensor:
        """See `SplitNetwork`."""
        found: Tensor = self._given(activation, at).last_hidden_state
        return found

    def split_before(self, weights: set[str]) -> int:
        """See `SplitNetwork`."""
        chosen = {id(weight) for name, weight in self.named_parameters() if name in weights}
        if any(id(weight) in chosen for stem in self._stems for weight in stem.parameters()):
            return 0
        for at, (_, part) in enumerate(self._blocks, start=1):
            if any(id(weight) in chosen for weight in part.parameters()):
                return at
        return len(self._blocks)  # only what comes after the last block learns: it is run along

    def layer_of(self, weight: str) -> str | None:
        """See `SplitNetwork`: the longest name of a layer with weights that the weight's own name begins with."""
        inside = weight.removeprefix("network.tower.")
        names = (str(one.get("module") or one["name"]) for one in self.bundle.layers if one["parameters"])
        return max((name for name in names if inside.startswith(f"{name}.")), key=len, default=None)

    def blocks_after(self, weight: str) -> int:
        """See `SplitNetwork`: in the parts between cuts; all of them come after the embeddings."""
        return len(self._blocks) - self.split_before({weight})

    def files(self, bundle: Bundle) -> tuple[bytes, dict[str, bytes]]:
        """See `SplitNetwork`."""
        cpu = self.network.to("cpu")
        model = torch_to_onnx.export(bundle.name, cpu, cpu.prepared.side_px, cpu.depths)
        return model, transformers_model.trainable_files(cpu)

    def _pooled(self, places: list[int]) -> tuple[Tensor, ...]:
        """What is pooled after these blocks, of the last batch."""
        return tuple(one for place in places for one in self.network.pooled(place))

    def _places(self, block: int) -> list[int]:
        """The depths that are pooled before a block."""
        return [place for place in self.network.places if place <= block]

    def _given(self, activation: Tensor, at: int) -> Any:
        """What the tower makes of an activation at a cut; of the picture itself at cut 0."""
        if at == 0:
            return self.network.tower(pixel_values=self.network.pixels(activation))
        with _passing(self._stems + [part for _, part in self._blocks[: at - 1]], activation):
            side = self.bundle.side_px
            nothing = torch.zeros(1, device=activation.device).expand(len(activation), 3, side, side)
            return self.network.tower(pixel_values=nothing)


class _Reached(Exception):  # noqa: N818
    """The activation that a cut was looking for."""

    def __init__(self, activation: Tensor):
        super().__init__()
        self.activation = activation


def _stop(part: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
    raise _Reached(inputs[0] if inputs else named["hidden_states"])


@contextmanager
def _passing(parts: list[nn.Module], activation: Tensor) -> Iterator[None]:
    """Inside, these parts of a tower do nothing: the activation goes through them as it is."""
    for part in parts:
        part.forward = lambda *inputs, **named: activation
    try:
        yield
    finally:
        for part in parts:
            del part.forward
