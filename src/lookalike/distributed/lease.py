"""A lock on an object store: one object, written by conditional PUT; no clock is compared with another machine's."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from lookalike.distributed.object_store import Location
from lookalike.errors import LockedError, StorageError

TERM_S = 60.0
NAME = "lease"  # not "lock": that one is of a folder, and travels along where a folder is copied here
_RENEWALS = 3  # a term
_LOOKS = 12  # a term, of who waits


class Lease:
    """Who may write at a place: it is written only where no lock was, or exactly as the lock was last seen.

    The holder writes its lock anew every third of a term. Who finds it held watches its tag: where that stays the same
    for a whole term of its own clock, the holder is dead, and the lock is taken from it.

    Args:
        location: of what is locked; the lock lies there under the name "lease".
        about: what the holder says of itself, which JSON can hold.
        term_s: how long a holder that is silent counts as alive, in seconds.
    """

    def __init__(self, location: Location, about: Mapping[str, Any], term_s: float = TERM_S):
        self.location, self.about, self.term_s = location, dict(about), term_s
        self._own = uuid.uuid4().hex  # tells this lock from another of the same process
        self._lost, self._ended = threading.Event(), threading.Event()
        self._tag, self._written_s = "", 0.0  # of the last renewal; by the clock of this process
        self._thread: threading.Thread | None = None

    def acquire(self, refuse: Callable[[bytes], Exception] | None = None) -> None:
        """Take the lock; where another holds it, this waits until it is known whether that one lives: a term at most.

        Args:
            refuse: what another holder says of itself, as it was written -> the error to raise where it lives.
        Raises: LockedError, where another lives; StorageError, also for a store that ignores conditions.
        """
        while not self._write(new=True):
            seen = self.location.look(NAME)
            if seen is None:  # left meanwhile
                continue
            self._watch(seen.tag, refuse)
            if self._write(tag=seen.tag):
                break
        try:
            self._check_conditions()
        except BaseException:
            self.location.remove(NAME)
            raise
        self._lost.clear()
        self._ended.clear()
        self._thread = threading.Thread(target=self._renew, name="lookalike-lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Ask before each commit whether the lock is still held.

        Raises: LockedError, where another process took it, because this one was silent for a term.
        """
        if self._lost.is_set() or time.monotonic() - self._written_s > self.term_s:
            raise LockedError(
                f"{self.location}: this process was silent for {self.term_s:.0f} s, so another may write there now. "
                "What was committed is kept; run it again.",
                code="collection.lock_lost",
            )

    def release(self) -> None:
        """Give the lock back; where another has it, that one's stays."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if not self._lost.is_set() and self._is_own():
            self.location.remove(NAME)

    def _watch(self, tag: str, refuse: Callable[[bytes], Exception] | None) -> None:
        """Return once a lock was the same for a term, or is gone; raise what `refuse` makes where it was renewed."""
        ends = time.monotonic() + self.term_s
        while time.monotonic() < ends:
            time.sleep(self.term_s / _LOOKS)
            now = self.location.look(NAME)
            if now is None:
                return
            if now.tag != tag:
                try:
                    content, _ = self.location.read(NAME)
                except FileNotFoundError:
                    return
                raise LockedError(_refusal(self.location, content)) if refuse is None else refuse(content)

    def _check_conditions(self) -> None:
        """Raises: StorageError, when the store writes though a condition does not hold."""
        again = self.location.write(NAME, self._body(), new=True)
        other = self.location.write(NAME, self._body(), tag=f'"{uuid.uuid4().hex}"') if again is None else again
        if other is not None:
            raise StorageError(
                f"{self.location}: this store ignores conditions (If-None-Match, If-Match) when it writes, so two "
                "writers would overwrite each other. Use a store that knows them, as S3, GCS, Azure, MinIO and R2 do.",
                code="storage.no_conditions",
            )

    def _write(self, *, tag: str | None = None, new: bool = False) -> bool:
        """Write the lock where the condition holds; whether it did."""
        began_s = time.monotonic()
        written = self.location.write(NAME, self._body(), tag=tag, new=new)
        if written is None:
            return False
        self._tag, self._written_s = written, began_s
        return True

    def _body(self) -> bytes:
        return json.dumps(self.about | {"lease": self._own, "turn": uuid.uuid4().hex}).encode()

    def _renew(self) -> None:
        while not self._ended.wait(self.term_s / _RENEWALS):
            try:
                if not self._write(tag=self._tag) and not self._is_own():
                    self._lost.set()
                    return
            except StorageError:  # again at the next turn: the term decides
                continue

    def _is_own(self) -> bool:
        """Whether the lock is ours: a renewal may have been written whose answer was lost."""
        try:
            content, seen = self.location.read(NAME)
            own = bool(json.loads(content)["lease"] == self._own)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return False
        if own:
            self._tag = seen.tag
        return own


def _refusal(location: Location, content: bytes) -> str:
    try:
        found = json.loads(content)
        who = f"host {str(found['host'])[:100]}, process {int(found['process'])}"
    except (ValueError, KeyError, TypeError):
        who = "another process"
    return f"{location}: {who}, is writing to it. Wait until it is done, or end it."
