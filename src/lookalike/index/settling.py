"""Which changes of a folder are taken up while people and programs still write to it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from lookalike.images.scan import ImageFile, ScanResult, is_below
from lookalike.index.changes import TICK_NS, ChangeSet

QUIET_S = TICK_NS / 1e9  # so that a date says all of a file that is read
HOLD_S = 60.0
OLD_NS = 60_000_000_000


class Settling:
    """Lets a file pass once it has stopped growing, and never takes a disk that is away for files that were removed.

    - A file passes when its size and date have been the same for `quiet_s`, as events (`note`) or earlier looks saw
      them; at once when it was last written a minute ago or earlier, and when size and date are those of a file that
      is gone: it was renamed, and costs no embedding.
    - While files wait, what is gone waits with them, `HOLD_S` at most: one of them may be the same picture.
    - What lay on a disk of its own below the folder is not gone while no disk is mounted there.

    Args:
        quiet_s: how long, in seconds.
        clock: gives seconds.
        date: gives the date, in ns since 1970.

    Attributes:
        waiting: how many files the last look left for later.
    """

    def __init__(
        self,
        quiet_s: float = QUIET_S,
        clock: Callable[[], float] = time.monotonic,
        date: Callable[[], int] = time.time_ns,
    ):
        self.quiet_s, self._clock, self._date, self.waiting = quiet_s, clock, date, 0
        self._seen: dict[str, tuple[tuple[int, int], float]] = {}  # file -> size and date, since when
        self._missing: dict[str, float] = {}  # file -> since when
        self._mounts: set[str] = set()

    def note(self, file: str, path: Path) -> None:
        """Remember how a file looks now: something was said of it."""
        try:
            status = path.stat()
        except (OSError, ValueError):
            self._seen.pop(file, None)
            return
        self._note(file, (status.st_size, status.st_mtime_ns))

    def sift(self, changes: ChangeSet, known: Mapping[str, tuple[int, int]], scan: ScanResult) -> ChangeSet:
        """What of the changes is taken up now; the rest is found again by the next look.

        Args:
            changes: between folder and table.
            known: file -> (bytes, mtime_ns), of the table.
            scan: of the folder.
        """
        self._mounts |= scan.mounts
        away = self._mounts - scan.mounts
        unseen = [file for file in changes.gone if is_below(file, away)]
        gone = [file for file in changes.gone if not is_below(file, away)]
        looked = {(known[file][0], known[file][1] + by) for file in gone for by in (-1, 0, 1)}  # see date_to_keep
        ready: list[ImageFile] = []
        waiting: list[ImageFile] = []
        old = self._date() - OLD_NS
        for one in changes.read:
            look = (one.bytes, one.mtime_ns)
            passes = self._note(one.file, look) or look in looked or one.mtime_ns <= old
            (ready if passes else waiting).append(one)
        self._seen = {one.file: self._seen[one.file] for one in waiting if one.file in self._seen}
        now = self._clock()
        self._missing = {file: self._missing.get(file, now) for file in gone} if waiting else {}
        held = {file for file, since in self._missing.items() if now - since < HOLD_S}
        self.waiting = len(waiting)
        return replace(
            changes,
            read=tuple(ready),
            gone=tuple(file for file in gone if file not in held),
            emptied=changes.emptied - held,
            unseen=(*changes.unseen, *unseen),
        )

    def _note(self, file: str, look: tuple[int, int]) -> bool:
        """Whether a file has looked so for long enough."""
        now, seen = self._clock(), self._seen.get(file)
        if seen is None or seen[0][0] != look[0] or abs(seen[0][1] - look[1]) > 1:  # see date_to_keep
            self._seen[file] = (look, now)
            return self.quiet_s <= 0
        return now - seen[1] >= self.quiet_s
