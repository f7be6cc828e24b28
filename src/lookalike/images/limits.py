"""What pictures may cost: pixels and bytes of one, and the decoded bytes of all that are decoded at the same time."""

import math
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lookalike.errors import ImageError


@dataclass(frozen=True)
class Limits:
    """What pictures may cost.

    Attributes:
        pixels: of one picture, checked before it is decoded.
        option: by which people can raise `pixels` where they are now, for the words of the error; "" for none.
        bytes: of one file, checked before it is read.
        in_flight: decoded bytes of all pictures that threads of this process decode at the same time; further ones
            wait their turn. A picture that is larger than this by itself passes alone.

    >>> Limits(pixels=1_000_000, option="--pixels").check_pixels(1000, 1001)
    Traceback (most recent call last):
    lookalike.errors.ImageError: 1,000 x 1,001 pixels are 1.001 megapixels, over the limit of 1. \
Raise it with --pixels 2, or make a smaller copy.
    """

    pixels: int = 100_000_000
    bytes: int = 512 * 1024 * 1024
    in_flight: int = 512 * 1024 * 1024
    option: str = ""

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


LIMITS = Limits()


class MemoryBudget:
    """Decoded bytes that are held right now; first come, first served, so that a large picture is never starved.

    >>> flight = MemoryBudget()
    >>> with flight.hold(300, most=500):
    ...     flight.taken
    300
    """

    def __init__(self) -> None:
        self.taken = 0
        self._changed = threading.Condition()
        self._line: deque[object] = deque()

    @contextmanager
    def hold(self, size: int, most: int) -> Iterator[None]:
        """Wait until `size` more bytes make no more than `most`, or until nothing is held; then hold them.

        A thread that holds some must not ask for more: it would wait for itself.
        """
        ticket = object()
        with self._changed:
            self._line.append(ticket)
            try:
                self._changed.wait_for(
                    lambda: self._line[0] is ticket and (not self.taken or self.taken + size <= most)
                )
                self.taken += size
            finally:
                self._line.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self.taken -= size
                self._changed.notify_all()


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 else f"{number:.4g}"
