"""Shapes cover the pixels that their numbers say, and pictures fit their box."""

import numpy as np
import pytest
from PIL import Image

from lookalike.drawing.canvas import dot, fitted, frame, panel, paper, round_corners, stroke, upright_rgb
from lookalike.errors import ShapeError


def ink(picture: Image.Image) -> np.ndarray:
    """How much of each pixel is black, 0 to 1."""
    return 1 - np.asarray(picture.convert("L"), np.float64) / 255


def test_a_panel_covers_its_box_and_half_a_pixel_counts_half():
    """10.5 x 4 pixels: columns 5 to 14 in full, column 15 by half."""
    picture = paper(30, 20)
    panel(picture, (5, 3, 15.5, 7), "#000000")
    found = ink(picture)
    assert (found[3:7, 5:15] == 1).all()
    assert found[3:7, 15] == pytest.approx(0.5, abs=0.01)
    assert found.sum() == pytest.approx(42, abs=0.1)
    panel(picture, (5, 10, 5, 18), "#000000")
    assert found.sum() == ink(picture).sum()


def test_a_dot_has_the_area_of_its_circle():
    """pi * 8^2 = 201 pixels, around its centre."""
    picture = paper(40, 40)
    dot(picture, (20, 20), 8, "#000000")
    found = ink(picture)
    assert found.sum() == pytest.approx(np.pi * 64, rel=0.02)
    assert np.abs(found - found[::-1, ::-1]).max() < 0.05


def test_a_frame_is_drawn_inside_its_box():
    """20 x 10 with an edge of 2: 200 - 16 * 6 = 104 pixels."""
    picture = paper(40, 30)
    frame(picture, (10, 10, 30, 20), "#000000", width=2)
    found = ink(picture)
    assert found[10:20, 10:30].sum() == found.sum() == pytest.approx(104, abs=0.5)


def test_a_stroke_is_as_long_and_wide_as_said():
    """20 long and 3 wide with round ends: 60 + pi * 1.5^2 = 67 pixels; no points are no line."""
    picture = paper(40, 20)
    stroke(picture, [], "#000000")
    assert ink(picture).sum() == 0
    stroke(picture, [(10, 10), (30, 10)], "#000000", width=3)
    assert ink(picture).sum() == pytest.approx(67, rel=0.1)


def test_round_corners_leave_the_middle_and_cut_the_corners():
    mask = np.asarray(round_corners(40, 20, 8))
    assert (mask.shape, mask[10, 20], mask[0, 20], mask[0, 0]) == ((20, 40), 255, 255, 0)
    assert mask.sum() / 255 == pytest.approx(800 - (4 - np.pi) * 64, rel=0.01)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1000, 500), (220, 110)),
        ((100, 50), (220, 110)),
        ((30, 30), (90, 90)),
        ((8, 4), (220, 110)),
        ((9000, 2), (220, 3)),
    ],
)
def test_a_fitted_picture_is_whole_and_in_its_shape(size, expected):
    """Growing ends at three times, but for a few pixels, which fill the box; the thinnest is 3 pixels thick."""
    assert fitted(Image.new("RGB", size), 220).size == expected


def test_what_is_transparent_is_shown_on_white():
    clear = Image.new("RGBA", (2, 1), (255, 0, 0, 255))
    clear.putpixel((1, 0), (0, 0, 0, 0))
    assert np.asarray(upright_rgb(clear)).tolist() == [[[255, 0, 0], [255, 255, 255]]]
    assert upright_rgb(Image.new("L", (1, 1), 7)).getpixel((0, 0)) == (7, 7, 7)


def test_a_drawing_of_more_than_200_megapixels_is_refused():
    with pytest.raises(ShapeError, match="20,000 x 20,000 pixels is too large"):
        paper(20_000, 20_000)
