"""What a scan leaves out: patterns as in a .gitignore, and the folders of collections."""

import json
import unicodedata
from pathlib import Path

import pytest

from lookalike.errors import CollectionError
from lookalike.images.leave_out import IGNORE_FILE, IgnoreRules, LeaveOut, is_collection, read_rules
from lookalike.images.scan import scan_folder


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.psd", ["a.jpg", "drafts/b.jpg", "drafts/deep/c.jpg"]),
        ("drafts/", ["a.jpg", "a.psd"]),
        ("/drafts/*.jpg", ["a.jpg", "a.psd", "drafts/deep/c.jpg"]),
        ("**/deep", ["a.jpg", "a.psd", "drafts/b.jpg"]),
        ("# a comment", ["a.jpg", "a.psd", "drafts/b.jpg", "drafts/deep/c.jpg"]),
    ],
)
def test_patterns_leave_out_what_git_would_leave_out(tmp_path: Path, pattern: str, left: list[str]):
    touch(tmp_path, "a.jpg", "a.psd", "drafts/b.jpg", "drafts/deep/c.jpg")
    assert [one.file for one in scan_folder(tmp_path, LeaveOut((pattern,))).files] == left
    (tmp_path / IGNORE_FILE).write_text(f"{pattern}\n")
    found = scan_folder(tmp_path)
    assert [one.file for one in found.files] == left


def test_patterns_name_files_in_any_form_of_unicode(tmp_path: Path):
    nfc, nfd = (unicodedata.normalize(form, "été/é.jpg") for form in ("NFC", "NFD"))
    touch(tmp_path, nfd, "a.jpg")
    for pattern in (nfc, nfd, "/" + nfc.split("/")[0] + "/", "?.jpg", nfc.split("/")[0]):
        kept = [one.file for one in scan_folder(tmp_path, LeaveOut((pattern,))).files]
        assert kept == ([] if pattern == "?.jpg" else ["a.jpg"]), pattern
    (tmp_path / nfd).with_name(IGNORE_FILE).write_text(unicodedata.normalize("NFC", "é.jpg"))
    assert [one.file for one in scan_folder(tmp_path).files] == ["a.jpg"]


def test_the_deepest_folder_that_says_anything_decides(tmp_path: Path):
    touch(tmp_path, "1.png", "keep/2.png", "keep/deep/3.png")
    (tmp_path / IGNORE_FILE).write_text("*.png\n")
    (tmp_path / "keep" / IGNORE_FILE).write_text("!*.png\n")
    (tmp_path / "keep/deep" / IGNORE_FILE).write_text("3.*\n")
    found = scan_folder(tmp_path)
    assert [one.file for one in found.files] == ["keep/2.png"]
    assert found.excluded == {"1.png", "keep/deep/3.png"}


def test_rules_of_a_folder_are_relative_to_it():
    rules = IgnoreRules("a/", ["/b.png"], IgnoreRules("", ["c.png"]))
    assert rules.excludes("a/b.png")
    assert not rules.excludes("a/x/b.png")
    assert rules.excludes("a/x/c.png")


def test_an_ignore_file_that_cannot_be_read_stops_the_run_before_unwanted_pictures_are_indexed(tmp_path: Path):
    (tmp_path / IGNORE_FILE).write_bytes(b"\xff\xfe\xff")
    with pytest.raises(CollectionError, match=r"\.lookalikeignore: cannot be read \(not UTF-8\)"):
        read_rules(tmp_path / IGNORE_FILE, "", None)


def collection(folder: Path, *parts: str, config: object = None) -> Path:
    folder.mkdir()
    for part in parts:
        (folder / part).mkdir() if part.endswith("s") else (folder / part).write_text("")
    if config is not None:
        (folder / "collection.json").write_text(config if isinstance(config, str) else json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("parts", "config", "expected"),
    [
        ((), None, False),
        ((), {"name": "an app's own"}, False),
        ((), "not JSON", False),
        ((), ["a list"], False),
        ((), {"format": 1, "backbone": "b"}, True),
        (("tables",), {"name": "damaged"}, True),
        (("lock",), "damaged", True),
        (("lock", "tables", "lenses"), None, True),
        (("lock", "holiday.jpgs"), None, False),
        (("tables",), None, False),
    ],
)
def test_what_a_collection_is(tmp_path: Path, parts, config, expected: bool):
    assert is_collection(collection(tmp_path / "c", *parts, config=config)) is expected


def test_folders_of_collections_are_never_walked_wherever_they_lie(tmp_path: Path):
    touch(tmp_path, "a.png", "mine/cache/thumbnails/1.png", "theirs/cache/2.png", "app/3.png")
    (tmp_path / "theirs/lock").write_text("")
    (tmp_path / "theirs/collection.json").write_text("{}")
    (tmp_path / "app/collection.json").write_text('{"name": "an app"}')
    found = scan_folder(tmp_path, LeaveOut(own=tmp_path / "mine"))
    assert [one.file for one in found.files if one.file.endswith(".png")] == ["a.png", "app/3.png"]
