"""What the ways to fine-tune a backbone have in common: cost told first, cached activations, steps, a bundle."""

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lookalike.learning.finetuning.split_network import SplitNetwork
from lookalike.learning.training.history import BestState, EpochMetrics, StepMetrics
from lookalike.models.bundle import Bundle

CHECKPOINT = "checkpoint.safetensors"  # of a run folder
ONE_BLOCK = 1_500_000  # weights: the default's last block has 1.0 million, its last four 2.4


@dataclass(frozen=True)
class FineTuneCost:
    """What fine-tuning will take, told before it starts.

    Attributes:
        images, views: what is cached, of how many images.
        mb: the cache takes on disk.
        caching_s: seconds until it is filled; 0 where it is.
        steps, step_s: how many steps, and seconds a step.
        trainable, weights: how many numbers of the network are trained, of how many.
    """

    images: int
    views: int
    mb: float
    caching_s: float
    steps: int
    step_s: float
    trainable: int
    weights: int

    @property
    def training_s(self) -> float:
        """Seconds of all steps."""
        return self.steps * self.step_s

    def __str__(self) -> str:
        views = f" in {self.views} views" if self.views > 1 else ""
        return (
            f"{self.trainable:,} of {self.weights:,} weights learn from {self.images:,} pictures{views}: about "
            f"{self.caching_s:,.0f} s and {self.mb:,.0f} MB to prepare, {self.training_s:,.0f} s for "
            f"{self.steps} steps."
        )


class FineTuner(Protocol):
    """A way to fine-tune a backbone, in a run folder: `cost`, `fill_cache`, `steps`, and `export` at any time."""

    @property
    def layer(self) -> int:
        """The first layer that learns, its place in `bundle.layers`."""
        ...

    @property
    def best(self) -> BestState:
        """The state that counts, with the metrics of all steps so far, those before a resumption included."""
        ...

    @property
    def history(self) -> tuple[EpochMetrics, ...]:
        """All epochs so far; none, where training is not told by epochs."""
        ...

    @property
    def cached(self) -> bool:
        """Whether the activations of all images are there."""
        ...

    def cost(self) -> FineTuneCost:
        """What it will take, by a few images and two steps; nothing is written, nothing is trained."""
        ...

    def fill_cache(self) -> Generator[tuple[int, int], None, None]:
        """Cache the activations of all images, where that is not done; yields how many are done, of how many.

        Raises: ImageError, for the first image that cannot be read.
        """
        ...

    def steps(self) -> Generator[StepMetrics, None, None]:
        """Train, going on from the checkpoint in the run folder; what is not cached yet is cached first.

        Raises: what `train` raises; ImageError; TrainingError, when a GPU has too little memory.
        """
        ...

    def export(self, path: Path) -> Bundle:
        """Write the backbone as it has become, and check the file against torch.

        Args: path: of its folder, which must not be there yet.
        Raises: BundleError, when the file and torch do not agree.
        """
        ...


def has_few_weights(network: SplitNetwork) -> bool:
    """Whether what is trained is one block of the default backbone, or less."""
    return sum(one.numel() for one in network.trainable().values()) < ONE_BLOCK


def seconds_a_step(step: Callable[[], None]) -> float:
    """How long a step takes; it is taken twice, as the first is slower."""
    step()
    started = time.perf_counter()
    step()
    return time.perf_counter() - started
