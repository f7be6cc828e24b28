"""Queries: every kind of source, to the vector that is ranked by."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.large_table import FEATURES, FILES, LENS
from support.pictures import draw

from lookalike.errors import QueryError
from lookalike.images.decode import content_hash
from lookalike.index.gallery import Gallery
from lookalike.index.query import resolve_queries, resolve_query
from lookalike.index.table import ImageRow, Table


def test_a_vector_of_another_length_is_no_query(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot(), LENS)
    assert resolve_query(FEATURES[0], tmp_path, gallery, lambda _: pytest.fail("no picture")).vector.shape == (4,)
    with pytest.raises(QueryError, match=r"features are \(16,\)"):
        resolve_query(np.ones(4), tmp_path, gallery, lambda _: pytest.fail("no picture"))


def test_a_name_too_long_for_any_disk_is_one_line(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot())
    for asked in ("x" * 5000, "a\0b"):
        with pytest.raises(QueryError, match="no such picture"):
            resolve_query(asked, tmp_path, gallery, lambda _: pytest.fail("no picture"))


def no_network(source: object) -> np.ndarray:
    pytest.fail("the vector is known")


def test_a_file_of_the_collection_and_a_copy_of_its_bytes_take_the_stored_vector(tmp_path: Path):
    table = Table(tmp_path / "t.lance")
    raw = draw(tmp_path / "elsewhere.png", 1).read_bytes()
    table.append([ImageRow("a.png", content_hash(raw), 1, 1, 1, 1, FEATURES[0])])
    gallery = Gallery(table.snapshot())
    expected = {
        "a.png": ("a.png", tmp_path / "a.png"),
        tmp_path / "elsewhere.png": (str(tmp_path / "elsewhere.png"), tmp_path / "elsewhere.png"),
        raw: ("a picture", raw),
    }
    for source, (name, shown) in expected.items():
        query = resolve_query(source, tmp_path, gallery, no_network)
        assert (query.name, query.content, query.source) == (name, content_hash(raw), shown)
        assert query.vector.tobytes() == FEATURES[0].tobytes()


def test_any_other_picture_is_embedded_and_goes_through_the_lens(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot(), LENS)
    picture = Image.new("RGB", (5, 5))
    query = resolve_query(picture, tmp_path, gallery, lambda source: FEATURES[3].astype(np.float32))
    assert (query.name, query.content, query.source) == ("a picture", None, picture)
    np.testing.assert_array_equal(query.vector, LENS.apply(FEATURES[3:4])[0])


def test_of_many_sources_those_that_cannot_be_read_are_named_or_raised(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot())
    (tmp_path / "empty.png").write_bytes(b"")
    sources = [FILES[0], str(tmp_path / "empty.png"), "nothing.png", FILES[1]]
    skipped: dict[str, str] = {}
    done: list[tuple[int, int]] = []
    queries = resolve_queries(sources, tmp_path, gallery, no_network, skipped, lambda *at: done.append(at))
    assert [query.name for query in queries] == FILES[:2]
    assert list(skipped) == sources[1:3]
    assert skipped[sources[1]].startswith(f"{sources[1]}: empty file (0 bytes).")
    assert done == [(1, 4), (2, 4), (3, 4), (4, 4)]
    with pytest.raises(QueryError, match="empty file"):
        resolve_queries(sources, tmp_path, gallery, no_network)
