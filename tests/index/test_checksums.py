"""Every file of a table has a checksum from its commit on, so that one flipped bit is found."""

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from support.small_table import row, small_table, turned
from support.table_damage import flip_bit, new_files

from lookalike.index.checksums import NAME, add_checksums, read_checksums, renew_checksums
from lookalike.index.refused import RefusedFile, RefusedTable
from lookalike.index.table import Table


def of_disk(folder: Path) -> dict[str, int]:
    """The CRC-32 of every data and deletion file."""
    found = [path for name in ("data", "_deletions") for path in (folder / name).glob("*")]
    return {path.relative_to(folder).as_posix(): zlib.crc32(path.read_bytes()) for path in found}


def test_a_line_is_eight_digits_and_the_name(tmp_path: Path):
    """The CRC-32 of 123456789 is cbf43926, as in every table of check values."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a").write_bytes(b"123456789")
    (tmp_path / "data/b").write_bytes(b"")
    add_checksums(tmp_path, ["data/b", "data/a"])
    assert (tmp_path / NAME).read_text().split() == ["cbf43926", "data/a", "00000000", "data/b"]
    assert read_checksums(tmp_path) == {"data/a": 0xCBF43926, "data/b": 0}


COMMITS: dict[str, Callable[[Table], object]] = {
    "rows appended": lambda table: table.append([row(60)], {"pattern": turned}),
    "rows replaced": lambda table: table.append([row(3)], {"pattern": turned}),
    "rows removed": lambda table: table.remove(["0003.png"]),
    "a column added": lambda table: table.add_lens("other", 3, turned),
    "a lens filled": lambda table: (table.append([row(61)]), table.fill_lens("pattern", turned)),
}


@pytest.mark.parametrize("commit", COMMITS.values(), ids=COMMITS)
def test_each_commit_writes_the_checksums_of_its_files(tmp_path: Path, commit: Callable[[Table], object]):
    table = small_table(tmp_path / "t.lance")
    assert read_checksums(tmp_path / "t.lance") == of_disk(tmp_path / "t.lance") != {}
    table.add_lens("pattern", 3, turned)
    commit(table)
    assert read_checksums(tmp_path / "t.lance") == of_disk(tmp_path / "t.lance")
    assert table.verify() == []


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_one_flipped_bit_of_a_data_file_is_found_and_its_rows_go(tmp_path: Path, share: float):
    table = small_table(tmp_path / "t.lance")
    before = set((tmp_path / "t.lance/data").iterdir())
    table.append([row(i) for i in range(60, 63)])
    (data,) = new_files(table.uri, "data", before)
    flip_bit(data, share)
    (damage,) = table.verify()
    assert (damage.file, damage.rows, "checksum" in damage.reason) == (f"data/{data.name}", 3, True)
    assert table.drop_damaged() == 3
    assert sorted(table.columns()["file"]) == [f"{i:04d}.png" for i in range(50)]
    assert table.verify() == []


def test_one_flipped_bit_of_a_list_of_removed_rows_is_found(tmp_path: Path):
    table = small_table(tmp_path / "t.lance")
    table.remove(["0003.png"])
    (deletions,) = (tmp_path / "t.lance/_deletions").iterdir()
    flip_bit(deletions, 0.5)
    assert [one.file for one in table.verify()] == [f"_deletions/{deletions.name}"]


def test_one_flipped_bit_of_a_lens_costs_its_column_and_no_row(tmp_path: Path):
    table = small_table(tmp_path / "t.lance")
    before = set((tmp_path / "t.lance/data").iterdir())
    table.add_lens("pattern", 3, turned)
    (data,) = new_files(table.uri, "data", before)
    flip_bit(data, 0.2)
    assert [one.file for one in table.verify()] == [f"data/{data.name}"]
    assert table.drop_damaged() == 0
    assert (table.lenses(), len(table.columns()["file"]), table.verify()) == ({}, 50, [])


def test_refused_files_have_checksums_too(tmp_path: Path):
    refused = RefusedTable(tmp_path / "r.lance")
    refused.append([RefusedFile("a.png", 1, 2, "broken")])
    refused.append([RefusedFile("b.png", 1, 2, "broken")])
    assert read_checksums(tmp_path / "r.lance") == of_disk(tmp_path / "r.lance")
    flip_bit(max((tmp_path / "r.lance/data").iterdir(), key=os.path.getmtime), 0.5)
    assert len(refused.verify()) == 1


def test_a_table_without_checksums_gets_them_and_those_of_files_that_are_gone_go(tmp_path: Path):
    table, folder = small_table(tmp_path / "t.lance"), tmp_path / "t.lance"
    (folder / NAME).unlink()
    assert table.verify() == []
    table.clean()
    assert read_checksums(folder) == of_disk(folder) != {}
    add_checksums(folder, [NAME])
    (folder / "data/gone").write_bytes(b"1")
    add_checksums(folder, ["data/gone"])
    (folder / "data/gone").unlink()
    renew_checksums(folder, list(of_disk(folder)))
    assert read_checksums(folder).keys() - of_disk(folder).keys() == {NAME}


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_line_that_breaks_off_is_passed_over_and_the_next_one_is_whole(tmp_path: Path, cut: int):
    (tmp_path / "a.lance").write_bytes(b"1")
    (tmp_path / "b.lance").write_bytes(b"2")
    add_checksums(tmp_path, ["a.lance"])
    os.truncate(tmp_path / NAME, (tmp_path / NAME).stat().st_size - cut)
    add_checksums(tmp_path, ["b.lance"])
    found = read_checksums(tmp_path)
    assert found["b.lance"] == zlib.crc32(b"2")
    assert found.get("a.lance", zlib.crc32(b"1")) == zlib.crc32(b"1")


def test_what_is_committed_stays_so_where_no_checksum_can_be_written(tmp_path: Path):
    (tmp_path / "t.lance" / NAME).mkdir(parents=True)
    add_checksums(tmp_path / "t.lance", ["data/gone.lance"])
    renew_checksums(tmp_path / "t.lance", ["data/gone.lance"])
    assert read_checksums(tmp_path / "t.lance") == {}
