"""The names of the files that are being read, on disk, so that a run that was killed leaves the name of its killer."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from lookalike.errors import ImageError
from lookalike.images.scan import ImageFile

Read = TypeVar("Read")

_SLOT = 8192  # bytes: a state, the name in UTF-8 with surrogates, zeros
_FREE, _TOGETHER, _ALONE = b"\0", b"t", b"a"


class WorkLog:
    """Writes down which files are being read; for one run, under the collection's lock, and for many threads.

    A run that ends takes the log away. One that was killed (by the system, where memory ran out) leaves it. The next
    run reads the files that are named there one at a time. A file that was read alone when its run was killed is
    refused from then on, until its size or date changes.

    A name is written without forcing it to the disk: it outlives the process, and need not outlive the machine.

    Args:
        path: of the log.

    Attributes:
        suspects: files that are to be read alone.
        killers: files to refuse.
    """

    def __init__(self, path: Path):
        self.path = path
        left = _names(path)
        self.killers = {name for state, name in left if state == _ALONE}
        self.suspects = {name for _, name in left} - self.killers
        self._changed = threading.Condition()
        self._reading, self._alone = 0, False
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb", buffering=0)
        self._free: list[int] = []  # slots of files that are done
        self._slots = len(left)
        self._slot_of = {name: slot for slot, (_, name) in enumerate(left)}
        for slot, (state, name) in enumerate(left):
            self._write(slot, state, name)

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Open while the file is read and decoded.

        Raises: ImageError of kind "killed", for a file that ended the run before.
        """
        if name in self.killers:
            raise ImageError(
                "was being read when the last run was killed, perhaps for want of memory. Make a smaller copy, or "
                "touch the file to try it again.",
                "killed",
            )
        alone = name in self.suspects
        self._enter(alone)
        slot = self._slot_of.get(name)
        try:
            slot = self._take() if slot is None else slot
            self._write(slot, _ALONE if alone else _TOGETHER, name)
            yield
        finally:
            if slot is not None:
                self._release(slot)
            self._leave(alone)

    def close(self, finished: bool) -> None:
        """End the log, and take it away if the run has read all its files; else what it has still to tell stays."""
        self._file.close()
        if finished:
            self.path.unlink(missing_ok=True)

    def _enter(self, alone: bool) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._alone and not (alone and self._reading))
            self._reading += 1
            self._alone = alone

    def _leave(self, alone: bool) -> None:
        with self._changed:
            self._reading -= 1
            self._alone = self._alone and not alone
            self._changed.notify_all()

    def _take(self) -> int:
        with self._changed:
            if self._free:
                return self._free.pop()
            self._slots += 1
            return self._slots - 1

    def _release(self, slot: int) -> None:
        self._write(slot, _FREE, "")  # before it is given away
        with self._changed:
            self._free.append(slot)

    def _write(self, slot: int, state: bytes, name: str) -> None:
        entry = state + name.encode("utf-8", "surrogateescape")[: _SLOT - 2] + b"\0"
        with self._changed:
            self._file.seek(slot * _SLOT)
            self._file.write(entry)


@contextmanager
def logged(path: Path | None, read: Callable[[ImageFile], Read]) -> Iterator[Callable[[ImageFile], Read]]:
    """`read`, which now writes down in the log at `path` what it reads (see `WorkLog`); None for no log."""
    if path is None:
        yield read
        return
    log, finished = WorkLog(path), False

    def read_logged(file: ImageFile) -> Read:
        with log.reading(file.file):
            return read(file)

    try:
        yield read_logged
        finished = True
    finally:
        log.close(finished)


def _names(path: Path) -> list[tuple[bytes, str]]:
    """The states and names that a log holds; none, if it is not there or cannot be read."""
    try:
        content = path.read_bytes()
    except OSError:
        return []
    found = []
    for start in range(0, len(content), _SLOT):
        state, name = content[start : start + 1], content[start + 1 : start + _SLOT].partition(b"\0")[0]
        if state in (_TOGETHER, _ALONE) and name:
            found.append((state, name.decode("utf-8", "surrogateescape")))
    return found
