"""A backbone as a torch network that can be split in two: a frozen part, and a part that is trained."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lookalike.errors import TrainingError
from lookalike.models.bundle import Bundle
from lookalike.models.layers import layer_index

Values = NDArray[Any]
Runner = Callable[[NDArray[np.uint8]], tuple[Values, list[Values], list[Values]]]


class SplitNetwork(nn.Module, ABC):
    """A bundle's network in torch: the same function, with weights that can be trained.

    It is always in eval mode: what BatchNorm has measured stays as it is, and nothing is dropped.

    Attributes: bundle: whose network it is.
    """

    bundle: Bundle

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """uint8 (n, side, side, 3) -> the pooled depths, (n, length) each, in the bundle's order."""
        return self.forward_trainable(*self.forward_frozen(image, 0), 0)

    @abstractmethod
    def forward_frozen(self, image: Tensor, at: int) -> tuple[Tensor, tuple[Tensor, ...]]:
        """What lies before a cut: uint8 (n, side, side, 3) -> the activation (n, ...), and the depths pooled so far."""

    @abstractmethod
    def forward_trainable(self, activation: Tensor, pooled: tuple[Tensor, ...], at: int) -> tuple[Tensor, ...]:
        """What lies after a cut: what `forward_frozen` gave -> all depths, in the bundle's order."""

    @abstractmethod
    def last_feature_map(self, activation: Tensor, at: int) -> Tensor:
        """What lies after a cut, up to the last activation that is not pooled yet: (n, c, h, w), or (n, tokens, c)."""

    @abstractmethod
    def split_before(self, weights: set[str]) -> int:
        """The last cut that has all these weights behind it; 0 has everything behind it."""

    @abstractmethod
    def files(self, bundle: Bundle) -> tuple[bytes, dict[str, bytes]]:
        """model.onnx and the further files of a bundle that holds these weights."""

    @abstractmethod
    def layer_of(self, weight: str) -> str | None:
        """The name under which the table of layers knows the layer of a weight (its `module`, where it has one)."""

    @abstractmethod
    def blocks_after(self, weight: str) -> int:
        """How many blocks come after the one of a weight; 0 for the last block, and for what comes after it."""

    def runner(self, at: int) -> Runner:
        """What runs the whole network without learning.

        uint8 (b, side, side, 3) -> the activation at a cut, all depths, and those of them that were pooled before it.
        """

        def run(pixels: NDArray[np.uint8]) -> tuple[Values, list[Values], list[Values]]:
            with torch.no_grad():
                activation, pooled = self.forward_frozen(torch.from_numpy(pixels).to(self.device), at)
                depths = self.forward_trainable(activation, pooled, at)
            return activation.cpu().numpy(), [x.cpu().numpy() for x in depths], [x.cpu().numpy() for x in pooled]

        return run

    def unfreeze(self, layer: str | int) -> int:
        """Let the weights from a layer of the table on learn, and no others; returns the cut before them.

        Args: layer: as `layer_index` takes it.
        Raises: BundleError, when there is no such layer; TrainingError, when nothing from there on can learn.
        """
        place = layer_index(self.bundle, layer)
        from_there = {str(one.get("module") or one["name"]) for one in self.bundle.layers[place:] if one["parameters"]}
        learning = {name for name, _ in self.named_parameters() if self.layer_of(name) in from_there}
        if not learning:
            raise TrainingError(
                f"{self.bundle.name}: no layer from {layer} on has weights that can learn. Unfreeze an earlier one."
            )
        for name, weight in self.named_parameters():
            weight.requires_grad_(name in learning)
        return self.split_before(learning)

    def trainable(self) -> dict[str, nn.Parameter]:
        """The weights that learn, by name."""
        return {name: weight for name, weight in self.named_parameters() if weight.requires_grad}

    def train(self, mode: bool = True) -> Any:
        """Stays in eval mode."""
        return super().train(False)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device


class Split:
    """A network at the place where it is cut. It is no module: one that holds it does not own the network's weights.

    Args:
        network: whose weights are trained behind the cut.
        at: the cut, as `SplitNetwork.unfreeze` gives it.
    """

    def __init__(self, network: SplitNetwork, at: int):
        self.network, self.at = network, at

    def frozen(self, image: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """uint8 (n, side, side, 3) -> the activation (n, ...), and the stages pooled so far."""
        return self.network.forward_frozen(image, self.at)

    def stages(self, activation: Tensor, pooled: tuple[Tensor, ...], *, bf16: bool = False) -> tuple[Tensor, ...]:
        """What `frozen` gave -> all stages, (n, length) each, in the bundle's order.

        Args:
            activation: (n, ...).
            pooled: the stages that were pooled before the cut.
            bf16: whether it is computed in bfloat16.
        """
        if activation.ndim == 4:  # convolutions are a third faster so
            activation = activation.contiguous(memory_format=torch.channels_last)
        with torch.autocast(activation.device.type, torch.bfloat16) if bf16 else nullcontext():
            return self.network.forward_trainable(activation, pooled, self.at)

    def feature_map(self, activation: Tensor) -> Tensor:
        """An activation -> the last one that is not pooled yet: (n, c, h, w), or (n, tokens, c)."""
        return self.network.last_feature_map(activation, self.at)
