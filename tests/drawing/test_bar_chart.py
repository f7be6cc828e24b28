"""Bars as long as their values, dots that do not cover each other, and counts of queries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lookalike.drawing.bar_chart import Arm, bar_chart, said, swarm
from lookalike.drawing.canvas import BLUE, VERMILLION
from lookalike.errors import ShapeError

ARMS = [Arm("plain", 0.25), Arm("lens", 0.5)]


def coloured(picture: Image.Image, colour: str) -> np.ndarray:
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return (np.asarray(picture) == wanted).all(axis=2)


def longest(picture: Image.Image, colour: str) -> int:
    """Pixels of a colour in the row that has most of them."""
    return int(coloured(picture, colour).sum(axis=1).max())


def test_a_bar_is_as_long_as_its_value():
    """Only the last arm is blue: at 0.2 of a scale to 0.5 it is half as long as at 0.4."""
    lengths = [longest(bar_chart([Arm("plain", 0.5), Arm("lens", v)], verdict="Better."), BLUE) for v in (0.2, 0.4)]
    assert lengths[0] > 100
    assert lengths[1] / lengths[0] == pytest.approx(2, rel=0.02)


def test_won_and_lost_are_cut_out_of_one_bar_by_their_share():
    """30 won and 10 lost of 40: three quarters and a quarter of 1,304 pixels, a gap of 2 between them."""
    chart = bar_chart(ARMS, verdict="Better.", won=30, lost=10, same=0)
    assert longest(chart, VERMILLION) == pytest.approx(1304 / 4, abs=4)
    below = chart.crop((0, chart.height - 80, 1400, chart.height))
    assert longest(below, BLUE) == pytest.approx(1304 * 3 / 4, abs=4)
    assert chart.height == bar_chart(ARMS, verdict="Better.").height + 132


def test_an_interval_and_single_values_are_drawn():
    plain = bar_chart(ARMS, verdict="Better.")
    for arm in (Arm("lens", 0.5, low=0.4, high=0.45), Arm("lens", 0.5, each=[0.3, 0.4])):
        other = bar_chart([ARMS[0], arm], verdict="Better.")
        assert (other.size, np.array_equal(plain, other)) == (plain.size, False)


@given(st.lists(st.floats(0, 100), max_size=5))
def test_up_to_five_dots_never_cover_each_other(points):
    spread = swarm(points, apart=9)
    assert [place for place, _ in spread] == points
    for i, one in enumerate(spread):
        for other in spread[:i]:
            assert abs(one[0] - other[0]) >= 9 - 1e-9 or abs(one[1] - other[1]) >= 9


def test_a_verdict_alone_is_as_wide_as_a_chart():
    assert said("Too few examples.").size == (1400, 128)


def test_nothing_to_compare_and_values_out_of_range_are_refused():
    with pytest.raises(ShapeError, match="without anything to compare"):
        bar_chart([], verdict="")
    with pytest.raises(ShapeError, match=r"lens: a value of 1\.5"):
        bar_chart([Arm("lens", 1.5)], verdict="")
