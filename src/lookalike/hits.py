"""The answer to a query: Hits and Hit, to a table, to a grid, and showing themselves in a notebook."""

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from lookalike.errors import MissingExtraError, PictureError

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Hit:
    """One row of an answer: the picture's file, its similarity to the query (-1 to 1), where it lies."""

    file: str
    similarity: float
    path: Path


class Hits(Sequence[Hit]):
    """The pictures most like one query, the most similar first.

    >>> Hits([Hit("a.jpg", 0.5, Path("a.jpg"))], query="q.jpg", source=Path("q.jpg"))[0].file
    'a.jpg'
    """

    def __init__(self, hits: Sequence[Hit], *, query: str, source: Any, lens: str = "plain"):
        self._hits = tuple(hits)
        self.query, self.source, self.lens = query, source, lens

    def __len__(self) -> int:
        return len(self._hits)

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> "Hits": ...
    def __getitem__(self, index: int | slice) -> "Hit | Hits":
        if isinstance(index, slice):
            return Hits(self._hits[index], query=self.query, source=self.source, lens=self.lens)
        return self._hits[index]

    def __iter__(self) -> Iterator[Hit]:
        return iter(self._hits)

    def __repr__(self) -> str:
        lines = [f"{hit.similarity:.3f}  {hit.file}" for hit in self]
        return "\n".join([f"{len(self)} hits for {self.query} ({self.lens})", *lines])

    def to_pandas(self) -> Any:
        """A DataFrame with columns file and similarity.

        Raises: MissingExtraError, without pandas.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError("a DataFrame", "tables") from error
        return pd.DataFrame({"file": [hit.file for hit in self], "similarity": [hit.similarity for hit in self]})

    def grid(self) -> "Image":
        """The query and its hits as one picture."""
        return grid_of([self])

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{hit.similarity:.3f}</td><td>{html.escape(hit.file)}</td></tr>" for hit in self)
        return f"<table><caption>{html.escape(self.query)} ({html.escape(self.lens)})</caption>{rows}</table>"

    def _repr_png_(self) -> bytes:
        import io

        buffer = io.BytesIO()
        self.grid().save(buffer, "PNG")
        return buffer.getvalue()


def grid_of(answers: Sequence[Hits]) -> "Image":
    """One or more answers as one picture: each query set apart beside its hits, one block under the other."""
    from lookalike.drawing import Block, Cell, Row, grid

    blocks = []
    for hits in answers:
        found = [Cell(picture_of(hit.path), hit.file, hit.similarity) for hit in hits]
        blocks.append(Block(Cell(picture_of(hits.source), hits.query), [Row(hits.lens, found)]))
    return grid(blocks)


def picture_of(source: Any, side_px: int = 320) -> "Image | str":
    """A picture small enough for a page, or the reason why there is none."""
    from lookalike.pictures import load

    if source is None:
        return "no picture: asked with a vector"
    try:
        picture = load(source, side_px=side_px)
    except PictureError as error:
        return str(error)
    picture.thumbnail((2 * side_px, 2 * side_px))
    return picture
