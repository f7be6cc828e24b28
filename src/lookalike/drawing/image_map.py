"""Maps: a collection in two dimensions, drawn with its pictures, like beside like."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.drawing.canvas import INK, PAPER, SOFT, fitted, paper, round_corners
from lookalike.drawing.typography import shortened, write
from lookalike.errors import ShapeError

SMALL, LARGE, MARGIN = (2400, 1800), (3200, 2400), 48  # the drawing, up to 1,200 pictures and above; its edge
LARGEST, SMALLEST = 132, 34  # side of a picture on the map, in pixels
FILLED = 0.62  # share of the places that are taken: what is left empty shows the shape of the collection


def image_map(
    points: NDArray[np.floating], thumbnails: Sequence[Image.Image], *, title: str = "", subtitle: str = ""
) -> Image.Image:
    """Draw pictures at their points, none over another.

    Crowds are spread out and each picture takes the free place of a raster that is nearest to its point, those in the
    middle first: what is next to each other stays next to each other, distances do not. Past about 5,200 pictures
    an even share of them is shown, and the line under the title says so.

    Args:
        points: (n, 2), any scale; the first axis goes to the right, the second up.
        thumbnails: n pictures, of any sizes.
        title: what is shown, in large type.
        subtitle: one line under it.
    Returns: RGB, 2,400 x 1,800 pixels, 3,200 x 2,400 for more than 1,200 pictures.
    Raises: ShapeError, when points and thumbnails differ in number or points are no numbers.

    >>> image_map(np.zeros((2, 2)), [Image.new("RGB", (8, 8))] * 2).size
    (2400, 1800)
    """
    points = np.asarray(points, np.float64)
    if points.shape != (len(thumbnails), 2) or not np.isfinite(points).all():
        raise ShapeError(
            f"points of shape {points.shape} for {len(thumbnails)} thumbnails. Give (n, 2) finite numbers."
        )
    width, height = SMALL if len(points) <= 1200 else LARGE
    top = MARGIN + (72 if title else 0) + (36 if title or subtitle else 0)
    room = (width - 2 * MARGIN, height - top - MARGIN)
    drawn = drawn_of(len(points))
    side, columns, rows = _raster(len(drawn), room)
    picture = paper(width, height)
    if len(drawn) < len(points):
        shown = f"{len(drawn):,} of {len(points):,} shown"
        subtitle = f"{subtitle} · {shown}" if subtitle else shown
    if title:
        write(picture, (MARGIN, MARGIN + 34), shortened(title, room[0], 40, bold=True), 40, INK, bold=True)
    if subtitle:
        write(picture, (MARGIN, top - 32), shortened(subtitle, room[0], 24), 24, SOFT)
    inset = (room[0] - columns * side) // 2 + MARGIN, (room[1] - rows * side) // 2 + top
    for i, (column, row) in zip(drawn, places(points[drawn], columns, rows), strict=True):
        _draw_tile(picture, inset[0] + column * side, inset[1] + row * side, side, thumbnails[i])
    return picture


def drawn_of(n: int) -> NDArray[np.int64]:
    """Which of n pictures a map shows: all while there is room, else evenly spread ones.

    >>> len(drawn_of(300)), len(drawn_of(100_000)) < 5_500
    (300, True)
    """
    most = int((LARGE[0] - 2 * MARGIN) // SMALLEST * ((LARGE[1] - 4 * MARGIN) // SMALLEST) * 0.9)
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).round().astype(np.int64)


def _raster(n: int, room: tuple[int, int]) -> tuple[int, int, int]:
    """Side of a place in pixels, and how many there are across and down."""
    side = int(np.sqrt(room[0] * room[1] * FILLED / max(n, 1)))
    side = min(LARGEST, max(SMALLEST, side))
    return side, room[0] // side, room[1] // side


def places(points: NDArray[np.floating], columns: int, rows: int) -> list[tuple[int, int]]:
    """A place (column, row) of its own for every point, near to where it lies, rows counted from the top.

    Half of where a point goes is its value, half its rank: crowds get more room, outliers less.

    >>> places(np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]), 3, 3)
    [(0, 2), (2, 0), (0, 1)]
    """
    if len(points) > columns * rows:
        raise ShapeError(f"{len(points)} points for {columns} x {rows} places. Give more places.")
    spread = np.column_stack([_spread(points[:, 0]) * (columns - 1), (1 - _spread(points[:, 1])) * (rows - 1)])
    free = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2).astype(np.float64)
    taken = np.zeros((len(points), 2), np.int64)
    middle_first = np.argsort(((spread - np.median(spread, axis=0)) ** 2).sum(axis=1), kind="stable")
    for i in middle_first:
        nearest = int(((free - spread[i]) ** 2).sum(axis=1).argmin())
        taken[i] = free[nearest]
        free[nearest] = np.inf
    return [(int(column), int(row)) for column, row in taken]


def _spread(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Values brought to 0 to 1, half by size and half by rank (equal values share a rank)."""
    if not len(values) or np.ptp(values) == 0:
        return np.full(len(values), 0.5)
    different, which = np.unique(values, return_inverse=True)
    counts = np.bincount(which)
    middle = np.cumsum(counts) - counts / 2 - 0.5
    rank = (middle - middle[0]) / (middle[-1] - middle[0])
    return np.asarray((rank[which] + (values - different[0]) / (different[-1] - different[0])) / 2)


def _draw_tile(picture: Image.Image, left: int, top: int, side: int, thumbnail: Image.Image) -> None:
    room = side - max(2, side // 16)
    width, height = thumbnail.size
    if max(width, height) <= 2 * min(width, height):  # filled by its middle; only very long ones are shown whole
        edge = min(width, height)
        left_over, top_over = (width - edge) // 2, (height - edge) // 2
        thumbnail = thumbnail.crop((left_over, top_over, left_over + edge, top_over + edge))
    fit = fitted(thumbnail, room)
    card = Image.new("RGB", (room, room), PAPER)
    card.paste(fit, ((room - fit.width) // 2, (room - fit.height) // 2))
    corners = round_corners(room, room, max(2, room // 14))
    picture.paste(card, (left, top), corners)
