"""What pictures may cost: pixels, bytes and memory of one, and the memory of all that are read at the same time."""

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lookalike.errors import ImageError
from lookalike.images.free_memory import free_bytes, give_back

_BYTES_A_PIXEL = 10  # what most decoders take at most (docs/benchmarks.md has the table)
_SMALL = 64 * 1024 * 1024  # bytes for which nobody asks how much memory is free
_LARGE = 128 * 1024 * 1024  # bytes before which what is not used is given back


@dataclass(frozen=True)
class Limits:
    """What pictures may cost.

    Attributes:
        pixels: of one picture, checked before it is decoded.
        option: by which people can raise `pixels` where they are now, for the words of the error; "" for none.
        bytes: of one file, checked before it is read.
        in_flight: bytes of all pictures that threads of this process read and decode at the same time, the files'
            own included; further ones wait their turn. A picture that is larger than this by itself passes alone.
        memory: bytes that decoding one picture may take at its peak. Left out: 10 for each of `pixels`, and at least
            1 GB.

    >>> Limits(pixels=1_000_000, option="--pixels").check_pixels(1000, 1001)
    Traceback (most recent call last):
    lookalike.errors.ImageError: 1,000 x 1,001 pixels are 1.001 megapixels, over the limit of 1. \
Raise it with --pixels 2, or make a smaller copy.
    """

    pixels: int = 100_000_000
    bytes: int = 512 * 1024 * 1024
    in_flight: int = 512 * 1024 * 1024
    memory: int | None = None
    option: str = ""

    @property
    def largest_memory(self) -> int:
        """The bytes that decoding one picture may take at its peak."""
        return max(_BYTES_A_PIXEL * self.pixels, 1_000_000_000) if self.memory is None else self.memory

    def check_pixels(self, width: int, height: int) -> None:
        """Raises: ImageError, for a size that is over the limit, or none at all."""
        if width < 1 or height < 1:
            raise ImageError(f"declares a size of {width} x {height} pixels. Save it anew.")
        millions = width * height / 1e6
        if width * height > self.pixels:
            mend = f"Raise it with {self.option} {math.ceil(millions)}, or make" if self.option else "Make"
            mend += " a smaller copy."
            if millions > 2000:
                mend = "No picture is that large: leave it out."
            raise ImageError(
                f"{width:,} x {height:,} pixels are {_short(millions)} megapixels, over the limit of "
                f"{_short(self.pixels / 1e6)}. {mend}",
                "too large",
            )

    def check_bytes(self, size: int) -> None:
        """Raises: ImageError, for a file that is over the limit."""
        if size > self.bytes:
            raise ImageError(
                f"{_short(size / 1e6)} MB, over the limit of {_short(self.bytes / 1e6)}. Make a smaller copy.",
                "too large",
            )

    def check_memory(self, size: int, format: str) -> None:
        """Raises: ImageError, for a picture whose file and decoding take more than the limit."""
        if size > self.largest_memory:
            mend = f"Raise it with --pixels {math.ceil(size / _BYTES_A_PIXEL / 1e6)}, or make a smaller copy."
            if self.memory is not None:
                mend = "Make a smaller copy."
            raise ImageError(
                f"decoding this {format} takes about {size / 1e9:.2f} GB of memory, over the limit of "
                f"{self.largest_memory / 1e9:.4g}. {mend}",
                "too large",
            )


LIMITS = Limits()


class MemoryBudget:
    """Bytes that pictures hold right now, of their files and of their pixels; first come, first served in each line.

    A thread that holds a file's bytes may ask for those of its pixels: decoding waits for decoding alone, and goes
    before further files, so nobody waits for a thread that waits for him.

    Several pictures at a time never take more than is free, whatever they may take. One for which there is no room
    even by itself goes to the end of the line once, so that what others hold is given back, and then is refused.

    Args:
        free: the bytes that this process can still take; None where that is not known.

    >>> flight = MemoryBudget()
    >>> with flight.hold_file(100, most=500), flight.hold_pixels(300, most=500):
    ...     flight.taken
    400
    """

    def __init__(self, free: Callable[[], int | None] = free_bytes) -> None:
        self._process = os.getpid()
        self.taken = 0
        self._free = free
        self._decoding = 0  # threads that hold pixels
        self._changed = threading.Condition()
        self._files: deque[object] = deque()
        self._pixels: deque[object] = deque()

    @contextmanager
    def hold_file(self, size: int, most: int) -> Iterator[None]:
        """Wait until `size` more bytes make no more than `most`, or until nothing is held; then hold them.

        A thread that holds some must not ask for a file's: it would wait for itself.

        Raises: ImageError of kind "no memory", for a file that is larger than what is free.
        """
        self._wait(self._files, size, lambda: not self.taken or (not self._pixels and self._is_room(size, most)))
        try:
            self._check_free(size, "reading it")
            yield
        finally:
            self._give_back(size)

    @contextmanager
    def hold_pixels(self, size: int, most: int) -> Iterator[None]:
        """Wait until `size` more bytes make no more than `most`, or until no other thread decodes; then hold them.

        A thread that holds pixels must not ask for more: it would wait for itself.

        Raises: ImageError of kind "no memory", for a picture that takes more than is free.
        """
        try:
            self._take_pixels(size, most)
        except ImageError:  # once more, behind those that hold memory now
            give_back(thoroughly=True)
            self._take_pixels(size, most)
        try:
            yield
        finally:
            self._give_back(size, decoding=1)

    def _take_pixels(self, size: int, most: int) -> None:
        self._wait(self._pixels, size, lambda: not self._decoding or self._is_room(size, most), decoding=1)
        try:
            self._check_free(size)
        except BaseException:
            self._give_back(size, decoding=1)
            raise

    def _is_room(self, size: int, most: int) -> bool:
        """Whether `size` more bytes fit beside what is held, of which nobody knows how much is taken already."""
        wanted = self.taken + size
        if wanted > most:
            return False
        free = None if wanted <= _SMALL else self._free()
        return free is None or wanted <= free

    def _check_free(self, size: int, what: str = "decoding it") -> None:
        if size > _LARGE:
            give_back(thoroughly=size > 2 * _LARGE)
        free = None if size <= _SMALL else self._free()
        if free is not None and size > free:
            raise ImageError(
                f"{what} takes about {size / 1e9:.2f} GB of memory, and {free / 1e9:.2f} are free. Close other "
                "programs, give it more memory, or make a smaller copy.",
                "no memory",
            )

    def _wait(self, line: deque[object], size: int, free: Callable[[], bool], decoding: int = 0) -> None:
        if self._process != os.getpid():
            MemoryBudget.__init__(
                self, self._free
            )  # forked: what other threads of the parent hold is never given back here
        ticket = object()
        with self._changed:
            line.append(ticket)
            try:
                self._changed.wait_for(lambda: line[0] is ticket and free())
                self.taken += size
                self._decoding += decoding
            finally:
                line.remove(ticket)
                self._changed.notify_all()

    def _give_back(self, size: int, decoding: int = 0) -> None:
        with self._changed:
            self.taken -= size
            self._decoding -= decoding
            self._changed.notify_all()


FLIGHT = MemoryBudget()  # of all pictures of this process


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.4g}"
