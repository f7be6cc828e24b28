"""Rows to compute with: float32 to the bit, and of length 1."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose

from lookalike.models.vectors import as_float32, normalize_rows


def test_unit_rows_have_length_1_however_short_they_were():
    rows = np.array([[3, 4], [3e-12, 4e-12], [0, 0]], np.float32)
    assert_allclose(normalize_rows(rows), [[0.6, 0.8], [0.6, 0.8], [0, 0]], rtol=1e-5)


@given(
    hnp.arrays(np.float16, st.tuples(st.integers(0, 5), st.integers(1, 9)), elements=st.floats(-65504, 65504, width=16))
)
def test_float16_comes_out_as_numpy_converts_it(rows):
    for given_rows in (rows, rows[::-1], np.asfortranarray(rows)):
        found = as_float32(given_rows)
        assert found.dtype == np.float32
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, given_rows.astype(np.float32))


@given(hnp.arrays(np.float32, (3, 4), elements=st.floats(-1e3, 1e3, width=32)), st.floats(0.125, 8, width=32))
def test_no_factor_changes_a_unit_row(rows, factor):
    assert_allclose(normalize_rows(rows * np.float32(factor)), normalize_rows(rows), atol=1e-5)
