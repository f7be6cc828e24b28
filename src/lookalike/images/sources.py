"""What people hold a picture in (a path, an open file, an upload, a tensor) -> what `load` decodes."""

import os
from collections.abc import Iterator, MappingView, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.errors import ImageError
from lookalike.images.arrays import as_array
from lookalike.images.limits import LIMITS, Limits
from lookalike.names import on_disk

CAN_BE = "a path, bytes, a file opened with 'rb', a PIL image, or an array of pixels"
_CHANNELS = (1, 3, 4)


@dataclass(frozen=True)
class NamedImage:
    """A picture that is no file here, from an address or the clipboard, and what answers call it.

    >>> str(NamedImage("https://host/a.jpg", b""))
    'https://host/a.jpg'
    """

    name: str
    image: bytes | Image.Image = field(repr=False)

    def __str__(self) -> str:
        return self.name


def as_image_source(source: Any, limits: Limits = LIMITS) -> Path | bytes | Image.Image | NDArray[Any]:
    """A picture in any form, as a path, bytes, a PIL image or an array.

    Args:
        source: a str or os.PathLike; a NamedImage; bytes, bytearray or memoryview; an object with `read`, or one whose
            `file` has it (an upload), which is read from its start where it can be; a PIL image; an array, or what has
            `__array__` or `__dlpack__` (a tensor). Colors may come first or last; floats of an image (h, w, c) go from
            0 to 1.
        limits: what is read of a file at most.
    Returns: arrays that are no image in floats come back as they are, such as features (f,).
    Raises: ImageError, for anything else.
    """
    if isinstance(source, NamedImage):
        source = source.image
    if isinstance(source, Image.Image | bytes):
        return source
    if isinstance(source, str | os.PathLike):
        return on_disk(Path(os.fsdecode(source)))
    if isinstance(source, bytearray | memoryview):
        return bytes(source)
    if _is_open(source):
        return _read(source, limits)
    if any(hasattr(source, name) for name in ("__array__", "__dlpack__")):
        return _pixels(_as_array(source))
    raise _refused(source)


def are_many(sources: Any) -> bool:
    """Whether this is several pictures: any sequence, set, view or generator, a column, an array of names or images.

    >>> are_many(["a.jpg"]), are_many("a.jpg"), are_many(one for one in "ab")
    (True, False, True)
    """
    if _is_open(sources):  # an open file is an iterator too
        return False
    if isinstance(sources, str | bytes | bytearray | memoryview | os.PathLike):
        return False
    if isinstance(sources, Sequence | Set | MappingView | Iterator):
        return True
    dtype = getattr(sources, "dtype", None)
    names = getattr(dtype, "kind", "O" if hasattr(sources, "to_list") else "") in ("O", "U", "T")
    return (names or getattr(sources, "ndim", 0) == 4) and hasattr(sources, "__iter__")


def as_source_list(sources: Any) -> list[Any]:
    """Several pictures as a list; one alone is a list of one.

    >>> as_source_list("a.jpg")
    ['a.jpg']
    """
    return list(sources) if are_many(sources) else [sources]


def _is_open(source: Any) -> bool:
    return hasattr(source, "read") or hasattr(getattr(source, "file", None), "read")


def _read(source: Any, limits: Limits) -> bytes:
    """The bytes of an open file or an upload."""
    file = source.file if hasattr(getattr(source, "file", None), "read") else source
    with suppress(AttributeError, OSError, ValueError):  # a pipe has no start; a closed file is named below
        file.seek(0)
    try:
        content = file.read(limits.bytes + 1)
    except (OSError, ValueError, TypeError) as error:
        raise ImageError(f"the open file cannot be read ({error}). Open it with 'rb' and do not close it.") from error
    if not isinstance(content, bytes | bytearray | memoryview):
        raise ImageError(f"the open file gives {type(content).__name__}, not bytes. Open it with 'rb'.")
    return bytes(content)


def _as_array(source: Any) -> NDArray[Any]:
    try:
        array = as_array(source)
    except Exception as error:  # libraries raise what they like: RuntimeError, TypeError, BufferError
        raise _refused(source) from error
    if array.dtype.kind not in "biuf":
        raise _refused(source)
    return array


def _pixels(array: NDArray[Any]) -> NDArray[Any]:
    """An array with its colors last, and floats of an image as uint8."""
    if array.ndim == 3 and array.shape[2] not in _CHANNELS and array.shape[0] in _CHANNELS:
        array = array.transpose(1, 2, 0)
    image = array.ndim == 3
    if image and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype.kind == "b" and array.ndim > 1:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind != "f" or not image or not array.size:
        return array
    if not (array.min() >= 0 and array.max() <= 1):  # false for NaN as well
        raise ImageError("pixels in floats must be 0 to 1. Divide them by the largest value, or give uint8.")
    return np.round(array * 255).astype(np.uint8)


def _refused(source: Any) -> ImageError:
    kind = "None" if source is None else f"an object of type {type(source).__name__}"
    return ImageError(f"{kind} is no picture. Give {CAN_BE}.", "not a picture")
