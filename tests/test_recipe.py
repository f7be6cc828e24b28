"""The recipe is the closed form, then whatever second step is handed in."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lookalike.learn.recipe import RIDGE, recipe
from lookalike.learn.whitening import whiten


@pytest.fixture
def examples():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(8), 4)
    return rng.standard_normal((8, 12))[group] + rng.standard_normal((32, 12)), group


def test_without_a_second_step_it_is_the_closed_form(examples):
    x, group = examples
    assert_allclose(recipe()(x, group, None, None).matrix, whiten(x, group, ridge=RIDGE).matrix)


def test_the_correction_starts_from_the_closed_form_and_changes_it(examples):
    siamese = pytest.importorskip("lookalike.siamese")
    x, group = examples
    x = x.astype(np.float32)
    expected = siamese.correct(whiten(x, group, ridge=RIDGE), x, group)
    lens = recipe(siamese.correct)(x, group, None, None)
    assert_allclose(lens.matrix, expected.matrix)
    assert not np.allclose(lens.matrix, recipe()(x, group, None, None).matrix)
