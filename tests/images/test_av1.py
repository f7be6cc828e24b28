"""The sizes inside AV1 data: against what Pillow writes, and headers written bit by bit."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lookalike.errors import ImageError
from lookalike.images.av1 import av1_sizes
from lookalike.images.decode import load
from lookalike.images.limits import Limits


def avif(width: int, height: int, mode: str = "RGB", frames: int = 1) -> bytes:
    pictures = [Image.new(mode, (width, height), 40 * i if mode == "L" else (40 * i, 9, 9)) for i in range(frames)]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "AVIF", speed=10, save_all=frames > 1, append_images=pictures[1:])
    return buffer.getvalue()


def lying(content: bytes, true: tuple[int, int], told: tuple[int, int]) -> bytes:
    """Every box that declares a size says another one: of items, of tracks, of their entries."""
    for pack in (">II", ">HH"):
        content = content.replace(struct.pack(pack, *true), struct.pack(pack, *told))
    return content.replace(struct.pack(">II", *(n << 16 for n in true)), struct.pack(">II", *(n << 16 for n in told)))


@pytest.mark.parametrize(("mode", "frames"), [("RGB", 1), ("RGBA", 1), ("RGB", 3)])
def test_the_size_inside_is_that_of_the_picture(mode, frames):
    assert av1_sizes(avif(300, 200, mode, frames)) == [(300, 200)]


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("told", [(16, 16), (300, 90), (6000, 6000)])
def test_a_file_whose_boxes_say_another_size_is_refused_before_it_is_decoded(frames, told):
    content = lying(avif(700, 500, frames=frames), (700, 500), told)
    with pytest.raises(ImageError, match=rf"declares {told[0]:,} x {told[1]:,}.* pixels, and holds 700 x 500\. Save"):
        load(content)


def test_the_size_inside_is_what_the_limit_counts():
    """700 x 500 are 350,000 pixels; a box may say so and another one, which the decoder believes, may not."""
    content = avif(700, 500)
    assert load(content, Limits(pixels=350_000)).size == (700, 500)
    with pytest.raises(ImageError, match="over the limit of"):
        load(content, Limits(pixels=349_999))
    at = content.index(b"ispe")
    small = content[: at + 8] + struct.pack(">II", 16, 16) + content[at + 16 :]
    honest = struct.pack(">I", 20) + b"ispe" + bytes(4) + struct.pack(">II", 700, 500)
    with pytest.raises(ImageError, match=r"700 x 500 pixels are .* over the limit of"):
        load(small + honest, Limits(pixels=349_999))


def test_an_encoder_may_round_up():
    """700 x 500 in a box of 690 x 480: no lie, the decoder scales."""
    assert load(lying(avif(700, 500), (700, 500), (690, 480))).size == (690, 480)


class Bits:
    """Writes numbers of some bits, the highest first."""

    def __init__(self) -> None:
        self.text = ""

    def add(self, *pairs: tuple[int, int]) -> "Bits":
        self.text += "".join(f"{value:0{bits}b}" for value, bits in pairs)
        return self

    def unit(self, kind: int) -> bytes:
        text = self.text + "1"
        text += "0" * (-len(text) % 8)
        body = int(text, 2).to_bytes(len(text) // 8, "big")
        return bytes([kind << 3 | 2, len(body)]) + body


def sequence(width: int, height: int, timing: bool = False) -> bytes:
    """A whole sequence header: profile 0, one operating point, 16 bits a side, screen content chosen by the frame."""
    bits = Bits().add((0, 3), (0, 1), (0, 1), (timing, 1))
    if timing:  # not of equal steps, with a decoder model: delays of 8 bits, times of 10 bits
        bits.add((1, 32), (25, 32), (0, 1), (1, 1), (7, 5), (1, 32), (4, 5), (9, 5))
    bits.add((0, 1), (0, 5), (0, 12), (8, 5), (0, 1))
    if timing:
        bits.add((1, 1), (3, 8), (4, 8), (0, 1))
    bits.add((15, 4), (15, 4), (width - 1, 16), (height - 1, 16))
    bits.add((1, 1), (3, 4), (2, 3))  # frames have numbers of 2 + 3 + 3 bits
    return bits.add((0, 7), (1, 1), (0, 2), (1, 1), (1, 1)).unit(1)


def frame(own_size: bool, timing: bool = False) -> bytes:
    """A key frame's header, shown: a time of 10 bits if there is a model, then as far as its size."""
    bits = Bits().add((0, 1), (0, 2), (1, 1))
    if timing:
        bits.add((77, 10))
    return bits.add((0, 1), (1, 1), (0, 1), (200, 8), (own_size, 1)).unit(6)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def file_of(data: bytes, size: tuple[int, int], inside: bool = False) -> bytes:
    """A file with one item of AV1, in two parts, behind the boxes or inside of them."""
    infe = box(b"infe", b"\2\0\0\0" + struct.pack(">HH", 7, 0) + b"av01\0")
    iinf = box(b"iinf", bytes(4) + struct.pack(">H", 1) + infe)
    ispe = box(b"iprp", box(b"ipco", box(b"ispe", bytes(4) + struct.pack(">II", *size))))

    def iloc(start: int) -> bytes:
        parts = struct.pack(">IIII", start, 5, start + 5, len(data) - 5)
        return box(b"iloc", b"\1\0\0\0\x44\0" + struct.pack(">HHHHH", 1, 7, int(inside), 0, 2) + parts)

    def meta(start: int) -> bytes:
        return box(b"meta", bytes(4) + iinf + ispe + iloc(start) + (box(b"idat", data) if inside else b""))

    head = box(b"ftyp", b"avif\0\0\0\0")
    return head + meta(0 if inside else len(head) + len(meta(0)) + 8) + (b"" if inside else box(b"mdat", data))


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("timing", [True, False])
def test_headers_are_read_bit_by_bit_wherever_they_lie(timing, inside):
    data = b"\x12\0" + sequence(640, 480, timing) + frame(own_size=False, timing=timing)
    assert av1_sizes(file_of(data, (640, 480), inside)) == [(640, 480)]


@pytest.mark.parametrize("timing", [True, False])
def test_a_frame_that_gives_a_size_of_its_own_may_be_as_large_as_its_bits_say(timing):
    """16 bits a side: up to 65,536 x 65,536."""
    data = sequence(16, 16, timing) + frame(own_size=True, timing=timing)
    with pytest.raises(ImageError, match="declares 16 x 16 pixels, and holds 65,536 x 65,536"):
        av1_sizes(file_of(data, (16, 16)))


def test_a_second_header_counts_as_well():
    with pytest.raises(ImageError, match="declares 16 x 16 pixels, and holds 640 x 480"):
        av1_sizes(file_of(sequence(16, 16) + sequence(640, 480), (16, 16)))


def test_a_file_of_countless_parts_is_refused():
    with pytest.raises(ImageError, match="more parts than any picture"):
        av1_sizes(box(b"free", b"") * 30_000)
    with pytest.raises(ImageError, match="more parts than any picture"):
        av1_sizes(file_of(b"\x12\0" * 30_000, (16, 16)))
    many = box(b"iloc", b"\0\0\0\0\x44\0" + struct.pack(">H", 65_535) + bytes(400_000))
    with pytest.raises(ImageError, match="more parts than any picture"):
        av1_sizes(box(b"meta", bytes(4) + many))


@given(st.data())
def test_whatever_is_damaged_gives_sizes_or_one_line(data):
    content = bytearray(file_of(sequence(640, 480, True) + frame(False, True), (640, 480)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        av1_sizes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    except ImageError as error:
        assert len(str(error).splitlines()) == 1
