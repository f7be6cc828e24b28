"""What is taken up of a folder's changes while it is written to, by hand; the clock alone is ours."""

import os
from pathlib import Path

import pytest

from lookalike.images.scan import ImageFile, ScanResult
from lookalike.index.changes import ChangeSet
from lookalike.index.settling import HOLD_S, OLD_NS, Settling


def file(name: str, bytes: int = 1, mtime_ns: int = 10) -> ImageFile:
    return ImageFile(name, Path(name), bytes, mtime_ns)


class Look:
    """A settling with a clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.settling = Settling(2.0, lambda: self.now, lambda: OLD_NS + 5)

    def sift(self, *read: ImageFile, gone=(), known=None, mounts=()) -> ChangeSet:
        scan = ScanResult(mounts=set(mounts))
        return self.settling.sift(ChangeSet(read, tuple(gone), frozenset(gone)), known or {}, scan)


@pytest.fixture
def look() -> Look:
    return Look()


def names(changes: ChangeSet) -> list[str]:
    return [one.file for one in changes.read]


def test_a_file_passes_once_it_has_looked_the_same_for_so_long(look: Look):
    assert (names(look.sift(file("a"))), look.settling.waiting) == ([], 1)
    look.now = 1.9
    assert names(look.sift(file("a"))) == []
    look.now = 2.0
    assert (names(look.sift(file("a"))), look.settling.waiting) == (["a"], 0)


def test_one_that_grows_or_is_written_again_waits_anew(look: Look):
    look.sift(file("a"), file("b"))
    look.now = 2
    assert names(look.sift(file("a", bytes=2), file("b", mtime_ns=99))) == []
    look.now = 3.9
    assert names(look.sift(file("a", bytes=2), file("b", mtime_ns=99))) == []
    look.now = 4
    assert names(look.sift(file("a", bytes=2), file("b", mtime_ns=98))) == ["a", "b"], "the date that is kept early"


def test_an_event_begins_the_time_so_that_the_first_look_lets_it_pass(look: Look, tmp_path: Path):
    path = tmp_path / "a"
    path.write_bytes(b"12")
    os.utime(path, ns=(77, 77))
    look.settling.note("a", path)
    look.now = 2
    assert names(look.sift(file("a", 2, 77), file("b"))) == ["a"]
    look.settling.note("c", tmp_path / "gone")
    assert names(look.sift(file("c"))) == []


def test_one_that_was_written_long_ago_passes_at_once(look: Look):
    assert names(look.sift(file("a", mtime_ns=5), file("b", mtime_ns=6))) == ["a"]


def test_a_renamed_file_passes_at_once(look: Look):
    found = look.sift(file("new", 5, 70), file("other", 5, 90), gone=["old"], known={"old": (5, 70)})
    assert names(found) == ["new"]
    assert names(look.sift(file("new", 5, 70), gone=["old"], known={"old": (5, 69)})) == ["new"]


def test_what_is_gone_waits_for_files_that_wait_but_not_for_ever(look: Look):
    """A copy under another name, the old one removed: were its row gone first, it would be embedded anew."""
    found = look.sift(file("copy"), gone=["old"], known={"old": (5, 70)})
    assert (found.gone, found.emptied) == ((), frozenset())
    look.now = HOLD_S - 1
    assert look.sift(file("copy", 2), gone=["old"], known={"old": (5, 70)}).gone == ()
    look.now = HOLD_S
    assert look.sift(file("copy", 3), gone=["old"], known={"old": (5, 70)}).gone == ("old",)
    assert look.sift(gone=["x"], known={"x": (5, 70)}).gone == ("x",), "nothing waits"


def test_what_lay_on_a_disk_that_is_away_is_not_gone(look: Look):
    known = {"card/1": (1, 1), "here": (1, 2)}
    assert look.sift(mounts={"card"}) == ChangeSet()
    away = look.sift(gone=["card/1", "here"], known=known)
    assert (away.gone, away.unseen) == (("here",), ("card/1",))
    assert look.sift(gone=["card/1"], known=known, mounts={"card"}).gone == ("card/1",), "it is back, and lacks one"
