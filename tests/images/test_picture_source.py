"""A folder as a source of pictures gives what scanning it and opening its files give."""

from pathlib import Path

import pytest

from lookalike.errors import CollectionError
from lookalike.images.picture_source import FolderPictures


def test_a_folder_gives_its_files_and_their_bytes(photos: Path):
    source = FolderPictures(photos)
    source.require()
    files = source.scan().files
    assert sorted(one.file for one in files) == sorted(
        path.relative_to(photos).as_posix() for path in photos.rglob("*") if path.is_file()
    )
    for file in source.ahead(files):
        with source.open(file) as content:
            assert content == (photos / file.file).read_bytes()
    assert (source.address, str(source)) == (str(photos.resolve()), str(photos))


def test_a_folder_that_is_not_there_or_a_file_is_one_line(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(CollectionError, match=r"a file\. Name its folder"):
        FolderPictures(tmp_path / "file").require()
    gone = FolderPictures(tmp_path / "gone")
    for ask in (gone.require, gone.scan):
        with pytest.raises(CollectionError, match="no such folder"):
            ask()
