"""The column of a lens: made, filled where it lacks vectors, and made anew for other weights."""

from pathlib import Path

import numpy as np
import pytest
from support.small_table import TURN, F, row, small_table

from lookalike.index.lens_column import update_lens_column
from lookalike.index.table import Table
from lookalike.models.lens import Lens

LENS = Lens("pattern", np.zeros(F), TURN)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return small_table(tmp_path / "t.lance")


def assert_current(table: Table, lens: Lens) -> None:
    _, features = table.features()
    _, vectors = table.features(column=f"lens:{lens.name}")
    assert vectors.tobytes() == lens.apply(features).astype(np.float16).tobytes()
    assert table.snapshot().weights(lens.name) == lens.fingerprint


def test_a_column_is_made_and_other_weights_make_it_anew(table: Table):
    update_lens_column(table, LENS)
    assert_current(table, LENS)
    other = Lens("pattern", np.ones(F), TURN[:, :2])
    update_lens_column(table, other)
    assert table.lenses() == {"pattern": 2}
    assert_current(table, other)


def test_only_rows_without_a_vector_are_computed(table: Table):
    update_lens_column(table, LENS)
    version = table.snapshot().version
    update_lens_column(table, LENS)
    assert table.snapshot().version == version
    table.append([row(60), row(3)])
    assert len(table.snapshot().unfilled("pattern")) == 2
    update_lens_column(table, LENS)
    assert table.snapshot().unfilled("pattern") == []
    assert_current(table, LENS)


def test_a_table_that_is_not_there_stays_so(tmp_path: Path):
    update_lens_column(Table(tmp_path / "none.lance"), LENS)
    assert not (tmp_path / "none.lance").exists()
