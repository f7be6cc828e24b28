"""A raw photo as small as LibRaw opens: a DNG of 64 x 48 sensor values, with a picture inside."""

import struct
from collections.abc import Sequence

Tag = tuple[int, int, Sequence[int] | Sequence[tuple[int, int]] | bytes]

_BYTES, _TEXT, _SHORT, _LONG, _RATIO, _SIGNED_RATIO = 1, 2, 3, 4, 5, 10
_FORMATS = {_BYTES: "B", _TEXT: "B", _SHORT: "H", _LONG: "I"}


def _directory(tags: list[Tag], start: int) -> bytes:
    """One directory of TIFF, with what does not fit into its entries behind it."""
    entries, extra, after = b"", b"", start + 2 + 12 * len(tags) + 4
    for tag, kind, values in sorted(tags, key=lambda one: one[0]):
        if kind in _FORMATS:
            data = struct.pack(f"<{len(values)}{_FORMATS[kind]}", *values)
        else:
            data = b"".join(struct.pack("<ii", *one) for one in values)
        place = data.ljust(4, b"\0")
        if len(data) > 4:
            place = struct.pack("<I", after + len(extra))
            extra += data + b"\0" * (len(data) % 2)
        entries += struct.pack("<HHI", tag, kind, len(values)) + place
    return struct.pack("<H", len(tags)) + entries + bytes(4) + extra


def dng(
    preview: bytes, size: tuple[int, int] = (64, 48), orientation: int = 1, compression: int = 7, version: bool = True
) -> bytes:
    """A DNG whose first picture is `preview`: a JPEG (7), or plain pixels in RGB (1)."""
    sensor = bytes(2 * 64 * 48)
    matrix = [(int(i % 4 == 0), 1) for i in range(9)]

    def directories(second: int, picture: int, values: int) -> tuple[bytes, bytes]:
        first: list[Tag] = [
            (254, _LONG, [1]), (256, _LONG, size[:1]), (257, _LONG, size[1:]), (258, _SHORT, [8, 8, 8]),
            (259, _SHORT, [compression]), (262, _SHORT, [6 if compression == 7 else 2]), (271, _TEXT, b"Test\0"),
            (272, _TEXT, b"Model\0"), (273, _LONG, [picture]), (274, _SHORT, [orientation]), (277, _SHORT, [3]),
            (278, _LONG, size[1:]), (279, _LONG, [len(preview)]), (330, _LONG, [second]),
            (50721, _SIGNED_RATIO, matrix), (50728, _RATIO, [(1, 1)] * 3), (50778, _SHORT, [21]),
        ]  # fmt: skip
        if version:
            first += [(50706, _BYTES, [1, 4, 0, 0]), (50708, _TEXT, b"Test Model\0")]
        under: list[Tag] = [
            (254, _LONG, [0]), (256, _LONG, [64]), (257, _LONG, [48]), (258, _SHORT, [16]), (259, _SHORT, [1]),
            (262, _SHORT, [32803]), (273, _LONG, [values]), (277, _SHORT, [1]), (278, _LONG, [48]),
            (279, _LONG, [len(sensor)]), (33421, _SHORT, [2, 2]), (33422, _BYTES, [0, 1, 1, 2]),
        ]  # fmt: skip
        return _directory(first, 8), _directory(under, second)

    one, other = map(len, directories(0, 0, 0))
    second, picture = 8 + one, 8 + one + other
    values = picture + len(preview) + len(preview) % 2
    return (
        b"II*\0\x08\0\0\0" + b"".join(directories(second, picture, values)) + preview.ljust(values - picture) + sensor
    )
