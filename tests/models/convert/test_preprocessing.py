"""What preprocessor_config.json says, as a factor and an offset of each channel."""

import numpy as np
import pytest

from lookalike.errors import BundleError
from lookalike.models.convert.preprocessing import read

TABLE = {"size": 32, "image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.25, 0.5]}


def test_a_pixel_worked_by_hand():
    """(255 / 255 - 0.5) / 0.2 = 2.5, (1 - 0.4) / 0.25 = 2.4, (1 - 0.3) / 0.5 = 1.4; as factor and offset the same."""
    found = read("x", TABLE)
    np.testing.assert_allclose(255 * np.array(found.factors) + found.offsets, [2.5, 2.4, 1.4])
    assert found.side_px == 32


def test_steps_that_are_switched_off_change_nothing():
    found = read("x", {**TABLE, "do_rescale": False, "do_normalize": False})
    assert (found.factors, found.offsets) == ((1, 1, 1), (0, 0, 0))
    assert read("x", {**TABLE, "rescale_factor": 0.5}).scale == 0.5


@pytest.mark.parametrize(
    ("more", "side"),
    [
        ({"size": {"height": 48, "width": 48}}, 48),
        ({"size": {"shortest_edge": 48}}, 48),
        ({"size": 48, "crop_size": {"height": 40, "width": 40}}, 40),
        ({"size": 48, "crop_size": 40, "do_center_crop": False}, 48),
    ],
)
def test_the_side_is_that_of_the_crop_where_there_is_one(more, side: int):
    assert read("x", {**TABLE, **more}).side_px == side
    assert read("x", {**TABLE, **more}, own_side_px=64).side_px == 64


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"size": {"height": 48, "width": 40}}, "x: wants pictures of 40 x 48. Only squares"),
        ({"size": 4096}, "x: preprocessor_config.json names no side of its pictures (size is 4096)"),
        ({"size": True}, "x: preprocessor_config.json names no side of its pictures (size is True)"),
        ({"size": [1, 2]}, "x: preprocessor_config.json names no side of its pictures (size is [1, 2])"),
        ({"size": 10**100}, "x: preprocessor_config.json names no side of its pictures (size is 1000000"),
        ({"image_std": [0.2, 0, 0.5]}, "x: preprocessor_config.json has image_std 0.0. It must be from 1e-06 to"),
        ({"image_std": [0.2, 1e-320, 0.5]}, "x: preprocessor_config.json has image_std 1e-320. It must be"),
        ({"image_mean": [float("nan"), 0, 0]}, "x: preprocessor_config.json has image_mean [nan, 0, 0]. Write"),
        ({"image_mean": [True, 0, 0]}, "x: preprocessor_config.json has image_mean [True, 0, 0]. Write"),
        ({"rescale_factor": "x"}, "x: preprocessor_config.json has rescale_factor 'x'. It must be"),
        ({"rescale_factor": float("inf")}, "x: preprocessor_config.json has rescale_factor inf. It must be"),
        ({"rescale_factor": None}, "x: preprocessor_config.json has rescale_factor None. It must be"),
        ({"do_rescale": "no"}, "x: preprocessor_config.json has do_rescale 'no'. Write true or false"),
        ({"do_normalize": []}, "x: preprocessor_config.json has do_normalize []. Write true or false"),
        ({"do_center_crop": 1}, "x: preprocessor_config.json has do_center_crop 1. Write true or false"),
        ({"image_mean": ["0.5", 0, 0]}, "x: preprocessor_config.json has image_mean ['0.5', 0, 0]. Write the three"),
        ({"image_std": None}, "x: preprocessor_config.json has image_std None. Write the three"),
    ],
)
def test_what_says_nothing_usable_is_one_line(more, words: str):
    with pytest.raises(BundleError) as error:
        read("x", {**TABLE, **more})
    assert str(error.value).startswith(words)
