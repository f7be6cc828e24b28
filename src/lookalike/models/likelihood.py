"""How likely a hit is right: a lens's similarities -> probabilities, as learned from held-out queries."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lookalike.models.proof_parts import check, is_count, is_number, is_share, is_tuple_of

Method = Literal["platt", "isotonic"]
NEAR, SEEN = 5, 12  # first hits whose mean similarities say how crowded it is around a query
BEND = 2  # the rank from which on a second weight adds to what a later rank takes away
EVIDENCE = 6  # what is known of a hit: similarity, log rank, the first hit's similarity, two means, log rank from 2 on
GROWTH = 0.25  # of the logarithm of how many times larger a collection became, taken from the log-odds
MOST_GROWTH = 5.0  # times as many pictures as the proof searched: beyond, nothing is said


@dataclass(frozen=True)
class ReliabilityBin:
    """Hits of held-out queries that were said to be about equally likely right.

    Attributes:
        said: the mean of what was said of them, 0 to 1, by what was learned from other queries.
        right: the share of them that is right, 0 to 1.
        share: the share of all hits that they are, 0 to 1.
    """

    said: float
    right: float
    share: float

    def __post_init__(self) -> None:
        names = ("said", "right", "share")
        check(**{name: (value := getattr(self, name), is_share(value)) for name in names})


@dataclass(frozen=True)
class Likelihood:
    """How likely a hit of a lens is right, by its similarity, its rank and the hits around it.

    The log-odds are a weighted sum of what `evidence` gives, turned into a probability by the logistic function (Platt,
    "Probabilistic outputs for support vector machines", 1999) or by steps that were fitted in rising order (isotonic
    regression, Zadrozny and Elkan, 2002), straight lines between them.

    Attributes:
        method: "platt" or "isotonic".
        weights: of what `evidence` gives, and the constant: seven numbers. That of the similarity is 0 or more, those
            of the rank are 0 or less, so that within an answer no hit is more likely right than a hit before it. Lenses
            of earlier previews have six, without the last of the evidence.
        steps: of "isotonic": pairs of log-odds and probability, both rising.
        lowest, highest: bounds of what is said: what so many queries cannot rule out.
        queries: how many held-out queries it was learned from.
        pictures: how many were searched then.
        error: the expected calibration error on held-out queries, 0 to 1, each judged by what the others taught.
        reliability: what was said of them beside what was right, by rising `said`.
    Raises: ShapeError, when a field holds what it cannot.

    >>> told = Likelihood("platt", (10.0, 0.0, 0.0, 0.0, 0.0, -5.0), (), 0.01, 0.99, 100, 1000, 0.02, ())
    >>> told.of(np.array([0.9, 0.5, 0.1]), 1000).round(2)
    array([0.98, 0.5 , 0.02])
    """

    method: Method
    weights: tuple[float, ...]
    steps: tuple[tuple[float, float], ...]
    lowest: float
    highest: float
    queries: int
    pictures: int
    error: float
    reliability: tuple[ReliabilityBin, ...]

    def __post_init__(self) -> None:
        weights, steps = self.weights, self.steps
        numbers = (
            isinstance(weights, tuple) and all(map(is_number, weights)) and len(weights) in (EVIDENCE, EVIDENCE + 1)
        )
        check(
            method=(self.method, self.method in get_args(Method)),
            weights=(weights, numbers and weights[0] >= 0 >= max((weights[1], *weights[EVIDENCE - 1 : -1]))),
            steps=(steps, _are_steps(steps) and (self.method == "isotonic") == bool(steps)),
            lowest=(self.lowest, is_share(self.lowest)),
            highest=(self.highest, is_share(self.highest) and self.highest >= self.lowest),
            queries=(self.queries, is_count(self.queries)),
            pictures=(self.pictures, is_count(self.pictures) and self.pictures > 0),
            error=(self.error, is_share(self.error)),
            reliability=(self.reliability, is_tuple_of(ReliabilityBin, self.reliability)),
        )

    def tells_of(self, pictures: int) -> bool:
        """Whether anything is said where so many pictures are searched."""
        return pictures <= MOST_GROWTH * self.pictures

    def of(self, similarities: NDArray[np.floating[Any]], pictures: int) -> NDArray[np.float64]:
        """How likely each hit of a query is right.

        Args:
            similarities: (k,) of its first k hits, falling; the first `SEEN` of them must be there, or all there are.
            pictures: how many were searched: where they are more than in the proof, more of them are wrong.
        Returns: (k,) float64, `lowest` to `highest`, never rising.
        """
        if not len(similarities):
            return np.zeros(0)
        odds = self.log_odds(np.asarray(similarities, np.float64)[None])[0]
        odds = odds - GROWTH * math.log(max(1.0, pictures / self.pictures))
        told: NDArray[np.float64] = np.minimum.accumulate(self.from_log_odds(odds))
        return told

    def log_odds(self, similarities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of hits (q, k), each query's falling, before the size of the collection is counted: (q, k)."""
        known = len(self.weights) - 1
        odds: NDArray[np.float64] = evidence(similarities)[..., :known] @ np.array(self.weights[:-1]) + self.weights[-1]
        return odds

    def from_log_odds(self, odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probabilities that log-odds come to, within the bounds; of any shape."""
        if self.steps:
            at, values = np.array(self.steps).T
            told = np.interp(odds, at, values)
        else:
            told = 1 / (1 + np.exp(-np.clip(odds, -500, 500)))
        bounded: NDArray[np.float64] = np.clip(told, self.lowest, self.highest)
        return bounded


def word_for(likely: float) -> str:
    """A likelihood in words.

    >>> [word_for(value) for value in (0.95, 0.7, 0.4, 0.1)]
    ['very likely', 'likely', 'may be', 'unlikely']
    """
    levels = ((0.9, "very likely"), (0.6, "likely"), (0.25, "may be"))
    return next((word for level, word in levels if likely >= level), "unlikely")


def percent(likely: float) -> str:
    """A likelihood as people read it: never 100% or 0%, of which no sample can be sure.

    >>> percent(0.874), percent(0.999), percent(0.001)
    ('87%', '99%', '1%')
    """
    return f"{min(99, max(1, round(100 * likely)))}%"


def evidence(similarities: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is known of hits: similarity, log rank, the first hit's similarity, means of the first 5 and 12, a bend.

    The last is the logarithm of the rank over 2, from rank 2 on: of things that belong together in threes or fours, the
    first hits are right about alike often, and those behind them fall off steeply.

    Args:
        similarities: (q, k) of the first k hits of q queries, falling; -inf where there are no more.
    Returns: (q, k, 6) float64; 0 in place of what is not there.

    >>> evidence(np.array([[0.9, 0.7, 0.5]])).round(2)
    array([[[0.9 , 0.  , 0.9 , 0.7 , 0.7 , 0.  ],
            [0.7 , 0.69, 0.9 , 0.7 , 0.7 , 0.  ],
            [0.5 , 1.1 , 0.9 , 0.7 , 0.7 , 0.41]]])
    """
    there = np.isfinite(similarities)
    known = np.where(there, similarities, 0.0)
    found = np.zeros((*similarities.shape, EVIDENCE))
    found[..., 0] = known
    found[..., 1] = np.log(np.arange(1, similarities.shape[1] + 1))
    found[..., 2] = known[:, :1]
    for column, first in ((3, NEAR), (4, SEEN)):
        counted = np.maximum(there[:, :first].sum(axis=1, keepdims=True), 1)
        found[..., column] = known[:, :first].sum(axis=1, keepdims=True) / counted
    found[..., 5] = np.maximum(found[..., 1] - math.log(BEND), 0)
    return found


def _are_steps(value: Any) -> bool:
    """Whether a value is pairs of rising log-odds and probabilities that do not fall."""
    if not isinstance(value, tuple) or not all(isinstance(one, tuple) and len(one) == 2 for one in value):
        return False
    if not all(is_number(at) and is_share(told) for at, told in value):
        return False
    return all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(value))
