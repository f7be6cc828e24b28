"""The queries that a lens helped most and hurt most, with what each of them found first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.labels import Rows
from lookalike.models.proof_parts import FoundImage, QueryChange

LISTED = 12  # queries of each kind


@dataclass(frozen=True)
class Ranked:
    """How one way of searching answered q queries.

    Attributes:
        ranks: (q,) rank of the first relevant answer.
        first: (3, k, q) the first hits, as `Fold.first` gives them.
    """

    ranks: Rows
    first: NDArray[np.float64]


def query_changes(
    place: Rows, query: Rows, ranked: dict[str, Ranked], rows: Rows, most: int = LISTED
) -> tuple[tuple[QueryChange, ...], tuple[QueryChange, ...]]:
    """Entries of a proof's best and worst, most gained and most lost first, by 1 / rank with the lens less without.

    Args:
        place: (q,) which question each answer belongs to, 0 to the number of questions: one may be asked in several
            folds. It is represented by the answer whose gain is nearest to their mean.
        query: (q,) the row that asked.
        ranked: "plain" and "lens" -> how they answered.
        rows: what each row is called in the entries.
        most: entries of each kind.

    >>> first = np.array([[[1, 0]], [[0.5, 0.5]], [[0, 1]]])
    >>> ranked = {"plain": Ranked(np.array([1, 4]), first), "lens": Ranked(np.array([2, 1]), first)}
    >>> best, worst = query_changes(np.arange(2), np.arange(2), ranked, np.array([10, 11]))
    >>> [(one.query, one.ranks, one.hits["lens"]) for one in best]
    [(11, {'plain': 4, 'lens': 1}, (FoundImage(image=10, similarity=0.5, relevant=True),))]
    >>> [one.query for one in worst]
    [10]
    """
    gain = 1 / ranked["lens"].ranks - 1 / ranked["plain"].ranks
    mean = np.bincount(place, gain) / np.bincount(place)
    nearest = np.lexsort((np.abs(gain - mean[place]), place))  # question by question, the nearest answer first
    chosen = nearest[np.unique(place[nearest], return_index=True)[1]]
    order = chosen[np.argsort(-gain[chosen], kind="stable")]

    def entry(i: int) -> QueryChange:
        hits = {
            name: tuple(
                FoundImage(int(rows[int(row)]), round(float(similarity), 4), bool(relevant))
                for row, similarity, relevant in one.first[:, :, i].T
                if row >= 0
            )
            for name, one in ranked.items()
        }
        return QueryChange(int(rows[query[i]]), {name: int(one.ranks[i]) for name, one in ranked.items()}, hits)

    best = tuple(entry(i) for i in order[:most] if gain[i] > 0)
    return best, tuple(entry(i) for i in order[::-1][:most] if gain[i] < 0)
