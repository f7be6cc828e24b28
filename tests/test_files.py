"""Files and folders written whole or not at all, and digests."""

import hashlib
from pathlib import Path

import pytest

from lookalike.files import atomic_write, digest, replace_folder


def test_a_file_that_fails_leaves_the_old_one_and_nothing_beside(tmp_path: Path):
    atomic_write(tmp_path / "a/b.txt", b"old")
    with pytest.raises(TypeError):
        atomic_write(tmp_path / "a/b.txt", "no bytes")  # type: ignore[arg-type]
    assert [(one.name, one.read_bytes()) for one in (tmp_path / "a").iterdir()] == [("b.txt", b"old")]


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path: Path):
    folder = tmp_path / "x"
    replace_folder(folder, lambda new: (new / "one").write_text("1"))
    replace_folder(folder, lambda new: (new / "two").write_text("2"))
    assert [one.name for one in folder.iterdir()] == ["two"]

    def fails(new: Path) -> None:
        (new / "three").write_text("3")
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        replace_folder(folder, fails)
    assert [one.name for one in tmp_path.rglob("*")] == ["x", "two"]


def test_a_folder_that_is_there_can_be_kept(tmp_path: Path):
    for text in "12":
        replace_folder(tmp_path / "x", lambda new, text=text: (new / "a").write_text(text), keep_existing=True)
    assert (tmp_path / "x/a").read_text() == "1"
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


def test_a_digest_is_blake2b_of_the_joined_parts():
    expected = hashlib.blake2b(b"abc", digest_size=8).digest()
    assert digest([b"a", b"", b"bc"], 8) == digest([b"abc"], 8) == expected
