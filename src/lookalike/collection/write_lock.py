"""The lock of a collection: one writer at a time, who it is, and waiting for the end of it."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from lookalike.errors import LockedError
from lookalike.progress import Reporter, Timer

POLL_S = 0.2


class WriteLock:
    """A file that one process at a time can hold; beside it `lock.holder` says who does.

    Args:
        at: the collection's own folder, which exists.
        folder: the pictures', for messages.
    """

    def __init__(self, at: Path, folder: Path):
        self.folder, self.holder, self._lock = folder, at / "lock.holder", FileLock(at / "lock", timeout=0)

    def acquire(self, work: str, waiting: Reporter | None, keep: Callable[[], str] | None = None) -> None:
        """Take the lock.

        Args:
            work: what it is taken for, as people call it: "index".
            waiting: None: do not wait. Else wait without limit: it takes one line that says for whom, and progress of
                the stage "waiting", so that it can cancel.
            keep: called before it waits, to put what was worked for where it is safe; returns words on what Ctrl-C
                means.
        Raises: LockedError, when another process holds it and `waiting` is None; OSError.
        """
        told = False
        while not self._take():
            if waiting is None:
                raise LockedError(f"{self.folder}: {self._who()} is writing to it. Wait until it is done, or end it.")
            if not told:
                kept = "" if keep is None else f" {keep()}"
                waiting.message(
                    f"{self.folder}: {self._who()} is writing to it. Waiting until it is done, to save what was "
                    f"learned.{kept}"
                )
                told = True
            waiting.progress(Timer("waiting", total=1).at(0))
            time.sleep(POLL_S)
        try:
            self.holder.write_text(f"process {os.getpid()} ({work}, since {datetime.now(UTC):%Y-%m-%d %H:%M} UTC)")
        except OSError:
            self._lock.release()
            raise

    def release(self) -> None:
        """Give the lock back."""
        self.holder.unlink(missing_ok=True)
        self._lock.release()

    def _take(self) -> bool:
        try:
            self._lock.acquire()
        except Timeout:
            return False
        return True

    def _who(self) -> str:
        """The holder, as it wrote itself down; it may end while we look."""
        try:
            return self.holder.read_text(encoding="utf-8") or "another process"
        except OSError:
            return "another process"
