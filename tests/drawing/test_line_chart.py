"""Lines over a common x, evenly or by powers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.drawing.line_chart import apart, line_chart, ticks
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


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_enclose_the_values_evenly_in_steps_of_1_2_or_5(low, span):
    found = np.array(ticks(low, low + span))
    steps = np.diff(found)
    assert found[0] <= low + 1e-6 * span
    assert found[-1] >= low + span * (1 - 1e-6)
    assert 2 <= len(found) <= 8
    assert steps == pytest.approx(steps[0], rel=1e-6)
    assert f"{steps[0]:.0e}"[0] in "125"


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=12))
def test_labels_moved_apart_keep_their_order_and_their_mean(places):
    moved = apart(places, 20)
    order = np.argsort(places, kind="stable")
    assert (np.diff(np.array(moved)[order]) >= 20 - 1e-6).all()
    assert np.mean(moved) == pytest.approx(np.mean(places), abs=1e-6)


def test_a_value_that_is_not_finite_is_a_gap():
    whole = line_chart({"loss": ([0, 1, 2, 3, 4], [4.0, 3, 2, 1, 0])})
    cut = line_chart({"loss": ([0, 1, 2, 3, 4], [4.0, 3, np.nan, 1, 0])})
    assert (np.asarray(whole) < 128).sum() > (np.asarray(cut) < 128).sum()


def test_curves_that_cannot_be_drawn_are_refused():
    with pytest.raises(ShapeError, match="curves without a point"):
        line_chart({"loss": ([1], [np.nan])})
    with pytest.raises(ShapeError, match=r"curve loss: x of shape \(2,\), y of shape \(1,\)"):
        line_chart({"loss": ([1, 2], [1])})
    with pytest.raises(ShapeError, match="9 curves in one picture"):
        line_chart({str(i): ([1], [1]) for i in range(9)})
