"""Grids and maps: pictures that people look at, drawn from answers and features."""

import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lookalike.errors import PictureError
from lookalike.pictures import load

if TYPE_CHECKING:
    from lookalike.hits import Hits

PAPER, INK, QUIET, ACCENT, CARD = "#ffffff", "#1d1d1f", "#6e6e73", "#d9480f", "#f2f2f4"
CELL, LABEL, GAP, MARGIN, COLUMNS = 220, 52, 16, 32, 5
FONT = Path(__file__).parent / "fonts" / "LookalikeSans-Regular.otf"
MOST_ON_A_MAP = 3000


def grid(answers: "Sequence[Hits]") -> Image.Image:
    """Each query, set apart, beside its hits with file name and similarity; one block under the other.

    Args:
        answers: one or more; more than five hits go on in further rows.
    Returns: an RGB picture, 1,492 px wide for five hits or more.
    """
    columns = min(COLUMNS, max((len(hits) for hits in answers), default=1)) or 1
    width = 2 * MARGIN + CELL + 3 * GAP + columns * (CELL + GAP) - GAP
    heights = [-(-max(len(hits), 1) // columns) * (CELL + LABEL + GAP) for hits in answers]
    sheet = Image.new("RGB", (width, 2 * MARGIN + sum(heights) + 2 * GAP * (len(answers) - 1) - GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    top = MARGIN
    for hits, height in zip(answers, heights, strict=True):
        if top > MARGIN:
            draw.line([(MARGIN, top - GAP - GAP // 2), (width - MARGIN, top - GAP - GAP // 2)], fill=CARD, width=2)
        _cell(sheet, (MARGIN, top), hits.source, hits.query, f"query · {hits.lens}", accent=True)
        for rank, hit in enumerate(hits):
            x = MARGIN + CELL + 3 * GAP + rank % columns * (CELL + GAP)
            y = top + rank // columns * (CELL + LABEL + GAP)
            _cell(sheet, (x, y), hit.path, hit.file, f"{hit.similarity:.3f}")
        top += height + 2 * GAP
    return sheet


def map_of(features: NDArray[Any], paths: Sequence[Path], side_px: int = 1600) -> Image.Image:
    """Pictures at their place along the two main directions (PCA) of the features.

    Where two would overlap, the later one moves to the nearest free place.

    Args:
        features: (n, f).
        paths: n files.
        side_px: the side of the square that is drawn.
    """
    chosen: NDArray[np.int64] = np.linspace(0, max(len(paths) - 1, 0), min(len(paths), MOST_ON_A_MAP)).astype(np.int64)
    sheet = Image.new("RGB", (side_px, side_px), PAPER)
    if not paths:
        return sheet
    cells = max(2, int(np.ceil(np.sqrt(len(chosen) * 1.7))))
    step = (side_px - 2 * MARGIN) / cells
    places = _snap(principal_plane(np.asarray(features)[chosen].astype(np.float32)), cells)
    for index, (column, row) in zip(chosen, places, strict=True):
        picture = _fit(paths[int(index)], max(4, int(step) - 4))
        x, y = MARGIN + (column + 0.5) * step, MARGIN + (row + 0.5) * step
        sheet.paste(picture, (int(x - picture.width / 2), int(y - picture.height / 2)))
    return sheet


def principal_plane(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """(n, f) -> (n, 2): the coordinates along the two directions of largest variance, each turned to be repeatable.

    >>> principal_plane(np.array([[0, 0], [2, 0], [4, 0]], np.float32))[:, 0].tolist()
    [-2.0, 0.0, 2.0]
    """
    x = features.astype(np.float64) - features.mean(axis=0)
    start = np.random.default_rng(0).standard_normal((x.shape[1], 2))
    for _ in range(50):  # subspace iteration: two directions of thousands do not need them all
        start = np.linalg.qr(x.T @ (x @ start))[0]
    basis = np.linalg.svd(x @ start, full_matrices=False)[2] @ start.T
    largest = np.abs(basis).argmax(axis=1)
    basis = basis * np.where(basis[np.arange(2), largest] < 0, -1, 1)[:, None]
    result: NDArray[np.float64] = x @ basis.T
    return result


def _snap(points: NDArray[np.float64], cells: int) -> list[tuple[int, int]]:
    """Each point to a free cell of its own, as near as there is; ranks spread crowded middles."""
    low, high = points.min(axis=0), points.max(axis=0)
    even = (points - low) / np.maximum(high - low, 1e-12)
    ranks = points.argsort(axis=0).argsort(axis=0) / max(len(points) - 1, 1)
    wanted = (0.5 * even + 0.5 * ranks) * (cells - 1)
    free = np.ones((cells, cells), bool)
    rows, columns = np.mgrid[:cells, :cells]
    places = []
    for x, y in wanted:
        distance = np.where(free, (columns - x) ** 2 + (rows - y) ** 2, np.inf)
        row, column = np.unravel_index(distance.argmin(), distance.shape)
        free[row, column] = False
        places.append((int(column), int(row)))
    return places


def _cell(sheet: Image.Image, at: tuple[int, int], source: Any, name: str, note: str, accent: bool = False) -> None:
    draw = ImageDraw.Draw(sheet)
    x, y = at
    picture = None if source is None else _fit(source, CELL)
    if picture is None:
        draw.rounded_rectangle([x, y, x + CELL - 1, y + CELL - 1], 6, fill=CARD)
    else:
        sheet.paste(picture, (x + (CELL - picture.width) // 2, y + (CELL - picture.height) // 2))
    if accent:
        draw.rectangle([x - 6, y - 6, x + CELL + 5, y + CELL + 5], outline=ACCENT, width=3)
    draw.text((x, y + CELL + 8), _shorten(name, CELL), font=_font(15), fill=INK)
    draw.text((x, y + CELL + 29), note, font=_font(15), fill=ACCENT if accent else QUIET)


def _fit(source: Any, side: int) -> Image.Image:
    """The picture within a square; a grey card with the reason where it cannot be read."""
    try:
        picture = load(source, side_px=side)
    except PictureError as error:
        card = Image.new("RGB", (side, side), CARD)
        ImageDraw.Draw(card).text((12, side // 2), _shorten(str(error), side - 24), font=_font(13), fill=QUIET)
        return card
    scale = min(side / picture.width, side / picture.height, 4.0)  # a few pixels are not blown up beyond 4 times
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _shorten(name: str, width: int) -> str:
    """The name, its middle left out until it fits; macOS' decomposed Hangul put together first."""
    name = "".join(c if c.isprintable() else "?" for c in unicodedata.normalize("NFC", name))
    font = _font(15)
    if font.getlength(name) <= width:
        return name
    keep = len(name)
    while keep > 2:
        keep -= 1
        tail = max(keep * 2 // 3, 1)
        short = f"{name[: keep - tail]}…{name[-tail:]}"
        if font.getlength(short) <= width:
            return short
    return "…"


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONT), size)
