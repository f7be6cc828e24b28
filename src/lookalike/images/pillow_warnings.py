"""Keeps Pillow's and libtiff's warnings, logs and own limit out of our way; the error says what is wrong."""

import ctypes
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

from PIL import Image


class _Decoding(threading.local):
    """The message pattern of a warnings filter: it matches everything, but only where and while we decode.

    `warnings.catch_warnings` would do the same for all threads at once, and leave the filters of another one behind.
    """

    now = False

    def match(self, _text: str) -> bool:
        return self.now


_decoding = _Decoding()
_FILTER = ("ignore", _decoding, Warning, None, 0)
_filters_lock = threading.Lock()


@contextmanager
def silence() -> Iterator[None]:
    """Keep the warnings of this thread, and the log lines that nobody asked for, from the user.

    >>> with silence():
    ...     warnings.warn("corrupt EXIF data")
    """
    _give_logs_a_place()
    filters = cast("list[Any]", warnings.filters)
    if not filters or filters[0] is not _FILTER:
        with _filters_lock:
            if _FILTER in filters:
                filters.remove(_FILTER)
            filters.insert(0, _FILTER)
    before, _decoding.now = _decoding.now, True
    try:
        yield
    finally:
        _decoding.now = before


@cache
def silence_libtiff() -> None:
    """Turn off the two handlers by which libtiff writes to stderr, past Python; once for the whole process.

    The library is reached through Pillow's own module, which is linked to it, so it is the right one whether it came
    with the wheel or with the system. Where that does not work (Windows links it in) libtiff keeps talking.
    """
    from PIL import _imaging

    try:
        libtiff = ctypes.CDLL(_imaging.__file__)
        for setter in (libtiff.TIFFSetErrorHandler, libtiff.TIFFSetWarningHandler):
            setter.restype, setter.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
            setter(None)
    except (OSError, AttributeError):
        pass


class PixelLimit:
    """Raises Pillow's own limit of pixels while pictures are decoded for which more was allowed.

    It is one number for the whole process, so it is put back when the last of them is done.
    """

    def __init__(self) -> None:
        self._lock, self._inside, self._before = threading.Lock(), 0, Image.MAX_IMAGE_PIXELS

    @contextmanager
    def at_least(self, pixels: int) -> Iterator[None]:
        """Let Pillow decode so many pixels for as long as this is open.

        >>> with PixelLimit().at_least(10**9):
        ...     Image.MAX_IMAGE_PIXELS
        1000000000
        """
        if Image.MAX_IMAGE_PIXELS is None or (not self._inside and pixels <= Image.MAX_IMAGE_PIXELS):
            yield
            return
        with self._lock:
            if not self._inside:
                self._before = Image.MAX_IMAGE_PIXELS
            self._inside += 1
            Image.MAX_IMAGE_PIXELS = max(pixels, Image.MAX_IMAGE_PIXELS)
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    Image.MAX_IMAGE_PIXELS = self._before


PIXEL_LIMIT = PixelLimit()


@cache
def _give_logs_a_place() -> None:
    # Without any handler Python prints a library's errors to stderr by itself; those of the program still get them.
    for name in ("PIL", "pillow_heif"):
        logging.getLogger(name).addHandler(logging.NullHandler())
