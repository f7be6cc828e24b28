"""Whatever people ask with (path, bytes, image, pixels, features, a file of the collection) -> a vector."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ImageError, QueryError
from lookalike.images.decode import content_hash, read_bytes
from lookalike.index.gallery import Gallery

Vector = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Query:
    """What is asked: its name, the vector (d,) to rank by, its content's hash, a picture of it where there is one."""

    name: str
    vector: Vector
    content: bytes | None
    source: Any


def resolve_query(asked: Any, folder: Path, gallery: Gallery, embed: Callable[[Any], Vector]) -> Query:
    """One query, understood.

    Args:
        asked: a path, a file of the collection, bytes, a PIL image, uint8 pixels, or float features (f,).
        folder: of the collection.
        gallery: what is searched; of a picture whose content it holds, the vector it holds is taken.
        embed: a picture -> features (f,).
    Raises: QueryError.
    """
    if isinstance(asked, np.ndarray) and asked.dtype.kind == "f":
        if asked.shape != (gallery.features,):
            raise QueryError(f"a vector of shape {asked.shape}: this backbone's features are ({gallery.features},).")
        return Query("a vector", gallery.embed_query(asked), None, None)
    try:
        if isinstance(asked, str | Path):
            return _from_path(str(asked), folder, gallery, embed)
        if isinstance(asked, bytes):
            return Query("a picture", *_known(asked, gallery, embed), asked)
        return Query("a picture", gallery.embed_query(embed(asked)), None, asked)
    except ImageError as error:
        name = asked if isinstance(asked, str | Path) else "the query"
        raise QueryError(f"{name}: {error}") from error


def _from_path(asked: str, folder: Path, gallery: Gallery, embed: Callable[[Any], Vector]) -> Query:
    path = Path(asked)
    if os.path.isfile(asked):  # noqa: PTH113  (Path.is_file raises for a name that is too long)
        return Query(asked, *_known(read_bytes(path), gallery, embed), path)
    place = gallery.row_of(asked)
    if place is None:
        raise QueryError(f"{asked}: no such picture, here or in the collection. Check the name.")
    return Query(asked, gallery.rows[[place]][0], gallery.contents[place].tobytes(), folder / asked)


def _known(raw: bytes, gallery: Gallery, embed: Callable[[Any], Vector]) -> tuple[Vector, bytes]:
    """The vector of a picture, and the hash of its bytes."""
    content = content_hash(raw)
    places = gallery.copies_of(content)
    return gallery.rows[places[:1]][0] if len(places) else gallery.embed_query(embed(raw)), content


def resolve_queries(
    asked: Sequence[Any],
    folder: Path,
    gallery: Gallery,
    embed: Callable[[Any], Vector],
    skipped: dict[str, str] | None = None,
    report: Callable[[int, int], None] | None = None,
) -> list[Query]:
    """Queries, understood one by one.

    Args:
        asked: what `resolve_query` takes, any number.
        folder: as for `resolve_query`.
        gallery: as for `resolve_query`.
        embed: as for `resolve_query`.
        skipped: takes query -> reason of those that cannot be read; without it the first one is raised.
        report: called with how many are done, and of how many.
    Raises: QueryError.
    """
    understood = []
    for done, one in enumerate(asked, start=1):
        try:
            understood.append(resolve_query(one, folder, gallery, embed))
        except QueryError as error:
            if skipped is None:
                raise
            skipped[str(one)] = str(error)
        if report is not None:
            report(done, len(asked))
    return understood
