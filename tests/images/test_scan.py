"""Walking a folder: what is found, in which order, and what is passed over with which words."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.images.scan import natural_key, scan_folder
from lookalike.text import printable_line

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and such names are for POSIX systems")


def put(root: Path, *files: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"12345")


def names(root: Path) -> list[str]:
    return [one.file for one in scan_folder(root)]


def test_files_come_in_natural_order_folder_by_folder(tmp_path):
    put(tmp_path, "10.jpg", "2.jpg", "b/x.jpg", "b 2/x.jpg", "B 10/x.jpg", "a.jpg", "IMG_007.jpg", "img_8.jpg")
    expected = ["2.jpg", "10.jpg", "a.jpg", "b/x.jpg", "b 2/x.jpg", "B 10/x.jpg", "IMG_007.jpg", "img_8.jpg"]
    assert names(tmp_path) == expected


def test_a_found_file_knows_its_size_and_date(tmp_path):
    put(tmp_path, "a/b.jpg")
    os.utime(tmp_path / "a/b.jpg", ns=(5, 123_456_789))
    (found,) = scan_folder(tmp_path)
    assert (found.file, found.path, found.bytes, found.mtime_ns) == ("a/b.jpg", tmp_path / "a/b.jpg", 5, 123_456_789)


def test_what_programs_leave_among_pictures_is_left_out(tmp_path):
    put(tmp_path, ".lookalike/t.jpg", ".git/a.jpg", "._a.jpg", "@eaDir/a.jpg", "b/@eaDir/a.jpg", "__MACOSX/a.jpg")
    put(tmp_path, "Thumbs.db", "desktop.ini", "c/.hidden/a.jpg", "c/.DS_Store", "good.jpg")
    walked = scan_folder(tmp_path)
    assert [one.file for one in walked] == ["good.jpg"]
    assert walked.skipped == {}


def test_files_that_are_no_pictures_are_found_too_because_only_their_content_can_tell(tmp_path):
    put(tmp_path, "notes.txt", "photo", "clip.mp4")
    assert names(tmp_path) == ["clip.mp4", "notes.txt", "photo"]


@POSIX
def test_names_with_quotes_newlines_emoji_and_hangul_come_through_unchanged(tmp_path):
    odd = [
        'it\'s "so".jpg',
        "two\nlines.jpg",
        "🐱.jpg",
        "고양이/사진 2.jpg",
        "고양이/사진 10.jpg",
        "100% #1 & more?.jpg",
        "-k.jpg",
    ]
    put(tmp_path, *odd)
    assert sorted(names(tmp_path)) == sorted(odd)
    assert names(tmp_path).index("고양이/사진 2.jpg") < names(tmp_path).index("고양이/사진 10.jpg")


@POSIX
@pytest.mark.skipif(sys.platform == "darwin", reason="macOS makes no such names")
def test_names_that_are_no_utf8_are_passed_over_and_shown_escaped(tmp_path):
    put(tmp_path, "good.jpg")
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))).write_bytes(b"1")
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    folder.mkdir()
    (folder / "inside.jpg").write_bytes(b"1")
    walked = scan_folder(tmp_path)
    assert [one.file for one in walked] == ["good.jpg"]
    reason = "its name is not UTF-8. Rename it."
    assert walked.skipped == {"caf\\xe9.jpg": reason, "\\xff\\xfe": reason}


@POSIX
def test_a_link_to_an_ancestor_ends_there(tmp_path):
    put(tmp_path, "a/b/photo.jpg")
    (tmp_path / "a/b/up").symlink_to(tmp_path)
    walked = scan_folder(tmp_path)
    assert [one.file for one in walked] == ["a/b/photo.jpg"]
    assert walked.skipped == {"a/b/up": "a link to a folder that was read already."}


@POSIX
def test_what_lies_here_is_found_under_its_own_name_and_once_even_when_a_link_comes_first(tmp_path):
    put(tmp_path, "z/photo.jpg")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/link").symlink_to(tmp_path / "z")
    assert names(tmp_path) == ["z/photo.jpg"]


@POSIX
def test_links_to_folders_and_files_elsewhere_are_followed(tmp_path):
    put(tmp_path, "elsewhere/1.jpg", "elsewhere/deep/2.jpg", "alone.jpg", "here/0.jpg")
    (tmp_path / "here/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "here/file.jpg").symlink_to(tmp_path / "alone.jpg")
    assert names(tmp_path / "here") == ["0.jpg", "file.jpg", "link/1.jpg", "link/deep/2.jpg"]


@POSIX
def test_links_to_nowhere_and_pipes_are_named_and_never_opened(tmp_path):
    put(tmp_path, "good.jpg")
    (tmp_path / "lost.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "self.jpg").symlink_to(tmp_path / "self.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    walked = scan_folder(tmp_path)
    assert [one.file for one in walked] == ["good.jpg"]
    assert walked.skipped["lost.jpg"] == "a link to nowhere. Mend or remove it."
    assert walked.skipped["pipe.jpg"] == "a pipe, a socket or a device, not a file."
    assert walked.skipped["self.jpg"].startswith("cannot be read (")


@POSIX
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_named_and_the_walk_goes_on(tmp_path):
    put(tmp_path, "closed/a.jpg", "open/b.jpg")
    (tmp_path / "closed").chmod(0)
    try:
        walked = scan_folder(tmp_path)
    finally:
        (tmp_path / "closed").chmod(0o700)
    assert [one.file for one in walked] == ["open/b.jpg"]
    assert walked.skipped == {"closed": "cannot be read (Permission denied). Check the disk and the permissions."}


def test_a_folder_that_is_none_gives_an_empty_walk_that_says_so(tmp_path):
    put(tmp_path, "file.jpg")
    for folder in (tmp_path / "missing", tmp_path / "file.jpg"):
        walked = scan_folder(folder)
        assert len(walked) == 0
        assert walked.skipped["."].startswith("cannot be read (")


@POSIX
@given(st.integers(0, 10**30), st.integers(0, 10**30))
def test_numbers_in_names_are_compared_as_numbers(a, b):
    assert (natural_key(f"photo {a}.jpg") < natural_key(f"photo {b}.jpg")) == (a < b)


@given(st.lists(st.text(max_size=12), max_size=6))
def test_any_two_names_have_an_order_and_only_equal_names_are_equal(texts):
    ordered = sorted(texts, key=natural_key)
    assert sorted(texts, key=natural_key) == ordered
    assert len({natural_key(text) for text in texts}) == len(set(texts))


@given(st.text(st.sampled_from("a \n\r\t\x1b\x85\u2028\udce9é한🐱"), max_size=8))
def test_a_shown_name_is_one_printable_line_that_can_be_encoded(name):
    line = printable_line(name)
    line.encode("utf-8")
    assert len(line.splitlines()) <= 1
    assert "\x1b" not in line
