"""The pooled outputs of a network of transformers: of its stages, or of its patches after some of its blocks."""

from typing import Any

import torch
from torch import Tensor, nn

from lookalike.errors import BundleError
from lookalike.models.bundle import StageOutput
from lookalike.models.convert.architectures import Architecture
from lookalike.models.convert.preprocessing import Preprocessing
from lookalike.models.pooling import place_weights

# docs/decisions/0013 and 0017: the weights of what comes before the last stage, for plain search and for lenses.
SHALLOWER, FALL = (0.5, 0.7), (0.1, 0.35)
# Where a network keeps its blocks.
BLOCKS = ("encoder.stages", "encoder.layers", "encoder.layer", "layers", "model.layer", "layer")


class FeatureExtractor(nn.Module):
    """uint8 pictures (n, side, side, 3) -> pooled outputs of stages, (n, length) float32 each, in order of `depths`.

    Networks of stages give the mean over all places of each stage. Networks of tokens give what stands for the whole
    picture, and the mean over the patches after the last block, three quarters and half of them. The stage before the
    last, and the patches after three quarters, are pooled around the centre in place of their mean, and give their
    upper half less their lower half as well. With words, what stands for the whole picture lies in the space of texts.

    Args:
        tower: the network.
        family: its kind.
        prepared: how pixels are scaled.
        words: whether there are texts.
        names: of the outputs, of a bundle that was made by an earlier version; None for those of this one.
    """

    def __init__(
        self,
        tower: nn.Module,
        family: Architecture,
        prepared: Preprocessing,
        words: bool = False,
        names: tuple[str, ...] | None = None,
    ):
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
        self._word = "patches" if family.tokens else "stage"
        self.poolings = {place: ["mean"] for place in self.places}
        with torch.no_grad():
            example = torch.zeros(1, prepared.side_px, prepared.side_px, 3, dtype=torch.uint8)
            whole = self.whole(self.tower(pixel_values=self.pixels(example)))
            lengths = [one.shape[1] for one in whole]
            for place in self.places:
                grid = self._grid(place)
                first = place == self.places[0] and grid.shape[2] == grid.shape[3] > 1
                if first if names is None else f"{self._word}{place}.centre" in names:
                    self.poolings[place] = ["centre", "fall"]
                for pooling in self.poolings[place]:
                    self.register_buffer(_buffer(place, pooling), _places(pooling, grid), persistent=False)
                    lengths.append(grid.shape[1])
        self.depths = tuple(
            # Texts are compared with the values as they are.
            StageOutput(name, length, weight, 1.0 if words and name == "features" else 0.5, lens_weight=lens)
            for name, length, (weight, lens) in zip(self.names, lengths, self._weights(), strict=True)
        )

    @property
    def names(self) -> list[str]:
        """Of the outputs, in order."""
        before = [
            f"{self._word}{place}" + ("" if pooling == "mean" else f".{pooling}")
            for place in self.places
            for pooling in self.poolings[place]
        ]
        return ["features", *(["patches"] if self.family.tokens else []), *before]

    def _weights(self) -> list[tuple[float, float]]:
        """How much each output weighs for plain search and for lenses."""
        return [(1.0, 1.0)] + [FALL if name.endswith(".fall") else SHALLOWER for name in self.names[1:]]

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """uint8 (n, side, side, 3) -> (n, length) each."""
        given = self.tower(pixel_values=self.pixels(image))
        return self.whole(given) + tuple(one for place in self.places for one in self.pooled(place))

    def pixels(self, image: Tensor) -> Tensor:
        """uint8 (n, side, side, 3) -> float32 (n, 3, side, side), scaled as the network wants it."""
        return image.permute(0, 3, 1, 2).to(torch.float32) * self.factors + self.offsets

    def whole(self, given: Any) -> tuple[Tensor, ...]:
        """The pooled outputs of the whole tower: what stands for the whole picture, and the mean of its patches."""
        last: Tensor = given.last_hidden_state
        if not self.family.tokens:
            return (given.pooler_output.flatten(1) if self.family.summary == "pooler" else last.mean((2, 3)),)
        if (joint := getattr(given, "image_embeds", None)) is not None:
            return joint, self._patches(last).mean(1)
        whole = given.pooler_output if self.family.summary == "pooler" else last[:, 0]
        return whole, self._patches(last).mean(1)

    def pooled(self, place: int) -> tuple[Tensor, ...]:
        """The pooled outputs after `place` blocks, of the last batch: (n, length) each."""
        given = self._given[place]
        maps = self._patches(given) if self.family.tokens else given.flatten(2).transpose(1, 2)  # (n, places, c)
        weights = [self.get_buffer(_buffer(place, pooling)) for pooling in self.poolings[place]]  # (places, 1)
        return tuple((maps * weight).sum(1) for weight in weights)

    def _grid(self, place: int) -> Tensor:
        """What the last batch gave after `place` blocks, as a map: (n, c, rows, columns)."""
        given = self._given[place]
        if not self.family.tokens:
            return given
        maps = self._patches(given).transpose(1, 2)
        return maps.reshape(*maps.shape[:2], self._side, self._side)

    def _patches(self, tokens: Tensor) -> Tensor:
        return tokens[:, tokens.shape[1] - self._side**2 :]  # before them: the class, registers

    @property
    def _side(self) -> int:
        """Patches in a row."""
        config: Any = self.tower.config
        return int(self.prepared.side_px // config.patch_size)

    def _keep(self, place: int) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            self._given[place] = output[0] if isinstance(output, tuple) else output

        return hook


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


def _places(pooling: str, grid: Tensor) -> Tensor:
    """What each place of a map (n, c, rows, columns) counts: (places, 1) float32."""
    rows, columns = grid.shape[2:]
    if pooling == "mean":
        return torch.full((rows * columns, 1), 1 / (rows * columns))
    return torch.from_numpy(place_weights(pooling, rows)).float().reshape(-1, 1)


def _buffer(place: int, pooling: str) -> str:
    return f"{pooling}{place}"
