"""The recipe is the closed form, then whatever second step is handed in."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lookalike.errors import ShapeError
from lookalike.learning.closed_form.default import RIDGE, recipe
from lookalike.learning.closed_form.whitening import spread_scale, whiten


@pytest.fixture
def examples():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(8), 4)  # groups so small that the lens does not lean
    return rng.standard_normal((8, 12))[group] + rng.standard_normal((32, 12)), group


def test_without_a_second_step_it_is_the_closed_form(examples):
    x, group = examples
    assert_allclose(recipe()(x, group, None, None).matrix, whiten(x, group, ridge=RIDGE, scale=spread_scale(x)).matrix)


def test_the_correction_starts_from_the_closed_form_and_changes_it(examples):
    siamese = pytest.importorskip("lookalike.learning.training")
    x, group = examples
    x = x.astype(np.float32)
    expected = siamese.correct(whiten(x, group, ridge=RIDGE, scale=spread_scale(x)), x, group)
    lens = recipe(siamese.correct)(x, group, None, None)
    assert_allclose(lens.matrix, expected.matrix)
    assert not np.allclose(lens.matrix, recipe()(x, group, None, None).matrix)


def test_a_scale_is_what_scaled_features_would_have_given(examples):
    """Many rows and few: the lens of x with a scale answers as the lens of x * scale does."""
    x, group = examples
    scale = np.linspace(0.5, 2, 12)
    for rows in (slice(None), slice(0, 4)):
        wide = np.hstack([x[rows]] * 2)
        lens = whiten(wide, group[rows], scale=np.tile(scale, 2))
        witness = whiten(wide * np.tile(scale, 2), group[rows])
        one, other = lens.apply(wide), witness.apply(wide * np.tile(scale, 2))
        assert_allclose(one @ one.T, other @ other.T, atol=1e-5)


def test_evened_features_have_spreads_half_as_far_apart():
    """Deviations 1 and 100: without the floor their ratio would be 10; a tenth of the mean variance makes it 2.1."""
    x = np.random.default_rng(0).standard_normal((4000, 2)) * [1, 100]
    scale = spread_scale(x)
    assert scale[0] / scale[1] == pytest.approx((1.9 / 0.1) ** 0.25, rel=0.01)
    assert_allclose(spread_scale(np.ones((3, 2))), 1)


@pytest.mark.parametrize("scale", [[1.0, 0.0], [1.0, np.nan], [1.0]])
def test_a_scale_that_does_not_fit_is_refused(scale):
    with pytest.raises(ShapeError, match="scale"):
        whiten(np.eye(2), [0, 0], scale=scale)
