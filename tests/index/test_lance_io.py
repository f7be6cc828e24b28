"""Rows written to and removed from Lance tables, a file at most once."""

from pathlib import Path

import lance
import pyarrow as pa

from lookalike.index.lance_io import LanceTable
from lookalike.index.snapshot import sql_in


def rows(uri: Path) -> dict[str, int]:
    table = lance.dataset(str(uri)).to_table()
    return dict(zip(table.column("file").to_pylist(), table.column("value").to_pylist(), strict=True))


def stored(uri: Path) -> LanceTable:
    return LanceTable(str(uri), ["file", "value"], "lookalike index FOLDER")


def write(uri: Path, **values: int) -> None:
    stored(uri).write_rows(pa.table({"file": list(values), "value": list(values.values())}))


def test_a_row_takes_the_place_of_the_one_of_its_file_and_others_are_added(tmp_path: Path):
    write(tmp_path / "t.lance", a=1, b=2)
    write(tmp_path / "t.lance", b=3, c=4)
    write(tmp_path / "t.lance", d=5)
    assert rows(tmp_path / "t.lance") == {"a": 1, "b": 3, "c": 4, "d": 5}


def test_more_files_than_one_statement_takes_are_removed(tmp_path: Path):
    write(tmp_path / "t.lance", **{f"f{i}": i for i in range(1203)})
    stored(tmp_path / "t.lance").remove_files([f"f{i}" for i in range(1201)] + ["unknown"])
    assert rows(tmp_path / "t.lance") == {"f1201": 1201, "f1202": 1202}


def test_of_no_files_the_condition_holds_for_none(tmp_path: Path):
    write(tmp_path / "t.lance", a=1)
    assert sql_in([]) == "false"
    assert lance.dataset(str(tmp_path / "t.lance")).count_rows(filter=sql_in([])) == 0


def test_pieces_are_put_together_when_it_is_asked_for_and_by_itself_only_where_many_have_gathered(tmp_path: Path):
    uri = tmp_path / "t.lance"
    for i in range(4):
        write(uri, **{f"{i}.png": i})
    assert stored(uri).compact() == (4, 4)
    assert stored(uri).compact(asked=True) == (4, 1)
    assert rows(uri) == {f"{i}.png": i for i in range(4)}
    assert stored(uri).compact(asked=True) == (1, 1)
    assert stored(tmp_path / "none.lance").compact(asked=True) == (0, 0)
