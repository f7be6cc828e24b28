"""Query sources (path, bytes, image, pixels, features, a file of the collection) -> the vector to rank by."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ImageError, QueryError
from lookalike.images.decode import content_hash, read_bytes
from lookalike.images.sources import as_image_source
from lookalike.index.gallery import Gallery

Vector = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Query:
    """A query: its name, the vector (d,) to rank by, its content's hash, a picture of it where there is one."""

    name: str
    vector: Vector
    content: bytes | None
    source: Any


def resolve_query(source: Any, folder: Path, gallery: Gallery, embed: Callable[[Any], Vector]) -> Query:
    """A source as a query.

    Args:
        source: a path, a file of the collection, what else `as_image_source` takes, or float features (f,).
        folder: of the collection.
        gallery: what is searched; for a picture whose content it holds, its stored vector is taken.
        embed: a picture -> features (f,).
    Raises: QueryError.
    """
    try:
        if not isinstance(source, str | Path):
            source = as_image_source(source)
    except ImageError as error:
        raise QueryError(f"the query: {error}") from error
    if isinstance(source, np.ndarray) and source.dtype.kind == "f":
        if source.shape != (gallery.features,):
            raise QueryError(f"a vector of shape {source.shape}: this backbone's features are ({gallery.features},).")
        return Query("a vector", gallery.embed_query(source), None, None)
    try:
        if isinstance(source, str | Path):
            return _from_path(str(source), folder, gallery, embed)
        if isinstance(source, bytes):
            return Query("a picture", *_known(source, gallery, embed), source)
        return Query("a picture", gallery.embed_query(embed(source)), None, source)
    except ImageError as error:
        name = source if isinstance(source, str | Path) else "the query"
        raise QueryError(f"{name}: {error}") from error


def _from_path(name: str, folder: Path, gallery: Gallery, embed: Callable[[Any], Vector]) -> Query:
    path = Path(name)
    if os.path.isfile(name):  # noqa: PTH113  (Path.is_file raises for a name that is too long)
        return Query(name, *_known(read_bytes(path), gallery, embed), path)
    row = gallery.row_of(name)
    if row is None:
        raise QueryError(f"{name}: no such picture, here or in the collection. Check the name.")
    return Query(name, gallery.rows[[row]][0], gallery.contents[row].tobytes(), folder / name)


def _known(raw: bytes, gallery: Gallery, embed: Callable[[Any], Vector]) -> tuple[Vector, bytes]:
    """The vector of a picture, and the hash of its bytes."""
    content = content_hash(raw)
    places = gallery.copies_of(content)
    return gallery.rows[places[:1]][0] if len(places) else gallery.embed_query(embed(raw)), content


def resolve_queries(
    sources: Sequence[Any],
    folder: Path,
    gallery: Gallery,
    embed: Callable[[Any], Vector],
    skipped: dict[str, str] | None = None,
    report: Callable[[int, int], None] | None = None,
) -> list[Query]:
    """Sources as queries, one by one.

    Args:
        sources: what `resolve_query` takes, any number.
        folder: as for `resolve_query`.
        gallery: as for `resolve_query`.
        embed: as for `resolve_query`.
        skipped: takes query -> reason of those that cannot be read; without it the first one is raised.
        report: called with how many are done, and of how many.
    Raises: QueryError.
    """
    queries = []
    for done, one in enumerate(sources, start=1):
        try:
            queries.append(resolve_query(one, folder, gallery, embed))
        except QueryError as error:
            if skipped is None:
                raise
            skipped[str(one)] = str(error)
        if report is not None:
            report(done, len(sources))
    return queries
