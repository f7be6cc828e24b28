"""Files are opened only inside the folder, only where they are files, and only with the content that was indexed."""

import os
from pathlib import Path

import pytest
from support.pictures import draw

from lookalike.errors import ImageError
from lookalike.images.decode import content_hash
from lookalike.images.picture_source import FolderPictures
from lookalike.index.pictures import Picture
from lookalike.server.errors import Refusal
from lookalike.server.picture_files import read_inside, read_picture


def picture(path: Path, content: bytes) -> Picture:
    return Picture(path.name, path, content_hash(content), 1, 1, 0)


def test_a_file_of_the_folder_is_read(tmp_path: Path):
    path = draw(tmp_path / "sub" / "a.png", 1)
    assert read_inside(path, tmp_path) == path.read_bytes()


def test_links_are_followed_within_the_folder_alone(tmp_path: Path):
    secret = draw(tmp_path / "secret.png", 1)
    folder = tmp_path / "photos"
    inside = draw(folder / "a.png", 2)
    (folder / "good.png").symlink_to(inside)
    (folder / "out.png").symlink_to(secret)
    (folder / "up").symlink_to(tmp_path)
    (folder / "loop.png").symlink_to(folder / "loop.png")
    assert read_inside(folder / "good.png", folder) == inside.read_bytes()
    for name in ("out.png", "up/secret.png", "../secret.png", "loop.png"):
        with pytest.raises(ImageError) as caught:
            read_inside(folder / name, folder)
        assert str(tmp_path) not in str(caught.value)


def test_a_folder_beside_ours_whose_name_begins_alike_is_outside(tmp_path: Path):
    other = draw(tmp_path / "photos-private" / "a.png", 1)
    (tmp_path / "photos").mkdir()
    with pytest.raises(ImageError, match="out of the folder"):
        read_inside(other, tmp_path / "photos")


def test_what_is_no_file_is_refused_at_once(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("pipe.png", ".", "gone.png", "a\0b.png"):
        with pytest.raises(ImageError):
            read_inside(tmp_path / name, tmp_path)


def test_only_the_content_that_was_indexed_is_given(tmp_path: Path):
    first, second = draw(tmp_path / "a.png", 1), draw(tmp_path / "b.png", 1)
    content = first.read_bytes()
    both = [picture(first, content), picture(second, content)]
    assert read_picture(both, FolderPictures(tmp_path)) == (both[0], content)
    draw(first, 2)
    assert read_picture(both, FolderPictures(tmp_path)) == (both[1], content)
    second.unlink()
    with pytest.raises(Refusal, match="no such file") as caught:
        read_picture(both, FolderPictures(tmp_path))
    assert caught.value.status == 404
    with pytest.raises(Refusal, match="changed since it was indexed"):
        read_picture(both[:1], FolderPictures(tmp_path))
