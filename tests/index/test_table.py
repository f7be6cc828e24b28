"""The table: rows, the columns of lenses, and versions that stay whole while others are written."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from lookalike.collection.config import CollectionConfig
from lookalike.errors import QueryError
from lookalike.index.refused import RefusedFile, RefusedTable
from lookalike.index.snapshot import COLUMNS
from lookalike.index.table import COMMITS_BEFORE_COMPACTION, ImageRow, Table
from lookalike.models.proof import Proof

F = 6
TURN = np.random.default_rng(1).standard_normal((F, 3)).astype(np.float32)


def row(i: int, features: np.ndarray | None = None) -> ImageRow:
    made = np.random.default_rng(i).standard_normal(F).astype(np.float32) if features is None else features
    return ImageRow(f"{i:04d}.png", i.to_bytes(16, "big"), 10 * i, 1000 + i, 40 + i, 30, made)


def turned(features: np.ndarray) -> np.ndarray:
    return features.astype(np.float32) @ TURN


@pytest.fixture
def table(tmp_path: Path) -> Table:
    made = Table(tmp_path / "t.lance", F)
    made.append([row(i) for i in range(50)])
    return made


def assert_served(table: Table, name: str = "pattern") -> None:
    """Every row's vector is what the lens makes of its stored features."""
    files, features = table.features()
    served, vectors = table.features(column=f"lens:{name}")
    assert served == files
    np.testing.assert_allclose(vectors.astype(np.float32), turned(features), rtol=1e-3)


def test_a_lens_is_a_column_and_adding_it_writes_no_row_anew(table: Table, tmp_path: Path):
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "t.lance/data").iterdir()}
    version = table.version()
    table.add_lens("pattern", 3, turned, "w1")
    assert table.lenses() == {"pattern": 3}
    assert table.version() == version + 1
    assert before.items() <= {file: file.stat().st_mtime_ns for file in (tmp_path / "t.lance/data").iterdir()}.items()
    assert_served(table)
    assert table.snapshot().weights("pattern") == "w1"


def test_rows_that_come_later_get_every_lens_in_the_same_commit(table: Table):
    table.add_lens("pattern", 3, turned)
    version = table.version()
    table.append([row(i) for i in range(50, 60)], {"pattern": turned, "unknown": turned})
    assert table.version() == version + 1
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
    table = Table(tmp_path / "t.lance", F)
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


def test_a_snapshot_stays_as_it_was_whatever_is_written(table: Table):
    table.add_lens("pattern", 3, turned)
    held = table.snapshot()
    before = held.take(np.arange(50), "lens:pattern").tobytes()
    table.append([row(0, np.zeros(F, np.float32)), row(90)], {"pattern": turned})
    table.remove(["0001.png"])
    table.drop_lens("pattern")
    assert len(held) == 50
    assert held.take(np.arange(50), "lens:pattern").tobytes() == before
    assert held.version < table.version()


def test_blocks_are_the_rows_in_their_order(table: Table):
    table.remove(["0002.png"])
    table.append([row(100)])
    held = table.snapshot()
    whole = np.concatenate(list(held.blocks("features")))
    assert whole.shape == (50, F)
    assert whole[[1, 2, 49]].tobytes() == held.take(np.array([1, 2, 49]), "features").tobytes()


def test_a_table_that_is_not_there_is_empty(tmp_path: Path):
    table = Table(tmp_path / "none.lance", F)
    assert (table.version(), table.lenses(), table.snapshot()) == (0, {}, None)
    assert table.columns()["file"] == []
    assert table.features()[1].shape == (0, F)
    table.add_lens("pattern", 3, turned)
    assert table.fill_lens("pattern", turned) == 0
    assert not (tmp_path / "none.lance").exists()


def test_conditions_know_mtime_but_not_inside_quotes(table: Table):
    held = table.snapshot()
    assert held.matching("mtime < to_timestamp_nanos(1002)").to_pylist() == ["0000.png", "0001.png"]
    assert held.matching("file = 'mtime'").to_pylist() == []
    assert held.matching("width > 87 OR file LIKE '%07.png'").to_pylist() == ["0007.png", "0048.png", "0049.png"]
    with pytest.raises(QueryError, match="Write it like"):
        held.matching("colour = 1")


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


def test_refused_files_keep_their_last_reason(tmp_path: Path):
    refused = RefusedTable(tmp_path / "r.lance")
    assert refused.rows() == []
    refused.append([RefusedFile("b.png", 1, 2, "broken"), RefusedFile("a.png", 3, 4, "empty")])
    refused.append([RefusedFile("b.png", 5, 6, "worse")])
    assert refused.rows() == [RefusedFile("a.png", 3, 4, "empty"), RefusedFile("b.png", 5, 6, "worse")]
    refused.remove(["a.png"])
    assert [one.file for one in refused.rows()] == ["b.png"]


def test_every_column_and_key_is_in_the_page_on_formats(table: Table):
    page = (Path(__file__).parents[2] / "docs/formats.md").read_text(encoding="utf-8")
    names = {*COLUMNS, "features", "lens:NAME"}
    names |= {field.name for field in fields(CollectionConfig)} | {field.name for field in fields(RefusedFile)}
    names |= {field.name for field in fields(Proof)}
    missing = {name for name in names if f"`{name}`" not in page}
    assert not missing
