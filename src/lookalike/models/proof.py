"""A proof as data: what was compared and how it came out, as JSON, in words, and as a table that anyone can read."""

import json
import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from lookalike.errors import ShapeError

Verdict = Literal["taught", "better", "refused", "too few"]
WIDTH = 80  # columns of a printed table

LINES = {
    "plain": "before (plain)",
    "shuffled": "shuffled labels",
    "closed form": "closed form",
    "corrected": "with correction",
    "untouched": "lens, not tuned",
    "tuned": "lens, tuned",
    "lens": "the lens",
}

WAYS = ("plain", "lens")  # of which the best and the worst queries show what they found

HELD_OUT = {
    "groups": "whole groups. This speaks of new kinds of pictures.",
    "pictures": "pictures within groups. This speaks of new pictures of known kinds.",
    "triplets": "triplets.",
    "views": "pictures; parts of them asked for the whole ones.",
}


@dataclass(frozen=True)
class Proof:
    """What a lens was worth on held-out queries, as JSON holds it.

    Args:
        verdict: "taught": better than plain, and the examples taught it. "better": better than plain, but labels laid
            at random do as well. "refused": not better. "too few": nobody could tell.
        words: the verdict in plain words.
        notes: what else must be said: few groups, near-duplicates that chain, a sample.
        hold_out: "groups", "pictures" within groups, "triplets", or "views" of pictures that have no labels.
        queries, groups, pictures: how many asked; of how many groups of queries; how many pictures there were in all.
        splits: how many times something was held out, and a lens learned on the rest.
        ways: for "plain", "shuffled" (the mean of the closed forms on shuffled labels), "closed form", "corrected"
            (where there was a correction to choose), "untouched" and "tuned" (where a backbone learned) and "lens"
            (what was chosen): "recall@1", "recall@10" and "mean reciprocal rank", each query counted once however
            often it asked. "from" and "to" are the 95% interval of the first; for "shuffled" the least and the most of
            them. Empty where nothing could be held out.
        among_all: the same for "plain" and "lens" in a gallery of all pictures, learned and held out, without
            intervals; empty for triplets.
        difference, lower, upper, p, test: lens less plain in recall@1 (each query once), its 1% and 99% bounds, the
            one-sided p, and the test's name: "bootstrap", "sign flips", or "none" where nothing could convince.
        shuffles: recall@1 of each closed form on shuffled labels.
        beats_shuffles: whether the real closed form beats all of them; equal recall@1 is decided by the mean
            reciprocal rank, and a tie is no win.
        won, lost: queries found first more often by the lens; by plain.
        best, worst: [{"query": row, "plain": rank, "lens": rank, "hits": {"plain": first, "lens": first}}], most
            gained and most lost first; rank is that of the first right picture, and first the first five hits, each
            [row, similarity, whether it is right]. In a collection's lens rows are files.
        cut_off: the similarity that best separates right from wrong: of the first right and the first wrong answer of
            each query, `cut_off_accuracy` lie on their own side of it. None where there was nothing to separate.
        near_duplicates, same: pictures that have one, and the plain similarity from which on they count.
        chosen: "correction" or "closed form", "tuned backbone" or "untouched backbone", whichever serves; "" where
            there was no choice.
        seed: of the splits, the shuffles and the draws.
    """

    verdict: Verdict
    words: str
    notes: list[str]
    hold_out: str
    queries: int
    groups: int
    pictures: int
    splits: int
    ways: dict[str, dict[str, float]]
    among_all: dict[str, dict[str, float]]
    difference: float
    lower: float
    upper: float
    p: float
    test: str
    shuffles: list[float]
    beats_shuffles: bool
    won: int
    lost: int
    best: list[dict[str, Any]]
    worst: list[dict[str, Any]]
    cut_off: float | None
    cut_off_accuracy: float | None
    near_duplicates: int
    same: float
    chosen: str
    seed: int

    @property
    def serves(self) -> bool:
        """Whether the lens may serve without being told."""
        return self.verdict in ("taught", "better")

    def named(self, names: Sequence[str]) -> "Proof":
        """The same proof, its queries and hits named in place of their rows."""

        def entry(one: dict[str, Any]) -> dict[str, Any]:
            hits = {way: [[names[row], *rest] for row, *rest in first] for way, first in one["hits"].items()}
            return {**one, "query": names[one["query"]], "hits": hits}

        return replace(self, best=[entry(one) for one in self.best], worst=[entry(one) for one in self.worst])

    def table(self) -> str:
        """The comparison for people, at most 80 columns wide, lines joined by newlines.

        >>> from lookalike.trainable import prove
        >>> print(prove([[1, 0], [0, 1]], [0, 1]).table())
        Too few to tell: nothing could be held out and still leave something to learn
        from. Give more groups.
        """
        parts = [textwrap.fill(self.words, WIDTH)]
        if self.ways:
            parts.append("\n".join(self._rows()))
            parts.append("\n".join(textwrap.fill(line, WIDTH, subsequent_indent="  ") for line in self._remarks()))
        return "\n\n".join(parts)

    def _rows(self) -> list[str]:
        triplets = self.hold_out == "triplets"
        right = "right" if triplets else "right one first"
        rows = [f"{'':16}{right:>15}   {'95% interval':14}" + ("" if triplets else f"{'among first 10':>16}")]
        for way, name in LINES.items():
            if way not in self.ways:
                continue
            one = self.ways[way]
            between = f"{one['from']:.0%} to {one['to']:.0%}" if "from" in one else ""
            if way == "shuffled":
                between += " *"
            row = f"{name:16}{one['recall@1']:>15.1%}   {between:14}"
            rows.append(row if triplets else f"{row}{one['recall@10']:>16.1%}")
        return [row.rstrip() for row in rows]

    def _remarks(self) -> list[str]:
        asked = f"{self.queries:,} queries" if self.hold_out != "triplets" else f"{self.queries:,} triplets"
        lines = [
            f"The lens won {self.won:,} of {asked} and lost {self.lost:,}: {100 * self.difference:+.1f} points"
            + (f", with 99% certainty above {100 * self.lower:+.1f}." if self.test == "bootstrap" else ".")
        ]
        lines.append("Interval: where the share falls 95 times in 100 when queries like these are drawn again.")
        if self.shuffles:
            lines.append(
                f"* {len(self.shuffles)} closed forms that learned from the same examples laid on the pictures at "
                "random: their mean, the worst to the best. "
                + ("Yours beats all of them." if self.beats_shuffles else "Yours does not beat all of them.")
            )
        if self.chosen:
            lines.append(f"The lens is the {self.chosen}: it answered the held-out queries better than the other.")
        times = "once" if self.splits == 1 else f"{self.splits} times"
        lines.append(f"Held out {times}: {HELD_OUT[self.hold_out]}")
        if self.hold_out == "groups" and self.verdict != "taught":
            lines.append("Will you ask about new pictures of these kinds? Then hold out pictures, not groups.")
        if self.among_all:
            plain, lens = (self.among_all[way]["recall@1"] for way in ("plain", "lens"))
            lines.append(f"Searching all {self.pictures:,} pictures instead: before {plain:.1%}, the lens {lens:.1%}.")
        return [*lines, *(f"{note[0].upper()}{note[1:]}" for note in self.notes)]

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON; no number in them is infinite or none."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> "Proof":
        """A proof read back.

        Raises: ShapeError, when a field is missing, unknown, or of another kind.
        """
        if not isinstance(value, dict) or set(value) != {one.name for one in fields(cls)}:
            raise ShapeError("proof.json does not hold a proof of this version. Learn the lens again.")
        for name, fits in _FITS.items():
            if not fits(value[name]):
                raise ShapeError(f"proof.json: {name} is not what a proof holds. Learn the lens again.")
        return cls(**json.loads(json.dumps(value)))


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _count(value: Any) -> bool:
    return type(value) is int


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _list_of(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(fits(one) for one in value)


def _named(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(_text(name) and fits(one) for name, one in value.items())


def _row(value: Any) -> bool:
    return _text(value) or (_count(value) and value >= 0)


def _hit(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 3:
        return False
    row, similarity, right = value
    return _row(row) and _number(similarity) and isinstance(right, bool)


def _entry(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"query", "hits", *WAYS}
        and _row(value["query"])
        and all(_count(value[way]) for way in WAYS)
        and isinstance(value["hits"], dict)
        and set(value["hits"]) == set(WAYS)
        and all(_list_of(_hit)(first) for first in value["hits"].values())
    )


_FITS: dict[str, Callable[[Any], bool]] = {
    "verdict": lambda value: value in get_args(Verdict),
    "hold_out": lambda value: value in list(HELD_OUT),
    "notes": _list_of(_text),
    "ways": _named(_named(_number)),
    "among_all": _named(_named(_number)),
    "shuffles": _list_of(_number),
    "beats_shuffles": lambda value: isinstance(value, bool),
    "best": _list_of(_entry),
    "worst": _list_of(_entry),
    "cut_off": lambda value: value is None or _number(value),
    "cut_off_accuracy": lambda value: value is None or _number(value),
    **dict.fromkeys(["words", "test", "chosen"], _text),
    **dict.fromkeys(["queries", "groups", "pictures", "splits", "won", "lost", "near_duplicates", "seed"], _count),
    **dict.fromkeys(["difference", "lower", "upper", "p", "same"], _number),
}
