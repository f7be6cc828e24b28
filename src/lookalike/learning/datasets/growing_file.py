"""A file of lines that only grows: read from its first line or from its last, in bounded memory, and appended to."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lookalike.errors import ExamplesError
from lookalike.files import append_lines

LONGEST_LINE = 1_048_576  # bytes; a query with 24 candidates of 4,096 bytes, each byte escaped, fits in
BLOCK = 1 << 16
Line = tuple[int, bytes | None]  # its number, from 1; None where it is too long to be ours


class GrowingFile:
    """The lines of a file to which several processes may append; what is appended after opening is not read.

    Args:
        file: opened for reading.
    """

    def __init__(self, file: BinaryIO):
        self._file, self.size = file, os.fstat(file.fileno()).st_size

    def lines(self) -> Iterator[Line]:
        """Every line with its end, from the first on; the last may lack its end, where it broke off."""
        self._file.seek(0)
        number = 0
        while line := self._file.readline(min(LONGEST_LINE, self.size - self._file.tell())):
            number += 1
            fits = _fits(line)
            while not line.endswith(b"\n") and self._file.tell() < self.size:
                line = self._file.readline(min(LONGEST_LINE, self.size - self._file.tell()))
                fits = False
            yield number, line if fits else None

    def lines_from_the_last(self) -> Iterator[Line]:
        """The same lines, from the last back to the first. To number them, all ends of lines are counted before."""
        number = self._count_ends() + 1  # of what stands behind the last end, which may be nothing
        start, rest, fits, ended = self.size, b"", True, False
        while start:
            length = min(BLOCK, start)
            start -= length
            self._file.seek(start)
            rest, *lines = (self._file.read(length) + rest).split(b"\n")
            for line in reversed(lines):
                if line or not fits or ended:
                    yield number, _whole(line, fits, ended)
                number, fits, ended = number - 1, True, True
            if len(rest) > LONGEST_LINE:
                rest, fits = b"", False
        if self.size and (rest or not fits or ended):
            yield number, _whole(rest, fits, ended)

    def _count_ends(self) -> int:
        self._file.seek(0)
        ends, left = 0, self.size
        while left > 0 and (block := self._file.read(min(1 << 20, left))):
            ends, left = ends + block.count(b"\n"), left - len(block)
        return ends


@contextmanager
def opened(path: Path) -> Iterator[GrowingFile | None]:
    """A file for reading; None where there is none yet.

    Raises: ExamplesError, when it cannot be read.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise OSError(errno.EINVAL, "it is no file")
        with path.open("rb") as file:
            yield GrowingFile(file)
    except FileNotFoundError:
        yield None
    except OSError as error:
        raise ExamplesError(f"{path}: cannot be read ({error.strerror}). Check the permissions.") from error


def append(path: Path, lines: Sequence[str]) -> None:
    """Add lines in one write at the end; they are on the disk when this returns.

    Args:
        path: the file, which is made where there is none.
        lines: without their ends; what is no UTF-8 in a name becomes JSON's own escape.
    Raises: ExamplesError, when it cannot be written.
    """
    try:
        append_lines(path, lines)
    except OSError as error:
        raise ExamplesError(
            f"{path}: cannot be written ({error.strerror}). Free some space, or keep the collection elsewhere with "
            "--at DIR."
        ) from error


def _fits(line: bytes) -> bool:
    return line.endswith(b"\n") or len(line) < LONGEST_LINE


def _whole(line: bytes, fits: bool, ended: bool) -> bytes | None:
    line += b"\n" if ended else b""
    return line if fits and len(line) <= LONGEST_LINE and _fits(line) else None
