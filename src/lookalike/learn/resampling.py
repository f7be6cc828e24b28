"""Is one search better than another on the same queries: bootstrap over groups of queries, and sign flips for few."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.01  # one-sided
DRAWS = 10_000
FEW = 20  # groups of queries, below which signs are flipped
FEWEST = 7  # 1 / 2^7 is the first below LEVEL: with fewer, no outcome could convince


@dataclass(frozen=True)
class PairedTest:
    """A difference of means with its 1% and 99% bounds and p, one-sided, by the test that was fit for it."""

    difference: float
    lower: float
    upper: float
    p_value: float
    clusters: int
    method: Literal["bootstrap", "sign flips", "none"]

    @property
    def better(self) -> bool:
        """Whether the difference is above 0 at the 1% level."""
        return (
            self.method != "none"
            and self.difference > 0
            and self.p_value < LEVEL
            and (self.method == "sign flips" or self.lower > 0)
        )


def paired_test(
    gains: NDArray[np.float64], unit: NDArray[np.int64], rng: np.random.Generator, *, flip: bool = False
) -> PairedTest:
    """Whether the mean gain is above 0, when what is drawn at random are units, not single queries.

    Args:
        gains: (q,) what each query gained.
        unit: (q,) int64, the group of queries each belongs to.
        rng: draws the units.
        flip: sign flips even where there are many units.
    Returns: with 20 units or more a percentile bootstrap over units; from 7 on sign flips of whole units; below that
        test "none", for no outcome of so few could be below 1%.

    >>> compare(np.ones(30), np.arange(30), np.random.default_rng(0)).lower
    1.0
    """
    names, at = np.unique(unit, return_inverse=True)
    sums = np.bincount(at, gains, len(names)).astype(np.float64)
    sizes = np.bincount(at, minlength=len(names))
    difference = float(gains.mean()) if len(gains) else 0.0
    if len(names) < FEWEST:
        return PairedTest(difference, -1.0, 1.0, 1.0, len(names), "none")
    means = bootstrap(sums, sizes, rng)
    lower, upper = (float(bound) for bound in np.quantile(means, [LEVEL, 1 - LEVEL]))
    if flip or len(names) < FEW:
        return PairedTest(difference, lower, upper, sign_flips(sums, rng), len(names), "sign flips")
    p = float((1 + (means <= 0).sum()) / (1 + len(means)))
    return PairedTest(difference, lower, upper, p, len(names), "bootstrap")


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


def sign_flips(sums: NDArray[np.float64], rng: np.random.Generator) -> float:
    """How often units with signs of chance sum to as much: exact below 2^17 outcomes, else 20,000 draws.

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
    for _ in range(20):
        signs = rng.integers(0, 2, (1000, len(sums)), dtype=np.int8) * 2.0 - 1
        count += int((signs @ sums >= reached).sum())
    return count / 20_001
