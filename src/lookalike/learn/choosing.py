"""Which of two ways of searching is better on the same queries, and a choice that its own report cannot gain by."""

import numpy as np
from numpy.typing import NDArray

PARTS = 5
Rows = NDArray[np.int64]


def score(ranks: Rows) -> tuple[int, float]:
    """How many queries found a right picture first, and the sum of 1 / rank: the same for the same ranks in any order.

    >>> score(np.array([1, 2, 4]))
    (1, 1.75)
    """
    counts = np.bincount(ranks)[1:]
    return int(counts[:1].sum()), float((counts / np.arange(1, len(counts) + 1)).sum())


def is_better(ranks: Rows, others: Rows) -> bool:
    """Whether ranks (q,) beat those of others: more are 1, or as many and the mean reciprocal rank is larger.

    >>> beaten(np.array([1, 3]), np.array([4, 1])), beaten(np.array([1, 3]), np.array([3, 1]))
    (True, False)
    """
    (first, sum_of_inverse), (other_first, other_sum) = score(ranks), score(others)
    return first > other_first or (first == other_first and sum_of_inverse > other_sum + 1e-9 * len(ranks))


def cross_fitted_choice(
    simple: Rows, other: Rows, unit: Rows, rng: np.random.Generator, parts: int = PARTS
) -> tuple[NDArray[np.bool_], bool]:
    """For each query, whether the queries of other parts would choose `other`; and whether all queries would.

    A choice by the queries that are reported would inflate the report: of two equally good ways, it would be the
    luckier one. Here units of queries are dealt to parts at random, and each part is answered the way that was better
    on the other parts, so that for its own queries the choice is no luck.

    Args:
        simple: (q,) the ranks of the first right answer under the simpler way.
        other: (q,) the same under the other.
        unit: (q,) which queries belong to one draw of chance.
        rng: deals the units.
        parts: how many; fewer where there are fewer units, and with one unit there is nothing else to choose by.
    Returns: (q,) bool, and the choice that will serve; a tie chooses `simple`.
    Source: cross-fitting, as in Chernozhukov et al., arXiv:1608.00060, applied to a choice of two.

    >>> simple, other = np.full(10, 2), np.ones(10, int)
    >>> taken, serves = chosen_elsewhere(simple, other, np.arange(10), np.random.default_rng(0))
    >>> bool(taken.all()), serves
    (True, True)
    """
    names, at = np.unique(unit, return_inverse=True)
    part = (rng.permutation(len(names)) % parts)[at]
    taken = np.zeros(len(unit), bool)
    for one in np.unique(part):
        elsewhere = part != one
        taken[~elsewhere] = elsewhere.any() and is_better(other[elsewhere], simple[elsewhere])
    return taken, bool(is_better(other, simple))
