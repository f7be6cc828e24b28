"""What has changed in a folder since its table was written: files to read, files that are gone."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

from lookalike.images.scan import ImageFile, ScanResult, is_below, natural_key

# Some file systems keep dates in steps of two seconds: a file can change twice within one.
TICK_NS = 2_000_000_000
SKEW_NS = 3600 * 1_000_000_000  # by how much the clock of a network drive may be ahead of ours


@dataclass(frozen=True)
class ChangeSet:
    """What has changed in a folder.

    Attributes:
        read: files to read: new, changed, or to be tried again.
        gone: files that are there no longer.
        emptied: those of them that lay in folders which are empty now.
        unseen: files that could not be looked at, so they may be there.
        excluded: files that are left out from now on.
        unchanged: files that need not be read.
    """

    read: tuple[ImageFile, ...] = ()
    gone: tuple[str, ...] = ()
    emptied: frozenset[str] = frozenset()
    unseen: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()


def compare_with_table(
    scan: ScanResult,
    known: Mapping[str, tuple[int, int]],
    again: Container[str] = frozenset(),
    started_ns: int = 0,
) -> ChangeSet:
    """Compare a folder with what is known of it.

    Args:
        scan: of the folder, in any order; what is to be read comes in natural order.
        known: file -> (bytes, mtime_ns), refused files included.
        again: files to read though they have not changed.
        started_ns: when the scan began, in ns since 1970.
    """
    read, unchanged, there = [], [], set()
    for one in scan.files:
        there.add(one.file)
        if known.get(one.file) == (one.bytes, one.mtime_ns) and one.file not in again:
            unchanged.append(one.file)
        else:
            read.append(replace(one, mtime_ns=date_to_keep(one.mtime_ns, started_ns)))
    read.sort(key=lambda one: natural_key(one.file))
    gone: list[str] = []
    unseen: list[str] = []
    excluded: list[str] = []
    left_out = scan.excluded | scan.collections
    for file in known:
        if file in there:
            continue
        which = excluded if is_below(file, left_out) else unseen if is_below(file, scan.unseen) else gone
        which.append(file)
    emptied = frozenset(file for file in gone if is_below(file, scan.empty))
    return ChangeSet(tuple(read), tuple(gone), emptied, tuple(unseen), tuple(excluded), tuple(unchanged))


def date_to_keep(mtime_ns: int, started_ns: int) -> int:
    """The date to keep of a file that is read: its own, or one that makes the next run read it again.

    A file that changed just before it was read may change once more within the same step of its file system's clock;
    its size and date would then say nothing of it. Such a date is kept one nanosecond early. (git does the like, and
    calls such files racily clean.)

    >>> date_to_keep(7_000_000_000, 10_000_000_000), date_to_keep(9_000_000_000, 10_000_000_000)
    (7000000000, 8999999999)
    """
    fresh = -TICK_NS <= mtime_ns - started_ns <= SKEW_NS
    return mtime_ns - 1 if fresh else mtime_ns


def is_same_file(known: tuple[int, int] | None, file: ImageFile) -> bool:
    """Whether a file that was read again has the size and the date that it had before."""
    return known is not None and known[0] == file.bytes and known[1] in (file.mtime_ns, file.mtime_ns - 1)
