"""The lens's second step: from the closed form on, a low-rank correction by gradient, of which a part is kept."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn.functional import normalize

from lookalike.errors import NoActiveTripletsError, ShapeError, TrainingError
from lookalike.learning.labelled_features import Features, LabelledFeatures
from lookalike.learning.labels import Rows
from lookalike.learning.training.config import LowRankConfig, Validation, described
from lookalike.learning.training.history import BestState, StepMetrics
from lookalike.learning.training.networks import LowRank
from lookalike.learning.training.torch_context import Randomness, threads
from lookalike.learning.training.trainer import train_steps
from lookalike.learning.training.trainer_state import TrainerState
from lookalike.models.lens import Lens
from lookalike.progress import SILENT, Reporter

SAMPLE = 4096  # rows that the main directions are found from
AT_ONCE = 4096  # rows of features in float32 at a time
# Batches are small: a second thread gains little, and where the processor is busy the two wait for each other, turn by
# turn, many times as long. With one the bits are also the same whatever the processor.
THREADS = 1


class LowRankTrainer:
    """Refines a closed form by a low-rank correction; a `Trainer`.

    z = normalise(y + y A B) with y = (x - mean) @ matrix, A (d, rank) started at the main directions of y and B at 0;
    the result is one mean and one matrix again.

    Args:
        config: how; None for the defaults.
        seed: of the main directions, the batches and dropout.
        stage: what progress is reported as.
    """

    def __init__(self, config: LowRankConfig | None = None, seed: int = 0, stage: str = "learning"):
        self.config, self.seed, self.stage = config or LowRankConfig(), seed, stage

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        """A corrected lens.

        Args:
            data: the examples that `start` was made from.
            start: the closed form.
            reporter: told of each step.
        Raises: what `LowRankRun` raises; TrainingError, without a lens to start from.
        """
        if start is None:
            raise TrainingError("a low-rank correction starts from a lens. Make one first, with whiten for example.")
        run = LowRankRun(start, data, self.config, seed=self.seed)
        for step in run.steps():
            reporter.progress(step.progress(self.stage))
        return run.lens()


class LowRankRun:
    """One correction on its way: go through `steps()`, and take `lens()` at any time.

    Args:
        start: the closed form to start from.
        data: the examples; features are read batch by batch.
        config: how; None for the defaults.
        measure: gives the recall of the embedding (m, d) of `of`, larger is better; the best step counts. None: the
            last step counts.
        of: (m, f) features of what is measured; they are whitened once for all steps.
        keep: "last", where the last step counts though it is measured.
        seed: of the main directions, the batches and dropout.
    Raises: ShapeError, when features do not fit the lens.
    """

    def __init__(
        self,
        start: Lens,
        data: LabelledFeatures,
        config: LowRankConfig | None = None,
        *,
        measure: Callable[[NDArray[np.float32]], float] | None = None,
        of: Features | None = None,
        keep: Literal["highest", "last"] = "highest",
        seed: int = 0,
    ):
        examples = np.union1d(np.flatnonzero(data.labels >= 0), data.triplets)
        self.start, self.data, self.seed = start, data, seed
        self.config = (config or LowRankConfig()).for_examples(len(examples))
        train = self.config.resolved
        rows = WhitenedRows(start, data.features)
        # All at once is less work than batch by batch, unless most rows would never be asked for.
        few = len(rows) <= train.steps * train.rows
        self.rows = rows.all() if few else rows
        self.network = LowRank(main_directions(self.rows, self.config.rank, seed), self.config.dropout)
        self.validation: Validation | None = None
        if measure is not None and of is not None:
            measured = WhitenedRows(start, of).all()
            self.validation = Validation(lambda network: measure(self._embedding(measured, network)), keep=keep)
        self.best = BestState()

    def steps(self) -> Iterator[StepMetrics]:
        """Train, a step whenever the next metrics are asked for.

        A closed form that tells every pair of labels apart already leaves no triplet active: then it stays as it is.

        Raises: what `train` raises but NoActiveTripletsError.
        """
        state = TrainerState.create(
            self.network, self.rows, self.data, self.config.resolved, validation=self.validation, seed=self.seed
        )
        self.best = state.best
        steps = train_steps(state)
        try:
            while True:
                with threads(THREADS):
                    step = next(steps, None)
                if step is None:
                    return
                yield step
        except NoActiveTripletsError:
            return
        finally:
            steps.close()

    def lens(self, parameters: dict[str, Tensor] | None = None) -> Lens:
        """The corrected lens: the same mean, and matrix + interpolation (matrix A) B; the closed form before step 1.

        Args: parameters: A and B; by default the best so far.
        """
        state = parameters or self.best.parameters or self.network.state_dict()
        A, B = state["A"].numpy(), state["B"].numpy()  # (d, r), (r, d)
        config = self.config
        matrix = self.start.matrix + config.interpolation * (self.start.matrix @ A) @ B  # (f, d)
        about = described(config.resolved, rank=A.shape[1], dropout=config.dropout, interpolation=config.interpolation)
        about |= {"step": self.best.step, "seed": self.seed, "threads": THREADS}
        return replace(self.start, matrix=matrix, settings={**self.start.settings, "correction": about}, proof=None)

    def _embedding(self, rows: Tensor, network: nn.Module) -> NDArray[np.float32]:
        """What the corrected lens gives for whitened rows (m, d), without its matrix."""
        A, B = (network.state_dict()[name] for name in ("A", "B"))
        found: NDArray[np.float32] = normalize(rows + self.config.interpolation * (rows @ A) @ B).numpy()
        return found


def correct(
    lens: Lens,
    features: ArrayLike,
    labels: ArrayLike,
    *,
    domains: ArrayLike | None = None,
    triplets: ArrayLike | None = None,
    config: LowRankConfig | None = None,
    seed: int = 0,
) -> Lens:
    """A closed form and the arrays it was made from -> a corrected lens; `LowRankTrainer` on arrays.

    Args:
        lens: the closed form.
        features: (n, f) floats.
        labels: (n,) int, -1 for none.
        domains: (n,) int, or None.
        triplets: (t, 3) int rows, or None.
        config: how; None for the defaults.
        seed: of everything that is drawn.
    """
    data = LabelledFeatures.create(features, labels, domains=domains, triplets=triplets)
    return LowRankTrainer(config, seed).fit(data, lens)


class WhitenedRows:
    """y = (x - mean) @ matrix for any rows asked for, so that 100,000 images need no second copy."""

    def __init__(self, lens: Lens, features: NDArray[Any]):
        if features.ndim != 2 or features.shape[1] != lens.features:
            raise ShapeError(
                f"features {features.shape} for a lens that reads {lens.features}. Give (n, {lens.features})."
            )
        self.features, self.lens = features, lens

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, rows: Rows) -> Tensor:
        """(b,) int64 -> (b, d) float32."""
        x = np.asarray(self.features[rows], np.float32) - self.lens.mean
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
