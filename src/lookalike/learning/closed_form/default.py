"""The default ways to learn: teaching, proof and benchmarks all take them from here."""

from dataclasses import dataclass

import numpy as np

from lookalike.learning.closed_form.discriminant import reweight_between_class
from lookalike.learning.closed_form.whitening import WhitenTrainer, spread_scale
from lookalike.learning.labelled_features import Features, LabelledFeatures, Trainer
from lookalike.models.lens import Lens
from lookalike.progress import SILENT, Reporter

RIDGE = 1.0


@dataclass(frozen=True)
class ClosedFormTrainer:
    """The closed form with the defaults that held for every kind of picture.

    The parts of the features are weighted for lenses and the spreads of features evened, features are whitened within
    labels, and the result is re-weighted by between-class variance; decisions 12 and 17 say why.

    Attributes:
        ridge, dims, prior, prior_share: as for `WhitenTrainer`.

    >>> x = np.array([[0, 1, 0], [0, -1, 0], [1, 1, 0], [1, -1, 0]], np.float32)
    >>> ClosedFormTrainer().fit(LabelledFeatures.create(x, [0, 0, 1, 1])).dims
    3
    """

    ridge: float = RIDGE
    dims: int | None = None
    prior: Features | None = None
    prior_share: float = 0.0

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        """Learn a lens; `start` is not read. Raises: ExamplesError, ShapeError."""
        scale = spread_scale(data.features, parts=data.parts)
        lens = WhitenTrainer(self.ridge, scale, self.dims, self.prior, self.prior_share).fit(data)
        return reweight_between_class(lens, data)


@dataclass(frozen=True)
class ChainedTrainer:
    """One trainer, and another that goes on from its lens.

    Attributes:
        first, second: the two.
    """

    first: Trainer
    second: Trainer

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        """Learn with the first from `start` on, then with the second from there."""
        return self.second.fit(data, self.first.fit(data, start, reporter), reporter)


@dataclass(frozen=True)
class IdentityTrainer:
    """Learns nothing: its lens gives the features themselves, brought to length 1."""

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        """The identity of as many features as there are."""
        f = data.features.shape[1]
        return Lens("identity", np.zeros(f, np.float32), np.eye(f, dtype=np.float32), {"kind": "identity"})
