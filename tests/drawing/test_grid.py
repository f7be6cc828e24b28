"""Grids of a query and its hits: their size by hand, and each picture where it belongs."""

import numpy as np
import pytest
from PIL import Image

from lookalike.drawing.canvas import BLUE, GREEN
from lookalike.drawing.grid import Block, Cell, Row, grid
from lookalike.errors import ShapeError

RED, TEAL = (192, 57, 43), (22, 160, 133)


def cell(colour=RED, similarity: float | None = 0.5, right: bool | None = None) -> Cell:
    return Cell(Image.new("RGB", (100, 100), colour), "folder/a.jpg", similarity, right)


def block(hits: int, rows: int = 1) -> Block:
    return Block(cell(RED, None), [Row("plain", [cell(TEAL)] * hits)] * rows)


def has(picture: Image.Image, colour: str) -> bool:
    wanted = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return bool((np.asarray(picture) == wanted).all(axis=2).any())


def test_the_size_of_five_hits_worked_by_hand():
    """Wide: margin 40, query 220, twice 30, five cells of 220 with four gaps of 16, margin 40. High: margins 40 and
    40 - 8, the row's label 34, the cell 220 and its name 56."""
    assert grid([block(5)]).size == (40 + 220 + 60 + 5 * 220 + 4 * 16 + 40, 40 + 34 + 220 + 56 + 32)


def test_more_than_six_hits_go_on_in_another_line():
    """8 hits are two lines of four."""
    one, two = grid([block(4)]), grid([block(8)])
    assert two.width == one.width
    assert two.height == one.height + 220 + 56 + 16


def test_the_query_stands_left_in_a_frame_and_the_hits_to_its_right():
    drawn = np.asarray(grid([block(2)]))
    assert tuple(drawn[34 + 40 + 110, 40 + 110]) == RED
    assert tuple(drawn[34 + 40 + 110, 40 + 220 + 60 + 110]) == TEAL
    assert tuple(drawn[34 + 40 + 110, 40 + 220 + 60 + 236 + 110]) == TEAL
    assert has(Image.fromarray(drawn), BLUE)


def test_right_answers_are_marked_only_where_it_is_known():
    marked = [grid([Block(cell(), [Row("plain", [cell(right=right)])])]) for right in (None, True, False)]
    assert [has(picture, GREEN) for picture in marked] == [False, True, False]
    assert not np.array_equal(marked[0], marked[2])


def test_two_rows_and_two_blocks_stand_under_each_other():
    """A second row: its label, cells and a gap of 16; a second block of one row: the same, and two gaps of 30."""
    small = grid([block(1)], cell_px=100)
    assert grid([block(1)] * 2, cell_px=100).height == small.height + 34 + 100 + 56 + 60
    assert grid([block(1, rows=2)], cell_px=100).height == small.height + 34 + 100 + 56 + 16


def test_a_reason_and_no_hits_are_drawn_in_the_place_of_pictures():
    missing = Block(Cell("no such file.", "gone.jpg"), [Row("plain", [])])
    assert grid([missing]).size == grid([block(1)]).size


def test_nothing_to_draw_and_cells_out_of_range_are_refused():
    with pytest.raises(ShapeError, match="no queries"):
        grid([])
    for side in (95, 641):
        with pytest.raises(ShapeError, match=f"cells of {side} pixels"):
            grid([block(1)], cell_px=side)
