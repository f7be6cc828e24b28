"""What is damaged is found, and taken out so that the rest can be read and the next index makes it again."""

import os
from pathlib import Path

import numpy as np
import pytest
from support.small_table import F, row, small_table, turned
from support.table_damage import WAYS, new_files, newest_manifest

from lookalike.errors import DamagedTableError
from lookalike.index.table import Table
from lookalike.index.versions import list_versions, manifest_name

FIRST = [f"{i:04d}.png" for i in range(50)]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """Rows 0 to 49 in one file, 60 to 62 in a second, 70 and 71 in a third."""
    made = small_table(tmp_path / "t.lance")
    made.append([row(i) for i in range(60, 63)])
    made.append([row(70), row(71)])
    return made


def files(table: Table) -> list[str]:
    return sorted(table.columns()["file"])


def data_of(table: Table, file: str) -> Path:
    """The data file that holds a row."""
    for fragment in table.snapshot()._dataset.get_fragments():
        if file in fragment.to_table(columns=["file"]).column("file").to_pylist():
            return Path(table.uri, "data", fragment.metadata.files[0].path)
    raise AssertionError(file)


def test_a_whole_table_has_no_damage_and_stays_as_it_is(table: Table):
    version = table.snapshot().version
    assert (table.verify(), table.drop_damaged(), table.recover()) == ([], 0, [])
    assert table.snapshot().version == version


def test_a_table_that_is_not_there_has_no_damage(tmp_path: Path):
    none = Table(tmp_path / "none.lance")
    assert (none.verify(), none.drop_damaged(), none.recover()) == ([], 0, [])


@pytest.mark.parametrize("way", WAYS)
def test_rows_of_a_damaged_file_are_dropped_and_all_others_stay(table: Table, way: str):
    data = data_of(table, "0061.png")
    WAYS[way](data)
    (damage,) = table.verify()
    assert (damage.file, damage.rows) == (f"data/{data.name}", 3)
    assert table.drop_damaged() == 3
    assert files(table) == [*FIRST, "0070.png", "0071.png"]
    assert table.verify() == []


@pytest.mark.parametrize("way", ["missing", "empty", "cut"])
def test_recovering_notices_missing_and_cut_files_without_reading_rows(table: Table, way: str):
    WAYS[way](data_of(table, "0061.png"))
    assert [one.rows for one in table.recover()] == [3]
    assert files(table) == [*FIRST, "0070.png", "0071.png"]


def test_several_damaged_files_are_all_named(table: Table):
    one, other = data_of(table, "0061.png"), data_of(table, "0070.png")
    one.unlink()
    os.truncate(other, 0)
    assert sorted((damage.file, damage.reason) for damage in table.verify()) == sorted(
        [(f"data/{one.name}", "missing"), (f"data/{other.name}", "empty")]
    )
    assert table.drop_damaged() == 0  # an older version, which is whole, has all that can still be read
    assert files(table) == FIRST


def test_a_damaged_column_of_a_lens_costs_no_row(table: Table):
    before = set(Path(table.uri, "data").iterdir())
    table.add_lens("pattern", 3, turned)
    for older in list_versions(table.uri)[1:]:
        Path(table.uri, manifest_name(older)).unlink()
    new_files(table.uri, "data", before)[0].unlink()
    with pytest.raises(DamagedTableError):
        table.snapshot()
    assert table.drop_damaged() == 0
    assert table.lenses() == {}
    assert len(files(table)) == 55
    table.add_lens("pattern", 3, turned)
    assert table.lenses() == {"pattern": 3}


def test_a_row_whose_features_are_no_numbers_goes_alone(table: Table):
    table.append([row(90), row(91, np.full(F, np.nan, np.float32))])
    (damage,) = table.verify()
    assert (damage.picture, damage.rows) == ("0091.png", 1)
    assert table.drop_damaged() == 1
    assert files(table)[-2:] == ["0071.png", "0090.png"]


def test_a_table_without_any_version_goes_whole_and_can_be_made_anew(tmp_path: Path):
    table = small_table(tmp_path / "t.lance")
    os.truncate(newest_manifest(table.uri), 0)
    assert [one.reason for one in table.verify()] == ["empty"]
    assert [one.reason for one in table.recover()] == ["empty"]
    assert table.snapshot() is None
    assert list(tmp_path.iterdir()) == []
    assert files(small_table(tmp_path / "t.lance")) == FIRST
