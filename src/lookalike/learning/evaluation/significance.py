"""Is one search better than another on the same queries: bootstrap over groups of queries, and sign flips for few."""

import math

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.labels import Rows
from lookalike.models.proof_parts import LEVEL, PairedTest

PARTS = 5
DRAWS = 10_000
FEW = 20  # clusters of queries, below which signs are flipped
MOST_ATTEMPTS = 1000  # from then on the level stays
PERMUTATIONS = 19  # the closed form is best of 20 by chance in 1 of 20
MOST_PERMUTATIONS = 199


def level_of(attempt: int) -> float:
    """The level of the k-th attempt on the same examples: 1% / k.

    Bonferroni's correction over the attempts so far, so that the first proof needs not know how many will follow. All
    of n attempts together let a lens without effect pass in at most 1% (1 + 1/2 + ... + 1/n): 3.6% for 20.

    >>> level_of(1), level_of(4)
    (0.01, 0.0025)
    """
    return LEVEL / min(attempt, MOST_ATTEMPTS)


def permutations_of(attempt: int) -> int:
    """How many closed forms on shuffled labels the k-th attempt on the same examples has to beat: 20 k - 1.

    The real one is best of them by chance in 1 of 20 k; from the tenth attempt on in 1 of 200, for time's sake.

    >>> permutations_of(1), permutations_of(4), permutations_of(50)
    (19, 79, 199)
    """
    return min((PERMUTATIONS + 1) * attempt - 1, MOST_PERMUTATIONS)


def fewest(level: float = LEVEL) -> int:
    """The fewest units of queries that could convince: with fewer, no outcome of their signs has a chance below it.

    >>> fewest(0.01), 1 / 2**7
    (7, 0.0078125)
    """
    return math.floor(-math.log2(level)) + 1


def score(ranks: Rows) -> tuple[int, float]:
    """How many queries found a right picture first, and the sum of 1 / rank: the same for the same ranks in any order.

    >>> score(np.array([1, 2, 4]))
    (1, 1.75)
    """
    counts = np.bincount(ranks)[1:]
    return int(counts[:1].sum()), float((counts / np.arange(1, len(counts) + 1)).sum())


def is_better(ranks: Rows, others: Rows) -> bool:
    """Whether ranks (q,) beat those of others: more are 1, or as many and the mean reciprocal rank is larger.

    >>> is_better(np.array([1, 3]), np.array([4, 1])), is_better(np.array([1, 3]), np.array([3, 1]))
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
    >>> taken, serves = cross_fitted_choice(simple, other, np.arange(10), np.random.default_rng(0))
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


def paired_test(
    gains: NDArray[np.float64],
    unit: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    flip: bool = False,
    level: float = LEVEL,
) -> PairedTest:
    """Whether the mean gain is above 0, when what is drawn at random are units, not single queries.

    Args:
        gains: (q,) what each query gained.
        unit: (q,) int64, the group of queries each belongs to.
        rng: draws the units.
        flip: sign flips even where there are many units.
        level: below which p convinces; the bounds are those of 1%.
    Returns: with 20 units or more a percentile bootstrap over units; from `fewest` on sign flips of whole units; below
        that test "none", for no outcome of so few could be below the level.

    >>> paired_test(np.ones(30), np.arange(30), np.random.default_rng(0)).lower
    1.0
    """
    names, at = np.unique(unit, return_inverse=True)
    sums = np.bincount(at, gains, len(names)).astype(np.float64)
    sizes = np.bincount(at, minlength=len(names))
    difference = float(gains.mean()) if len(gains) else 0.0
    if len(names) < fewest(level):
        return PairedTest(difference, -1.0, 1.0, 1.0, "none", level)
    finer = math.ceil(LEVEL / level / 20)  # so that chance itself is measured well below the level
    means = bootstrap(sums, sizes, rng, finer * DRAWS)
    lower, upper = (float(bound) for bound in np.quantile(means, [LEVEL, 1 - LEVEL]))
    if flip or len(names) < FEW:
        return PairedTest(difference, lower, upper, sign_flips(sums, rng, finer), "sign flips", level)
    p = float((1 + (means <= 0).sum()) / (1 + len(means)))
    return PairedTest(difference, lower, upper, p, "bootstrap", level)


def bootstrap(
    sums: NDArray[np.float64], sizes: NDArray[np.int64], rng: np.random.Generator, draws: int = DRAWS
) -> NDArray[np.float64]:
    """Means of units drawn with replacement: (draws,) float64, each the sum of sums over the sum of sizes."""
    u, means = len(sums), []
    step = max(1, 4_000_000 // u)
    for start in range(0, draws, step):
        drawn = rng.integers(0, u, (min(step, draws - start), u))
        means.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    return np.concatenate(means)


def sign_flips(sums: NDArray[np.float64], rng: np.random.Generator, finer: int = 1) -> float:
    """How often units with signs of chance sum to as much: exact below 2^17 outcomes, else `finer` times 20,000 draws.

    >>> sign_flips(np.array([1.0, 1.0, 2.0]), np.random.default_rng(0))
    0.125
    """
    reached = float(sums.sum()) - 1e-9 * float(np.abs(sums).sum() + 1)
    sums = sums[sums != 0]
    if len(sums) <= 16:
        outcomes = np.zeros(1)
        for one in sums:
            outcomes = np.concatenate([outcomes + one, outcomes - one])
        return float((outcomes >= reached).mean())
    count = 1
    for _ in range(20 * finer):
        signs = rng.integers(0, 2, (1000, len(sums)), dtype=np.int8) * 2.0 - 1
        count += int((signs @ sums >= reached).sum())
    return count / (20_000 * finer + 1)
