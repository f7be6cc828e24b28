"""The queries that a lens helped most and hurt most, with what each of them found first."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.labels import Rows

LISTED = 12  # queries of each kind


def query_changes(
    at: Rows,
    query: Rows,
    ranks: dict[str, Rows],
    first: dict[str, NDArray[np.float64]],
    rows: Rows,
    most: int = LISTED,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Entries of a proof's best and worst, most gained and most lost first, by 1 / rank with the lens less without.

    Args:
        at: (q,) which question each answer belongs to, 0 to the number of questions: one may be asked in several
            splits. Of its answers the one is told whose gain is nearest to their mean.
        query: (q,) the row that asked.
        ranks: "plain" and "lens" -> (q,) rank of the first right answer.
        first: "plain" and "lens" -> (3, k, q) as `Task.first` gives it.
        rows: what each row is called in the entries.
        most: entries of each kind.

    >>> ranks = {"plain": np.array([1, 4]), "lens": np.array([2, 1])}
    >>> first = dict.fromkeys(ranks, np.array([[[1, 0]], [[0.5, 0.5]], [[0, 1]]]))
    >>> best, worst = query_changes(np.arange(2), np.arange(2), ranks, first, np.array([10, 11]))
    >>> best
    [{'query': 11, 'plain': 4, 'lens': 1, 'hits': {'plain': [[10, 0.5, True]], 'lens': [[10, 0.5, True]]}}]
    >>> [entry["query"] for entry in worst]
    [10]
    """
    gain = 1 / ranks["lens"] - 1 / ranks["plain"]
    mean = np.bincount(at, gain) / np.bincount(at)
    nearest = np.lexsort((np.abs(gain - mean[at]), at))  # question by question, the answer to tell first
    told = nearest[np.unique(at[nearest], return_index=True)[1]]
    order = told[np.argsort(-gain[told], kind="stable")]

    def entry(i: int) -> dict[str, Any]:
        hits = {
            way: [
                [int(rows[int(row)]), round(float(similarity), 4), bool(right)]
                for row, similarity, right in one[:, :, i].T
                if row >= 0
            ]
            for way, one in first.items()
        }
        return {"query": int(rows[query[i]]), **{way: int(one[i]) for way, one in ranks.items()}, "hits": hits}

    best = [entry(i) for i in order[:most] if gain[i] > 0]
    return best, [entry(i) for i in order[::-1][:most] if gain[i] < 0]
