"""Rows by place: the same whether they are fetched, held, or read a piece at a time."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.large_table import FEATURES, FILES, LENS, N

from lookalike.errors import CollectionError
from lookalike.index.ranked_rows import RankedRows
from lookalike.index.table import ImageRow, Table
from lookalike.models.lens import Lens

SOME = [5, 3, 5, N - 1]


@pytest.mark.parametrize("lens", [None, LENS, Lens("pattern", LENS.mean, -LENS.matrix)], ids=["plain", "own", "other"])
def test_rows_are_the_same_fetched_held_and_in_pieces(table: Table, lens):
    expected = FEATURES if lens is None else lens.apply(FEATURES).astype(np.float16)
    snapshot = table.snapshot()
    order = np.random.default_rng(0).permutation(N)
    held = RankedRows(snapshot, lens, order)
    assert_array_equal(held[SOME], expected[order[SOME]])
    assert_array_equal(held.whole(), expected[order])
    large = RankedRows(snapshot, lens, None)
    assert large.column == ("features" if lens is not LENS else "lens:pattern")
    for _ in range(9):
        assert_array_equal(large[SOME], expected[SOME])
    assert large[[]].shape == (0, expected.shape[1])
    parts = [block for piece in snapshot.pieces(large.column) for _, block in large.blocks_of(piece)]
    assert_array_equal(np.concatenate(parts), expected)
    with pytest.raises(CollectionError, match="more than is read into memory"):
        large.whole()


def test_zeros_stand_for_rows_that_hold_no_numbers_and_they_are_known(table: Table, tmp_path: Path):
    table.append([ImageRow(FILES[9], bytes(16), 1, 1, 1, 1, np.full(16, np.inf))])
    rows = RankedRows(table.snapshot(), LENS, None)
    assert rows.column == "lens:pattern"
    last = len(rows) - 1  # it was written anew, without its vector
    assert not rows[[last, 0]][0].any()
    assert np.flatnonzero(rows.is_unusable).tolist() == [last]
