"""Pictures that people look at: grids of hits, maps, curves and proofs, drawn with Pillow from plain data."""

from lookalike.drawing.curves import curves
from lookalike.drawing.grids import Block, Cell, Row, grid, note_of
from lookalike.drawing.maps import drawn_of, picture_map, principal_plane
from lookalike.drawing.proof_pages import arms_of, proof_page
from lookalike.drawing.proofs import Arm, proof_picture

__all__ = [
    "Arm", "Block", "Cell", "Row", "arms_of", "curves", "drawn_of", "grid", "note_of", "picture_map",
    "principal_plane", "proof_page", "proof_picture",
]  # fmt: skip
