"""Fragments of rows and of a column: written apart, committed together; what does not fit is refused."""

from pathlib import Path

import lance
import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.errors import CollectionError
from lookalike.index.fragments import unfilled_fragments, write_column
from lookalike.index.table import ImageRow, Table

F = 8


def rows(first: int, n: int) -> list[ImageRow]:
    """Rows whose features are told by their number."""
    return [
        ImageRow(f"{i:03d}.png", bytes([i]) * 16, i, i, 4, 3, np.random.default_rng(i).standard_normal(F))
        for i in range(first, first + n)
    ]


def doubled(features: NDArray[np.float16]) -> NDArray[np.float16]:
    return 2 * features[:, :4]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """Three fragments of four rows, one row of the second deleted, and an empty column."""
    table = Table(tmp_path / "t.lance")
    table.create(F)
    table.append_fragments([one for first in (0, 10, 20) for one in table.write_fragment(rows(first, 4))])
    table.remove(["011.png"])
    table.add_empty_lens("twice", 4, "weights")
    return table


def fill(table: Table) -> list[int]:
    version, fragments = table.unfilled_fragments("twice")
    table.append_lens({one: table.write_lens("twice", doubled, version, one) for one in fragments})
    return fragments


def assert_whole(table: Table, n: int) -> None:
    """Each row has its own value."""
    snapshot = table.snapshot()
    assert snapshot is not None
    assert (len(snapshot), snapshot.unfilled("twice"), snapshot.weights("twice")) == (n, [], "weights")
    np.testing.assert_array_equal(table.features(column="lens:twice")[1], doubled(table.features()[1]))
    assert table.verify() == []


def test_fragments_that_are_not_committed_are_in_no_version(table: Table):
    table.write_fragment(rows(50, 3))
    assert len(table.columns()["file"]) == 11


def test_a_column_is_filled_by_fragments_with_a_deleted_row_among_them(table: Table):
    assert fill(table) == [0, 1, 2]
    assert_whole(table, 11)
    assert fill(table) == []


def test_rows_that_came_meanwhile_are_found_however_they_were_written(table: Table):
    """One fragment without the column, one with nulls in it, one with its values."""
    fill(table)
    table.append_fragments(table.write_fragment(rows(30, 2)))
    table.append(rows(40, 2))
    table.append_fragments(table.write_fragment(rows(50, 2), {"twice": doubled}))
    table.remove(["000.png"])
    assert len(fill(table)) == 2
    assert_whole(table, 16)


def test_too_few_values_are_refused_before_they_are_committed(table: Table):
    dataset = lance.dataset(table.uri)
    number = unfilled_fragments(dataset, "lens:twice")[0]
    with pytest.raises(CollectionError, match=r"fragment 0 has 4 rows, and 3 were computed"):
        write_column(_Short(dataset), number, "lens:twice", doubled)


def test_a_fragment_that_was_rewritten_meanwhile_is_done_again(table: Table):
    version, fragments = table.unfilled_fragments("twice")
    files = {one: table.write_lens("twice", doubled, version, one) for one in fragments}
    lance.dataset(table.uri).optimize.compact_files()
    with pytest.raises(OSError, match="not found in existing fragments"):
        table.append_lens(files)
    fill(table)
    assert_whole(table, 11)


class _Short:
    """A dataset of Lance whose scans lack the last row, as one without the deleted rows does."""

    def __init__(self, dataset: lance.LanceDataset):
        self._dataset = dataset

    def __getattr__(self, name: str) -> object:
        return getattr(self._dataset, name)

    def scanner(self, **options: object) -> lance.LanceScanner:
        return self._dataset.scanner(**{**options, "limit": 3})
