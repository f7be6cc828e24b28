"""A picture as it comes from the decoder: perhaps coarsely shrunk, and not turned yet."""

from typing import NamedTuple

from PIL import Image

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = {TURNS[flag] for flag in (5, 6, 7, 8)}


class CoarseImage(NamedTuple):
    """RGB pixels as they were stored, perhaps coarsely shrunk, and what is still to be done with them.

    Where a side is no multiple of the step by which it shrank, the last pixels stand for less than a whole step: `box`
    is the whole picture in the small one's pixels, (left, top, right, bottom).
    """

    image: Image.Image
    box: tuple[float, float, float, float]
    turn: Image.Transpose | None
    size: tuple[int, int]  # of the whole picture, as stored
    lacks: str = ""  # what is not there of it

    @property
    def is_on_its_side(self) -> bool:
        """Whether width and height change places when it is turned upright."""
        return self.turn in _ON_ITS_SIDE
