"""What is damaged in one version: by the sizes of its files, and by reading its rows."""

from pathlib import Path

import lance
import numpy as np
import pytest
from support.small_table import F, row, small_table
from support.table_damage import WAYS

from lookalike.errors import DamagedTableError, QueryError
from lookalike.index.damage import Damage, damaged_rows, find_damage, find_unreadable, first_line, is_local, reading
from lookalike.index.table import Table


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return small_table(tmp_path / "t.lance")


def test_nothing_is_wrong_with_a_whole_table(table: Table):
    assert find_damage(lance.dataset(table.uri)) == find_unreadable(lance.dataset(table.uri)) == []


@pytest.mark.parametrize("way", ["zeros", "garbled"])
def test_without_checksums_what_lance_cannot_read_is_found(table: Table, way: str):
    (data,) = Path(table.uri, "data").iterdir()
    Path(table.uri, "checksums.txt").unlink()
    WAYS[way](data)
    (damage,) = find_unreadable(lance.dataset(table.uri))
    assert (damage.file, damage.rows) == (f"data/{data.name}", 50)
    assert damage.reason.startswith("cannot be read")


@pytest.mark.parametrize(
    ("way", "reason", "by_size"),
    [
        ("missing", "missing", True),
        ("empty", "empty", True),
        ("cut", "cut (", True),
        ("zeros", "not what was written", False),
        ("garbled", "not what was written", False),
    ],
)
def test_a_damaged_data_file_is_named_with_its_rows(table: Table, way: str, reason: str, by_size: bool):
    (data,) = Path(table.uri, "data").iterdir()
    dataset = lance.dataset(table.uri)
    WAYS[way](data)
    assert bool(find_damage(dataset)) is by_size
    (damage,) = find_unreadable(dataset)
    assert (damage.file, damage.rows, damage.fragment) == (f"data/{data.name}", 50, 0)
    assert damage.reason.startswith(reason)


def test_a_missing_list_of_removed_rows_is_named(table: Table):
    table.remove(["0003.png"])
    (deletions,) = Path(table.uri, "_deletions").iterdir()
    deletions.unlink()
    (damage,) = find_damage(lance.dataset(table.uri))
    assert damage.file == f"_deletions/{deletions.name}"


def test_rows_whose_features_are_no_numbers_are_named_one_by_one(table: Table):
    table.append([row(90, np.full(F, value, np.float32)) for value in (np.inf,)])
    (damage,) = find_unreadable(lance.dataset(table.uri))
    assert (damage.picture, damaged_rows([damage])) == ("0090.png", 1)


def test_rows_of_a_fragment_count_once_however_many_of_its_files_are_damaged():
    damage = [Damage("data/a", "missing", 7, 1), Damage("data/b", "empty", 7, 1), Damage("data/c", "empty", 2, 2)]
    assert damaged_rows(damage) == 9
    assert damaged_rows([Damage("_versions/1.manifest", "empty")]) == 0


def test_what_goes_wrong_while_reading_is_one_line_and_other_errors_pass():
    with (
        pytest.raises(DamagedTableError, match=r"^t\.lance: damaged \(gone\)\. To mend it, run: mend it$"),
        reading("t.lance", "mend it"),
    ):
        raise OSError("gone, /home/runner/work/lance.rs:1:2")
    with pytest.raises(QueryError), reading("t.lance", "mend it"):
        raise QueryError("a question")
    with pytest.raises(KeyError), reading("t.lance", "mend it"):
        raise KeyError("ours")


def test_a_folder_is_local_and_an_object_store_is_not():
    assert [is_local(one) for one in ("/a/b.lance", "b.lance", "s3://bucket/b.lance")] == [True, True, False]


def test_the_place_in_the_source_of_lance_is_left_out():
    assert first_line(ValueError("Not found: a.lance, /home/runner/work/lance/x.rs:1:2\nmore")) == "Not found: a.lance"
