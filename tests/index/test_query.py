"""Queries: every kind of source, to the vector that is ranked by."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.large_table import FEATURES, FILES, LENS
from support.pictures import draw

from lookalike.errors import QueryError
from lookalike.images.decode import content_hash
from lookalike.index.gallery import Gallery
from lookalike.index.pictures import Picture
from lookalike.index.query import QueryResolver
from lookalike.index.table import ImageRow, Table


def test_a_vector_of_another_length_is_no_query(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot(), LENS)
    assert QueryResolver(tmp_path, gallery, lambda _: pytest.fail("no picture"), 32).resolve(
        FEATURES[0]
    ).vector.shape == (4,)
    with pytest.raises(QueryError, match=r"features are \(16,\)"):
        QueryResolver(tmp_path, gallery, lambda _: pytest.fail("no picture"), 32).resolve(np.ones(4))


def test_a_name_too_long_for_any_disk_is_one_line(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot())
    for asked in ("x" * 5000, "a\0b"):
        with pytest.raises(QueryError, match="no such picture"):
            QueryResolver(tmp_path, gallery, lambda _: pytest.fail("no picture"), 32).resolve(asked)


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
        query = QueryResolver(tmp_path, gallery, no_network, 32).resolve(source)
        assert (query.name, query.content, query.source) == (name, content_hash(raw), shown)
        assert query.vector.tobytes() == FEATURES[0].tobytes()


def test_any_other_picture_is_embedded_and_goes_through_the_lens(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot(), LENS)
    picture = Image.new("RGB", (5, 5))
    query = QueryResolver(tmp_path, gallery, lambda source: FEATURES[3].astype(np.float32), 32).resolve(picture)
    assert (query.name, query.content, query.source) == ("a picture", None, picture)
    np.testing.assert_array_equal(query.vector, LENS.apply(FEATURES[3:4])[0])


def test_of_many_sources_those_that_cannot_be_read_are_named_or_raised(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot())
    (tmp_path / "empty.png").write_bytes(b"")
    sources = [FILES[0], str(tmp_path / "empty.png"), "nothing.png", FILES[1]]
    skipped: dict[str, str] = {}
    done: list[tuple[int, int]] = []
    queries = QueryResolver(tmp_path, gallery, no_network, 32).resolve_all(
        sources, skipped, lambda *at: done.append(at)
    )
    assert [query.name for query in queries] == FILES[:2]
    assert list(skipped) == sources[1:3]
    assert skipped[sources[1]].startswith(f"{sources[1]}: empty file (0 bytes).")
    assert done == [(1, 4), (2, 4), (3, 4), (4, 4)]
    with pytest.raises(QueryError, match="empty file"):
        QueryResolver(tmp_path, gallery, no_network, 32).resolve_all(sources)


def test_a_region_is_embedded_by_itself_and_is_never_the_picture(table: Table, tmp_path: Path):
    gallery, seen = Gallery(table.snapshot()), []
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, 40:] = 200
    Image.fromarray(pixels).save(tmp_path / FILES[0])

    def embed(picture: Image.Image) -> np.ndarray:
        seen.append(picture)
        return FEATURES[3].astype(np.float32)

    resolver = QueryResolver(tmp_path, gallery, embed, 32)
    inside = Picture(FILES[0], tmp_path / FILES[0], gallery.contents[0].tobytes(), 80, 40, 0)
    for source in (FILES[0], tmp_path / FILES[0], inside, Image.fromarray(pixels)):
        query = resolver.resolve(source, (0.5, 0, 0.5, 1))
        assert query.content is None
        assert np.asarray(seen.pop()).tolist() == np.full((40, 40, 3), 200).tolist()
    for region in ((0.5, 0, 0.6, 1), (0, 0, 0, 1), (0, 0, 1), "abcd", (float("nan"), 0, 1, 1)):
        with pytest.raises(QueryError, match="region"):
            resolver.resolve(FILES[0], region)
    with pytest.raises(QueryError, match="no such picture"):
        resolver.resolve("nothing.png", (0, 0, 1, 1))


def test_a_picture_of_the_collection_is_asked_with_where_its_file_is_not_there(table: Table, tmp_path: Path):
    gallery = Gallery(table.snapshot())
    file, content = gallery.files[2], gallery.contents[2].tobytes()
    query = QueryResolver(tmp_path, gallery, no_network, 32).resolve(Picture(file, tmp_path / file, content, 1, 1, 0))
    assert (query.name, query.content) == (file, content)
    assert query.vector.tobytes() == gallery.rows[2].tobytes()


def test_a_name_in_another_form_of_unicode_is_the_same_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    nfc, nfd = (unicodedata.normalize(form, "sub/사과é.png") for form in ("NFC", "NFD"))
    folder = tmp_path / "photos"
    raw = draw(folder / nfd, 1).read_bytes()
    table = Table(tmp_path / "t.lance")
    table.append([ImageRow(nfd, content_hash(raw), 1, 1, 1, 1, FEATURES[0])])
    gallery = Gallery(table.snapshot())
    monkeypatch.chdir(tmp_path)
    for asked, name, shown in [
        (nfc, nfd, folder / nfd),
        (nfd, nfd, folder / nfd),
        (f"photos/{nfc}", f"photos/{nfc}", Path(f"photos/{nfd}")),
        (folder / nfc, str(folder / nfc), folder / nfd),
    ]:
        query = QueryResolver(folder, gallery, no_network, 32).resolve(asked)
        assert (query.name, query.source, query.content) == (name, shown, content_hash(raw))
    (folder / nfd).unlink()  # its row is still there
    assert QueryResolver(folder, gallery, no_network, 32).resolve(folder / nfc).name == nfd


def test_an_exact_name_comes_before_another_form_and_a_file_before_a_picture_of_the_collection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    nfc, nfd = (unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD"))
    here, stored = draw(tmp_path / nfc, 1).read_bytes(), draw(tmp_path / "photos" / nfd, 2).read_bytes()
    table = Table(tmp_path / "t.lance")
    rows = [(nfd, stored, FEATURES[0]), ("here.png", here, FEATURES[1])]
    table.append([ImageRow(name, content_hash(raw), 1, 1, 1, 1, vector) for name, raw, vector in rows])
    gallery = Gallery(table.snapshot())
    monkeypatch.chdir(tmp_path)
    for asked, content in [(nfc, here), (nfd, stored)]:
        query = QueryResolver(tmp_path / "photos", gallery, no_network, 32).resolve(asked)
        assert query.content == content_hash(content)
