"""How a backbone is fine-tuned: frozen values with their defaults; docs/quality.md says how those were measured."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from lookalike.learning.config import FineTune, KerasSiamese
from lookalike.learning.labels import Rows
from lookalike.learning.training.batch_sampler import steps_per_epoch
from lookalike.learning.training.config import ResolvedTrainConfig, TrainConfig, described
from lookalike.learning.training.schedules import constant


@dataclass(frozen=True)
class FineTuneConfig:
    """How the last layers of a backbone are trained.

    Attributes:
        layer: the first that learns: its name, the start of names up to a dot ("blocks.15"), or its place in
            `bundle.layers`, which counts from the end where it is negative.
        train: of the training. Its None stand for: temperature 0.1, 128 rows, 150 steps (50 for less than 600 images),
            4 rows a label and up to 12 where labels are few, and the learning rate of the backbone's family
            (`LEARNING_RATES`): of the last block, warmed up and then falling along a cosine.
        weight_decay: of AdamW.
        layer_decay: what each block's learning rate is multiplied with for the block before it, above 0, at most 1;
            None for that of the backbone's family.
        head_rate: learning rate of the correction that is trained along; None for that of the backbone's family.
        rank, dropout: of the low-rank correction that is trained along and thrown away.
        loss_input: what the loss sees of the features: the "last" stage alone, or "all"; the lens afterwards sees all.
            With all of them the closed form has learned few examples by heart, and leaves little to be learned.
        interpolation: how far the weights go from what they were to what was trained, 0 (not at all) to 1 (WiSE-FT,
            arXiv:2109.01903): part of the way they tell new images apart as well as at its end, or better.
        views: of each image that are cached: itself, its mirror image, crops. None for 4 where less than 600 images
            are trained on (which are learned by heart otherwise), else 1.
        most_mb: that the cached activations may take on disk.
        checkpoint_every: steps.
        device: "cpu" or "cuda"; None for CUDA where torch sees it.
        bf16: whether the network computes in bfloat16; None where it pays: on CUDA, and for the default's last block on
            processors that have it (depthwise convolutions are slow in it).
    """

    layer: str | int = -1
    train: TrainConfig = field(default_factory=TrainConfig)
    weight_decay: float = 1e-4
    layer_decay: float | None = None
    head_rate: float | None = None
    rank: int = 128
    dropout: float = 0.2
    loss_input: Literal["last", "all"] = "last"
    interpolation: float = 0.7
    views: int | None = None
    most_mb: float = 8000
    checkpoint_every: int = 25
    device: str | None = None
    bf16: bool | None = None

    @classmethod
    def from_method(cls, method: FineTune, labels: Rows) -> "FineTuneConfig":
        """What people chose, for examples with these labels (n,).

        >>> import numpy as np
        >>> FineTuneConfig.from_method(FineTune("stem", epochs=3), np.repeat(np.arange(100), 8)).train.steps
        9
        """
        train = TrainConfig(loss=method.loss, margin=method.margin, learning_rate=method.learning_rate)
        if method.epochs is not None:
            steps = method.epochs * steps_per_epoch(labels, rows=FINE_TUNE.rows, per_label=FINE_TUNE.per_label)
            train = replace(train, steps=steps)
        return cls(layer=method.layer, train=train)

    def described(self) -> dict[str, str | int | float | None]:
        """In plain values, for settings that are kept as JSON."""
        others: dict[str, Any] = {name: x for name, x in vars(self).items() if name != "train"}
        return described(self.train, **others)


FINE_TUNE = ResolvedTrainConfig(temperature=0.1, steps=150, rows=128)  # before the data and the network have a say


@dataclass(frozen=True)
class KerasSiameseConfig:
    """The numbers of the Keras example; the defaults are its own, but for `epochs`, of which its public text has 10.

    Attributes:
        layer: the first that learns; None for the example's place, see `keras_example_layer`.
        epochs: times that as many images are trained on as there are.
        triplets: a step, each of an anchor, its partner, and a random image of another label.
        margin: in squared distance.
        learning_rate: of Adam.
        side_px: of the images.
        parts: one of so many parts of the examples is for validation alone.
        most_mb: what the cached activations may take on disk.
        bf16: whether the network computes in bfloat16; None where it pays.
    """

    layer: str | int | None = None
    epochs: int = 40
    triplets: int = 32
    margin: float = 0.5
    learning_rate: float = 1e-4
    side_px: int = 200
    parts: int = 5
    most_mb: float = 8000
    bf16: bool | None = None

    @classmethod
    def from_method(cls, method: KerasSiamese) -> "KerasSiameseConfig":
        """What people chose.

        >>> KerasSiameseConfig.from_method(KerasSiamese(epochs=3)).epochs
        3
        """
        found = cls(layer=method.layer)
        if method.epochs is not None:
            found = replace(found, epochs=method.epochs)
        return found if method.learning_rate is None else replace(found, learning_rate=method.learning_rate)

    def train(self, per_epoch: int) -> TrainConfig:
        """Of the training, for epochs of so many steps.

        >>> KerasSiameseConfig(epochs=3).train(per_epoch=4).steps
        12
        """
        return TrainConfig(
            loss="triplet",
            miner="one-a-pair",
            margin=self.margin,
            steps=self.epochs * per_epoch,
            rows=2 * self.triplets,
            per_label=2,
            learning_rate=self.learning_rate,
            schedule=constant,
            patience=max(20, per_epoch),
        )

    def described(self) -> dict[str, str | int | float | None]:
        """In plain values, for settings that are kept as JSON."""
        return asdict(self)
