"""The pictures of a gallery: pages in three orders, and the files of a content."""

from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import QueryError
from lookalike.index.gallery import Gallery
from lookalike.index.pictures import PictureList
from lookalike.index.table import ImageRow, Table

DATES = [5, 3, 9, 3]
CONTENTS = [b"a" * 16, b"b" * 16, b"a" * 16, b"a" * 8 + b"c" * 8]


@pytest.fixture
def pictures(tmp_path: Path) -> PictureList:
    table = Table(tmp_path / "t.lance")
    names = ["d.png", "b.png", "c.png", "a.png"]
    rows = zip(names, CONTENTS, DATES, strict=True)
    table.append(
        [ImageRow(name, content, 100, date, 40 + date, 30, np.ones(4, np.float32)) for name, content, date in rows]
    )
    return PictureList(Gallery(table.snapshot()), tmp_path)


def files(page) -> list[str]:
    return [one.file for one in page.pictures]


def test_pages_are_by_file_and_know_how_many_there_are(pictures: PictureList):
    assert files(pictures.page()) == ["a.png", "b.png", "c.png", "d.png"]
    page = pictures.page(1, 2)
    assert (files(page), page.total, page.offset, page.version) == (["b.png", "c.png"], 4, 1, pictures.gallery.version)
    assert files(pictures.page(9, 2)) == []
    with pytest.raises(QueryError, match="offset -1"):
        pictures.page(-1)


def test_the_newest_come_first_by_date_and_equal_ones_by_file(pictures: PictureList):
    assert files(pictures.page(order="mtime")) == ["c.png", "d.png", "a.png", "b.png"]


def test_a_random_order_is_the_same_in_every_page(pictures: PictureList):
    whole = files(pictures.page(order="random"))
    assert sorted(whole) == ["a.png", "b.png", "c.png", "d.png"]
    assert files(pictures.page(0, 2, order="random")) + files(pictures.page(2, 2, order="random")) == whole
    with pytest.raises(QueryError, match="order 'size'"):
        pictures.page(order="size")


def test_a_condition_is_applied_before_paging(pictures: PictureList):
    page = pictures.page(1, 5, where="width < 49", order="mtime")
    assert (files(page), page.total) == (["a.png", "b.png"], 3)


def test_a_picture_is_found_by_the_hash_of_its_content(pictures: PictureList):
    found = pictures.find((b"a" * 16).hex())
    assert [one.file for one in found] == ["c.png", "d.png"]
    first = found[0]
    assert (first.id, first.width, first.height, first.mtime_ns) == ((b"a" * 16).hex(), 49, 30, 9)
    assert first.path == pictures.folder / "c.png"
    for other in ("", "../../etc/passwd", "0" * 32, "A" * 32, "61" * 15, "61" * 15 + "6\0", "61" * 17):
        assert pictures.find(other) == []


def test_a_picture_is_a_path(pictures: PictureList):
    assert Path(pictures.at(0)) == pictures.at(0).path
