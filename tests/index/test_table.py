"""The table: rows, the columns of lenses, and versions that stay whole while others are written."""

from pathlib import Path

import numpy as np
import pytest
from support.small_table import F, row, small_table, turned

from lookalike.index.lance_io import COMMITS_BEFORE_COMPACTION
from lookalike.index.table import ImageRow, Table


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return small_table(tmp_path / "t.lance")


def assert_served(table: Table, name: str = "pattern") -> None:
    """Every row's vector is what the lens makes of its stored features."""
    files, features = table.features()
    served, vectors = table.features(column=f"lens:{name}")
    assert served == files
    np.testing.assert_allclose(vectors.astype(np.float32), turned(features), rtol=1e-3)


def test_a_lens_is_a_column_and_adding_it_writes_no_row_anew(table: Table, tmp_path: Path):
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "t.lance/data").iterdir()}
    version = table.snapshot().version
    table.add_lens("pattern", 3, turned, "w1")
    assert table.lenses() == {"pattern": 3}
    assert table.snapshot().version == version + 1
    assert before.items() <= {file: file.stat().st_mtime_ns for file in (tmp_path / "t.lance/data").iterdir()}.items()
    assert_served(table)
    assert table.snapshot().weights("pattern") == "w1"


def test_rows_that_come_later_get_every_lens_in_the_same_commit(table: Table):
    table.add_lens("pattern", 3, turned)
    version = table.snapshot().version
    table.append([row(i) for i in range(50, 60)], {"pattern": turned, "unknown": turned})
    assert table.snapshot().version == version + 1
    assert_served(table)


def test_a_row_that_takes_anothers_place_gets_its_own_vector(table: Table):
    table.add_lens("pattern", 3, turned)
    table.append([row(3, np.ones(F, np.float32)), row(70)], {"pattern": turned})
    assert table.features(["0003.png"])[1].tolist() == [[1.0] * F]
    assert len(table.columns()["file"]) == 51
    assert_served(table)


def test_rows_without_a_vector_are_zeros_until_they_are_filled(table: Table):
    table.add_lens("pattern", 3, turned)
    table.append([row(0), row(80), row(81)])
    assert sorted(table.snapshot().unfilled("pattern")) == ["0000.png", "0080.png", "0081.png"]
    assert table.features(["0080.png"], "lens:pattern")[1].tolist() == [[0.0] * 3]
    assert table.features(["0001.png"], "lens:pattern")[1].any()
    assert table.fill_lens("pattern", turned) == 3
    assert table.fill_lens("pattern", turned) == 0
    assert_served(table)


def test_a_lens_taught_again_replaces_its_column_and_dropping_leaves_the_rest(table: Table):
    table.add_lens("pattern", 2, lambda rows: rows[:, :2], "w1")
    table.add_lens("colour", 1, lambda rows: rows[:, :1])
    table.add_lens("pattern", 3, turned, "w2")
    assert table.lenses() == {"colour": 1, "pattern": 3}
    assert_served(table)
    table.drop_lens("pattern")
    table.drop_lens("pattern")
    assert table.lenses() == {"colour": 1}
    assert table.features()[1].shape == (50, F)


def test_lenses_survive_compaction_and_removal(tmp_path: Path):
    table = Table(tmp_path / "t.lance")
    table.append([row(0)])
    table.add_lens("pattern", 3, turned, "w1")
    for i in range(1, COMMITS_BEFORE_COMPACTION + 5):
        table.append([row(i)], {"pattern": turned})
    table.remove(["0004.png"])
    table.compact()
    table.clean()
    assert len(list((tmp_path / "t.lance/data").iterdir())) < 3 * COMMITS_BEFORE_COMPACTION
    assert table.snapshot().weights("pattern") == "w1"
    assert len(table.columns()["file"]) == COMMITS_BEFORE_COMPACTION + 4
    assert_served(table)


def test_a_table_that_is_not_there_is_empty(tmp_path: Path):
    table = Table(tmp_path / "none.lance")
    assert (table.lenses(), table.snapshot()) == ({}, None)
    assert table.columns()["file"] == []
    assert table.features()[1].shape == (0, 0)
    table.add_lens("pattern", 3, turned)
    assert table.fill_lens("pattern", turned) == 0
    assert not (tmp_path / "none.lance").exists()


@pytest.mark.parametrize(
    "name", ["it's.png", 'two "quotes".png', "new\nline.png", "한글 🐱.png", "back\\slash.png", "%_.png"]
)
def test_odd_names_are_found_replaced_and_removed_as_themselves(table: Table, name: str):
    odd = ImageRow(name, bytes(16), 1, 1, 1, 1, np.full(F, 0.5, np.float32))
    table.append([odd])
    table.append([odd])
    assert table.features([name])[0] == [name]
    assert table.columns()["file"].count(name) == 1
    table.remove([name])
    assert len(table.columns()["file"]) == 50
