"""A proof as data: what was compared and how it came out, as JSON, in words, and as a table that anyone can read."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import MISSING, asdict, dataclass, fields, replace
from typing import Any, Literal, TypeVar, get_args

from lookalike.errors import ShapeError
from lookalike.models.likelihood import Likelihood, ReliabilityBin
from lookalike.models.proof_blind import BlindResult
from lookalike.models.proof_parts import (
    COMPARED,
    FoundImage,
    PairedTest,
    PermutationTest,
    Protocol,
    QueryChange,
    QueryChanges,
    RetrievalMetrics,
    SimilarityThreshold,
    check,
    is_text,
)

Verdict = Literal["taught", "better", "refused", "too few"]
WIDTH = 80  # columns of a printed table
OPTIONAL = ("blind", "own", "likelihood")  # keys of proof.json that stand there only where there is something to say

# The keys of Proof.results, in the order in which people see them, with what they are called there.
ROW_TITLES = {
    "plain": "before (plain)",
    "own": "pictures alone",
    "shuffled": "shuffled labels",
    "closed form": "closed form",
    "correction": "with correction",
    "untouched backbone": "lens, not tuned",
    "tuned backbone": "lens, tuned",
    "lens": "the lens",
}

HELD_OUT = {
    "groups": "whole groups. This speaks of new kinds of pictures.",
    "pictures": "pictures within groups. This speaks of new pictures of known kinds.",
    "triplets": "triplets.",
    "views": "pictures; parts of them asked for the whole ones.",
    "blind": "nothing: people answered about other pictures, without knowing which search had found what.",
}

Part = TypeVar("Part")


@dataclass(frozen=True)
class Proof:
    """What a lens was worth on held-out queries.

    Attributes:
        verdict: "taught": better than plain, and the examples taught it. "better": better than plain, but labels laid
            at random do as well. "refused": not better. "too few": nobody could tell.
        summary: the verdict in plain words, one sentence.
        notes: what else must be said: few groups, near-duplicates that chain, a sample.
        selected: "correction" or "closed form", "tuned backbone" or "untouched backbone", whichever serves; "" where
            there was no choice.
        protocol: how queries were held out.
        results: "plain", "own" (learned from the pictures alone), "lens" (what was selected), "closed form", "shuffled"
            (the mean of the closed forms on shuffled labels) and what could be selected -> its metrics; empty where
            nothing could be held out.
        results_full_gallery: the same for "plain" and "lens" in a gallery of all pictures, learned and held out,
            without intervals; empty for triplets.
        test: lens against plain.
        permutation: real labels against shuffled ones.
        queries: what was won and lost.
        threshold: the similarity that separates right from wrong; None where there was nothing to separate.
        blind: what was counted, of a blind test; None for other proofs. Of a blind test `test` compares shares of the
            first hits, `permutation.recalls` are of the order within what was shown, and a rank of 13 in `queries`
            says that none of the first 12 was right.
        own: lens against the one that learned from the collection's pictures alone, which it has to beat as well; None
            where there was none.
        likelihood: how likely a hit is right; None where that is not known.
    Raises: ShapeError, when a field holds what it cannot.
    """

    verdict: Verdict
    summary: str
    notes: tuple[str, ...]
    selected: str
    protocol: Protocol
    results: dict[str, RetrievalMetrics]
    results_full_gallery: dict[str, RetrievalMetrics]
    test: PairedTest
    permutation: PermutationTest
    queries: QueryChanges
    threshold: SimilarityThreshold | None
    blind: BlindResult | None = None
    own: PairedTest | None = None
    likelihood: Likelihood | None = None

    def __post_init__(self) -> None:
        known = isinstance(self.results, dict) and set(self.results) <= set(ROW_TITLES)
        full = self.results_full_gallery
        check(
            verdict=(self.verdict, self.verdict in get_args(Verdict)),
            summary=(self.summary, is_text(self.summary)),
            notes=(self.notes, isinstance(self.notes, tuple) and all(map(is_text, self.notes))),
            selected=(self.selected, is_text(self.selected)),
            results=(self.results, known and (not self.results or set(COMPARED) <= set(self.results))),
            results_full_gallery=(full, isinstance(full, dict) and set(full) in (set(), set(COMPARED))),
            own=(self.own, self.own is None or "own" in self.results),
            likelihood=(self.likelihood, self.likelihood is None or isinstance(self.likelihood, Likelihood)),
            blind=(self.blind, (self.blind is not None) == (self.protocol.hold_out == "blind")),
        )

    @property
    def words(self) -> str:
        """The verdict in plain words: `summary`."""
        return self.summary

    @property
    def serves(self) -> bool:
        """Whether the lens may serve without `use=True`."""
        return self.verdict in ("taught", "better")

    def without_likelihood(self, why: str) -> "Proof":
        """The same proof where how likely a hit is right cannot be said, with the reason in its notes."""
        return self if self.likelihood is None else replace(self, likelihood=None, notes=(*self.notes, why))

    def named(self, names: Sequence[str]) -> "Proof":
        """The same proof, its queries and hits named in place of their rows."""
        best, worst = (tuple(one.named(names) for one in some) for some in (self.queries.best, self.queries.worst))
        return replace(self, queries=replace(self.queries, best=best, worst=worst))

    def table(self) -> str:
        """The comparison for people, at most 80 columns wide, lines joined by newlines.

        >>> from lookalike.learning import prove
        >>> print(prove([[1, 0], [0, 1]], [0, 1]).table())
        Too few to tell: nothing could be held out and still leave something to learn
        from. Give more groups.
        """
        parts = [textwrap.fill(self.summary, WIDTH)]
        if self.results:
            parts.append("\n".join(self._rows()))
            parts.append("\n".join(textwrap.fill(line, WIDTH, subsequent_indent="  ") for line in self._remarks()))
        return "\n\n".join(parts)

    def _rows(self) -> list[str]:
        if self.blind is not None:
            return self.blind.rows()
        triplets = self.protocol.hold_out == "triplets"
        right = "right" if triplets else "right one first"
        rows = [f"{'':16}{right:>15}   {'95% interval':14}" + ("" if triplets else f"{'among first 10':>16}")]
        for key, title in ROW_TITLES.items():
            if key not in self.results:
                continue
            one = self.results[key]
            between = f"{one.lower:.0%} to {one.upper:.0%}" if one.lower is not None else ""
            if key == "shuffled":
                between += " *"
            row = f"{title:16}{one.recall_at_1:>15.1%}   {between:14}"
            rows.append(row if triplets else f"{row}{one.recall_at_10:>16.1%}")
        return [row.rstrip() for row in rows]

    def _remarks(self) -> list[str]:
        if self.blind is not None:
            lines = self.blind.remarks(self.test, self.permutation, self.queries)
            return [*lines, *(f"{note[0].upper()}{note[1:]}" for note in self.notes)]
        protocol, test, permutation = self.protocol, self.test, self.permutation
        of = "triplets" if protocol.hold_out == "triplets" else "queries"
        lines = [
            f"The lens won {self.queries.won:,} of {protocol.queries:,} {of} and lost {self.queries.lost:,}: "
            f"{100 * test.difference:+.1f} points"
            + (f", with 99% certainty above {100 * test.lower:+.1f}." if test.method == "bootstrap" else "."),
            "Interval: where the share falls 95 times in 100 when queries like these are drawn again.",
        ]
        if self.own is not None:
            sure = f", with 99% certainty above {100 * self.own.lower:+.1f}" if self.own.method == "bootstrap" else ""
            lines.append(f"Your examples add: {100 * self.own.difference:+.1f} points to your pictures alone{sure}.")
        if permutation.recalls:
            lines.append(
                f"* {len(permutation.recalls)} closed forms that learned from the same examples laid on the pictures "
                "at random: their mean, the worst to the best. "
                + ("Yours beats all of them." if permutation.passed else "Yours does not beat all of them.")
            )
        if self.selected:
            lines.append(f"The lens is the {self.selected}: it answered the held-out queries better than the other.")
        times = "once" if protocol.folds == 1 else f"{protocol.folds} times"
        lines.append(f"Held out {times}: {HELD_OUT[protocol.hold_out]}")
        if protocol.hold_out == "groups" and self.verdict != "taught":
            lines.append("Will you ask about new pictures of these kinds? Then hold out pictures, not groups.")
        if self.results_full_gallery:
            plain, lens = (self.results_full_gallery[way].recall_at_1 for way in COMPARED)
            lines.append(
                f"Searching all {protocol.images:,} pictures instead: before {plain:.1%}, the lens {lens:.1%}."
            )
        return [*lines, *(f"{note[0].upper()}{note[1:]}" for note in self.notes)]

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON, nested as the fields are; no number in them is infinite or none."""
        values = dict(_plain(asdict(self)))
        return {key: one for key, one in values.items() if one is not None or key not in OPTIONAL}

    @classmethod
    def from_json(cls, value: Any) -> "Proof":
        """A proof read back.

        Raises: ShapeError, when a field is missing, unknown, or of another kind.
        """
        if isinstance(value, dict) and {"ways", "shuffles"} <= set(value):
            raise ShapeError("proof.json was made by an earlier version of lookalike. Learn the lens again.")
        if isinstance(value, dict):
            value = dict.fromkeys(OPTIONAL) | value
        changes = {"best": _many(_change), "worst": _many(_change)}
        intervals = {"plain_interval": _many(lambda end: end), "lens_interval": _many(lambda end: end)}
        metrics = _each(lambda one: _read(RetrievalMetrics, one))
        return _read(
            cls,
            value,
            notes=_many(lambda note: note),
            protocol=lambda one: _read(Protocol, one),
            results=metrics,
            results_full_gallery=metrics,
            test=lambda one: _read(PairedTest, one),
            permutation=lambda one: _read(PermutationTest, one, recalls=_many(lambda recall: recall)),
            queries=lambda one: _read(QueryChanges, one, **changes),
            threshold=lambda one: None if one is None else _read(SimilarityThreshold, one),
            blind=lambda one: None if one is None else _read(BlindResult, one, **intervals),
            own=lambda one: None if one is None else _read(PairedTest, one),
            likelihood=lambda one: None if one is None else _likelihood(one),
        )


def _plain(value: Any) -> Any:
    """Tuples as lists, so that what is written and what is read back are equal."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _read(kind: type[Part], value: Any, **readers: Callable[[Any], Any]) -> Part:
    """A dataclass from a JSON object that has its fields and no others; those with a default may be missing."""
    names = {one.name: one.default is MISSING for one in fields(kind)}  # type: ignore[arg-type]
    needed = {name for name, is_needed in names.items() if is_needed}
    if not isinstance(value, dict) or not needed <= set(value) <= names.keys():
        raise ShapeError(f"proof.json does not hold a {kind.__name__} of this version. Learn the lens again.")
    return kind(**{name: readers[name](one) if name in readers else one for name, one in value.items()})


def _many(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Reads a list into a tuple; what is no list is left for the field's own check."""
    return lambda value: tuple(map(read, value)) if isinstance(value, list) else value


def _each(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Reads every value of an object; what is no object is left for the field's own check."""
    return lambda value: {key: read(one) for key, one in value.items()} if isinstance(value, dict) else value


def _likelihood(value: Any) -> Likelihood:
    return _read(
        Likelihood,
        value,
        weights=_many(lambda weight: weight),
        steps=_many(_many(lambda number: number)),
        reliability=_many(lambda one: _read(ReliabilityBin, one)),
    )


def _change(value: Any) -> QueryChange:
    return _read(QueryChange, value, hits=_each(_many(lambda hit: _read(FoundImage, hit))))
