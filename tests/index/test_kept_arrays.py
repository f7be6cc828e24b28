"""Arrays in files: made a piece at a time, copied where the rows are the same, refused where they are not."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.small_table import row, small_table

import lookalike.index.kept_arrays as kept_arrays
from lookalike.errors import CollectionError
from lookalike.index.kept_arrays import OFFSETS, KeptArrays, Kind, version_of
from lookalike.index.table import Table

KINDS = {"widths": Kind(np.int64), "twice": Kind(np.int32, (3,), (2,))}


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return small_table(tmp_path / "t.lance")


def arrays_of(table: Table, folder: Path, **options) -> KeptArrays:
    snapshot = table.snapshot()
    pieces = snapshot.pieces("width")
    return KeptArrays(snapshot, pieces, folder / f"widths@{version_of(pieces)}", KINDS, "widths", **options)


class Filling:
    """Fills both arrays with the widths, and keeps how many rows it was asked for."""

    def __init__(self, table: Table):
        self.snapshot, self.rows = table.snapshot(), []

    def __call__(self, piece, arrays):
        self.rows.append(piece.rows)
        widths = np.concatenate([one.column(0).to_numpy() for one in self.snapshot.batches("width", piece=piece)])
        arrays["widths"][:] = widths
        arrays["twice"][:] = widths[None, :, None] + np.arange(3) + np.array([0, 1000])[:, None, None]


def expected(table: Table) -> np.ndarray:
    return table.snapshot().read("width").column(0).to_numpy()


def test_arrays_have_a_row_a_picture_wherever_their_axis_of_rows_is(table: Table, tmp_path: Path):
    filling = Filling(table)
    found = arrays_of(table, tmp_path).make(filling)
    assert_array_equal(found["widths"], expected(table))
    assert found["twice"].shape == (2, 50, 3)
    assert_array_equal(found["twice"][1, :, 2], expected(table) + 1002)
    assert arrays_of(table, tmp_path).make(None)["widths"].tolist() == found["widths"].tolist()  # nothing to make
    assert sum(filling.rows) == 50


def test_rows_that_an_earlier_version_had_are_copied_past_those_that_were_removed(table: Table, tmp_path: Path):
    arrays_of(table, tmp_path).make(Filling(table))
    table.append([row(100), row(101)])
    table.remove(["0003.png", "0049.png", "0100.png"])
    filling, now = Filling(table), arrays_of(table, tmp_path)
    found = now.make(filling)
    assert filling.rows == [1]
    assert_array_equal(found["widths"], expected(table))
    assert_array_equal(found["twice"][0, :, 1], expected(table) + 1)
    assert len(now.earlier()) == 1
    now.remove_earlier()
    assert now.earlier() == []


def test_rows_are_copied_only_beside_equal_whole_arrays(table: Table, tmp_path: Path):
    arrays_of(table, tmp_path, whole={"turn": np.eye(2)}).make(Filling(table))
    table.append([row(100)])
    for turn, rows in ((np.eye(2), [1]), (np.ones((2, 2)), [50, 1])):
        filling, now = Filling(table), arrays_of(table, tmp_path, whole={"turn": turn})
        assert_array_equal(now.make(filling)["turn"], turn)
        assert sum(filling.rows) == sum(rows)
        kept_arrays.remove_folder(now.folder)


def test_another_version_damage_and_a_full_disk_are_one_line(table: Table, tmp_path: Path, monkeypatch):
    kept = arrays_of(table, tmp_path)
    with pytest.raises(CollectionError, match="not there, or damaged"):
        kept.open()
    kept.make(Filling(table))
    assert kept.is_whole()
    content = bytearray((kept.folder / "widths.npy").read_bytes())
    content[-1] ^= 1
    (kept.folder / "widths.npy").write_bytes(content)
    assert not kept.is_whole()
    table.remove(["0003.png"])
    kept.folder.rename(arrays_of(table, tmp_path).folder)
    with pytest.raises(CollectionError, match=r"not there, or damaged|of another version"):
        arrays_of(table, tmp_path).open()
    monkeypatch.setattr(kept_arrays, "SPARE_BYTES", 1 << 60)
    with pytest.raises(CollectionError, match=r"widths cannot be kept there \(.*too full\).*--at"):
        arrays_of(table, tmp_path / "other").make(Filling(table))


def test_offsets_are_the_places_of_rows_in_what_was_written(table: Table, tmp_path: Path):
    table.remove(["0001.png"])
    kept = arrays_of(table, tmp_path)
    kept.make(Filling(table))
    starts = np.concatenate([[0], np.cumsum([piece.rows for piece in kept.pieces])])
    offsets = np.load(kept.folder / f"{OFFSETS}.npy")
    for piece, start, stop in zip(kept.pieces, starts[:-1], starts[1:], strict=True):
        right = [0, *range(2, piece.rows + 1)] if piece.removed else list(range(piece.rows))
        assert offsets[start:stop].tolist() == right
