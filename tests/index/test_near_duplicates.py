"""Groups of equal or nearly equal pictures, beside all pairs compared one by one."""

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components
from support.small_table import row, small_table

from lookalike import similarity
from lookalike.errors import QueryError
from lookalike.index import near_duplicates as near_duplicates_module
from lookalike.index.gallery import Gallery
from lookalike.index.near_duplicates import BELOW_EQUAL, DuplicateGroup, first_of_each, near_duplicates
from lookalike.index.table import ImageRow, Table


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    """Fifty rows; copy.png has the content of 0007.png, and twin.png only its features."""
    table = small_table(tmp_path / "t.lance")
    seven = row(7)
    copy = ImageRow("copy.png", seven.content, 1, 1, 1, 1, seven.features)
    twin = ImageRow("twin.png", b"another content ", 1, 1, 1, 1, 2 * seven.features)
    table.append([copy, twin])
    return Gallery(table.snapshot())


def test_only_equal_bytes_are_1_and_the_one_of_most_pixels_is_kept(gallery: Gallery):
    (group,) = near_duplicates(gallery, 0.995)
    assert group == DuplicateGroup("0007.png", (("copy.png", 1.0), ("twin.png", BELOW_EQUAL)))


def test_of_as_many_pixels_the_oldest_is_kept_and_then_the_first_by_name(tmp_path: Path):
    table, seven = Table(tmp_path / "t.lance"), row(7)
    table.append(
        [
            ImageRow(name, seven.content, 1, date, 8, 9, seven.features)
            for name, date in [("c.png", 5), ("b.png", 5), ("a.png", 6)]
        ]
    )
    (group,) = near_duplicates(Gallery(table.snapshot()))
    assert (group.keep, [file for file, _ in group.others]) == ("b.png", ["a.png", "c.png"])


def test_groups_are_the_components_of_all_pairs_compared_one_by_one(gallery: Gallery):
    values = similarity(gallery.rows.whole(), gallery.rows.whole())
    least = float(np.quantile(values[np.triu_indices(len(gallery), 1)], 0.97))
    groups = near_duplicates(gallery, least)
    _, of = connected_components(values >= least, directed=False)
    right = {frozenset(np.array(gallery.files)[of == one]) for one in np.unique(of) if (of == one).sum() > 1}
    assert {frozenset([group.keep, *(file for file, _ in group.others)]) for group in groups} == right
    assert len(right) > 1
    assert [len(group.others) for group in groups] == sorted((len(one) - 1 for one in right), reverse=True)
    for group in groups:
        for file, value in group.others:
            assert abs(value - values[gallery.row_of(group.keep), gallery.row_of(file)]) < 1e-3


def test_many_copies_are_compared_once_and_listed_once(tmp_path: Path, monkeypatch):
    """2,000 copies of one picture: two million pairs."""
    table, seven = Table(tmp_path / "t.lance"), row(7)
    table.append([ImageRow(f"{i:04d}.png", seven.content, 1, 1, 1, 1, seven.features) for i in range(2000)])
    compared: list[int] = []
    join = near_duplicates_module.join_similar

    def counted(rows, least, codes):
        compared.append(len(rows))
        return join(rows, least, codes)

    monkeypatch.setattr(near_duplicates_module, "join_similar", counted)
    (group,) = near_duplicates(Gallery(table.snapshot()))
    assert (compared, len(group.others)) == ([1], 1999)


def test_what_is_no_similarity_is_refused(gallery: Gallery):
    for least in (1.01, -1.5):
        with pytest.raises(QueryError, match=r"lie between -1 and 1\."):
            near_duplicates(gallery, least)


def test_the_first_of_each_by_the_plain_loop_whatever_a_block_holds(gallery: Gallery, monkeypatch):
    values = similarity(gallery.rows.whole(), gallery.rows.whole())
    least = float(np.quantile(values[np.triu_indices(len(gallery), 1)], 0.97))
    places = np.random.default_rng(3).permutation(len(gallery))
    right: list[int] = []
    for index, place in enumerate(places.tolist()):
        if not any(values[place, places[one]] >= np.float32(least) for one in right):
            right.append(index)
    assert len(right) < len(places) - 3
    for block in (1, 7, 256):
        monkeypatch.setattr(near_duplicates_module, "BLOCK", block)
        assert first_of_each(gallery, places, least=least) == (right, len(places) - len(right))
        some = right[: len(right) // 2]
        assert first_of_each(gallery, places, len(some), least) == (some, some[-1] + 1 - len(some))


def test_equal_contents_are_one_however_their_rows_differ(tmp_path: Path):
    table = Table(tmp_path / "t.lance")
    one = np.eye(4, dtype=np.float16)
    table.append([ImageRow(name, b"the same content", 1, 1, 1, 1, one[i]) for i, name in enumerate("ab")])
    gallery = Gallery(table.snapshot())
    assert first_of_each(gallery, np.array([1, 0])) == ([0], 1)
