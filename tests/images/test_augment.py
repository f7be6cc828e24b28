"""Views of a picture: itself, its mirror image, and crops of known sizes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support.pictures import scene

from lookalike.images.augment import retakes, small_crop, view_squares, views
from lookalike.images.decode import load


def test_the_first_views_are_the_picture_and_its_mirror_image():
    first, second = views(scene(), 2, np.random.default_rng(0))
    assert np.array_equal(np.asarray(first), np.asarray(scene()))
    assert np.array_equal(np.asarray(second), np.asarray(scene())[:, ::-1])
    assert len(views(scene(), 1, np.random.default_rng(0))) == 1


@given(st.integers(0, 2**32), st.integers(30, 200), st.integers(30, 200))
def test_other_views_are_crops_of_half_to_nine_tenths_every_other_mirrored(seed, width, height):
    """Red grows to the right in the scene, so it grows to the left in its mirror images."""
    _, _, *crops = views(scene(width, height), 8, np.random.default_rng(seed))
    for i, crop in enumerate(crops):
        assert 0.45 < crop.width * crop.height / (width * height) < 0.95  # sides are rounded
        row = np.asarray(crop)[0, :, 0].astype(int)
        assert (row[-1] > row[0]) == (i % 2 == 0)
    assert len({crop.tobytes() for crop in crops}) > 1


def test_views_depend_on_nothing_but_their_arguments():
    one, two = ([view.tobytes() for view in views(scene(), 6, np.random.default_rng(7))] for _ in range(2))
    assert one == two


def test_squares_are_the_views_squashed(tmp_path):
    scene(90, 60).save(tmp_path / "a.png")
    made = view_squares(tmp_path / "a.png", 64, 4, np.random.default_rng(3))
    expected = [
        view.resize((64, 64), Image.Resampling.BICUBIC) for view in views(scene(90, 60), 4, np.random.default_rng(3))
    ]
    np.testing.assert_array_equal(made, np.stack([np.asarray(one) for one in expected]))


def test_squares_of_a_large_jpeg_are_near_those_of_its_full_decode(tmp_path):
    scene(1600, 1200).save(tmp_path / "a.jpg", quality=95)
    made = view_squares(tmp_path / "a.jpg", 64, 2, np.random.default_rng(3)).astype(int)
    expected = np.asarray(load(tmp_path / "a.jpg").resize((64, 64), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(made[0] - expected).mean() < 2
    assert np.abs(made[1][:, ::-1] - expected).mean() < 2


def test_a_single_pixel_has_views():
    assert [view.size for view in views(Image.new("RGB", (1, 1)), 5, np.random.default_rng(0))] == [(1, 1)] * 5


def test_a_small_crop_is_a_fifth_to_a_half_of_the_area_and_mirrored_half_of_the_time():
    """Red grows to the right in the scene: where it falls, the crop was mirrored. 200 draws: 100 +- 35 (5 sigma)."""
    rng, mirrored = np.random.default_rng(0), 0
    for _ in range(200):
        crop = small_crop(scene(100, 80), rng)
        assert 0.18 < crop.width * crop.height / 8000 < 0.52  # sides are rounded
        row = np.asarray(crop)[0, :, 0].astype(int)
        mirrored += row[0] > row[-1]
    assert 65 < mirrored < 135


@given(st.integers(0, 2**32), st.integers(30, 200), st.integers(30, 200))
def test_retakes_are_crops_of_four_to_nine_tenths_in_another_light_every_other_mirrored(seed, width, height):
    """Red grows to the right in the scene, in whatever light."""
    for i, crop in enumerate(retakes(scene(width, height), 4, np.random.default_rng(seed))):
        assert 0.35 < crop.width * crop.height / (width * height) < 0.95  # sides are rounded
        row = np.asarray(crop)[0, :, 0].astype(int)
        assert (row[-1] < row[0]) == (i % 2 == 0)


def test_retakes_change_light_and_colour():
    (one,) = retakes(Image.new("RGB", (40, 40), (200, 100, 50)), 1, np.random.default_rng(5))
    red, green, blue = np.asarray(one)[0, 0].astype(int)
    assert (red, green, blue) != (200, 100, 50)
    assert red > green > blue
