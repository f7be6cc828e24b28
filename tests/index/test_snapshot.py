"""One version of a table: it stays as it was, its columns, and conditions on its rows."""

import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from support.small_table import F, row, small_table, turned

from lookalike.errors import QueryError
from lookalike.index.snapshot import COLUMNS
from lookalike.index.table import Table
from lookalike.index.vector_column import as_matrix, as_vectors


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return small_table(tmp_path / "t.lance")


def test_a_snapshot_stays_as_it_was_whatever_is_written(table: Table):
    table.add_lens("pattern", 3, turned)
    held = table.snapshot()
    before = held.take(np.arange(50), "lens:pattern").tobytes()
    table.append([row(0, np.zeros(F, np.float32)), row(90)], {"pattern": turned})
    table.remove(["0001.png"])
    table.drop_lens("pattern")
    assert len(held) == 50
    assert held.take(np.arange(50), "lens:pattern").tobytes() == before
    assert held.version < table.snapshot().version


def test_blocks_are_the_rows_in_their_order(table: Table):
    table.remove(["0002.png"])
    table.append([row(100)])
    held = table.snapshot()
    whole = np.concatenate(list(held.blocks("features")))
    assert whole.shape == (50, F)
    assert whole[[1, 2, 49]].tobytes() == held.take(np.array([1, 2, 49]), "features").tobytes()


def test_conditions_know_mtime_but_not_inside_quotes(table: Table):
    held = table.snapshot()
    assert held.matching("mtime < to_timestamp_nanos(1002)").to_pylist() == ["0000.png", "0001.png"]
    assert held.matching("file = 'mtime'").to_pylist() == []
    assert held.matching("width > 87 OR file LIKE '%07.png'").to_pylist() == ["0007.png", "0048.png", "0049.png"]
    with pytest.raises(QueryError, match="Write it like"):
        held.matching("colour = 1")


def test_a_matrix_comes_back_from_its_column_and_a_missing_row_is_zeros():
    rows = np.array([[0.5, -2], [1, 3], [0, 65504]], np.float16)
    assert as_matrix(as_vectors(rows)).tobytes() == rows.tobytes()
    some = pa.array([[0.5, -2], None], pa.list_(pa.float16(), 2))
    assert as_matrix(some).tolist() == [[0.5, -2], [0, 0]]


def test_columns_are_aligned_and_lenses_are_not_among_them(table: Table):
    table.add_lens("pattern", 3, turned, "w1")
    held = table.snapshot()
    columns = held.columns()
    assert (columns["file"][4], columns["bytes"][4], columns["mtime_ns"][4], columns["width"][4]) == (
        "0004.png", 40, 1004, 44,
    )  # fmt: skip
    assert set(columns) == set(COLUMNS)
    assert held.contents() == len(set(columns["content"])) == len(held) == 50
    table.append([replace(row(70), content=row(4).content)])
    assert (table.snapshot().contents(), len(table.snapshot())) == (50, 51)
    assert (held.features, held.lenses(), held.weights("pattern")) == (F, {"pattern": 3}, "w1")


def test_a_condition_compares_names_in_one_form_of_unicode(tmp_path: Path):
    composed, apart = (unicodedata.normalize(form, "été/é.png") for form in ("NFC", "NFD"))
    mixed = unicodedata.normalize("NFD", "été/") + unicodedata.normalize("NFC", "é2.png")
    for stored in (composed, apart):
        table = Table(tmp_path / f"{stored == apart}.lance")
        table.append([replace(row(number), file=name) for number, name in enumerate((stored, mixed, "tea.png"))])
        for form in ("NFC", "NFD"):
            for where, right in [
                ("file = 'été/é.png'", [stored]),
                ("file LIKE '%é%' AND width > 40", [mixed]),
                ("file LIKE 'été/_.png'", [stored]),
                ("file IN ('été/é2.png', 'tea.png')", [mixed, "tea.png"]),
                ("NOT starts_with(file, 'é')", ["tea.png"]),
                ("mtime > to_timestamp_nanos(1000) AND contains(file, 'é')", [mixed]),
            ]:
                found = table.snapshot().matching(unicodedata.normalize(form, where)).to_pylist()
                assert sorted(found) == sorted(right), (where, form)
