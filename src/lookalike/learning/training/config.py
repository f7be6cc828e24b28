"""How a network is trained, and how the low-rank correction of a lens is: frozen values, each with its defaults."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal

from torch import nn

from lookalike.learning.config import LowRank
from lookalike.learning.labels import Rows
from lookalike.learning.training.batch_sampler import steps_per_epoch
from lookalike.learning.training.losses import Loss
from lookalike.learning.training.miners import Miner
from lookalike.learning.training.schedules import Schedule, constant

EXAMPLES_A_STEP, LEAST_STEPS, MOST_STEPS = 25, 10, 100  # of a low-rank correction, see decision 21


@dataclass(frozen=True)
class TrainConfig:
    """How `train` learns. None stands for the default of what is trained, see `resolve`.

    Attributes:
        loss: "softmax", "triplet", "soft-margin", or any loss(embeddings, labels, indices_tuple). The weights of a
            loss that has some (proxies, say) are trained along.
        miner: "all", "semi-hard", "batch-hard" (the first quarter semi-hard), "random", "one-a-pair", or any
            miner(embeddings, labels). Without one, triplet losses by name take "semi-hard", other losses all pairs.
        margin: of the losses and miners by name, and of `StepMetrics.active`; in squared distance, 0 to 4.
        temperature: of the softmax; None: 0.05 for `train` and the low-rank correction, 0.1 for fine-tuning.
        steps: how many, 1 or more; `steps_per_epoch` counts those of an epoch. None: 100; the low-rank correction takes
            fewer for few examples, fine-tuning 150, or 50 for few images.
        rows: about how many images a batch has; None: 256, for fine-tuning 128.
        per_label: at most so many of one label in a batch; None: 4, for fine-tuning up to 12 where labels are few.
        learning_rate: of the optimizer, times `schedule`; None: 1e-3, for fine-tuning by how much is trained.
        schedule: schedule(step, steps) with step from 0, gives 0 to 1; None: warm-up, then cosine.
        patience: steps in a row without an active triplet, or collapsed, until that counts.
    """

    loss: str | Loss = "softmax"
    miner: str | Miner | None = None
    margin: float = 0.2
    temperature: float | None = None
    steps: int | None = None
    rows: int | None = None
    per_label: int | None = None
    learning_rate: float | None = None
    schedule: Schedule | None = None
    patience: int = 20

    def resolve(self, defaults: "ResolvedTrainConfig") -> "ResolvedTrainConfig":
        """The same with every None replaced by these defaults.

        >>> TrainConfig(steps=7).resolve(ResolvedTrainConfig(rows=128)).steps
        7
        """
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return replace(defaults, **{name: x for name, x in given.items() if x is not None})


@dataclass(frozen=True)
class ResolvedTrainConfig(TrainConfig):
    """A TrainConfig whose numbers are all known; these are the defaults of `train`."""

    temperature: float = 0.05
    steps: int = 100
    rows: int = 256
    per_label: int = 4
    learning_rate: float = 1e-3


# The Keras example's: 32 triplets a step (16 pairs, either one the anchor).
KERAS_EXAMPLE: Final = TrainConfig(
    loss="triplet", miner="random", margin=0.5, rows=32, per_label=2, learning_rate=1e-4, schedule=constant
)


@dataclass(frozen=True)
class Validation:
    """How a network is judged while it is trained.

    Attributes:
        measure: called with the network in eval mode, without gradients, before the first step and then every `every`
            steps and after the last.
        every: steps between two calls.
        name: of what is measured: "recall@1", or "loss".
        keep: which of the measured states the result is: that of the "highest" value, or the "last" one.
    """

    measure: Callable[[nn.Module], float]
    every: int = 10
    name: Literal["recall@1", "loss"] = "recall@1"
    keep: Literal["highest", "last"] = "highest"


@dataclass(frozen=True)
class CheckpointConfig:
    """Where training keeps all that it takes to go on.

    Attributes:
        path: of the file. Where it is there already, the steps that it has done are not done again, and the rest is
            what it would have been, to the bit.
        every: steps between two writings; the last step is always one.
    """

    path: Path
    every: int = 25


@dataclass(frozen=True)
class LowRankConfig:
    """How a low-rank correction is trained; the defaults held for every kind of picture they were measured on.

    Attributes:
        train: of the training; by default that of `train`: temperature 0.05, steps of 256 rows, 1e-3. Without a number
            of steps there is one for every 25 examples, 10 to 100: with more, few examples are learned by heart.
        rank: how many directions the correction may use; fewer where there are fewer images or dimensions.
        dropout: share of the closed form's values dropped in training, 0 to 1.
        interpolation: how much of the correction goes into the lens, 0 (none) to 1. Trained at full strength and kept
            in part, it gains nearly as much on trained labels and does not lose on new ones, as WiSE-FT
            (arXiv:2109.01903) found for CLIP.
    """

    train: TrainConfig = field(default_factory=TrainConfig)
    rank: int = 128
    dropout: float = 0.2
    interpolation: float = 0.25

    @classmethod
    def from_method(cls, method: LowRank, labels: Rows) -> "LowRankConfig":
        """What people chose, for examples with these labels (n,).

        >>> import numpy as np
        >>> LowRankConfig.from_method(LowRank(epochs=3), np.repeat(np.arange(100), 8)).train.steps
        6
        """
        train = TrainConfig(loss=method.loss, margin=method.margin, learning_rate=method.learning_rate)
        if method.epochs is not None:
            of = ResolvedTrainConfig()
            steps = method.epochs * steps_per_epoch(labels, rows=of.rows, per_label=of.per_label)
            train = replace(train, steps=steps)
        return cls(train)

    def for_examples(self, count: int) -> "LowRankConfig":
        """The same with the steps for so many examples, where none were chosen.

        >>> [LowRankConfig().for_examples(count).train.steps for count in (60, 1000, 9000)]
        [10, 40, 100]
        """
        if self.train.steps is not None:
            return self
        steps = min(max(count // EXAMPLES_A_STEP, LEAST_STEPS), MOST_STEPS)
        return replace(self, train=replace(self.train, steps=steps))

    @property
    def resolved(self) -> ResolvedTrainConfig:
        """How it is trained, all numbers known."""
        return self.train.resolve(ResolvedTrainConfig())


def described(train: TrainConfig, **others: str | float | bool | None) -> dict[str, str | int | float | None]:
    """A configuration in plain values, for settings that are kept as JSON.

    >>> described(TrainConfig(steps=7), rank=8)["steps"]
    7
    """
    table: dict[str, Any] = {one.name: getattr(train, one.name) for one in fields(TrainConfig)} | others
    del table["patience"]
    if table["schedule"] is None:
        del table["schedule"]
    else:
        table["schedule"] = getattr(table["schedule"], "__name__", type(table["schedule"]).__name__)
    return {name: x if isinstance(x, str | int | float | None) else repr(x) for name, x in table.items()}
