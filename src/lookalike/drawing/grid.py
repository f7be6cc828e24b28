"""Grids: a query set apart, and its most similar pictures with file name and similarity under each."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from PIL import Image

from lookalike.drawing.canvas import (
    BLUE,
    CARD,
    FAINT,
    GREEN,
    INK,
    LINE,
    PAPER,
    SOFT,
    VERMILLION,
    dot,
    fitted,
    frame,
    panel,
    paper,
    round_corners,
    stroke,
)
from lookalike.drawing.typography import lines, readable, shortened, write
from lookalike.errors import ShapeError

MARGIN, GAP, LEAD = 40, 16, 30  # around the page; between cells; between the query's column and the hits
TYPE, SMALL, LABEL, TITLE = 17, 15, 18, 28  # type sizes in pixels
NAME_ROOM = 56  # under each picture: its name, and a line for similarity and folder
LABEL_ROOM = 34  # over each row: what the row is


@dataclass(frozen=True)
class Cell:
    """One picture of a grid.

    picture: a PIL picture, or the reason why there is none to show. file: its path as the collection has it.
    similarity: -1 to 1, None for a query. right: whether it is a right answer, where that is known: marks it.
    """

    picture: Image.Image | str
    file: str
    similarity: float | None = None
    right: bool | None = None


@dataclass(frozen=True)
class Row:
    """What one lens answers: its name ("plain", "lens pattern"), its hits in order, a short note beside the name."""

    lens: str
    hits: Sequence[Cell]
    note: str = ""


@dataclass(frozen=True)
class Block:
    """A query and its answers: one row a lens, so that two meanings of similar stand under each other."""

    query: Cell
    rows: Sequence[Row]


def grid(blocks: Sequence[Block], *, title: str = "", subtitle: str = "", cell_px: int = 220) -> Image.Image:
    """Draw queries with their hits, one block under the other.

    Args:
        blocks: at least one. A row of more than six hits goes on in further lines.
        title: what is shown, in large type; long ones are wrapped.
        subtitle: one line under it.
        cell_px: side of the square that each picture is fitted into, 96 to 640 pixels.
    Returns: RGB. Five hits at 220 pixels a cell: about 1,500 pixels wide.
    Raises: ShapeError, when there is nothing to draw or far too much.

    >>> red = Image.new("RGB", (40, 30), "#c0392b")
    >>> grid([Block(Cell(red, "query.jpg"), [Row("plain", [Cell(red, "a.jpg", 0.9)])])]).mode
    'RGB'
    """
    if not blocks:
        raise ShapeError("a grid of no queries. Give at least one block.")
    if not 96 <= cell_px <= 640:
        raise ShapeError(f"cells of {cell_px} pixels. Give 96 to 640.")
    columns = _columns(max((len(row.hits) for block in blocks for row in block.rows), default=0))
    query_px = cell_px if max(len(block.rows) for block in blocks) < 2 else round(cell_px * 1.3)
    hits_left = MARGIN + query_px + 2 * LEAD
    width = hits_left + columns * (cell_px + GAP) - GAP + MARGIN
    top = MARGIN + _title_height(title, subtitle, width)
    heights = [_block_height(block, columns, cell_px, query_px) for block in blocks]
    picture = paper(width, top + sum(heights) + (len(blocks) - 1) * 2 * LEAD + MARGIN - 8)
    _draw_title(picture, title, subtitle)
    for i, (block, height) in enumerate(zip(blocks, heights, strict=True)):
        if i:
            panel(picture, (MARGIN, top - LEAD - 1, width - MARGIN, top - LEAD), LINE)
        _draw_block(picture, top, height, block, columns, cell_px, query_px)
        top += height + 2 * LEAD
    return picture


def _columns(most: int) -> int:
    """How many hits stand side by side: up to six; more are spread evenly over as few lines as will do.

    >>> [_columns(most) for most in (0, 1, 5, 6, 7, 8, 10, 12, 100)]
    [1, 1, 5, 6, 4, 4, 5, 6, 6]
    """
    return max(1, ceil(most / ceil(most / 6))) if most else 1


def _title_height(title: str, subtitle: str, width: int) -> int:
    wrapped = len(lines(readable(title), width - 2 * MARGIN, TITLE, bold=True)) if title else 0
    return wrapped * 36 + (28 if subtitle else 0) + (24 if title or subtitle else 0)


def _draw_title(picture: Image.Image, title: str, subtitle: str) -> None:
    base, room = MARGIN + 24.0, picture.width - 2 * MARGIN
    for line in lines(readable(title), room, TITLE, bold=True) if title else ():
        write(picture, (MARGIN, base), line, TITLE, INK, bold=True)
        base += 36
    if subtitle:
        write(picture, (MARGIN, base - 4), shortened(readable(subtitle), room, TYPE), TYPE, SOFT)


def _row_height(row: Row, columns: int, cell_px: int) -> int:
    deep = max(1, ceil(len(row.hits) / columns))
    return LABEL_ROOM + deep * (cell_px + NAME_ROOM) + (deep - 1) * GAP


def _block_height(block: Block, columns: int, cell_px: int, query_px: int) -> int:
    rows = sum(_row_height(row, columns, cell_px) + GAP for row in block.rows) - GAP
    return max(rows, LABEL_ROOM + query_px + NAME_ROOM)


def _draw_block(
    picture: Image.Image, top: int, height: int, block: Block, columns: int, cell_px: int, query_px: int
) -> None:
    write(picture, (MARGIN, top + 18), "query", LABEL, BLUE, bold=True)
    _draw_cell(picture, MARGIN, top + LABEL_ROOM, block.query, query_px, is_query=True)
    rule = MARGIN + query_px + LEAD
    panel(picture, (rule - 1, top, rule, top + height - 6), LINE)
    for row in block.rows:
        _draw_row(picture, rule + LEAD, top, row, columns, cell_px)
        top += _row_height(row, columns, cell_px) + GAP


def _draw_row(picture: Image.Image, left: int, top: int, row: Row, columns: int, cell_px: int) -> None:
    room = picture.width - MARGIN - left
    label = shortened(readable(row.lens), room, LABEL, bold=True)
    used = write(picture, (left, top + 18), label, LABEL, INK, bold=True)
    if row.note and used + 14 < room:
        write(picture, (left + used + 14, top + 18), shortened(readable(row.note), room - used - 14, TYPE), TYPE, SOFT)
    top += LABEL_ROOM
    for i, hit in enumerate(row.hits):
        x, y = left + i % columns * (cell_px + GAP), top + i // columns * (cell_px + NAME_ROOM + GAP)
        _draw_cell(picture, x, y, hit, cell_px)
    if not row.hits:
        panel(picture, (left, top, left + cell_px, top + cell_px), CARD, radius=8)
        write(picture, (left + cell_px / 2, top + cell_px / 2 + 5), "no hits", TYPE, FAINT, align="centre")


def _draw_cell(picture: Image.Image, left: int, top: int, cell: Cell, side_px: int, *, is_query: bool = False) -> None:
    """One picture on its card, its name under it, then similarity and folder; a query gets a frame."""
    card = Image.new("RGB", (side_px, side_px), CARD)
    if isinstance(cell.picture, str):
        _draw_missing(card, readable(cell.picture))
    else:
        fit = fitted(cell.picture, side_px)
        card.paste(fit, ((side_px - fit.width) // 2, (side_px - fit.height) // 2))
    box = (left, top, left + side_px, top + side_px)
    picture.paste(card, (left, top), round_corners(side_px, side_px, 8))
    if is_query:
        frame(picture, (left - 6, top - 6, box[2] + 6, box[3] + 6), BLUE, width=3, radius=13)
    elif cell.right is not None:
        frame(picture, box, GREEN if cell.right else LINE, width=4 if cell.right else 1, radius=8)
        _draw_mark(picture, (box[2] - 19, box[1] + 19), right=cell.right)
    else:
        frame(picture, box, LINE, radius=8)

    folder, _, name = readable(cell.file).rpartition("/")
    base = top + side_px + (29 if is_query else 24)
    write(picture, (left, base), shortened(name, side_px, TYPE), TYPE, INK)
    used = 0.0
    if cell.similarity is not None:
        used = 10 + write(picture, (left, base + 22), f"{cell.similarity:.3f}", TYPE, INK, bold=True)
    if folder and side_px - used > 40:
        write(picture, (left + used, base + 22), shortened(folder, side_px - used, SMALL), SMALL, SOFT)


def _draw_mark(picture: Image.Image, centre: tuple[float, float], *, right: bool) -> None:
    """A tick or a cross in a small circle: they differ in shape as well as in colour."""
    x, y = centre
    dot(picture, centre, 14, PAPER)
    dot(picture, centre, 12, GREEN if right else VERMILLION)
    if right:
        stroke(picture, [(x - 5, y + 0.5), (x - 1.5, y + 4), (x + 5.5, y - 4)], PAPER, width=2.5)
    else:
        stroke(picture, [(x - 4, y - 4), (x + 4, y + 4)], PAPER, width=2.5)
        stroke(picture, [(x - 4, y + 4), (x + 4, y - 4)], PAPER, width=2.5)


def _draw_missing(card: Image.Image, reason: str) -> None:
    """A grey card that says why there is no picture."""
    side = card.width
    x, y, r = side / 2, side * 0.3, side * 0.09
    frame(card, (x - 1.3 * r, y - r, x + 1.3 * r, y + r), FAINT, width=2, radius=4)
    stroke(card, [(x - 1.8 * r, y + 1.4 * r), (x + 1.8 * r, y - 1.4 * r)], FAINT, width=2)
    wrapped = lines(reason, side - 32, SMALL, most=max(1, int(side * 0.45 / 20)))
    for i, line in enumerate(wrapped):
        write(card, (x, side * 0.52 + 14 + i * 20), line, SMALL, SOFT, align="centre")
