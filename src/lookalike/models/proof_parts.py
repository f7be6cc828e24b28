"""The parts of a proof: how queries were held out, what each way of searching was worth, and the tests.

Each part checks its own fields when it is made, so that what is read from a file is checked as well.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from lookalike.errors import ShapeError

Method = Literal["bootstrap", "sign flips", "none"]
HoldOutKind = Literal["groups", "pictures", "triplets", "views", "blind"]
LEVEL = 0.01  # of the one-sided test of a first proof
COMPARED = ("plain", "lens")  # what every proof compares


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def is_share(value: Any) -> bool:
    return is_number(value) and 0 <= value <= 1


def is_image(value: Any) -> bool:
    return is_text(value) or is_count(value)


def is_tuple_of(kind: type, value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(one, kind) for one in value)


def check(**parts: tuple[Any, bool]) -> None:
    """Raises: ShapeError, which names the first field that does not hold what it must."""
    for name, (value, fits) in parts.items():
        if not fits:
            raise ShapeError(f"proof.json: {name} cannot be {str(value)[:60]!r}. Learn the lens again.")


@dataclass(frozen=True)
class Attempt:
    """Which proof of the same examples one is: the best of many looks better than it is.

    Attributes:
        proved_before: how often they were proved before.
        number: which of the different ways to learn this one is, in the order in which they were first proved, from 1.
            A way that is proved again keeps its number.
    """

    proved_before: int = 0
    number: int = 1

    def __post_init__(self) -> None:
        check(
            proved_before=(self.proved_before, is_count(self.proved_before)),
            number=(self.number, is_count(self.number) and 1 <= self.number <= self.proved_before + 1),
        )


FIRST = Attempt()


@dataclass(frozen=True)
class Protocol:
    """How queries were held out.

    Attributes:
        hold_out: "groups", "pictures" within groups, "triplets", "views" of pictures that have no labels, or "blind":
            nothing was held out, people answered questions about pictures of which nothing had been said.
        queries, clusters, images: how many queries; of how many independent draws; how many pictures there were in all.
        folds: how many times something was held out, and a lens learned on the rest; of a blind test sets of questions.
        seed: of the splits, the shuffles and the draws.
        duplicates: pictures that have a near-duplicate.
        duplicate_threshold: the plain similarity from which on they count as one, -1 to 1.
        proved_before, attempt: as in `Attempt`, its number; a proof outside a collection is the first.
    """

    hold_out: str
    queries: int
    clusters: int
    images: int
    folds: int
    seed: int
    duplicates: int
    duplicate_threshold: float
    proved_before: int = 0
    attempt: int = 1

    def __post_init__(self) -> None:
        check(
            hold_out=(self.hold_out, self.hold_out in get_args(HoldOutKind)),
            **{
                name: (value := getattr(self, name), is_count(value))
                for name in ("queries", "clusters", "images", "folds", "duplicates")
            },
            seed=(self.seed, type(self.seed) is int),
            duplicate_threshold=(self.duplicate_threshold, is_number(self.duplicate_threshold)),
        )
        Attempt(self.proved_before, self.attempt)


@dataclass(frozen=True)
class RetrievalMetrics:
    """What one way of searching was worth; each query counts once, however often it was asked.

    Attributes:
        recall_at_1, recall_at_10: share of queries with a right answer among the first 1 and 10, 0 to 1.
        mean_reciprocal_rank: mean of 1 / rank of the first right answer, 0 to 1.
        lower, upper: of recall_at_1, the 95% interval; of "shuffled" the least and the most. None: not computed.
    """

    recall_at_1: float
    recall_at_10: float
    mean_reciprocal_rank: float
    lower: float | None = None
    upper: float | None = None

    def __post_init__(self) -> None:
        check(
            recall_at_1=(self.recall_at_1, is_share(self.recall_at_1)),
            recall_at_10=(self.recall_at_10, is_share(self.recall_at_10)),
            mean_reciprocal_rank=(self.mean_reciprocal_rank, is_share(self.mean_reciprocal_rank)),
            lower=(self.lower, self.lower is None or is_share(self.lower)),
            upper=(
                self.upper,
                (self.upper is None) == (self.lower is None) and (self.upper is None or is_share(self.upper)),
            ),
        )


@dataclass(frozen=True)
class PairedTest:
    """Lens less plain in recall@1, tested one-sided.

    Attributes:
        difference: the mean over queries, -1 to 1.
        lower, upper: its 1% and 99% bounds.
        p_value: 0 to 1.
        method: "bootstrap", "sign flips", or "none" where no outcome could convince.
        level: of the test: 0.01, and the k-th part of it for the k-th way to learn that is proved on the same examples.
    """

    difference: float
    lower: float
    upper: float
    p_value: float
    method: Method
    level: float = LEVEL

    def __post_init__(self) -> None:
        check(
            difference=(self.difference, is_number(self.difference)),
            lower=(self.lower, is_number(self.lower)),
            upper=(self.upper, is_number(self.upper)),
            p_value=(self.p_value, is_share(self.p_value)),
            method=(self.method, self.method in get_args(Method)),
            level=(self.level, is_number(self.level) and 0 < self.level <= LEVEL),
        )

    @property
    def better(self) -> bool:
        """Whether the difference is above 0 at the level of the test."""
        certain = self.method == "sign flips" or self.lower > 0
        return self.method != "none" and self.difference > 0 and self.p_value < self.level and certain


@dataclass(frozen=True)
class PermutationTest:
    """Whether the labels are why: the closed form against closed forms of the same labels laid at random.

    Attributes:
        recalls: recall@1 of each closed form on shuffled labels, 0 to 1.
        passed: whether the real closed form beats all of them; equal recall@1 is decided by the mean reciprocal rank,
            and a tie is no win.
    """

    recalls: tuple[float, ...]
    passed: bool

    def __post_init__(self) -> None:
        check(
            recalls=(self.recalls, isinstance(self.recalls, tuple) and all(map(is_share, self.recalls))),
            passed=(self.passed, isinstance(self.passed, bool)),
        )


@dataclass(frozen=True)
class FoundImage:
    """One hit of a query: its row or, in a collection's lens, its file; similarity, -1 to 1; whether it is right."""

    image: int | str
    similarity: float
    relevant: bool

    def __post_init__(self) -> None:
        check(
            image=(self.image, is_image(self.image)),
            similarity=(self.similarity, is_number(self.similarity)),
            relevant=(self.relevant, isinstance(self.relevant, bool)),
        )


@dataclass(frozen=True)
class QueryChange:
    """A query that the lens helped or hurt.

    Attributes:
        query: its row or file.
        ranks: "plain" and "lens" -> rank of the first right picture, from 1.
        hits: "plain" and "lens" -> the first five hits.
    """

    query: int | str
    ranks: dict[str, int]
    hits: dict[str, tuple[FoundImage, ...]]

    def __post_init__(self) -> None:
        check(
            query=(self.query, is_image(self.query)),
            ranks=(
                self.ranks,
                isinstance(self.ranks, dict)
                and set(self.ranks) == set(COMPARED)
                and all(is_count(rank) and rank >= 1 for rank in self.ranks.values()),
            ),
            hits=(
                self.hits,
                isinstance(self.hits, dict)
                and set(self.hits) == set(COMPARED)
                and all(is_tuple_of(FoundImage, found) for found in self.hits.values()),
            ),
        )

    def named(self, names: Sequence[str]) -> "QueryChange":
        """The same with names in place of rows."""
        hits = {
            way: tuple(replace(hit, image=names[int(hit.image)]) for hit in found) for way, found in self.hits.items()
        }
        return replace(self, query=names[int(self.query)], hits=hits)


@dataclass(frozen=True)
class QueryChanges:
    """Queries that the lens won and lost.

    Attributes:
        won, lost: queries found first more often by the lens; by plain.
        best, worst: of them, most gained and most lost first; at most 12 each.
    """

    won: int
    lost: int
    best: tuple[QueryChange, ...]
    worst: tuple[QueryChange, ...]

    def __post_init__(self) -> None:
        check(
            won=(self.won, is_count(self.won)),
            lost=(self.lost, is_count(self.lost)),
            best=(self.best, is_tuple_of(QueryChange, self.best)),
            worst=(self.worst, is_tuple_of(QueryChange, self.worst)),
        )


@dataclass(frozen=True)
class SimilarityThreshold:
    """The similarity that best separates right from wrong, halfway between two that occurred.

    Attributes:
        similarity: -1 to 1.
        accuracy: the share of the first right and the first wrong answer of each query on its own side, 0.5 to 1.
    """

    similarity: float
    accuracy: float

    def __post_init__(self) -> None:
        check(
            similarity=(self.similarity, is_number(self.similarity)), accuracy=(self.accuracy, is_share(self.accuracy))
        )
