"""Maps: every picture has a place of its own, near to its point."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lookalike.drawing.image_map import drawn_of, image_map, places
from lookalike.errors import ShapeError


def test_the_first_axis_goes_right_and_the_second_up():
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert places(corners, 5, 4) == [(0, 3), (4, 3), (0, 0), (4, 0)]


@given(st.integers(0, 2**32), st.integers(1, 60))
@settings(max_examples=30)
def test_no_two_pictures_share_a_place(seed, n):
    points = np.random.default_rng(seed).normal(size=(n, 2)).round(1)  # some are equal
    taken = places(points, 10, 6)
    assert len(set(taken)) == n
    assert all(0 <= column < 10 and 0 <= row < 6 for column, row in taken)


def test_a_crowd_gets_more_room_than_its_values_take():
    """Nine points within 1% of the range and one outlier: by value alone they would share the first of ten columns;
    half by rank the ninth of them lies at (8/9 + 0.01) / 2 of the width, column 4."""
    points = np.column_stack([[*np.linspace(0, 0.01, 9), 1.0], np.zeros(10)])
    columns = [column for column, _ in places(points, 10, 10)]
    assert (columns[0], columns[8], columns[9]) == (0, 4, 9)
    assert columns == sorted(columns)


def test_more_points_than_places_are_refused():
    with pytest.raises(ShapeError, match="5 points for 2 x 2 places"):
        places(np.zeros((5, 2)), 2, 2)


def test_a_map_shows_all_pictures_while_there_is_room_and_then_an_even_share():
    assert np.array_equal(drawn_of(5000), np.arange(5000))
    some = drawn_of(20_000)
    assert (some[0], some[-1]) == (0, 19_999)
    assert 5000 < len(some) < 5500
    assert set(np.diff(some)) <= {3, 4}


def test_pictures_lie_on_the_side_of_their_points():
    red, blue = Image.new("RGB", (50, 50), "#ff0000"), Image.new("RGB", (50, 50), "#0000ff")
    drawn = np.asarray(image_map(np.array([[0.0, 0.0], [9.0, 0.0]]), [red, blue]))
    assert drawn.shape == (1800, 2400, 3)
    places_of = [
        np.flatnonzero((drawn == colour).all(axis=2).any(axis=0)).mean() for colour in ([255, 0, 0], [0, 0, 255])
    ]
    assert places_of[0] < 600 < 1800 < places_of[1]


def test_points_that_are_none_are_refused():
    picture = Image.new("RGB", (8, 8))
    for points in (np.zeros((1, 3)), np.zeros((2, 2)), np.array([[0, np.nan]])):
        with pytest.raises(ShapeError, match="for 1 thumbnails"):
            image_map(points, [picture])
