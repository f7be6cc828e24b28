"""What a search can be asked with, see `Collection.search`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from lookalike.index.words import Text, Weighted

Cut = float | Literal["learned"] | None


class SearchKeywords(TypedDict, total=False):
    """The keyword options of `Collection.search`."""

    lens: str | None
    others: bool
    where: str | None
    min_similarity: Cut
    likely: float | None
    positive: Sequence[Any]
    negative: Sequence[Any]
    region: Sequence[float] | None
    text: str | Text | Weighted | Sequence[str | Text | Weighted]
    reverse: bool
    unique: bool
    approximate: bool


@dataclass(frozen=True)
class SearchOptions:
    """What is asked with, and how it is ranked: see `Collection.search`."""

    k: int | None = 5
    lens: str | None = None
    others: bool = False
    where: str | None = None
    min_similarity: Cut = None
    likely: float | None = None
    positive: Sequence[Any] = ()
    negative: Sequence[Any] = ()
    region: Sequence[float] | None = None
    text: str | Text | Weighted | Sequence[str | Text | Weighted] = ()
    reverse: bool = False
    unique: bool = False
    approximate: bool = False
