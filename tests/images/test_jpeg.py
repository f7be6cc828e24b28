"""JPEGs that end early: what is missing is measured, the end is mended or the file refused."""

import io
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.pictures import scene

from lookalike.errors import ImageError
from lookalike.images.decode import decode_square, load
from lookalike.images.jpeg import check_scans, has_many_scans, mend_jpeg, without_detail

SIDE = 160


def photo() -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (SIDE // 4, SIDE // 4, 3), np.uint8)
    return Image.fromarray(noise).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def jpeg(image: Image.Image | None = None, **settings: object) -> bytes:
    buffer = io.BytesIO()
    (image or photo()).save(buffer, "JPEG", quality=85, subsampling=0, **settings)
    return buffer.getvalue()


def scans(content: bytes) -> list[int]:
    return [found.start() for found in re.finditer(rb"\xff\xda", content)]


def separate() -> bytes:
    """Three equal components, each in a scan of its own, row by row: made of a grey picture."""
    grey = jpeg(photo().convert("L"))
    frame, scan = grey.index(b"\xff\xc0"), scans(grey)[0]
    components = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3))
    head = grey[frame + 4 : frame + 9]
    parts = [b"\xff\xda\0\x08\1" + bytes([number]) + b"\0\0\x3f\0" + grey[scan + 10 : -2] for number in (1, 2, 3)]
    rest = grey[frame + 2 + int.from_bytes(grey[frame + 2 : frame + 4], "big") : scan]
    return grey[:frame] + b"\xff\xc0\0\x11" + head + b"\3" + components + rest + b"".join(parts) + b"\xff\xd9"


@pytest.mark.parametrize("settings", [{}, {"restart_marker_rows": 1}, {"optimize": True}])
@pytest.mark.parametrize("rows", [19, 18.5])
def test_what_is_missing_is_measured_in_blocks(rows, settings):
    """20 rows of 20 blocks; the file ends where row 19, or the middle of row 18, ends, told by restarts or by bytes."""
    content = jpeg(**settings)
    start = scans(content)[0]
    cut = content[: start + round((len(content) - start) * rows / 20)]
    mended = mend_jpeg(cut)
    assert mended is not None
    missing = float(re.fullmatch(r"its last ([0-9.]+) %", mended.lacks)[1])
    assert missing == pytest.approx(100 * (1 - rows / 20), abs=1)


def test_the_rows_that_are_there_are_those_of_the_whole_file():
    content = jpeg()
    whole, part = (np.asarray(load(one)).astype(int) for one in (content, content[: -len(content) // 20]))
    assert part.shape == whole.shape
    same = (part == whole).all(axis=(1, 2))
    assert same[: round(SIDE * 0.9)].all()
    assert not same[-8:].any()
    assert decode_square(content[: -len(content) // 20], 32).lacks.startswith("its last 5")
    assert decode_square(content, 32).lacks == ""


def test_one_that_lacks_more_than_a_tenth_is_refused():
    content = jpeg()
    assert mend_jpeg(content[: round(len(content) * 0.8)]) is None
    with pytest.raises(ImageError, match="the JPEG is cut short: it ends before its picture does"):
        load(content[: round(len(content) * 0.8)])


@pytest.mark.parametrize("settings", [{}, {"progressive": True}])
def test_one_that_lacks_its_end_mark_alone_is_whole(settings):
    content = jpeg(**settings)
    for cut in (content[:-2], content[:-1]):
        assert np.array_equal(np.asarray(load(cut)), np.asarray(load(content)))
    assert mend_jpeg(content[:-2]).lacks == ("its finest detail" if settings else "its end mark")
    assert mend_jpeg(content) is None


def test_of_a_progressive_one_the_last_scan_may_be_missing():
    """The last is the last bit of brightness; the one before it, of 10, is that of a color."""
    content = jpeg(progressive=True)
    last = scans(content)[-1]
    for end in (last + 20, (last + len(content)) // 2, last + 3, last):
        assert mend_jpeg(content[:end]).lacks == "its finest detail"
        away = np.asarray(load(content[:end])).astype(int) - np.asarray(load(content))
        assert np.abs(away).mean() < 4


def test_of_a_progressive_one_no_coarser_scan_may_be_missing():
    """The scans of libjpeg: the sixth brings brightness to within its last bit, the seventh the means."""
    content = jpeg(progressive=True)
    for at in scans(content)[:7]:
        assert mend_jpeg(content[:at]) is None
    assert mend_jpeg(content[: scans(content)[6] + 2]) is not None  # what comes next shows that the sixth has ended


def test_of_one_with_a_scan_for_each_component_all_must_have_begun():
    content = separate()
    assert load(content).size == (SIDE, SIDE)
    assert mend_jpeg(content[: scans(content)[2]]) is None
    assert mend_jpeg(content[: len(content) - len(content) // 100]).lacks.startswith("its last 3")
    assert mend_jpeg(content[: len(content) - len(content) // 10]) is None


@settings(deadline=None)
@given(st.integers(1, 2000))
def test_wherever_it_ends_it_is_read_or_refused_in_one_line(end):
    content = jpeg(scene(), progressive=end % 2 == 0)
    try:
        assert load(content[:end]).size == (40, 30)
    except ImageError as error:
        assert len(str(error).splitlines()) == 1


def test_a_picture_of_many_scans_is_known_by_its_header():
    assert [has_many_scans(one) for one in (jpeg(), jpeg(progressive=True), separate())] == [False, True, True]
    assert [has_many_scans(jpeg(photo().convert("L"), progressive=one)) for one in (False, True)] == [False, True]


def test_a_jpeg_of_countless_scans_is_refused():
    """100 scans of 100 megapixels are 10,000 megapixels, over 3,000; of 10 megapixels they are 1,000."""
    content = b"\xff\xda" * 100
    check_scans(content, 5000, 2000)
    check_scans(b"\xff\xda" * 30, 20_000, 10_000)
    with pytest.raises(ImageError, match="a JPEG of 100 scans, which would take too long") as refused:
        check_scans(content, 10_000, 10_000)
    assert refused.value.kind == "too large"
    whole = jpeg(progressive=True)
    last = scans(whole)[-1]
    with pytest.raises(ImageError, match=r"a JPEG of 2\d\d,\d\d\d scans"):
        load(whole[:-2] + whole[last:-2].replace(b"\xff", b"")[:1] + b"\xff\xda" * 200_000)


def eighth(content: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(content))
    image.draft(None, (image.width // 8, image.height // 8))
    return np.asarray(image)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("saved", [{}, {"restart_marker_rows": 1}, {"optimize": True}])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_at_an_eighth_the_detail_of_a_progressive_one_is_not_read(mode, saved, subsampling):
    """The same pixels from fewer bytes; sides that are no multiple of a block count too."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (251, 303, 3), np.uint8)
    picture = Image.fromarray(noise).resize((605, 503), Image.Resampling.BICUBIC).convert(mode)
    picture.save(buffer, "JPEG", quality=85, progressive=True, **saved, subsampling=subsampling)
    content = buffer.getvalue()
    less = without_detail(content)
    assert less is not None
    assert len(less) < 0.85 * len(content)
    np.testing.assert_array_equal(eighth(less), eighth(content))


def test_color_that_is_stored_smaller_keeps_its_detail():
    """At an eighth the decoder makes 2 x 2 pixels of each block of it; the lines are of one pixel, so that it shows."""
    lines = np.zeros((320, 320, 3), np.uint8)
    lines[:, ::16, 0] = lines[::16, :, 2] = 255
    content = io.BytesIO()
    Image.fromarray(lines).save(content, "JPEG", quality=95, subsampling=2, progressive=True)
    less = without_detail(content.getvalue())
    assert less is not None
    np.testing.assert_array_equal(eighth(less), eighth(content.getvalue()))
    assert np.ptp(eighth(less)[..., 0].astype(int)) > 10


def test_what_is_not_progressive_or_not_whole_or_has_no_detail_stays_as_it_is():
    whole = jpeg(progressive=True)
    less = without_detail(whole)
    assert less is not None
    for content in (jpeg(), separate(), whole[:-2], whole[: len(whole) // 2], b"", b"\xff\xd8\xff\xd9", b"no picture"):
        assert without_detail(content) is None
    assert without_detail(whole + b"what a phone puts behind") == less


@settings(deadline=None)
@given(at=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_a_damaged_one_is_never_an_error_here(at, byte):
    content = bytearray(jpeg(photo().resize((24, 24)), progressive=True))
    content[at % len(content)] = byte
    without_detail(bytes(content))


def test_a_large_progressive_picture_is_read_without_its_detail():
    """The square is made of the same pixels, and EXIF turns it; what is damaged in the detail does not matter."""
    exif = Image.Exif()
    exif[0x0112] = 6
    content = jpeg(scene(700, 600), progressive=True, exif=exif)
    expected = Image.fromarray(eighth(content)).resize((50, 50), Image.Resampling.BICUBIC, (0, 0, 87.5, 75))
    square = decode_square(content, 50)
    np.testing.assert_array_equal(square.array, expected.transpose(Image.Transpose.ROTATE_270))
    assert (square.width, square.height) == (600, 700)
    damaged = bytearray(content)
    damaged[scans(content)[-1] + 9] = 0xEE  # bits that no scan refines
    with pytest.raises(ImageError, match="the JPEG is damaged"):
        load(bytes(damaged))
    np.testing.assert_array_equal(decode_square(bytes(damaged), 50).array, square.array)
