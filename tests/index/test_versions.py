"""The newest version that is whole is opened; what it cannot give for a newer one is an error, never an empty table."""

import os
from pathlib import Path

import pytest
from support.small_table import row, small_table
from support.table_damage import WAYS, new_files, newest_manifest

from lookalike.errors import DamagedTableError
from lookalike.index.damage import Damage
from lookalike.index.table import Table
from lookalike.index.versions import describe, list_versions, manifest_name

FIRST = [f"{i:04d}.png" for i in range(50)]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return small_table(tmp_path / "t.lance")


def files(table: Table) -> list[str]:
    return sorted(table.columns()["file"])


@pytest.mark.parametrize("way", [way for way in WAYS if way != "missing"])
def test_a_manifest_that_cannot_be_read_is_passed_over(table: Table, way: str):
    table.append([row(60)])
    WAYS[way](newest_manifest(table.uri))
    snapshot = table.snapshot()
    assert snapshot is not None
    assert (snapshot.version, files(table)) == (1, FIRST)
    assert [(one.file, one.rows) for one in snapshot.passed_over] == [(manifest_name(2), 0)]


@pytest.mark.parametrize("way", ["missing", "empty", "cut"])
def test_a_version_whose_new_rows_never_reached_the_disk_is_passed_over(table: Table, way: str):
    before = set(Path(table.uri, "data").iterdir())
    table.append([row(60)])
    (data,) = new_files(table.uri, "data", before)
    WAYS[way](data)
    snapshot = table.snapshot()
    assert snapshot is not None
    assert (snapshot.version, files(table)) == (1, FIRST)
    assert [one.file for one in snapshot.passed_over] == [f"data/{data.name}"]


@pytest.mark.parametrize("way", ["missing", "empty"])
def test_a_version_whose_list_of_removed_rows_never_reached_the_disk_is_passed_over(table: Table, way: str):
    table.remove(["0003.png"])
    (deletions,) = Path(table.uri, "_deletions").iterdir()
    WAYS[way](deletions)
    assert files(table) == FIRST


@pytest.mark.parametrize("way", WAYS)
def test_transactions_are_not_needed_to_read(table: Table, way: str):
    table.append([row(60)])
    for transaction in Path(table.uri, "_transactions").iterdir():
        WAYS[way](transaction)
    assert files(table) == [*FIRST, "0060.png"]


def test_several_versions_are_passed_over(table: Table):
    for i in range(60, 63):
        table.append([row(i)])
    for version in (3, 4):
        os.truncate(Path(table.uri, manifest_name(version)), 0)
    assert files(table) == [*FIRST, "0060.png"]


@pytest.mark.parametrize("way", ["missing", "empty", "cut"])
def test_an_old_file_that_is_damaged_is_an_error_and_no_older_version_with_fewer_rows(table: Table, way: str):
    before = set(Path(table.uri, "data").iterdir())
    table.append([row(i) for i in range(60, 63)])
    (data,) = new_files(table.uri, "data", before)
    table.append([row(70), row(71)])
    WAYS[way](data)
    reason = {"missing": "missing", "empty": "empty", "cut": r"cut \(.* bytes\)"}[way]
    with pytest.raises(DamagedTableError, match=rf"t.lance: damaged \(data/{data.name}: {reason}; 3 pictures\).*index"):
        table.snapshot()


@pytest.mark.parametrize("way", [way for way in WAYS if way != "missing"])
def test_a_table_without_any_version_that_can_be_read_is_an_error(table: Table, way: str):
    WAYS[way](newest_manifest(table.uri))
    with pytest.raises(DamagedTableError, match=r"To mend it, run: lookalike index FOLDER"):
        table.columns()


def test_rows_without_a_manifest_are_an_error_and_nothing_at_all_is_no_table(table: Table, tmp_path: Path):
    newest_manifest(table.uri).unlink()
    with pytest.raises(DamagedTableError, match="_versions: missing or empty"):
        table.lenses()
    assert Table(tmp_path / "none.lance").snapshot() is None


def test_the_first_rows_come_into_place_by_a_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Killed while the first rows are written, there is no table, and nothing that looks like one."""
    rename = Path.rename

    def killed(self: Path, target: Path) -> Path:
        assert list_versions(str(self)) == [1]
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        small_table(tmp_path / "t.lance")
    monkeypatch.setattr(Path, "rename", rename)
    assert Table(tmp_path / "t.lance").snapshot() is None
    assert files(small_table(tmp_path / "t.lance")) == FIRST


def test_the_next_writer_removes_what_was_passed_over_and_goes_on(table: Table):
    table.append([row(60)])
    os.truncate(newest_manifest(table.uri), 0)
    table.append([row(61)])
    assert (list_versions(table.uri), files(table)) == ([2, 1], [*FIRST, "0061.png"])
    assert table.snapshot().passed_over == ()


def test_damage_in_words():
    assert describe([Damage("data/1.lance", "missing", 1, 3)]) == "data/1.lance: missing; 1 picture"
