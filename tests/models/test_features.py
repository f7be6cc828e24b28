"""Outputs of stages to one row of features, worked by hand."""

from pathlib import Path

import numpy as np
from numpy.testing import assert_allclose

from lookalike.models.bundle import Bundle, StageOutput
from lookalike.models.features import combine_stages


def bundle(*depths: StageOutput) -> Bundle:
    return Bundle(path=Path(), name="drawn", id="0", side_px=8, depths=depths)


def test_one_row_of_two_depths_worked_by_hand():
    """sqrt(9), -sqrt(16) has length 5: 0.6, -0.8; the other is 1; weighted 1 and 2 they have length sqrt(5)."""
    depths = {"a": np.array([[9.0, -16.0]], np.float32), "b": np.array([[7.0]], np.float32)}
    features = combine_stages(depths, bundle(StageOutput("a", 2, 1.0), StageOutput("b", 1, 2.0)))
    assert_allclose(features, np.array([[0.6, -0.8, 2.0]]) / 5**0.5, rtol=1e-6)
    assert features.dtype == np.float32


def test_a_soft_root_worked_by_hand():
    """Rows of mean size 4, so e = 4: sqrt(12 + 4) - 2 = 2 beside zeros; -(sqrt(5 + 4) - 2) = -1 beside sqrt(6) - 2."""
    depths = {"a": np.array([[12.0, 0.0, 0.0], [-5.0, 2.0, 5.0]], np.float32)}
    features = combine_stages(depths, bundle(StageOutput("a", 3, 1.0, soft=1.0)))
    second = np.array([-1.0, 6**0.5 - 2, 1.0])
    assert_allclose(features, [[1, 0, 0], second / np.linalg.norm(second)], rtol=1e-5)


def test_power_1_leaves_the_values_as_they_are():
    depths = {"a": np.array([[3.0, -4.0]], np.float32)}
    assert_allclose(combine_stages(depths, bundle(StageOutput("a", 2, 5.0, power=1.0))), [[0.6, -0.8]], rtol=1e-6)


def test_a_row_of_nothing_but_zeros_gives_zeros_and_no_warning():
    depths = {"a": np.zeros((1, 2), np.float32)}
    assert_allclose(combine_stages(depths, bundle(StageOutput("a", 2, 1.0, soft=0.3))), [[0, 0]])
