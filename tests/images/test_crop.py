"""A region of a picture: which pixels it is."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import ImageError, QueryError
from lookalike.images.crop import check_region, crop


def test_the_region_is_cut_out_of_the_upright_picture(tmp_path: Path):
    pixels = np.arange(20 * 40, dtype=np.uint8).reshape(20, 40)
    assert np.asarray(crop(pixels, (0.25, 0.5, 0.5, 0.25)))[:, :, 0].tolist() == pixels[10:15, 10:30].tolist()
    exif = Image.Exif()
    exif[0x0112] = 6  # stored on its side
    Image.fromarray(np.zeros((20, 40), np.uint8)).save(tmp_path / "turned.jpg", exif=exif)
    assert crop(tmp_path / "turned.jpg", (0, 0, 1, 0.5)).size == (20, 20)


def test_a_thin_region_is_a_pixel_at_least():
    assert crop(np.zeros((3, 3), np.uint8), (0.99, 0.99, 0.01, 0.01)).size == (1, 1)


def test_a_large_picture_is_decoded_no_larger_than_the_region_needs(tmp_path: Path):
    Image.new("RGB", (4000, 3000), "red").save(tmp_path / "large.jpg")
    part = crop(tmp_path / "large.jpg", (0.25, 0.25, 0.5, 0.5), side_px=200)
    assert 200 <= min(part.size) < 1000


def test_a_rounding_error_over_the_edge_is_cut_off_and_anything_else_refused(tmp_path: Path):
    assert check_region([0.9, 0, 0.1004, 1]) == (0.9, 0.0, 1 - 0.9, 1.0)
    for wrong in (
        [-0.1, 0, 1, 1],
        [0, 0, 1.1, 1],
        [0, 0, 0.001, 1],
        [0, 0, 1],
        "0011 ",
        [None] * 4,
        [float("inf")] * 4,
    ):
        with pytest.raises(QueryError, match="expected left, top, width, height"):
            check_region(wrong)
    with pytest.raises(ImageError, match="no such file"):
        crop(tmp_path / "gone.jpg", (0, 0, 1, 1))
