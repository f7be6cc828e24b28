"""The lens's second step: from the closed form on, a low-rank correction by gradient, of which a part is kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from lookalike.errors import NoActiveTripletsError, ShapeError
from lookalike.learning.labels import Rows
from lookalike.learning.training.history import BestState, StepMetrics
from lookalike.learning.training.losses import Loss
from lookalike.learning.training.miners import Miner
from lookalike.learning.training.networks import LowRank
from lookalike.learning.training.torch_context import Randomness, threads
from lookalike.learning.training.trainer import train
from lookalike.models.lens import Lens

SAMPLE = 4096  # rows that the main directions are found from
AT_ONCE = 4096  # rows of features in float32 at a time


@dataclass(frozen=True)
class LowRankConfig:
    """How a correction is learned; the defaults held for every kind of picture they were measured on.

    Attributes:
        loss, miner, margin, temperature, steps, rows, per_label, learning_rate: as in `train`.
        rank: how many directions the correction may use; fewer where there are fewer pictures or dimensions.
        dropout: share of the closed form's values taken away while learning.
        interpolation: how much of the correction goes into the lens, 0 (none) to 1. Trained at full strength and kept in part,
            it gains nearly as much on learned groups and does not lose on new ones, as WiSE-FT (arXiv:2109.01903)
            found for CLIP.
    """

    loss: str | Loss = "softmax"
    miner: str | Miner | None = None
    margin: float = 0.2
    temperature: float = 0.05
    steps: int = 100
    rows: int = 256
    per_label: int = 4
    learning_rate: float = 1e-3
    rank: int = 128
    dropout: float = 0.2
    interpolation: float = 0.25


class LowRankTrainer:
    """A correction on its way: go through `steps()`, and take `lens()` at any time.

    Args:
        lens: the closed form to start from.
        features: (n, f) of any float type; read batch by batch.
        labels, domains, triplets: what to learn from, see `batches`.
        validate: gives the recall of a lens, larger is better; the best step counts. None: the last step counts.
    Raises: ShapeError, when features do not fit the lens.
    """

    def __init__(
        self,
        lens: Lens,
        features: NDArray[Any],
        labels: Rows,
        *,
        domains: Rows | None = None,
        triplets: Rows | None = None,
        settings: LowRankConfig | None = None,
        validate: Callable[[Lens], float] | None = None,
        seed: int = 0,
    ):
        self.start, self.settings, self.seed = lens, settings or LowRankConfig(), seed
        self.group, self.side, self.triplets = labels, domains, triplets
        rows = WhitenedRows(lens, features, domains)
        # All at once is less work than batch by batch, unless most rows would never be asked for.
        few = len(rows) <= self.settings.steps * self.settings.rows
        self.rows = rows.all() if few else rows
        self.learned = BestState()
        self.network = LowRank(main_directions(self.rows, self.settings.rank, seed), self.settings.dropout)
        self.validate = validate

    def steps(self) -> Iterator[StepMetrics]:
        """Learn, a step whenever the next report is asked for.

        A closed form that tells every pair of groups apart already leaves no triplet active: then it stays as it is.

        Raises: what `train` raises but NoActiveTripletsError.
        """
        validate = self.validate
        reports = train(
            self.network,
            self.rows,
            self.group,
            domains=self.side,
            triplets=self.triplets,
            validate=None if validate is None else lambda network: validate(self.lens(network.state_dict())),
            seed=self.seed,
            learned=self.learned,
            **{name: getattr(self.settings, name) for name in TRAINED},
        )
        try:
            while True:
                with threads(THREADS):
                    report = next(reports, None)
                if report is None:
                    return
                yield report
        except NoActiveTripletsError:
            return
        finally:
            reports.close()

    def lens(self, parameters: dict[str, Tensor] | None = None) -> Lens:
        """The corrected lens: the same mean, and matrix + kept (matrix A) B; the closed form itself before step 1.

        Args: parameters: A and B; by default the best so far.
        """
        state = parameters or self.learned.parameters or self.network.state_dict()
        A, B = state["A"].numpy(), state["B"].numpy()  # (d, r), (r, d)
        matrix = self.start.matrix + self.settings.interpolation * (self.start.matrix @ A) @ B  # (f, d)
        about = {
            name: x if isinstance(x, str | int | float | None) else repr(x) for name, x in vars(self.settings).items()
        }
        about |= {"rank": A.shape[1], "step": self.learned.step, "seed": self.seed, "threads": THREADS}
        return replace(self.start, matrix=matrix, settings={**self.start.settings, "correction": about}, proof=None)


# Batches are small: a second thread gains little, and where the processor is busy the two wait for each other, turn by
# turn, many times as long. With one the bits are also the same whatever the processor.
THREADS = 1
TRAINED = ("loss", "miner", "margin", "temperature", "steps", "rows", "per_label", "learning_rate")


def correct(
    lens: Lens,
    features: NDArray[Any],
    labels: Rows,
    *,
    domains: Rows | None = None,
    triplets: Rows | None = None,
    settings: LowRankConfig | None = None,
    validate: Callable[[Lens], float] | None = None,
    report: Callable[[StepMetrics], None] | None = None,
    seed: int = 0,
) -> Lens:
    """A closed form and the examples it was made from -> a corrected lens.

    z = normalise(y + y A B) with y = (x - mean) @ matrix, A (d, rank) started at the main directions of y and B at 0;
    the result is one mean and one matrix again. Arguments as for `LowRankTrainer`, which can be stepped and stopped.
    """
    correction = LowRankTrainer(
        lens, features, labels, domains=domains, triplets=triplets, settings=settings, validate=validate, seed=seed
    )
    for step in correction.steps():
        if report is not None:
            report(step)
    return correction.lens()


class WhitenedRows:
    """y = (x - mean) @ matrix for any rows asked for, so that 100,000 pictures need no second copy."""

    def __init__(self, lens: Lens, features: NDArray[Any], domains: ArrayLike | None):
        if features.ndim != 2 or features.shape[1] != lens.features:
            raise ShapeError(
                f"features {features.shape} for a lens that reads {lens.features}. Give (n, {lens.features})."
            )
        if lens.mean.ndim == 2 and domains is None:
            raise ShapeError(
                f"lens {lens.name} has a mean for each of {len(lens.mean)} sides. Give the side of each row."
            )
        self.features, self.lens = features, lens
        # As in `Lens.apply`: where the side is not known, -1, the mean of the means stands in, which is the last row.
        self.means = np.vstack([lens.mean, np.atleast_2d(lens.mean).mean(axis=0, keepdims=True)])
        known = domains is not None and lens.mean.ndim == 2
        self.side = np.asarray(domains, np.int64) if known else np.zeros(len(features), np.int64)

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: Rows) -> Tensor:
        """(b,) int64 -> (b, d) float32."""
        x = np.asarray(self.features[rows], np.float32) - self.means[self.side[rows]]
        return torch.from_numpy(x) @ torch.from_numpy(self.lens.matrix)  # (b, f) @ (f, d) -> (b, d)

    def all(self) -> Tensor:
        """Every row, (n, d) float32."""
        y = torch.empty(len(self), self.lens.dims)
        for rows in np.array_split(np.arange(len(self)), -(-len(self) // AT_ONCE)):
            y[torch.from_numpy(rows)] = self[rows]
        return y


def main_directions(rows: WhitenedRows | Tensor, rank: int, seed: int) -> Tensor:
    """The directions in which y varies most, (d, r) with orthonormal columns; r is at most n - 1 and d."""
    at = np.sort(np.random.default_rng(seed).permutation(len(rows))[:SAMPLE])
    y = rows[torch.from_numpy(at)] if isinstance(rows, Tensor) else rows[at]
    rank = max(1, min(rank, len(y) - 1, y.shape[1]))
    with Randomness(seed), threads(THREADS):  # it starts from random directions
        return torch.pca_lowrank(y, rank, center=False)[2]
