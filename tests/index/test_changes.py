"""What has changed in a folder: by size and date, by what could not be looked at, by what is left out."""

import pytest

from lookalike.images.scan import ImageFile, ScanResult
from lookalike.index.changes import TICK_NS, compare_with_table, date_to_keep, is_same_file

S = 1_000_000_000


def file(name: str, bytes: int = 1, mtime_ns: int = 1) -> ImageFile:
    return ImageFile(name, None, bytes, mtime_ns)  # type: ignore[arg-type]


def test_new_changed_and_refused_files_are_read_and_the_others_are_not():
    scan = ScanResult([file("a"), file("b", bytes=2), file("c", mtime_ns=2), file("d"), file("e")])
    known = {"a": (1, 1), "b": (1, 1), "c": (1, 1), "e": (1, 1), "f": (1, 1)}
    found = compare_with_table(scan, known, again={"e"}, started_ns=100 * S)
    assert [one.file for one in found.read] == ["b", "c", "d", "e"]
    assert (found.unchanged, found.gone) == (("a",), ("f",))


def test_what_is_to_be_read_comes_in_natural_order_whatever_the_scan_has():
    found = compare_with_table(ScanResult([file("10.jpg"), file("b/1.jpg"), file("2.jpg")]), {})
    assert [one.file for one in found.read] == ["2.jpg", "10.jpg", "b/1.jpg"]


def test_what_could_not_be_looked_at_is_not_gone_and_what_is_left_out_is_neither():
    scan = ScanResult(
        [file("a")], unseen={"locked", "link.jpg"}, empty={"mount"}, excluded={"drafts"}, collections={"theirs"}
    )
    known = dict.fromkeys(
        ["a", "locked/1", "locked2/1", "link.jpg", "mount/1", "drafts/x/1", "theirs/cache/1", "gone"], (1, 1)
    )
    found = compare_with_table(scan, known)
    assert set(found.unseen) == {"locked/1", "link.jpg"}
    assert set(found.excluded) == {"drafts/x/1", "theirs/cache/1"}
    assert set(found.gone) == {"locked2/1", "mount/1", "gone"}
    assert found.emptied == {"mount/1"}


@pytest.mark.parametrize(
    ("age_ns", "kept"),
    [(TICK_NS + 1, 0), (TICK_NS, -1), (0, -1), (-TICK_NS, -1), (-5 * S, -1), (-2 * 3600 * S, 0)],
)
def test_a_date_that_is_as_new_as_the_run_is_not_trusted_the_next_time(age_ns: int, kept: int):
    """A file may change twice within one tick of its clock; one far in the future would be read in every run."""
    started = 10_000 * S
    assert date_to_keep(started - age_ns, started) == started - age_ns + kept


def test_a_file_that_was_read_again_is_the_same_by_its_own_date_or_the_one_that_was_kept():
    assert is_same_file((1, 7), file("a", 1, 7))
    assert is_same_file((1, 6), file("a", 1, 7))
    assert not is_same_file((1, 5), file("a", 1, 7))
    assert not is_same_file((2, 7), file("a", 1, 7))
    assert not is_same_file(None, file("a"))
