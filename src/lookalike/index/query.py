"""Query sources (path, bytes, image, pixels, features, a file of the collection) -> the vector to rank by."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ImageError, QueryError
from lookalike.images.crop import crop
from lookalike.images.decode import content_hash, read_bytes
from lookalike.images.jpeg import mend_jpeg
from lookalike.images.sources import NamedImage, as_image_source
from lookalike.index.gallery import Gallery
from lookalike.index.pictures import Picture
from lookalike.names import Folders, name_within

Vector = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Query:
    """A query.

    Attributes:
        name: what people call it.
        vector: (d,), to rank by.
        content: its hash; None where there are no bytes.
        source: a picture of it; None where there is none.
        note: what people should know of it, a line; "" for nothing.
        asked: the contents of the pictures that a query of several is made of: they are no hits.
        likened: (m, d), where the ranking is none by similarity: a hit's similarity is that to the nearest of these.
            None: that to `vector`.
        scale: what a similarity to `vector` is multiplied with, above 0: of a text, which is compared with a part of
            the features alone.
    """

    name: str
    vector: Vector
    content: bytes | None
    source: Any
    note: str = ""
    asked: tuple[bytes, ...] = ()
    likened: Vector | None = None
    scale: float = 1.0


class QueryResolver:
    """Makes queries of what people hold: pictures in any form, names, features.

    Args:
        folder: of the collection.
        gallery: what is searched; for a picture whose content it holds, its stored vector is taken.
        embed: a picture -> features (f,).
        side_px: of the squares that the backbone takes: a region is not decoded much larger than it needs.
    """

    def __init__(self, folder: Path, gallery: Gallery, embed: Callable[[Any], Vector], side_px: int):
        self.folder, self.gallery, self.embed, self.side_px = folder, gallery, embed, side_px

    def resolve(self, source: Any, region: Sequence[float] | None = None) -> Query:
        """A source as a query.

        Args:
            source: a path, a file of the collection, one of its pictures (a Picture), what else `as_image_source`
                takes, or float features (f,).
            region: left, top, width, height of the part that is meant, in shares of the upright picture: it is embedded
                by itself, so that the picture itself is a hit like any other.
        Raises: QueryError.
        """
        query = self._part(source, region) if region is not None else self._resolve(source)
        if not np.isfinite(query.vector).all():
            raise QueryError(f"{query.name}: its features are no numbers. Ask with another picture.")
        return query

    def _resolve(self, source: Any) -> Query:
        if isinstance(source, Picture):
            return self._stored(source)
        named = source.name if isinstance(source, NamedImage) else ""
        try:
            if not isinstance(source, str | Path):
                source = as_image_source(source)
        except ImageError as error:
            raise QueryError(f"{named or 'the query'}: {error}") from error
        gallery = self.gallery
        if isinstance(source, np.ndarray) and source.dtype.kind == "f":
            if source.shape != (gallery.features,):
                raise QueryError(
                    f"a vector of shape {source.shape}: this backbone's features are ({gallery.features},)."
                )
            return Query("a vector", gallery.embed_query(source), None, None)
        with _named(named or source):
            if isinstance(source, str | Path):
                return self._from_path(str(source))
            if isinstance(source, bytes):
                return Query(named or "a picture", *self._known(source), source, _note(named or "the query", source))
            return Query(named or "a picture", gallery.embed_query(self.embed(source)), None, source)

    def resolve_all(
        self,
        sources: Sequence[Any],
        skipped: dict[str, str] | None = None,
        report: Callable[[int, int], None] | None = None,
    ) -> list[Query]:
        """Sources as queries, one by one.

        Args:
            sources: what `resolve` takes, any number.
            skipped: takes query -> reason of those that cannot be read; without it the first one is raised.
            report: called with how many are done, and of how many.
        Raises: QueryError.
        """
        queries = []
        for done, one in enumerate(sources, start=1):
            try:
                queries.append(self.resolve(one))
            except QueryError as error:
                if skipped is None:
                    raise
                skipped[os.fsdecode(one) if isinstance(one, os.PathLike) else str(one)] = str(error)
            if report is not None:
                report(done, len(sources))
        return queries

    def _part(self, source: Any, region: Sequence[float]) -> Query:
        name = source.file if isinstance(source, Picture) else source
        if isinstance(source, NamedImage):
            name, source = source.name, source.image
        if isinstance(source, Picture):
            source = source.path
        elif isinstance(source, str | Path):
            found = self._find(str(source))
            source = found if isinstance(found, Path) else self.folder / self.gallery.files[found]
        with _named(name):
            part = crop(source, region, self.side_px)
            title = f"part of {name}" if isinstance(name, str | Path) else "part of a picture"
            return Query(title, self.gallery.embed_query(self.embed(part)), None, part)

    def _stored(self, picture: Picture) -> Query:
        """A picture of the collection by its content: it may lie on a disk that is not there."""
        places = self.gallery.copies_of(picture.content)
        if not len(places):
            return self._from_path(str(picture.path))
        return Query(picture.file, self._stored_vector(int(places[0])), picture.content, picture.path)

    def _stored_vector(self, place: int) -> Vector:
        """The row of a picture; where that holds no numbers, the picture is embedded."""
        vector = self.gallery.vector(place)
        if vector is not None:
            return vector
        return self.gallery.embed_query(self.embed(read_bytes(self.folder / self.gallery.files[place])))

    def _from_path(self, name: str) -> Query:
        found = self._find(name)
        if isinstance(found, Path):
            raw = read_bytes(found)
            return Query(name, *self._known(raw), found, _note(name, raw))
        file = self.gallery.files[found]
        content = self.gallery.contents[found].tobytes()
        return Query(file, self._stored_vector(found), content, self.folder / file)

    def _find(self, name: str) -> Path | int:
        """A file on the disk, else the row of a picture of the collection; exact names before other forms of Unicode.

        Raises: QueryError, when it is neither.
        """
        file: str | None = name
        if not os.path.isfile(name) and name not in self.gallery:  # noqa: PTH113  (Path.is_file raises for long names)
            file = Folders().find(name)
        if file is not None and os.path.isfile(file):  # noqa: PTH113
            return Path(file)
        row = self.gallery.row_of(name)
        if row is None and (inside := name_within(name, self.folder)) is not None:  # its file is gone, its row is there
            row = self.gallery.row_of(inside)
        if row is None:
            raise QueryError(
                f"{name}: no such picture, here or in the collection. Check the name.", code="query.unknown"
            )
        return row

    def _known(self, raw: bytes) -> tuple[Vector, bytes]:
        """The vector of a picture, and the hash of its bytes."""
        content = content_hash(raw)
        places = self.gallery.copies_of(content)
        vector = self.gallery.vector(int(places[0])) if len(places) else None
        return self.gallery.embed_query(self.embed(raw)) if vector is None else vector, content


@contextmanager
def _named(source: Any) -> Iterator[None]:
    """Raises: QueryError, with the query's name, in the place of an ImageError."""
    try:
        yield
    except ImageError as error:
        name = source if isinstance(source, str | Path) else "the query"
        raise QueryError(f"{name}: {error}", code=error.code) from error


def _note(name: str, raw: bytes) -> str:
    """What is said of a picture that could be read."""
    mended = mend_jpeg(raw)
    return "" if mended is None else f"{name}: cut short, and read without {mended.lacks}."
