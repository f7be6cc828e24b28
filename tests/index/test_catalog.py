"""The catalog in memory: places in the order of the names, and what stands there."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from support.large_table import FILES, N, content

from lookalike.errors import CollectionError
from lookalike.index.catalog import MemoryCatalog, as_contents
from lookalike.index.table import ImageRow, Table


def test_places_are_in_the_order_of_the_names_and_all_columns_follow(table: Table):
    catalog = MemoryCatalog(table.snapshot())
    assert catalog.files == sorted(FILES) and len(catalog) == N
    places = [catalog.find(FILES[i]) for i in (0, 103, N - 1)]
    assert catalog.named(places) == [(FILES[i], content(i)) for i in (0, 103, N - 1)]
    assert [one["width"] for one in catalog.details(places)] == [0, 103, N - 1]
    assert catalog.column("width")[places].tolist() == [0, 103, N - 1]
    assert [catalog.files[place] for place in catalog.copies_of(content(100))] == sorted(FILES[100:105])
    assert catalog.by_file(np.array([7, 3])).tolist() == [3, 7]


def test_the_version_changes_with_the_rows_alone(table: Table):
    before = MemoryCatalog(table.snapshot()).version
    table.drop_lens("pattern")
    assert MemoryCatalog(table.snapshot()).version == before
    table.remove(FILES[:1])
    assert MemoryCatalog(table.snapshot()).version != before


def test_names_outside_the_folder_are_refused(table: Table, tmp_path: Path):
    table.append([ImageRow("../x.png", bytes(16), 1, 1, 1, 1, np.ones(16))])
    with pytest.raises(CollectionError, match="outside the folder"):
        MemoryCatalog(table.snapshot())


def test_contents_are_two_numbers_each_also_of_a_slice():
    hashes = pa.array([bytes(range(i, i + 16)) for i in range(3)], pa.binary(16))
    for some, start in ((hashes, 0), (hashes.slice(1), 1)):
        assert [one.tobytes() for one in as_contents(some)] == [bytes(range(i, i + 16)) for i in range(start, 3)]
