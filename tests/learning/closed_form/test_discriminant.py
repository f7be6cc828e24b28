"""A lens leans towards directions in which groups differ, and leaves small groups alone."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lookalike.learning.closed_form.discriminant import reweight_between_class
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.models.lens import Lens


def identity(f):
    return Lens("identity", np.zeros(f), np.eye(f))


def test_a_direction_worked_by_hand():
    """Six pictures each at (+-1, +-1/2): groups lie at x = -1 and 1, y is spread alone.

    The mean variance of a direction is (1 + 1/4) / 2 = 5/8, so b = 8/5 in x and 0 in y; k = 6, so the floor .25 is
    1 - .75 (1 - 4/6) = .75. With half = 1 the squared gain of x over y is (1.6 + .75) / (1.6 + 1) / .75.
    """
    x = np.array([[side, (-1) ** i / 2] for side in (-1, 1) for i in range(6)], np.float32)
    lens = reweight_between_class(identity(2), LabelledFeatures.create(x, np.repeat([0, 1], 6)), floor=0.25, half=1.0)
    expected = np.sqrt((1.6 + 0.75) / 2.6 / 0.75)
    assert_allclose(lens.matrix, [[expected, 0], [0, 1]], atol=1e-6)


@pytest.mark.parametrize("each", [2, 4])
def test_small_groups_change_nothing(each):
    x = np.random.default_rng(0).standard_normal((20 * each, 8)).astype(np.float32)
    lens = identity(8)
    assert reweight_between_class(lens, LabelledFeatures.create(x, np.repeat(np.arange(20), each))) is lens


def test_one_group_and_rows_of_none_change_nothing():
    x = np.random.default_rng(0).standard_normal((20, 8)).astype(np.float32)
    lens = identity(8)
    assert reweight_between_class(lens, LabelledFeatures.create(x, np.repeat([0, -1], 10))) is lens


def test_new_pictures_of_known_groups_are_found_more_often():
    """Groups differ in 5 of 60 directions by less than pictures are spread in all."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(10), 20)
    kinds = np.hstack([rng.standard_normal((10, 5)), np.zeros((10, 55))])
    x, asked = ((kinds[group] + 0.5 * rng.standard_normal((200, 60))).astype(np.float32) for _ in range(2))

    def recall(lens):
        return (group[(lens.apply(asked) @ lens.apply(x).T).argmax(axis=1)] == group).mean()

    assert (
        recall(reweight_between_class(identity(60), LabelledFeatures.create(x, group), floor=0.05, half=1.0))
        > recall(identity(60)) + 0.05
    )


def test_many_groups_are_looked_at_through_some_of_them():
    group = np.repeat(np.arange(1200), 6)
    x = np.random.default_rng(0).standard_normal((7200, 4)).astype(np.float32)
    assert np.isfinite(reweight_between_class(identity(4), LabelledFeatures.create(x, group)).matrix).all()


def test_a_triangular_lens_is_weighted_as_the_same_lens_turned():
    """Of a triangle, as the closed form gives it, only the part that is not zero is multiplied: the result is equal."""
    rng = np.random.default_rng(0)
    f, group = 600, np.repeat(np.arange(10), 12)  # more columns than are multiplied at once
    x = (rng.standard_normal((10, f))[group] + rng.standard_normal((120, f))).astype(np.float32)
    triangle = np.triu(rng.standard_normal((f, f))).astype(np.float32) / 25
    turn = np.linalg.qr(rng.standard_normal((f, f)))[0].astype(np.float32)
    data = LabelledFeatures.create(x, group)
    one, other = (reweight_between_class(Lens("one", x.mean(0), m), data) for m in (triangle, triangle @ turn))
    assert_allclose(one.matrix @ turn, other.matrix, atol=1e-4)
    assert np.abs(one.matrix - triangle).max() > 1e-2
