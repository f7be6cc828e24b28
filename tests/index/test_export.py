"""Tables for other programs: the files are opened by the programs themselves."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import CollectionError
from lookalike.index.export import export

FILES = ["a.jpg", 'it\'s \n한글, "quoted".jpg']
ROWS = np.array([[0.5, -0.25, 0.125], [1, 0, -1]], np.float16)


def exported(folder: Path, ending: str) -> Path:
    export(FILES, ROWS, folder / f"out{ending}")
    return folder / f"out{ending}"


def test_parquet_opens_in_pandas(tmp_path: Path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_parquet(exported(tmp_path, ".parquet"))
    assert list(frame.columns) == ["file", "features"]
    assert list(frame.file) == FILES
    assert np.array_equal(np.stack(frame.features), ROWS)
    assert frame.features[0].dtype == np.float32


def test_parquet_opens_in_polars(tmp_path: Path):
    polars = pytest.importorskip("polars")
    frame = polars.read_parquet(exported(tmp_path, ".parquet"))
    assert frame["file"].to_list() == FILES
    assert frame["features"].dtype == polars.Array(polars.Float32, 3)
    assert np.array_equal(frame["features"].to_numpy(), ROWS)


def test_parquet_opens_in_duckdb(tmp_path: Path):
    duckdb = pytest.importorskip("duckdb")
    path = exported(tmp_path, ".parquet")
    found = duckdb.sql(f"SELECT file, features FROM '{path}' WHERE features[1] > 0.75").fetchall()
    assert [(file, list(features)) for file, features in found] == [(FILES[1], [1.0, 0.0, -1.0])]


def test_csv_has_a_column_a_value_and_names_as_they_are(tmp_path: Path):
    with exported(tmp_path, ".csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["file", "0", "1", "2"]
    assert [row[0] for row in rows[1:]] == FILES
    assert np.array_equal(np.array([row[1:] for row in rows[1:]], np.float32), ROWS)


def test_npy_is_the_matrix_with_the_names_beside_it(tmp_path: Path):
    path = exported(tmp_path, ".npy")
    assert np.array_equal(np.load(path), ROWS)
    assert json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) == FILES


def test_a_collection_of_nothing_is_a_table_without_rows(tmp_path: Path):
    export([], np.zeros((0, 3), np.float16), tmp_path / "none.parquet")
    assert pytest.importorskip("polars").read_parquet(tmp_path / "none.parquet").shape == (0, 2)


@pytest.mark.parametrize("name", ["out.xlsx", "out", ".parquet"])
def test_another_ending_is_refused_with_those_that_are_known(tmp_path: Path, name: str):
    with pytest.raises(CollectionError, match=r"End it in \.parquet"):
        export(FILES, ROWS, tmp_path / name)


def test_only_names_that_an_export_wrote_are_replaced(tmp_path: Path):
    out, beside = tmp_path / "x.npy", tmp_path / "x.json"
    export(["a\u00e9.png", "b"], np.eye(2), out)
    export(["c"], np.eye(1), out)
    assert json.loads(beside.read_text()) == ["c"]
    export([], np.zeros((0, 3)), out)
    export(["c"], np.eye(1), out)
    matrix = out.read_bytes()
    for other in (b'{"name": "my app"}', b'["c"]', b"[\n 1\n]", b"[\n" * 10_000, b"", b'[\n "c"\n]\n', b"[\n\xff"):
        beside.write_bytes(other)
        with pytest.raises(CollectionError, match=r"x\.json: is there, and no list of names that an export wrote"):
            export(["d"], np.eye(1) * 2, out)
        assert (beside.read_bytes(), out.read_bytes()) == (other, matrix)
    beside.unlink()
    os.mkfifo(beside)
    with pytest.raises(CollectionError, match="is there"):
        export(["d"], np.eye(1), out)
