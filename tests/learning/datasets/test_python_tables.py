"""DataFrames, dicts and rows are read as a CSV of the same cells is."""

import unicodedata
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from support.on_disk import groups, put, triplets

from lookalike.errors import ExamplesError
from lookalike.learning.datasets.readers import read

FILES = ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]
LABELS = ["x", "x", "y", "y"]
TWO = {frozenset({"1.jpg", "2.jpg"}), frozenset({"3.jpg", "4.jpg"})}
ROWS = list(zip(FILES, LABELS, strict=True))
COLUMNS = {"file": FILES, "label": LABELS}
Row = namedtuple("Row", ["Label", "Filename"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(put(tmp_path / "elsewhere", "5.jpg"))
    return put(tmp_path / "photos", *FILES)


@pytest.mark.parametrize(
    "source",
    [
        pd.DataFrame(COLUMNS),
        pd.DataFrame({"Class": LABELS, "other": 1, "Path": FILES}),
        pd.DataFrame(COLUMNS).set_index("file"),
        pd.DataFrame(COLUMNS)[["file", "label"]].rename(columns={"file": 0, "label": 1}),
        pd.DataFrame({"file": [*FILES, None, "1.jpg"], "label": [*LABELS, "x", pd.NA]}),
        pd.DataFrame({"file": FILES, "label": pd.Categorical(LABELS)}),
        pd.DataFrame([[file, label, 1] for file, label in ROWS], columns=["file", "label", "label"]),
        pd.Series(LABELS, index=FILES),
        pl.DataFrame(COLUMNS),
        pa.table(COLUMNS),
        np.rec.fromarrays([FILES, LABELS], names=["file", "label"]),
        COLUMNS,
        {"x": FILES[:2], "y": FILES[2:]},
        {"x": set(FILES[:2]), "y": (Path(file) for file in FILES[2:])},
        {0: np.array(FILES[:2]), 1: pd.Series(FILES[2:])},
        dict(ROWS),
        {Path(file): label for file, label in zip(FILES, [0, 0, 1.0, np.int64(1)], strict=True)},
        ROWS,
        iter(ROWS),
        set(ROWS),
        [[Path(file), label] for file, label in ROWS],
        np.array([FILES, LABELS]).T,
        [Row(label, file) for file, label in ROWS],
        [{"file": file, "label": label} for file, label in ROWS],
        (pair for pair in [("1.jpg", "2.jpg"), ("3.jpg", "4.jpg")]),
        [["1.jpg", "2.jpg"], ["3.jpg", "4.jpg"]],
        [("1.jpg", "2.jpg", True), ("3.jpg", "4.jpg", True), ("1.jpg", "4.jpg", False)],
        pd.DataFrame({"image1": ["1.jpg", "3.jpg", "1.jpg"], "image2": ["2.jpg", "4.jpg", "3.jpg"], "same": [1, 1, 0]}),
        {"a": ["1.jpg", "3.jpg"], "b": ["2.jpg", "4.jpg"]},
        {"a": ["1.jpg", "2.jpg"], "b": ["3.jpg", "4.jpg", "gone.jpg"]},
    ],
)  # fmt: skip
def test_groups_are_those_of_the_same_csv(folder: Path, source: Any):
    assert groups(read(source, folder=folder), folder) == TWO


@pytest.mark.parametrize(
    "source",
    [
        [("1.jpg", "2.jpg", "3.jpg"), ("2.jpg", "1.jpg", "4.jpg")],
        pd.DataFrame({"n": ["3.jpg", "4.jpg"], "p": ["2.jpg", "1.jpg"], "a": ["1.jpg", "2.jpg"]}),
        {"anchor": ["1.jpg", "2.jpg"], "positive": ["2.jpg", "1.jpg"], "negative": ["3.jpg", "4.jpg"]},
    ],
)
def test_triplets_are_those_of_the_same_csv(folder: Path, source: Any):
    assert triplets(read(source, folder=folder)) == [("1.jpg", "2.jpg", "3.jpg"), ("2.jpg", "1.jpg", "4.jpg")]


def test_lists_under_names_of_columns_are_classes_where_that_is_said(folder: Path):
    source = {"a": FILES[:2], "b": FILES[2:]}
    assert groups(read(source, folder=folder), folder) == {frozenset(FILES[::2]), frozenset(FILES[1::2])}
    assert groups(read(source, as_="classes", folder=folder), folder) == TWO
    assert read({"a": FILES[:1], "b": FILES[1:], "c": FILES[:0]}, as_="views", folder=folder).views


def test_names_are_found_in_the_collection_then_here_in_any_form_of_unicode(folder: Path, tmp_path: Path):
    nfc, nfd = (unicodedata.normalize(form, "é.jpg") for form in ("NFC", "NFD"))
    put(folder, nfd)
    here = put(tmp_path / "elsewhere", "1.jpg", "5.jpg")
    found = read([("1.jpg", nfc), ("5.jpg", folder / "2.jpg")], folder=folder)
    assert groups(found, tmp_path) == {
        frozenset({"photos/1.jpg", f"photos/{nfd}"}),
        frozenset({"elsewhere/5.jpg", "photos/2.jpg"}),
    }
    assert here == Path.cwd()


def test_several_sources_of_any_kind_are_merged(folder: Path):
    sources = [{"x": FILES[:2], "y": FILES[2:]}, pd.DataFrame(COLUMNS), ROWS, read(COLUMNS, folder=folder)]
    found = read(iter(sources), folder=folder)
    assert (groups(found, folder), found.layout) == (TWO, "several")


def test_what_is_left_out_is_told_in_rows(folder: Path):
    found = read({"file": [*FILES, "", "gone.jpg"], "label": [*LABELS, "x", "y"]}, folder=folder)
    assert "left out: 1 row with an empty cell: row 4" in found.notes
    assert any(note.startswith("left out: 1 of 5 files, not found in ") for note in found.notes)
    assert "columns without names, read as file,label" in read(ROWS, folder=folder).notes


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (3, "an object of type int gives no examples. Give folders and CSV files by name, a DataFrame, a dict"),
        (b"a.csv", "an object of type bytes gives no examples"),
        (open, "builtin_function_or_method gives no examples"),
        ([None], "an object of type NoneType gives no examples"),
        ([[]], "rows that are no examples"),
        ([("1.jpg", "2.jpg"), ("3.jpg",)], "row 0 has 2 cells and row 1 has 1. Give rows of one length"),
        (
            [(1, 2), (3, 4)],
            "the rows: rows that are no examples; expected anchor,positive,negative or a,b or file,label",
        ),
        ({"1.jpg": "x", "2.jpg": ["y"]}, "'2.jpg' has a list and others have none"),
        ({"file": FILES, "label": np.eye(4)}, "column label, row 0: a ndarray is no name, number or path"),
        ({"file": FILES, "label": LABELS[:3]}, "columns of different lengths (file 4, label 3)"),
        ({"file": FILES, "label": [*LABELS[:3], object()]}, "column label, row 3: a object is no name, number or path"),
        ({"file": FILES, "label": [1, "1", 2, 2]}, "column label: labels hold the number 1 and the word '1'"),
        (pd.DataFrame({"photo": FILES, "kind": LABELS}), "the DataFrame: found columns photo, kind; expected anchor"),
        (pd.DataFrame(COLUMNS).head(0), "the DataFrame: found no rows of labels; expected one for each. Add some."),
        (pl.LazyFrame(COLUMNS), "the LazyFrame: "),
        ({}, "the dict: "),
        (pd.DataFrame({"file": ["no.jpg"] * 2, "label": LABELS[:2]}), "found 0 of 1 file that it names"),
    ],
)
@pytest.mark.filterwarnings("ignore::polars.exceptions.PerformanceWarning")
def test_what_is_no_table_of_examples_is_one_line(folder: Path, source: Any, line: str):
    with pytest.raises(ExamplesError) as caught:
        read(source, folder=folder)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)
