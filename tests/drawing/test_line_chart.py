"""Lines over a common x, evenly or by powers."""

import numpy as np
import pytest

from lookalike.drawing.line_chart import line_chart
from lookalike.errors import ShapeError

ABOVE_THE_TICKS = (0, 0, 1400, 735)


def test_by_powers_tenfold_takes_the_same_room_each_time():
    """1, 10, 100 by powers lie where 0, 1, 2 lie evenly; only what stands under the axis differs."""
    powers = line_chart({"found": ([1, 10, 100], [0.0, 3.0, 4.0])}, by_powers=True)
    evenly = line_chart({"found": ([0, 1, 2], [0.0, 3.0, 4.0])})
    assert np.array_equal(powers.crop(ABOVE_THE_TICKS), evenly.crop(ABOVE_THE_TICKS))
    assert not np.array_equal(powers, evenly)


def test_zero_has_no_place_by_powers():
    with pytest.raises(ShapeError, match="x from 0 on has no logarithm"):
        line_chart({"found": ([0, 10], [0.0, 1.0])}, by_powers=True)
