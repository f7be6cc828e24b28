"""The sizes that the video inside an AVIF file really has: its boxes may say something else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lookalike.errors import ImageError

Size = tuple[int, int]

_TOLERANCE = 64  # pixels by which an encoder may round up
_MOST_PARTS = 20_000  # boxes, items and units of AV1 that are looked at; a photo has some dozen
_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"iprp", b"ipco"}
_SEQUENCE_HEADER, _FRAMES = 1, (3, 6, 7)
_KEY_FRAME, _SWITCH_FRAME, _SELECT = 0, 3, 2


def av1_sizes(content: bytes) -> list[Size]:
    """The sizes (width, height) in pixels of the pictures in an AVIF file, by the headers inside its AV1 data.

    Args:
        content: of the file.
    Returns: none where no such header is found: then the decoder has nothing to decode either.
    Raises: ImageError, where no box of the file declares such a size.
    """
    boxes = _Boxes(content)
    declared, found = boxes.sizes(), set[Size]()
    for item in boxes.items():
        for width, height in _sizes_in(item, boxes.spend):
            if not any(abs(width - w) <= _TOLERANCE and abs(height - h) <= _TOLERANCE for w, h in declared):
                said = " and ".join(f"{w:,} x {h:,}" for w, h in declared[:3]) or "no size"
                raise ImageError(
                    f"the AVIF declares {said} pixels, and holds {width:,} x {height:,}. Save it anew, or leave it out."
                )
            found.add((width, height))
    return sorted(found)


class _Boxes:
    """The boxes of a file of ISO's base media format, as far as they say where AV1 data lie.

    Only the first sample of each track is one, for an animation's first frame alone is decoded.
    """

    def __init__(self, content: bytes):
        self._content = memoryview(content)
        self._found: dict[bytes, list[memoryview]] = {}
        self._left = _MOST_PARTS
        self._walk(self._content)

    def spend(self) -> None:
        """Count one part of the file. Raises: ImageError, when there are too many."""
        self._left -= 1
        if self._left < 0:
            raise ImageError("the AVIF has more parts than any picture. Save it anew, or leave it out.")

    def sizes(self) -> list[Size]:
        """Those that `ispe` boxes and the entries of tracks declare."""
        found = [(_number(body, 4, 4), _number(body, 8, 4)) for body in self._found.get(b"ispe", [])]
        return found + [(_number(body, 40, 2), _number(body, 42, 2)) for body in self._found.get(b"stsd", [])]

    def items(self) -> Iterator[memoryview]:
        """The AV1 data of each picture."""
        pictures = {number for body in self._found.get(b"infe", []) if (number := _av1_item(body)) is not None}
        stored = b"".join(self._found.get(b"idat", [])[:1])
        for body in self._found.get(b"iloc", []):
            for number, inside, extents in _locations(body, self.spend):
                if number not in pictures or not extents:
                    continue
                source = memoryview(stored) if inside else self._content
                parts = [source[start : start + length if length else None] for start, length in extents]
                if sum(map(len, parts)) > len(self._content):  # the same bytes again and again
                    parts = parts[:1]
                yield parts[0] if len(parts) == 1 else memoryview(b"".join(parts))
        for width, kind in ((4, b"stco"), (8, b"co64")):
            for body, sizes in zip(self._found.get(kind, []), self._found.get(b"stsz", []), strict=False):
                start, size = _number(body, 8, width), _number(sizes, 4, 4) or _number(sizes, 12, 4)
                yield self._content[start : start + size]

    def _walk(self, content: memoryview) -> None:
        at = 0
        while at + 8 <= len(content):
            size, kind, head = _number(content, at, 4), bytes(content[at + 4 : at + 8]), 8
            if size == 1:
                size, head = _number(content, at + 8, 8), 16
            end = len(content) if size == 0 else at + size
            if end < at + head:
                return
            self.spend()
            body = content[at + head : end]
            if kind in _CONTAINERS:
                self._walk(body)
            elif kind == b"meta":
                self._walk(body[4:])
            elif kind == b"iinf":
                self._walk(body[6 if bytes(body[:1]) == b"\0" else 8 :])
            else:
                self._found.setdefault(kind, []).append(body)
            at = end


def _av1_item(body: memoryview) -> int | None:
    """The number of an item, by its `infe` box, if it is AV1."""
    width = 2 if bytes(body[:1]) == b"\2" else 4
    return _number(body, 4, width) if bytes(body[6 + width : 10 + width]) == b"av01" else None


def _locations(body: memoryview, spend: Callable[[], None]) -> Iterator[tuple[int, bool, list[tuple[int, int]]]]:
    """Of an `iloc` box: each item's number, whether it lies in `idat`, and its parts (offset, length)."""
    version = _number(body, 0, 1)
    offset, length, base, index = (_number(body, at, 1) >> shift & 15 for at, shift in ((4, 4), (4, 0), (5, 4), (5, 0)))
    width = 4 if version == 2 else 2
    at, count = 6 + width, _number(body, 6, width)
    for _ in range(count):
        if at >= len(body):
            return
        number, at = _number(body, at, width), at + width
        inside = False
        if version:
            inside, at = _number(body, at, 2) & 15 == 1, at + 2
        start, at = _number(body, at + 2, base), at + 2 + base
        parts, at = _number(body, at, 2), at + 2
        extents = []
        step = offset + length + (index if version else 0)
        spend()
        for _ in range(parts if step else min(parts, 1)):
            spend()
            at += index if version else 0
            extents.append((start + _number(body, at, offset), _number(body, at + offset, length)))
            at += offset + length
        yield number, inside, extents


def _number(content: memoryview, at: int, width: int) -> int:
    return int.from_bytes(content[at : at + width], "big")


@dataclass(frozen=True)
class _Sequence:
    """What a sequence header says, as far as frame headers need it."""

    size: Size
    largest: Size  # that a frame header can give in its place
    reduced: bool  # no frame header gives a size of its own
    time_bits: int = 0  # of a shown frame's time
    screen: int = _SELECT
    integer: int = _SELECT
    id_bits: int = 0


def _sizes_in(data: memoryview, spend: Callable[[], None]) -> Iterator[Size]:
    """The sizes that sequence headers and frame headers of AV1 data give."""
    at, sequence = 0, None
    while at < len(data):
        spend()
        first, at = data[at], at + 1
        kind, extended, sized = first >> 3 & 15, first >> 2 & 1, first >> 1 & 1
        at += extended
        size = len(data) - at
        if sized:
            size, at = _leb128(data, at)
        unit, at = data[at : at + size], at + size
        if kind == _SEQUENCE_HEADER:
            sequence = _read_sequence(_Bits(unit))
            yield sequence.size
        elif kind in _FRAMES and sequence is not None and _gives_size(_Bits(unit), sequence):
            yield sequence.largest
        elif kind == 0 or first & 0x80:
            return  # no AV1 any more


def _leb128(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 56, 7):
        byte = data[at] if at < len(data) else 0
        value, at = value | (byte & 127) << shift, at + 1
        if byte < 128:
            break
    return value, at


class _Bits:
    """Reads numbers of some bits, the highest first; zeros beyond the end."""

    def __init__(self, data: memoryview):
        head = bytes(data[:256])
        self._value, self._left = int.from_bytes(head, "big"), 8 * len(head)

    def take(self, bits: int) -> int:
        self._left -= bits
        shifted = self._value >> self._left if self._left >= 0 else self._value << -self._left
        return shifted & (1 << bits) - 1

    def skip_uvlc(self) -> None:
        zeros = 0
        while zeros < 32 and not self.take(1):
            zeros += 1
        self.take(zeros)


def _read_sequence(bits: _Bits) -> _Sequence:
    """AV1 specification, 5.5.1."""
    take = bits.take
    take(4)
    reduced, equal, delay_bits, time_bits = take(1), 0, 0, 0
    if reduced:
        take(5)
    else:
        model = 0
        if take(1):  # timing
            take(64)
            equal = take(1)
            if equal:
                bits.skip_uvlc()
            model = take(1)
            if model:
                delay_bits = take(5) + 1
                take(37)
                time_bits = take(5) + 1
        delayed = take(1)
        for _ in range(take(5) + 1):
            take(12)
            if take(5) > 7:
                take(1)
            if model and take(1):
                take(2 * delay_bits + 1)
            if delayed and take(1):
                take(4)
    across, down = take(4) + 1, take(4) + 1
    size, largest = (take(across) + 1, take(down) + 1), (1 << across, 1 << down)
    if reduced:
        return _Sequence(size, largest, True)
    id_bits = take(4) + take(3) + 3 if take(1) else 0
    take(7)
    if take(1):  # order hints
        take(2)
    screen = _SELECT if take(1) else take(1)
    integer = _SELECT if not screen or take(1) else take(1)
    return _Sequence(size, largest, False, 0 if equal else time_bits, screen, integer, id_bits)


def _gives_size(bits: _Bits, sequence: _Sequence) -> bool:
    """Whether a frame header gives a size of its own: AV1 specification, 5.9.2."""
    take = bits.take
    if sequence.reduced or take(1):  # or it shows a frame that was there
        return False
    kind, shown = take(2), take(1)
    take(sequence.time_bits if shown else 1)
    if kind != _SWITCH_FRAME and not (kind == _KEY_FRAME and shown):
        take(1)
    take(1)
    if (take(1) if sequence.screen == _SELECT else sequence.screen) and sequence.integer == _SELECT:
        take(1)
    take(sequence.id_bits)
    return kind == _SWITCH_FRAME or bool(take(1))
