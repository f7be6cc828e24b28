"""Answers and collections -> drawings: grids, rows under several lenses, maps; and PNG files written whole."""

import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.errors import CollectionError, ImageError
from lookalike.home import atomic_write

if TYPE_CHECKING:
    from PIL.Image import Image

    from lookalike.gallery import Gallery
    from lookalike.hits import Hits

SIDE_PX = 320  # of the pictures kept for grids: cells are 220 wide, a query under several lenses 286
MAP_PX = 132  # of those for maps, where none is shown larger


def answers_grid(answers: "Sequence[Hits]", *, title: str = "", subtitle: str = "") -> "Image":
    """One or more answers as one picture: each query set apart beside its hits, one block under the other."""
    from lookalike.drawing import Block, Row, grid

    blocks = []
    for hits in answers:
        query, found = hits.cells()
        blocks.append(Block(query, [Row(hits.lens, found)]))
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

    from lookalike.drawing import Block, Row, grid

    blocks: list[Block] = []
    for one in zip(*answers.values(), strict=True):
        rows = []
        for name, hits in zip(answers, one, strict=True):
            query, found = hits.cells()
            if right is not None:
                found = [replace(cell, right=right(name, hits.query, cell.file)) for cell in found]
            rows.append(Row(name, found))
        blocks.append(Block(query, rows))
    return grid(blocks, title=title, subtitle=subtitle)


def draw_map(
    gallery: "Gallery",
    folder: Path,
    cache: Path | None = None,
    *,
    title: str = "",
    report: Callable[[int, int], None] | None = None,
) -> "Image":
    """Pictures in two dimensions, by the principal components of what is searched, like beside like.

    Args:
        gallery: the pictures, and the features or the embedding that the map goes by.
        folder: where their files lie. What cannot be read is a grey square.
        cache: where `thumbnail` keeps things.
        title: in large type; the number of pictures stands under it.
        report: called with how many pictures are there, and of how many.
    Raises: ShapeError, when there is nothing to draw.
    """
    from concurrent.futures import ThreadPoolExecutor

    from PIL import Image

    from lookalike.drawing import drawn_of, image_map, principal_plane

    def small(place: int) -> "Image.Image | str":
        return thumbnail_image(folder / gallery.files[place], gallery.contents[place].tobytes(), cache, MAP_PX)

    n, drawn = len(gallery), drawn_of(len(gallery)).tolist()
    thumbnails = [Image.new("RGB", (1, 1), "#d4d4d8")] * n
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, (place, found) in enumerate(zip(drawn, pool.map(small, drawn), strict=True), start=1):
            if not isinstance(found, str):
                thumbnails[place] = found
            if report is not None:
                report(done, len(drawn))
    plane = principal_plane(gallery.rows.whole().astype(np.float32))
    return image_map(plane, thumbnails, title=title, subtitle=f"{n:,} picture{'s' * (n != 1)}")


def thumbnail_image(
    source: Any, content: bytes | None = None, cache: Path | None = None, side_px: int = SIDE_PX
) -> "Image | str":
    """A picture small enough to be drawn, or the reason why there is none.

    Args:
        source: as `load` takes it, or None.
        content: its hash, where it is known.
        cache: where `thumbnail` keeps things: with both, a picture that was drawn before is not decoded again.
        side_px: its longer side at most.
    """
    from lookalike.pictures import load
    from lookalike.thumbnails import thumbnail

    if source is None:
        return "no picture: asked with a vector"
    try:
        if content is not None and cache is not None and isinstance(source, Path):
            return thumbnail(source, content, cache, side_px)
        picture = load(source, side_px=side_px)
    except ImageError as error:
        return error.reason
    picture.thumbnail((side_px, side_px))
    return picture


def drawable(out: Path) -> Path:
    """The same path, when a PNG can be written there as far as can be told before drawing.

    Raises: CollectionError.
    """
    if out.suffix.lower() != ".png":
        raise CollectionError(f"{out}: drawings are PNG files. End its name in .png.")
    if out.is_dir():
        raise CollectionError(f"{out}: a folder. Name a file.")
    above = next(folder for folder in out.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise CollectionError(f"{out}: cannot be written. Choose another place.")
    return out


def save(picture: "Image", out: Path) -> Path:
    """Write a drawing as PNG, whole or not at all; returns where it is.

    Raises: CollectionError, for another ending or a place that cannot be written.
    """
    try:
        atomic_write(drawable(out), png(picture))
    except OSError as error:
        raise CollectionError(f"{out}: cannot be written ({error.strerror}). Choose another place.") from error
    return out


def png(picture: "Image") -> bytes:
    """A drawing as the bytes of a PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
