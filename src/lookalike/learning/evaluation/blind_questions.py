"""The questions of a blind test: fixed before the first is asked, gone on with after a break, kept as JSON."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lookalike.errors import LensError

QUESTIONS = 40  # of one set: decision 15
SPARES = 20  # of one set, for those that are skipped
SETS = 2
FIRST = 12  # hits of plain and of the lens that are shown together
FORMAT = 1

Found = tuple[str, float]  # a file, and its similarity to the query


@dataclass(frozen=True)
class BlindQuestion:
    """One question.

    Attributes:
        query: a file about which nothing was said.
        plain, lens: the first 12 hits of each way of searching, the most similar first.
        candidates: both together, each once, shuffled: what is shown.
    """

    query: str
    plain: tuple[Found, ...]
    lens: tuple[Found, ...]
    candidates: tuple[str, ...]

    @classmethod
    def shuffled(
        cls, query: str, plain: Sequence[Found], lens: Sequence[Found], rng: np.random.Generator
    ) -> "BlindQuestion":
        """The question with its candidates in an order that says nothing of where one came from.

        >>> one = BlindQuestion.shuffled("q", [("a", 0.9), ("b", 0.8)], [("b", 0.7)], np.random.default_rng(0))
        >>> sorted(one.candidates)
        ['a', 'b']
        """
        both = sorted({file for file, _ in (*plain, *lens)})
        candidates = tuple(both[place] for place in rng.permutation(len(both)))
        return cls(query, tuple(plain), tuple(lens), candidates)


@dataclass(frozen=True)
class BlindTest:
    """A blind test of one lens's weights: what is asked, whoever answers and however often they pause.

    Attributes:
        lens: its name when the test began.
        weights: its fingerprint.
        file: the digest of its weights' file, which lens.json holds too.
        seed: of what was drawn.
        sets: one or two sets of questions, each the ones to ask and then the spares, in their order.
    """

    lens: str
    weights: str
    file: str
    seed: int
    sets: tuple[tuple[BlindQuestion, ...], ...]

    def question(self, query: str) -> BlindQuestion | None:
        """The question that is asked with a picture."""
        return next((one for some in self.sets for one in some if one.query == query), None)

    def open(self, answered: Collection[str], skipped: Collection[str]) -> list[BlindQuestion]:
        """What is still to be asked of the newest set: none, when it is over.

        Args:
            answered: the queries that were answered.
            skipped: those that were passed over.
        """
        newest = self.sets[-1]
        left = [one for one in newest if one.query not in answered and one.query not in skipped]
        return left[: max(0, QUESTIONS - sum(one.query in answered for one in newest))]

    def with_set(self, questions: Sequence[BlindQuestion], asked: Collection[str]) -> "BlindTest":
        """The same with one set more, without the spares of earlier sets.

        Args:
            questions: of the new set.
            asked: the queries that were answered or skipped so far.
        """
        earlier = (tuple(one for one in some if one.query in asked) for some in self.sets)
        return replace(self, sets=(*earlier, tuple(questions)))

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        sets = [
            [
                {"query": one.query, "plain": one.plain, "lens": one.lens, "candidates": one.candidates}
                for one in questions
            ]
            for questions in self.sets
        ]
        about = {"format": FORMAT, "lens": self.lens, "weights": self.weights, "file": self.file, "seed": self.seed}
        return {**about, "sets": sets}

    @classmethod
    def from_json(cls, value: Any) -> "BlindTest":
        """A test read back.

        Raises: LensError, when it is none of this version.
        """
        try:
            if value["format"] != FORMAT:
                raise ValueError
            sets = tuple(tuple(_question(one) for one in questions) for questions in value["sets"])
            if not sets or not all(isinstance(value[key], str) for key in ("lens", "weights", "file")):
                raise ValueError
            return cls(value["lens"], value["weights"], value["file"], int(value["seed"]), sets)
        except (KeyError, TypeError, ValueError):
            raise LensError(
                "blind.json is no blind test of this version. Delete it, and the test begins anew."
            ) from None


def _question(value: Any) -> BlindQuestion:
    plain, lens = (
        tuple((str(file), float(similarity)) for file, similarity in value[key]) for key in ("plain", "lens")
    )
    candidates = tuple(map(str, value["candidates"]))
    if {*candidates} != {file for file, _ in (*plain, *lens)} or len({*candidates}) < len(candidates):
        raise ValueError
    return BlindQuestion(str(value["query"]), plain, lens, candidates)


def draw_queries(free: Sequence[str], seed: int, count: int = QUESTIONS + SPARES) -> list[str]:
    """Pictures to ask with, drawn at random from those about which nothing was said: the same for the same of these.

    >>> draw_queries(["a", "b", "c"], seed=0, count=2) == draw_queries(["c", "b", "a"], seed=0, count=2)
    True
    """
    ordered = sorted(free)
    return [ordered[place] for place in np.random.default_rng(seed).permutation(len(ordered))[:count]]
