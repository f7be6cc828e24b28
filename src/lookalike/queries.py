"""Whatever people ask with (path, bytes, image, pixels, features, a file of the collection) -> a vector."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import PictureError, QueryError
from lookalike.pictures import content_hash, read_bytes


@dataclass(frozen=True)
class Query:
    """What is asked: its name, its features (f,), its content's hash, and a picture of it where there is one."""

    name: str
    features: NDArray[np.floating[Any]]
    content: bytes | None
    source: Any


def resolve(
    asked: Any,
    *,
    folder: Path,
    contents: Mapping[str, bytes],
    length: int,
    stored: Callable[[str], NDArray[np.float16]],
    embed: Callable[[Any], NDArray[np.float32]],
) -> Query:
    """One query, understood.

    Args:
        asked: a path, a file of the collection, bytes, a PIL image, uint8 pixels, or float features (f,).
        folder: of the collection.
        length: of its features.
        contents: file -> content hash, of the collection.
        stored: file -> its features in the table.
        embed: a picture -> features (f,).
    Raises: QueryError.
    """
    if isinstance(asked, np.ndarray) and asked.dtype.kind == "f":
        if asked.shape != (length,):
            raise QueryError(f"a vector of shape {asked.shape}: this backbone's features are ({length},).")
        return Query("a vector", asked, None, None)
    if isinstance(asked, str | Path):
        return _from_path(str(asked), folder, contents, stored, embed)
    try:
        if isinstance(asked, bytes):
            content = content_hash(asked)
            return Query("a picture", _known(content, contents, stored, embed, asked), content, asked)
        return Query("a picture", embed(asked), None, asked)
    except PictureError as error:
        raise QueryError(f"the query: {error}") from error


def _from_path(
    asked: str,
    folder: Path,
    contents: Mapping[str, bytes],
    stored: Callable[[str], NDArray[np.float16]],
    embed: Callable[[Any], NDArray[np.float32]],
) -> Query:
    path = Path(asked)
    if not path.is_file() and asked in contents:
        return Query(asked, stored(asked), contents[asked], folder / asked)
    if not path.is_file():
        raise QueryError(f"{asked}: no such picture, here or in the collection. Check the name.")
    try:
        raw = read_bytes(path)
        content = content_hash(raw)
        return Query(asked, _known(content, contents, stored, embed, raw), content, path)
    except PictureError as error:
        raise QueryError(f"{asked}: {error}") from error


def _known(
    content: bytes,
    contents: Mapping[str, bytes],
    stored: Callable[[str], NDArray[np.float16]],
    embed: Callable[[Any], NDArray[np.float32]],
    raw: bytes,
) -> NDArray[Any]:
    """The features that the table holds for this content, else those of the picture."""
    file = next((file for file, known in contents.items() if known == content), None)
    return embed(raw) if file is None else stored(file)
