"""Pictures that people look at: grids of hits, maps, curves and proofs, drawn with Pillow from plain data."""

from lookalike.drawing.curves import line_chart
from lookalike.drawing.grids import Block, Cell, Row, grid, note_of
from lookalike.drawing.maps import drawn_of, image_map, principal_plane
from lookalike.drawing.proof_pages import arms_of, proof_page
from lookalike.drawing.proofs import Arm, bar_chart

__all__ = [
    "Arm",
    "Block",
    "Cell",
    "Row",
    "arms_of",
    "bar_chart",
    "drawn_of",
    "grid",
    "image_map",
    "line_chart",
    "note_of",
    "principal_plane",
    "proof_page",
]  # fmt: skip
