"""Weights of places: worked by hand, and the same for mirrored maps."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lookalike.models.pooling import CENTRE, place_weights


def test_the_fall_of_three_rows_leaves_the_middle_one_out():
    assert_allclose(place_weights("fall", 3), np.outer([1, 0, -1], [1, 1, 1]) / 3)
    picture = np.array([[4.0, 2.0], [1.0, 1.0]])
    assert (picture * place_weights("fall", 2)).sum() == 3 - 1


def test_the_centre_is_a_gaussian_worked_by_hand():
    """Of three places the outer ones lie a third of the side from the middle, 4/3 of the deviation."""
    assert CENTRE == 0.25
    row = np.array([np.exp(-((4 / 3) ** 2) / 2), 1, np.exp(-((4 / 3) ** 2) / 2)])
    assert_allclose(place_weights("centre", 3), np.outer(row, row) / row.sum() ** 2)


@pytest.mark.parametrize("side", [7, 14])
def test_a_mirrored_map_gives_the_same_and_a_flat_one_its_value_and_no_fall(side):
    for pooling, whole in (("centre", 1.0), ("fall", 0.0)):
        weights = place_weights(pooling, side)
        assert_allclose(weights, weights[:, ::-1], rtol=1e-12)
        assert weights.sum() == pytest.approx(whole, abs=1e-12)
