"""Pictures that people look at: grids, maps, line and bar charts, drawn with Pillow from plain data."""

from lookalike.drawing.bar_chart import Arm, bar_chart
from lookalike.drawing.grid import Block, Cell, Row, grid, note_of
from lookalike.drawing.image_map import drawn_of, image_map
from lookalike.drawing.line_chart import line_chart

__all__ = [
    "Arm",
    "Block",
    "Cell",
    "Row",
    "bar_chart",
    "drawn_of",
    "grid",
    "image_map",
    "line_chart",
    "note_of",
]  # fmt: skip
