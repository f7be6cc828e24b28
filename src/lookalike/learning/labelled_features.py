"""Features with what is known of them: labels, domains, triplets, and which rows ask."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.labels import Rows
from lookalike.models.lens import Lens

Features = NDArray[np.float32]

# features (n, f), group (n,), side (n,) or None, triplets (t, 3) or None -> a lens
Learn = Callable[[Features, Rows, Rows | None, Rows | None], Lens]


class Correct(Protocol):
    """A second step: a lens and the examples it was made from -> a better lens."""

    def __call__(
        self, lens: Lens, features: Features, labels: Rows, *, domains: Rows | None, triplets: Rows | None
    ) -> Lens:
        """As `lookalike.learning.training.low_rank_trainer.correct` does; it is handed in, for this room knows no torch."""
        ...


@dataclass(frozen=True)
class LabelledFeatures:
    """What is asked about, as arrays of n rows.

    Args:
        features: (n, f) float32.
        group: (n,) int64, -1 for none.
        side: (n,) int64, -1 for none; read only where `sided`.
        triplets: (t, 3) int64, or None.
        sided: whether there are sides.
        content: (n,) int64, equal for equal pictures; None where nothing is known to be equal.
        asks: (n,) bool, the only rows that ask, from which nothing is learned; None: any may.
        whole: (n,) bool, the only rows that are found; None: any is.
    """

    features: Features
    labels: Rows
    domains: Rows
    triplets: Rows | None
    sided: bool
    content: Rows | None = None
    query_mask: NDArray[np.bool_] | None = None
    gallery_mask: NDArray[np.bool_] | None = None

    def left(self, rows: Rows, triplets: Rows | None) -> tuple[Features, Rows, Rows | None, Rows | None]:
        """Some rows, and some triplets among them: features, labels, domains or None, triplets or None."""
        at = np.full(len(self.labels), -1)
        at[rows] = np.arange(len(rows))
        domains = self.domains[rows] if self.sided else None
        return self.features[rows], self.labels[rows], domains, None if triplets is None else at[triplets]

    def answers(self, queries: Rows, gallery: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which rows of a gallery (g,) are right for queries (q,), and which are left out: both (q, g) bool.

        A query's own side is left out, and the query itself with all its copies.
        """
        right = (self.labels[queries, None] == self.labels[gallery]) & (self.labels[gallery] >= 0)
        same_side = (self.domains[queries, None] == self.domains[gallery]) & (self.domains[gallery] >= 0)
        content = np.arange(len(self.labels)) if self.content is None else self.content
        out = same_side | (content[queries, None] == content[gallery])
        return right, out if self.gallery_mask is None else out | ~self.gallery_mask[gallery]
