"""Asking in words, beside pictures, and each part with a weight: one query that is ranked by their mean similarity."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lookalike.errors import QueryError
from lookalike.index.query import Query

MOST_TEXT = 80  # letters of a text that name its query
HEAVIEST = 1000.0


@dataclass(frozen=True)
class Text:
    """Words to ask with, in the place of a picture: what the pictures shall show.

    >>> Text("red bag, striped")
    Text(words='red bag, striped')
    """

    words: str


@dataclass(frozen=True)
class Weighted:
    """A picture or a Text to ask with that counts more or less than the others.

    Attributes:
        source: what `search` takes.
        weight: 1 for as much as the others; below 0 for what the hits should be unlike.

    >>> Weighted("a.jpg", 0.5).weight
    0.5
    """

    source: Any
    weight: float = 1.0


def parse_weighted(words: str, text: bool = False) -> Any:
    """What the command line takes, WORDS or FILE, with ^WEIGHT behind it where it has one.

    A file that is called so, to the last letter, is meant before a weight is.

    >>> parse_weighted("red bag^2", text=True), parse_weighted("a.jpg^-0.5"), parse_weighted("a.jpg")
    (Weighted(source=Text(words='red bag'), weight=2.0), Weighted(source='a.jpg', weight=-0.5), 'a.jpg')
    """
    found = re.fullmatch(r"(.*)\^(-?\d+(?:\.\d+)?|-?\.\d+)", words, re.DOTALL)
    if found is None or (not text and os.path.exists(words)):  # noqa: PTH110  (Path.exists raises for long names)
        return Text(words) if text else words
    return Weighted(Text(found[1]) if text else found[1], float(found[2]))


def as_weighted(source: Any) -> Weighted:
    """A source with its weight, 1 where it has none. Raises: QueryError, for a weight that is none."""
    found = source if isinstance(source, Weighted) else Weighted(source)
    if not 0 < abs(found.weight) <= HEAVIEST:
        raise QueryError(f"a weight of {found.weight}: give a number up to {HEAVIEST:g}, below 0 for what is unlike.")
    return found


def holds_words(source: Any) -> bool:
    """Whether this asks in words."""
    return isinstance(source.source if isinstance(source, Weighted) else source, Text)


def text_query(text: Text, features: Any, share: float, cut: bool) -> Query:
    """A text as a query.

    Args:
        text: the words.
        features: (f,) of them, of length 1, zero outside of the part that texts and pictures share.
        share: how long that part is in the features of a picture: divided by it, a similarity is the cosine of that
            part alone, and the order stays the same.
        cut: whether it has more words than the network reads.
    """
    words = text.words if len(text.words) <= MOST_TEXT else f"{text.words[: MOST_TEXT - 3]}..."
    note = "the text is longer than the network reads: only its beginning counts." if cut else ""
    return Query(f'"{words}"', features, None, None, note, scale=1 / share)


def blend(parts: Sequence[tuple[Query, float]]) -> Query:
    """One query of several, of which a hit's similarity is the weighted mean of its similarities to each.

    Args: parts: queries and their weights; negative ones count against.
    Raises: QueryError, when none counts for, or they cancel each other.

    >>> one, other = (Query(name, np.eye(2)[i], None, None) for i, name in enumerate("ab"))
    >>> both = blend([(one, 3), (other, -1)])
    >>> both.name, (both.vector * both.scale).round(4).tolist()
    ('3 a - b', [0.75, -0.25])
    """
    if not any(weight > 0 for _, weight in parts):
        raise QueryError("nothing that the answers should be like. Give at least one a weight above 0.")
    if len(parts) == 1:
        return parts[0][0]
    total, weights = np.zeros(len(parts[0][0].vector)), 0.0
    for query, weight in parts:
        length = float(np.linalg.norm(query.vector))
        total += weight * query.scale * np.asarray(query.vector, np.float64) / max(length, 1e-12)
        weights += abs(weight)
    length = float(np.linalg.norm(total))
    if length < 1e-6 * weights:
        raise QueryError("what is asked for and what is asked against cancel each other. Take one of them back.")
    name = "".join(_named(query.name, weight, place == 0) for place, (query, weight) in enumerate(parts))
    return replace(
        parts[0][0],
        name=name,
        vector=(total / length).astype(np.float32),
        content=None,
        source=next((query.source for query, weight in parts if weight > 0 and query.source is not None), None),
        note=" ".join(query.note for query, _ in parts if query.note),
        asked=tuple(query.content for query, _ in parts if query.content is not None),
        scale=length / weights,
    )


def _named(name: str, weight: float, first: bool) -> str:
    sign = "- " if weight < 0 else "" if first else "+ "
    times = "" if abs(weight) == 1 else f"{abs(weight):g} "
    return f"{'' if first else ' '}{sign}{times}{name}"
