"""Rows to compute with: float32 to the bit, and of length 1."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose

from lookalike.models.vectors import as_float32, normalize_rows


def test_unit_rows_have_length_1_however_short_they_were():
    for length in (1, 1e-12, 1e-16, 1e-20, 1e-30, 1e-37):
        rows = np.array([[3, 4], [0, 0], [5, 12]], np.float32) * np.float32(length)
        before = rows.copy()
        assert_allclose(normalize_rows(rows), [[0.6, 0.8], [0, 0], [5 / 13, 12 / 13]], rtol=1e-5)
        np.testing.assert_array_equal(rows, before)


@given(
    hnp.arrays(np.float16, st.tuples(st.integers(0, 5), st.integers(1, 9)), elements=st.floats(-65504, 65504, width=16))
)
def test_float16_comes_out_as_numpy_converts_it(rows):
    for given_rows in (rows, rows[::-1], np.asfortranarray(rows)):
        found = as_float32(given_rows)
        assert found.dtype == np.float32
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, given_rows.astype(np.float32))


# Products with a factor are exact to a rounding where they are no subnormal numbers, which have fewer digits.
SIZES = st.floats(2.0**-120, 1024, width=32)


@example(np.full((3, 4), 7.468966e-37, np.float32), 0.5)
@given(
    hnp.arrays(np.float32, (3, 4), elements=SIZES | SIZES.map(lambda size: -size) | st.just(0.0)),
    st.floats(0.125, 8, width=32),
)
def test_no_factor_changes_a_unit_row(rows, factor):
    assert_allclose(normalize_rows(rows * np.float32(factor)), normalize_rows(rows), atol=1e-5)
