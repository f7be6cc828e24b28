"""The lock of a collection: one writer at a time, who it is, and waiting for the end of it."""

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from lookalike.errors import LockedError
from lookalike.progress import Reporter, Timer
from lookalike.text import printable_line

POLL_S = 0.2
_MOST_BYTES, _MOST_LETTERS = 4096, 100  # of what a holder says of itself; of each word
_PROCESS_IDS = 1 << 32


@dataclass(frozen=True)
class LockHolder:
    """The process that holds a lock, as it wrote itself down.

    Attributes:
        program: the name of its script, "lookalike" for our own; host: of its machine.
        process: its number there.
        work: what the lock is taken for: "index".
        since: when it was taken, such as 2026-11-27T12:00:00Z.
    """

    program: str
    process: int
    host: str
    work: str
    since: str

    @classmethod
    def this_process(cls, work: str) -> "LockHolder":
        """What this process says of itself."""
        script = Path(sys.argv[0] if sys.argv else "")
        name = script.parent.name if script.name == "__main__.py" else script.name
        known = name if name.strip("-") and not name.startswith("-") else "python"
        return cls(known, os.getpid(), platform.node(), work, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")

    @classmethod
    def parse(cls, content: bytes) -> "LockHolder | None":
        """What a holder wrote; None for what no holder of this version wrote.

        >>> LockHolder.parse(b'{"program": "lookalike"}') is None
        True
        """
        try:
            found = json.loads(content.decode())
            program, host, work = (printable_line(found[one])[:_MOST_LETTERS] for one in ("program", "host", "work"))
            process, since = found["process"], datetime.strptime(found["since"], "%Y-%m-%dT%H:%M:%SZ")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        if type(process) is not int or not 0 <= process < _PROCESS_IDS:
            return None
        return cls(program, process, host, work, f"{since:%Y-%m-%dT%H:%M:%SZ}")

    def __str__(self) -> str:
        at = f"{self.since[:10]} {self.since[11:16]} UTC"
        return f"{self.program} on {self.host or 'this machine'}, process {self.process} ({self.work}, since {at})"


class WriteLock:
    """A file that one process at a time can hold; beside it `lock.holder` says who does.

    Args:
        at: the collection's own folder, which exists.
        name: what people call the place of the pictures.
    """

    def __init__(self, at: Path, name: str):
        from filelock import FileLock  # for those who write

        self.name, self.holder, self._lock = name, at / "lock.holder", FileLock(at / "lock", timeout=0)

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
            who = self._who()
            writes = f"{self.name}: {who or 'another process'} is writing to it."
            if waiting is None:
                line = f"{writes} Wait until it is done, or end it."
                raise LockedError(line, details=None if who is None else asdict(who))
            if not told:
                kept = "" if keep is None else f" {keep()}"
                waiting.message(f"{writes} Waiting until it is done, to save what was learned.{kept}")
                told = True
            waiting.progress(Timer("waiting", total=1).at(0))
            time.sleep(POLL_S)
        try:
            self.holder.write_text(json.dumps(asdict(LockHolder.this_process(work))), encoding="utf-8")
        except OSError:
            self._lock.release()
            raise

    def release(self) -> None:
        """Give the lock back."""
        self.holder.unlink(missing_ok=True)
        self._lock.release()

    def _take(self) -> bool:
        from filelock import Timeout

        try:
            self._lock.acquire()
        except Timeout:
            return False
        return True

    def _who(self) -> LockHolder | None:
        """The holder, as it wrote itself down; it may end while we look."""
        try:
            with self.holder.open("rb") as file:
                return LockHolder.parse(file.read(_MOST_BYTES))
        except OSError:
            return None
