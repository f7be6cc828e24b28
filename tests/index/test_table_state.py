"""What the tables held before a run: by file, by content, and rows of copies."""

from pathlib import Path

import numpy as np
import pytest
from support.small_table import row, small_table

from lookalike.images.scan import ImageFile
from lookalike.index.refused import RefusedFile, RefusedTable
from lookalike.index.table_state import CopiedFile, TableState


@pytest.fixture
def state(tmp_path: Path) -> TableState:
    refused = RefusedTable(tmp_path / "r.lance")
    refused.append([RefusedFile("broken.png", 5, 6, "cut off", "broken")])
    return TableState(small_table(tmp_path / "t.lance"), refused)


def test_everything_that_was_read_or_refused_is_known_by_size_and_date(state: TableState):
    first = row(0)
    assert state.known()["0000.png"] == (first.bytes, first.mtime_ns)
    assert state.known()["broken.png"] == (5, 6)
    assert len(state.known()) == 51
    assert state.outside == frozenset()


def test_a_copy_takes_the_features_of_a_row_with_its_content_under_its_own_name(state: TableState):
    first = row(7)
    copies = [CopiedFile(ImageFile(name, None, 9, 10), first.content) for name in ("x.png", "y.png")]
    rows = state.copied_rows(copies)
    assert [(one.file, one.bytes, one.mtime_ns, one.width) for one in rows] == [
        ("x.png", 9, 10, first.width),
        ("y.png", 9, 10, first.width),
    ]
    for one in rows:
        assert np.array_equal(one.features, first.features.astype(np.float16))


def test_a_file_that_was_touched_is_the_same_only_with_its_own_content(state: TableState):
    first = row(3)
    touched = ImageFile("0003.png", None, first.bytes, first.mtime_ns + 1)
    assert state.is_same(CopiedFile(touched, first.content))
    assert not state.is_stored(CopiedFile(touched, first.content))
    assert not state.is_same(CopiedFile(touched, row(4).content))
