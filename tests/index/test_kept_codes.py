"""Codes and prefix codes are kept together, extended together, and made again when damaged."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.hard_rows import like_features

import lookalike.index.kept_codes as kept_codes
import lookalike.index.prefix_codes as prefix_codes
from lookalike.index.exact_knn import ExactKNN
from lookalike.index.gallery import Gallery
from lookalike.index.kept_codes import KeptCodes
from lookalike.index.quantization import row_blocks
from lookalike.index.query import Query
from lookalike.index.search import Selection, search
from lookalike.index.table import ImageRow, Table

N, D = 5000, 60
ROWS = like_features(N, D, np.random.default_rng(0), 6)


class Column:
    """Rows in memory."""

    def __init__(self, rows):
        self.rows, self.shape = rows, rows.shape

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, indices):
        return self.rows[indices]

    def blocks(self):
        return row_blocks(self.rows)


def kept(folder: Path, rows, numbers) -> KeptCodes:
    """Of a version whose rows have these numbers in the table."""
    keys = np.column_stack([numbers, numbers, numbers]).astype(np.uint64)
    name = f"plain@source-{abs(hash(tuple(numbers)))}"
    return KeptCodes(Column(rows), keys, folder / name)


@pytest.fixture(autouse=True)
def short_prefixes(monkeypatch):
    """As if 10 values were many and 16 values a long prefix."""
    monkeypatch.setattr(kept_codes, "PAYS_ROWS", 1000)
    monkeypatch.setattr(kept_codes, "PAYS_VALUES", 10)
    monkeypatch.setattr(prefix_codes, "VALUES", 16)


def test_a_search_makes_codes_and_only_preparing_makes_the_prefix(tmp_path):
    codes = kept(tmp_path, ROWS, range(N))
    assert codes.load()[1] is None
    codes.prepare()
    prefix = codes.load()[1]
    assert prefix is not None and prefix.shape == (N, D)
    dates = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.npy")}
    codes.prepare()
    assert dates == {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.npy")}


@pytest.mark.parametrize("rows", [ROWS[:999], ROWS[:, :9]])
def test_few_rows_and_short_ones_have_no_prefix(tmp_path, rows):
    codes = kept(tmp_path, rows, range(len(rows)))
    codes.prepare()
    assert codes.load()[1] is None
    assert not list(tmp_path.rglob("turn.npy"))


def test_that_rows_have_no_main_directions_is_found_out_once(tmp_path, monkeypatch):
    rows = np.random.default_rng(1).standard_normal((2000, D)).astype(np.float16)
    codes = kept(tmp_path, rows, range(2000))
    codes.prepare()
    monkeypatch.setattr(prefix_codes, "main_directions", None)
    codes.prepare()
    found = codes.load()
    assert not found[1].is_worth_it
    assert ExactKNN(rows, *found).search(rows[3], 1)[0].tolist() == [3]


def test_an_earlier_versions_prefix_is_copied_and_extended(tmp_path, monkeypatch):
    """Row 7 is gone, 300 are new: their directions are those that were learned before."""
    numbers = np.delete(np.arange(N), 7)
    old = kept(tmp_path, ROWS[:4700], range(4700))
    old.prepare()
    turn = old.load()[1].turn
    monkeypatch.setattr(prefix_codes, "main_directions", None)
    new = kept(tmp_path, ROWS[numbers], numbers)
    codes, prefix = new.load()
    assert_array_equal(prefix.turn, turn)
    assert_array_equal(new.load()[1].values, prefix.values)
    assert [path.name for path in tmp_path.iterdir()] == [new.folder.name]
    right = prefix_codes.PrefixCodes.gather(turn, N - 1, row_blocks(ROWS[numbers]))
    assert_array_equal(prefix.values, right.values)
    assert_array_equal(prefix.sides, right.sides)
    assert codes.values.shape == (N - 1, D)


@pytest.mark.parametrize("harm", ["one bit", "of other rows", "gone"])
def test_a_damaged_prefix_is_not_used_and_made_again_by_the_next_index(tmp_path, harm):
    codes = kept(tmp_path, ROWS, range(N))
    codes.prepare()
    prefix = codes.load()[1]
    folder = codes.folder / kept_codes.PREFIX
    if harm == "one bit":
        content = bytearray((folder / "turn.npy").read_bytes())
        content[-5] ^= 1
        (folder / "turn.npy").write_bytes(content)
    elif harm == "of other rows":
        prefix_codes.PrefixCodes.gather(prefix.turn, 9, row_blocks(ROWS[:9])).save(folder)
    else:
        (folder / "values.npy").unlink()
    assert codes.load()[1] is None
    codes.prepare()
    assert_array_equal(codes.load()[1].values, prefix.values)


def test_a_collection_answers_alike_with_and_without_a_prefix(tmp_path):
    """Ties by file, pictures of the query's own content, a filter, a least similarity."""
    rows = ROWS.copy()
    rows[100:110] = rows[100]
    table = Table(tmp_path / "t.lance")
    table.append([ImageRow(f"{(i * 7919) % N:05d}.png", i.to_bytes(16, "big"), i, i, i, 9, rows[i]) for i in range(N)])
    without = Gallery(table.snapshot(), None, tmp_path / "codes")
    assert without.knn.prefix is None
    Gallery(table.snapshot(), None, tmp_path / "codes").build_codes()
    gallery = Gallery(table.snapshot(), None, tmp_path / "codes")
    assert gallery.knn.prefix is not None
    queries = [Query("q", rows[i].astype(np.float32), i.to_bytes(16, "big"), None) for i in (3, 104, 4000)]
    for selection in (
        Selection(5),
        Selection(12, others=True),
        Selection(5, where="width > 2500"),
        Selection(20, min_similarity=0.98),
    ):
        found, expected = (search(queries, one, tmp_path, selection) for one in (gallery, without))
        assert [[(hit.file, hit.similarity) for hit in hits] for hits in found] == [
            [(hit.file, hit.similarity) for hit in hits] for hits in expected
        ]
        assert all(len(hits) for hits in found)
