"""The answer to a query: Hits and Hit, to a table, to a grid, and showing themselves in a notebook."""

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from lookalike.drawing.png import png
from lookalike.errors import QueryError
from lookalike.images.fetched import present
from lookalike.images.thumbnails import thumbnail_image
from lookalike.index.export import data_frame
from lookalike.models.likelihood import percent

if TYPE_CHECKING:
    from PIL.Image import Image

    from lookalike.drawing.grid import Cell


MOST_QUERIES = 20  # in the grid that a notebook shows


@dataclass(frozen=True)
class Hit:
    """One row of an answer: the picture's file, its similarity to the query (-1 to 1), where it lies, its content.

    `likely` is how likely it is right, 0 to 1: what the lens's proof learned from held-out queries. None for the query
    itself and its copies, and where the lens cannot tell. It is an os.PathLike: `open`, PIL and `search` take it as the
    file that it names.

    >>> Path(Hit("a.jpg", 0.5, Path("photos/a.jpg"))).as_posix()
    'photos/a.jpg'
    """

    file: str
    similarity: float
    path: Path
    content: bytes | None = field(default=None, repr=False)
    likely: float | None = None

    def __fspath__(self) -> str:
        return str(present(self.path))


class Hits(Sequence[Hit]):
    """The pictures most like one query, the most similar first unless asked otherwise; a notebook shows them as a grid.

    Attributes:
        query: its name. source: the picture itself, as `load` takes it; None for a vector.
        lens: the lens that was searched through; "plain" for none.
        note: what else to know of the query, a line: that its file ends early; "" for nothing.
        hidden: how many copies and nearly equal pictures were passed over, where that was asked for.

    >>> hits = Hits([Hit("a.jpg", 0.5, Path("a.jpg"))], query="q.jpg", source=Path("q.jpg"))
    >>> hits[0].file, hits
    ('a.jpg', 1 hit for q.jpg (plain)
    0.500  a.jpg)
    """

    def __init__(
        self,
        hits: Sequence[Hit],
        *,
        query: str,
        source: Any,
        lens: str = "plain",
        content: bytes | None = None,
        cache: Path | None = None,
        note: str = "",
    ):
        self._hits = tuple(hits)
        self.query, self.source, self.lens, self.note = query, source, lens, note
        self._content, self._cache = content, cache
        self.hidden = 0

    def __len__(self) -> int:
        return len(self._hits)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> "Hits": ...
    def __getitem__(self, index: int | slice) -> "Hit | Hits":
        if not isinstance(index, slice):
            return self._hits[operator.index(index)]
        return self._with(self._hits[index], self.hidden)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self._hits)

    def __repr__(self) -> str:
        lines = [f"{hit.similarity:.3f}  {_percent(hit.likely)}{hit.file}" for hit in self]
        return "\n".join([f"{len(self)} hit{'s' * (len(self) != 1)} for {self.query} ({self.lens})", *lines])

    def choose(self, indices: Sequence[int], hidden: int) -> "Hits":
        """Some of these hits, where the others are copies or nearly equal: how many are hidden is in the note."""
        found = self._with([self._hits[index] for index in indices], hidden)
        if hidden:
            many = "copy or nearly equal picture" if hidden == 1 else "copies and nearly equal pictures"
            found.note = " ".join(filter(None, (self.note, f"{hidden:,} {many} hidden among the hits.")))
        return found

    def _with(self, hits: Sequence[Hit], hidden: int) -> "Hits":
        found = Hits(
            hits,
            query=self.query, source=self.source, lens=self.lens, content=self._content, cache=self._cache,
            note=self.note,
        )  # fmt: skip
        found.hidden = hidden
        return found

    def to_pandas(self) -> Any:
        """A DataFrame with columns file and similarity, and likely where the lens can tell.

        Raises: MissingExtraError, without pandas.
        """
        columns = {"file": [hit.file for hit in self], "similarity": [hit.similarity for hit in self]}
        return data_frame({**columns, **_likely([self])})

    def grid(self) -> "Image":
        """The query and its hits as one picture."""
        return answers_grid([self])

    def cells(self) -> "tuple[Cell, list[Cell]]":
        """The query and the hits with their pictures, for drawing; what cannot be read says why in its place."""
        from lookalike.drawing.grid import Cell

        query = Cell(thumbnail_image(self.source, self._content, self._cache), self.query)
        return query, [
            Cell(thumbnail_image(hit.path, hit.content, self._cache), hit.file, hit.similarity) for hit in self
        ]

    def _repr_png_(self) -> bytes:
        return png(self.grid())


class Answers(list[Hits]):
    """The Hits of many queries, in their order; a notebook shows them as one grid. A slice of them is Answers."""

    @overload
    def __getitem__(self, index: SupportsIndex) -> Hits: ...
    @overload
    def __getitem__(self, index: slice) -> "Answers": ...
    def __getitem__(self, index: SupportsIndex | slice) -> "Hits | Answers":
        return Answers(super().__getitem__(index)) if isinstance(index, slice) else super().__getitem__(index)

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self)) or "no queries"

    def to_pandas(self) -> Any:
        """A DataFrame with a row a hit: query, rank (from 1 on, in each query), similarity, file, and likely where
        the lens can tell.

        Raises: MissingExtraError, without pandas.
        """
        rows = [(hits.query, rank, hit.similarity, hit.file) for hits in self for rank, hit in enumerate(hits, 1)]
        names = ("query", "rank", "similarity", "file")
        return data_frame({**{name: [row[at] for row in rows] for at, name in enumerate(names)}, **_likely(self)})

    def grid(self) -> "Image":
        """All queries with their hits as one picture, one block under the other."""
        return answers_grid(self)

    def _repr_png_(self) -> bytes | None:
        some = f"the first {MOST_QUERIES} of {len(self):,} queries" if len(self) > MOST_QUERIES else ""
        return png(answers_grid(self[:MOST_QUERIES], subtitle=some)) if self else None


def _percent(likely: float | None) -> str:
    return "" if likely is None else f"{percent(likely)}  "


def _likely(answers: Sequence[Hits]) -> dict[str, list[float | None]]:
    """A column of how likely each hit is right, where that is known of any."""
    values = [hit.likely for hits in answers for hit in hits]
    return {"likely": values} if any(value is not None for value in values) else {}


def as_answers(answers: Any) -> Sequence[Hits]:
    """What `search` gave as a sequence of Hits: one Hits is a sequence of one.

    Raises: QueryError, for anything else.
    """
    if isinstance(answers, Hits):
        return [answers]
    found = list(answers) if isinstance(answers, Iterable) else [answers]
    if other := next((one for one in found if not isinstance(one, Hits)), None):
        kind = type(other).__name__
        raise QueryError(f"an object of type {kind} is no answer. Give what search gave: Hits or Answers.")
    return found


def answers_grid(answers: "Hits | Sequence[Hits]", *, title: str = "", subtitle: str = "") -> "Image":
    """One or more answers as one picture: each query set apart beside its hits, one block under the other."""
    from lookalike.drawing.grid import Block, Row, grid

    blocks = []
    for hits in as_answers(answers):
        query, cells = hits.cells()
        blocks.append(Block(query, [Row(hits.lens, cells)]))
    return grid(blocks, title=title, subtitle=subtitle)


def comparison_grid(
    answers: "Mapping[str, Sequence[Hits]]",
    *,
    right: Callable[[str, str, str], bool | None] | None = None,
    title: str = "",
    subtitle: str = "",
) -> "Image":
    """The same queries answered in several ways, as one picture: a row a way, under each other, beside the query.

    Args:
        answers: what a row is called ("plain", "lens pattern") -> the answers, the same queries in the same order.
        right: whether a hit is a right answer, by (row's name, query, file): it gets a tick or a cross; None for
            neither.
        title: what is shown, in large type.
        subtitle: a line under it.
    Raises: ShapeError, when there is nothing to draw; ValueError, when the rows do not answer equally many queries.
    """
    from dataclasses import replace

    from lookalike.drawing.grid import Block, Row, grid

    blocks: list[Block] = []
    for one in zip(*map(as_answers, answers.values()), strict=True):
        rows = []
        for name, hits in zip(answers, one, strict=True):
            query, cells = hits.cells()
            if right is not None:
                cells = [replace(cell, right=right(name, hits.query, cell.file)) for cell in cells]
            rows.append(Row(name, cells))
        blocks.append(Block(query, rows))
    return grid(blocks, title=title, subtitle=subtitle)
