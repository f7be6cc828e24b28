"""A collection that is kept current: the folder is looked through whenever something in it changed."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event

from lookalike.collection.alarm import Alarm
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.write_lock import LockHolder
from lookalike.errors import CollectionError, LockedError
from lookalike.index.embed_files import Sift
from lookalike.index.index_report import IndexReport
from lookalike.index.settling import QUIET_S, Settling
from lookalike.progress import SILENT, Reporter

EVERY_S = 60.0
BURST_S, RETRY_S = 10.0, 1.0
SHARE = 20  # of the time, at most one such part goes into looks that nothing gave cause for


@dataclass(frozen=True)
class WatchOptions:
    """How a folder is watched.

    Attributes:
        quiet_s: a file is read when its size and date have been the same for so long.
        every_s: look through the folder so often even if nothing was heard of, as from a network drive; less often
            where a look takes long.
        stop: ends the watching when it is set.
    """

    quiet_s: float = QUIET_S
    every_s: float = EVERY_S
    stop: Event = field(default_factory=Event)


class Watcher:
    """Looks through a folder when something changed in it, and waits where it cannot.

    Args:
        home: of the collection.
        look: brings the collection up to date, with what `Settling.sift` lets pass.
        options: how long to wait for what.
        reporter: takes a line for each thing that the watching waits for, once.
    """

    def __init__(
        self,
        home: CollectionFolder,
        look: Callable[[Sift], IndexReport],
        options: WatchOptions,
        reporter: Reporter = SILENT,
    ):
        self.home, self.options, self.reporter = home, options, reporter
        self._look = look
        self._settling = Settling(options.quiet_s)
        self._waits_for = ""  # the line that was said of it
        self._told: object = None

    def run(self) -> Iterator[IndexReport]:
        """Watch; a report of each look that found something, the first one always.

        Raises: CollectionError, where the first look fails; later ones are tried again.
        """
        options = self.options
        with closing(Alarm(self.home.folder, self.home.at.resolve(), options.stop)) as alarm:
            due = latest = time.monotonic()
            first, reason = True, ""
            while not options.stop.is_set():
                if alarm.reason not in ("", reason):
                    self.reporter.message(
                        f"{self.home.name}: the system reports no changes here ({alarm.reason}). The folder is "
                        f"looked through every {options.every_s:g} s."
                    )
                reason = alarm.reason
                if time.monotonic() >= due:
                    started = time.monotonic()
                    report = self._try(first)
                    ended = time.monotonic()
                    if report is None:
                        due = latest = ended + RETRY_S
                    else:
                        due = latest = ended + max(options.every_s, SHARE * (ended - started))
                        if self._settling.waiting:
                            due, latest = ended + max(options.quiet_s, ended - started), ended + BURST_S
                        if self._is_news(report) or first:
                            yield report
                        first = False
                    continue
                changed = alarm.wait()
                now = time.monotonic()
                if changed is None:  # another folder stands in its place
                    due = min(due, now)
                elif changed:
                    for file, path in changed.items():
                        self._settling.note(file, path)
                    latest = min(latest, now + BURST_S)  # files come without end: those that are whole are read
                    due = min(latest, now + options.quiet_s)

    def _try(self, first: bool) -> IndexReport | None:
        """A look; None where it has to wait, which is said once."""
        try:
            if not first:
                self._check_there()
            report = self._look(self._settling.sift)
        except LockedError as error:
            who = LockHolder(**error.details) if error.details else "another process"
            self._wait_for(f"{self.home.name}: {who} is writing to it. Waiting until it is done.")
            return None
        except CollectionError as error:
            if first:
                raise
            self._wait_for(f"{error} Watching goes on when this is mended; nothing is taken for removed.")
            return None
        if self._waits_for:
            self._waits_for = ""
            self.reporter.message(f"{self.home.name}: watching goes on.")
        return report

    def _check_there(self) -> None:
        """Raises: CollectionError, where the folder or the collection in it is away: none is made in its place."""
        self.home.require_pictures()
        if self.home.config() is None:
            line = f"{self.home.place}: the collection is not there any longer. Mount its disk."
            raise CollectionError(line, code="collection.offline")

    def _wait_for(self, line: str) -> None:
        if line != self._waits_for:
            self._waits_for = line
            self.reporter.message(line)

    def _is_news(self, report: IndexReport) -> bool:
        """Whether a report says anything that the one before did not."""
        kept = (report.kept_missing, report.kept_unseen, report.skipped, report.damaged, report.notes)
        before, self._told = self._told, kept
        counts = (report.added, report.changed, report.moved, report.gone, report.dropped, len(report.refused))
        return any(counts) or bool(report.other_files) or (before is not None and kept != before)
