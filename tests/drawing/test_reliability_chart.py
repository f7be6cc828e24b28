"""A reliability diagram: dots where they belong, and what is refused."""

import numpy as np
import pytest

from lookalike.drawing.canvas import BLUE
from lookalike.drawing.reliability_chart import SIDE, reliability_chart
from lookalike.errors import ShapeError

INK = tuple(int(BLUE[i : i + 2], 16) for i in (1, 3, 5))


def blue(points):
    """The middle of what is blue: x to the right and y down."""
    pixels = np.asarray(reliability_chart(points)).astype(int)
    at = np.argwhere(np.abs(pixels - INK).max(axis=2) < 3)
    return at.mean(axis=0)[::-1]


def test_a_dot_stands_at_what_was_said_and_what_was_right():
    """From (.2, .2) to (.7, .7) it is half of the square to the right and half of it up."""
    moved = blue([(0.7, 0.7, 0.5)]) - blue([(0.2, 0.2, 0.5)])
    assert moved == pytest.approx([SIDE / 2, -SIDE / 2], abs=1.5)


def test_what_was_right_less_often_than_said_lies_under_the_diagonal():
    assert blue([(0.6, 0.3, 0.5)])[1] > blue([(0.6, 0.6, 0.5)])[1] + 40


@pytest.mark.parametrize("points", [[], [(0.5, 1.2, 0.1)], [(-0.1, 0.5, 0.1)], [(float("nan"), 0.5, 0.1)]])
def test_what_is_no_share_is_refused(points):
    with pytest.raises(ShapeError, match="reliability diagram"):
        reliability_chart(points)
