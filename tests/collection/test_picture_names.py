"""A collection has a length, its pictures' names, and says which it holds."""

import unicodedata
from pathlib import Path

import pytest

from lookalike import Collection
from lookalike.errors import CollectionError


def test_a_collection_holds_its_pictures(badges: Collection):
    names = list(badges)
    assert (len(badges), names[:2], names) == (90, ["kind-00/0.png", "kind-00/1.png"], sorted(names))
    hit = badges.search(names[0], k=1)[0]
    for one in (names[0], Path(names[0]), badges.folder / names[0], hit):
        assert one in badges
    for other in ("none.png", badges.folder / "none.png", 3, None, b"kind-00/0.png"):
        assert other not in badges


def test_before_the_first_index_there_are_no_pictures_and_a_collection_is_still_one(tmp_path: Path):
    (tmp_path / "photos").mkdir()
    empty = Collection(tmp_path / "photos")
    assert (len(empty), list(empty), "a.png" in empty, bool(empty)) == (0, [], False, True)
    assert not empty.home.at.exists()


def test_a_name_is_here_in_any_form_of_unicode_and_damage_is_told(own_badges: Collection):
    nfc, nfd = (unicodedata.normalize(form, "\u00e9.png") for form in ("NFC", "NFD"))
    (own_badges.folder / "kind-00/0.png").rename(own_badges.folder / nfd)
    own_badges.index()
    assert nfc in own_badges and nfd in own_badges and nfd in list(own_badges)
    (own_badges.home.at / "collection.json").write_text("{")
    with pytest.raises(CollectionError):
        len(own_badges)


def test_a_hit_asks_as_its_picture_does_and_hits_as_many(own_badges: Collection):
    hits = own_badges.search("kind-00/0.png", k=3)
    again = own_badges.search(hits[1], k=3)
    assert [hit.file for hit in again] == [hit.file for hit in own_badges.search(hits[1].file, k=3)]
    assert [one[0].file for one in own_badges.search(hits, k=1)] == [hit.file for hit in hits]
    assert (own_badges.embed([hits[0]]) == own_badges.embed([hits[0].path])).all()
    assert own_badges.judge(hits[0], hits[1:2]) == 1
    hits[2].path.unlink()  # its row is still there
    assert own_badges.search(hits[2], k=1)[0].file == hits[2].file
    assert own_badges.draw(hits).is_file()
