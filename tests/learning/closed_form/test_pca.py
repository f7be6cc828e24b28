"""Principal components against numpy's, exact and by iteration."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lookalike.errors import ShapeError
from lookalike.learning.closed_form.pca import main_directions, principal_plane


def test_main_directions_by_iteration_are_those_by_eigenvectors():
    rows = (np.random.default_rng(0).standard_normal((300, 100)) * 0.8 ** np.arange(100)).astype(np.float32)
    exact = main_directions(rows, 6)
    found = main_directions(rows, 6, largest_exact=10)
    assert not np.array_equal(found, exact)
    assert_allclose(found @ found.T, exact @ exact.T, atol=1e-3)
    assert_allclose(found.T @ found, np.eye(6), atol=1e-5)


@pytest.mark.parametrize("shape", [(30, 8), (8, 30)])
def test_main_directions_hold_the_most_length(shape):
    rows = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    kept = np.linalg.norm(rows @ main_directions(rows, 3)) ** 2
    assert kept == pytest.approx((np.linalg.svd(rows)[1][:3] ** 2).sum(), rel=1e-4)


def test_the_plane_is_that_of_numpy_but_for_signs():
    rows = np.random.default_rng(0).standard_normal((200, 30)) * 0.8 ** np.arange(30)
    centred = rows - rows.mean(axis=0)
    wanted = centred @ np.linalg.svd(centred)[2][:2].T
    plane = principal_plane(rows)
    assert_allclose(np.abs(plane), np.abs(wanted), atol=1e-2)
    assert (plane[np.abs(plane).argmax(axis=0), [0, 1]] > 0).all()


def test_no_rows_are_refused():
    with pytest.raises(ShapeError, match="at least one row"):
        principal_plane(np.zeros((0, 3)))
