"""The scans of a JPEG: how many there are, and what is missing where the file ends before its picture does."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile

from lookalike.errors import ImageError

MOST_MISSING = 0.1  # of the rows: what lacks more is refused

# In a scan's data: neither a byte 255 nor a restart. A pattern that begins with one byte is found 20 times as fast.
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)
_SCAN_MARK, _MANY_SCANS = re.compile(rb"\xff\xda"), 31
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # all kinds, the last four bits but tables
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_MOST_SEGMENTS = 10_000
_END_MARK = b"\xff\xd9"
# No restarts from here on, and a table with one code: of the bit 0 and 14 more, for 16,384 blocks and so many more.
_EMPTY_BLOCKS = bytes.fromhex("ffdd0004 0000 ffc40014 10 01") + bytes(15) + b"\xe0"
_EMPTY = 1 << 14
_SCANNED_PIXELS = 3_000_000_000  # a scan of 100 megapixels takes a processor 0.07 s


@dataclass
class _Scan:
    """One scan: which components, which coefficients (0 is a block's mean), and the bits that it leaves open."""

    components: bytes
    coefficients: range
    low_bit: int


@dataclass
class _Structure:
    """A JPEG's frame and scans.

    Attributes:
        frame: the marker that says how it is coded; 0 where none came.
        components: their numbers, brightness first in what cameras write.
        scans: that have begun.
        whole: whether the last of them ended.
        end: where the end mark belongs.
        ended: whether it is there.
    """

    frame: int = 0
    components: bytes = b""
    scans: list[_Scan] = field(default_factory=list)
    whole: bool = True
    end: int = 0
    ended: bool = False


@dataclass(frozen=True)
class MendedJpeg:
    """A JPEG that ends early, with an end mark behind what there is of it.

    Attributes:
        content: its bytes.
        lacks: what is not there, in words.
    """

    content: bytes
    lacks: str


def check_scans(content: bytes, width: int, height: int) -> None:
    """Refuse a JPEG of so many scans that decoding would take longer than some seconds.

    Raises: ImageError.
    """
    if len(list(islice(_SCAN_MARK.finditer(content), _MANY_SCANS))) < _MANY_SCANS:  # twice as fast as counting them
        return
    count = content.count(b"\xff\xda")
    if count * width * height > _SCANNED_PIXELS:
        raise ImageError(
            f"a JPEG of {count:,} scans, which would take too long, as a decompression bomb does. Save it anew, or "
            "leave it out.",
            "too large",
        )


def has_many_scans(content: bytes) -> bool:
    """Whether a JPEG comes in several scans: then its decoder keeps 16 bits for each value of the whole picture.

    >>> has_many_scans(bytes.fromhex("ffd8 ffc2 0011 08 0001 0001 03 011100 021100 031100 ffda"))
    True
    """
    components = b""
    for kind, body, _ in _segments(content):
        if kind == _PROGRESSIVE:
            return True
        if kind in _FRAMES:
            components = body[5:6]
        elif kind == _SCAN:
            return body[:1] != components
    return False


def without_detail(content: bytes) -> bytes | None:
    """A whole progressive JPEG with no more than what decoding at an eighth of its size reads: the same pixels, sooner.

    At an eighth each block becomes its mean, which has scans of its own; so the other coefficients of the components
    that are stored in full are left out. Of those that are stored smaller (color, mostly) the decoder reads more than
    the mean. What is left out is replaced by a scan of zeros, for a decoder that lacks coefficients smooths the means.

    Args:
        content: of a picture file; that of any other one gives None.
    """
    segments = list(_segments(content))
    frames = [body for kind, body, _ in segments if kind in _FRAMES]
    if not segments or segments[-1][0] != _END or [kind for kind, *_ in segments if kind in _FRAMES] != [_PROGRESSIVE]:
        return None
    body = frames[0]
    factors = {body[at]: (body[at + 1] >> 4, body[at + 1] & 15) for at in range(6, len(body) - 2, 3)}
    largest = tuple(max(sides, default=0) for sides in zip(*factors.values(), strict=True))
    starts = [end - len(one) - 4 for _, one, end in segments[:-1]] + [segments[-1][2] - 2]
    kept, emptied = [content[: starts[0]]], set()
    for (kind, one, _), (start, following) in zip(segments[:-1], pairwise(starts), strict=True):
        if kind == _SCAN and len(one) == 6 and one[3] > 0 and factors.get(one[1]) == largest:
            emptied.add(one[1])
        else:
            kept.append(content[start:following])
    if not emptied:
        return None
    height, width = (int.from_bytes(body[at : at + 2], "big") for at in (1, 3))
    zeros = bytes(2 * -(-(-(-width // 8) * -(-height // 8)) // _EMPTY))
    scans = (b"\xff\xda\0\x08\x01" + bytes([one]) + b"\0\x01\x3f\0" + zeros for one in sorted(emptied))
    return b"".join([*kept, _EMPTY_BLOCKS, *scans, _END_MARK])


def mend_jpeg(content: bytes) -> MendedJpeg | None:
    """A JPEG whose end is missing, made one that a decoder reads; None where more is missing than its end.

    Of a JPEG that comes row by row, up to a tenth of the rows may be missing. Of a progressive one, which comes whole
    and then finer, brightness must be there but for the last bit of each coefficient, and the mean of each color.

    Args:
        content: of a picture file; that of a JPEG that ends where it should gives None.
    """
    if not content.startswith(b"\xff\xd8\xff"):
        return None
    found = _structure(content)
    if found.ended or not found.scans or found.frame not in (*_SEQUENTIAL, _PROGRESSIVE):
        return None
    begun = content[: found.end].rstrip(b"\xff")
    if found.frame == _PROGRESSIVE:
        return MendedJpeg(begun + _END_MARK, "its finest detail") if _is_fine(found) else None
    if set(b"".join(scan.components for scan in found.scans)) != set(found.components):
        return None
    missing = 0.0 if found.whole else _missing(begun)
    lacks = f"its last {missing:.1%}".replace("%", " %") if missing else "its end mark"
    return MendedJpeg(begun + _END_MARK, lacks) if missing <= MOST_MISSING else None


def _is_fine(found: _Structure) -> bool:
    """Whether the whole scans of a progressive JPEG leave at most the last bit of what is seen best open."""
    bits = np.full((256, 64), 99)
    for scan in found.scans if found.whole else found.scans[:-1]:
        for component in scan.components:
            bits[component, scan.coefficients] = scan.low_bit
    seen = found.components[:1] if len(found.components) in (1, 3) else found.components
    return bool(bits[list(found.components), 0].max() <= 1 and bits[list(seen)].max() <= 1)


def _missing(begun: bytes) -> float:
    """The share of a JPEG's rows behind the end of its bytes: those that depend on what one puts there."""
    one, other = (_small(begun + tail + _END_MARK) for tail in (b"", _filler()))
    differs = (one != other).any(axis=2).ravel()
    return float(1 - differs.argmax() / differs.size) if differs.any() else 0.0


@cache
def _filler() -> bytes:
    """Bytes at random, none of them 255, which would be a marker."""
    return np.random.default_rng(0).integers(1, 255, 1024, np.uint8).tobytes()


def _small(content: bytes) -> NDArray[np.uint8]:
    """The mean of each block of 8 x 8, in RGB."""
    image = JpegImageFile(io.BytesIO(content))
    image.draft("RGB", (max(1, image.width // 8), max(1, image.height // 8)))
    return np.asarray(image.convert("RGB"))


def _segments(content: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Each marker with the segment that belongs to it, and where that segment ends; scans' data are passed over."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if (found := _MARKER.search(content, at)) is None:
            return
        kind, at = found[1][0], found.end()
        if kind in (_START, 1):
            continue
        size = 0 if kind == _END else int.from_bytes(content[at : at + 2], "big")
        if kind != _END and (size < 2 or at + size > len(content)):
            return
        yield kind, content[at + 2 : at + size], at + size
        if kind == _END:
            return
        at += size


def _structure(content: bytes) -> _Structure:
    found = _Structure(end=2)
    for kind, body, end in _segments(content):
        found.whole, found.end = True, end
        if kind == _END:
            found.ended = True
        elif kind in _FRAMES:
            found.frame, found.components = kind, body[6 : 6 + 3 * body[5] : 3] if len(body) > 5 else b""
        elif kind == _SCAN and len(body) == 4 + 2 * body[0]:
            first, last, bits = body[-3:]
            found.scans.append(_Scan(body[1:-3:2], range(first, min(last, 63) + 1), bits & 15))
            found.whole = False
    if not found.whole:
        following = _MARKER.search(content, found.end)
        found.whole, found.end = following is not None, len(content) if following is None else following.start()
    return found
