"""Damaged files are named with their reason, and what Lance raises about them becomes one line."""

from pathlib import Path

import pytest
from support.small_table import small_table
from support.table_damage import WAYS, newest_manifest

from lookalike.errors import DamagedTableError
from lookalike.index.damage import Damage, damaged_rows, find_damage, first_line, reading


@pytest.mark.parametrize(
    ("way", "reason"), [("missing", "missing"), ("empty", "empty"), ("cut", "cut ({half:,} of {size:,} bytes)")]
)
def test_a_data_file_is_named_with_what_is_wrong_with_it(tmp_path: Path, way: str, reason: str):
    table = small_table(tmp_path / "t.lance")
    dataset = table.snapshot()._dataset
    (data,) = Path(table.uri, "data").iterdir()
    size = data.stat().st_size
    assert find_damage(dataset) == []
    WAYS[way](data)
    assert find_damage(dataset) == [Damage(f"data/{data.name}", reason.format(half=size // 2, size=size), 50, 0)]


def test_rows_of_a_fragment_count_once():
    damage = [Damage("data/1", "empty", 5, 0), Damage("data/2", "empty", 5, 0), Damage("data/3", "nan", 1, picture="a")]
    assert damaged_rows(damage) == 6


@pytest.mark.parametrize("way", ["zeros", "garbled"])
def test_rows_that_cannot_be_read_are_one_line_that_says_what_mends_them(tmp_path: Path, way: str):
    table = small_table(tmp_path / "t.lance")
    WAYS[way](next(Path(table.uri, "data").iterdir()))
    with pytest.raises(DamagedTableError) as caught:
        table.columns()
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("To mend it, run: lookalike check FOLDER --repair")
    assert newest_manifest(table.uri).is_file()


def test_errors_that_are_not_of_lance_pass():
    with pytest.raises(KeyError), reading("t", "mend it"):
        raise KeyError("x")


def test_the_place_in_the_source_of_lance_is_left_out():
    assert first_line(ValueError("Not found: a.lance, /home/runner/work/lance/x.rs:1:2\nmore")) == "Not found: a.lance"
