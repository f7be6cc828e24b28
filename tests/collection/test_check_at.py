"""Which folders may hold the collection of which pictures."""

from pathlib import Path

import pytest

from lookalike.collection.check_at import check_at, is_of, is_same, not_of_these
from lookalike.distributed.pictures import pictures_at
from lookalike.errors import CollectionError
from lookalike.images.picture_source import FolderPictures


def test_a_new_an_empty_and_the_usual_folder_may(tmp_path: Path):
    photos = FolderPictures(tmp_path / "photos")
    (tmp_path / "empty").mkdir()
    for at in (tmp_path / "new", tmp_path / "empty", tmp_path / "photos/.lookalike"):
        check_at(at, photos, moved=False)


def test_what_may_not_is_refused_in_a_line_that_names_both(tmp_path: Path):
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/letter.txt").touch()
    for pictures in (FolderPictures(tmp_path / "photos"), pictures_at("s3://shop/photos", tmp_path)):
        for at, words in (("file", "a file, so"), ("full", "not empty, and no"), ("b/.lookalike", "this name is for")):
            with pytest.raises(CollectionError, match=words) as error:
                check_at(tmp_path / at, pictures, moved=False)
            assert str(pictures) in str(error.value)
        with pytest.raises(CollectionError, match="could take over"):
            check_at(tmp_path / "new", pictures, moved=True)
    with pytest.raises(CollectionError, match="the folder of the pictures"):
        check_at(tmp_path / "photos", FolderPictures(tmp_path / "photos"), moved=False)


def test_places_are_told_apart_whether_paths_or_addresses(tmp_path: Path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    here, there = FolderPictures(tmp_path / "photos"), pictures_at("s3://shop/photos", tmp_path)
    assert is_of(str(tmp_path / "link"), here) and is_of("s3://shop/photos", there)
    assert not is_of("s3://shop/photos", here) and not is_of(str(tmp_path / "photos"), there)
    assert is_same(tmp_path / "a/../b", tmp_path / "b")
    assert "the collection of x, not of s3://shop/photos" in str(not_of_these("at", "x", there))
