"""Raw photos: the picture inside, upright; without the extra, and without a picture, one line."""

import io
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.pictures import scene
from support.raw_photo import dng

from lookalike.errors import ImageError
from lookalike.images.decode import decode_square, load, read_bytes
from lookalike.images.limits import Limits
from lookalike.images.raw_preview import is_raw_tiff, raw_preview

UPRIGHT = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


def jpeg(image: Image.Image | None = None, **settings: object) -> bytes:
    buffer = io.BytesIO()
    (image or scene(64, 48)).save(buffer, "JPEG", quality=95, **settings)
    return buffer.getvalue()


def away(source: object) -> float:
    return float(np.abs(np.asarray(load(source)).astype(int) - np.asarray(scene(64, 48))).mean())


@pytest.fixture(autouse=True)
def _extra(request):
    if "without" not in request.node.name:
        pytest.importorskip("rawpy")


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("compression", [7, 1])
def test_the_picture_inside_comes_upright(orientation, compression):
    """A camera held otherwise stores turned pixels, inside as well, and says so beside the sensor's data alone."""
    stored = scene(64, 48) if orientation == 1 else scene(64, 48).transpose(UPRIGHT[orientation])
    inside = jpeg(stored) if compression == 7 else stored.tobytes()
    content = dng(inside, stored.size, orientation, compression)
    assert load(content).size == (64, 48)
    assert away(content) < 3
    assert raw_preview(content).orientation == orientation
    found = decode_square(content, 16)
    assert (found.width, found.height) == (64, 48)


def test_a_picture_inside_that_says_how_it_lies_is_believed():
    """The raw photo says 6, the picture 1, in an EXIF block at its beginning, where cameras put it: it is upright."""
    exif = Image.Exif()
    exif[0x0112] = 1
    content = jpeg(exif=exif)
    assert away(dng(content[:2] + content[20:], orientation=6)) < 3  # without the JFIF block that Pillow puts before


@pytest.mark.parametrize("name", ["a.dng", "a.nef", "a.CR2", "a.tif", "a.jpg"])
def test_it_is_told_by_its_content_or_its_name(name, tmp_path: Path):
    path = tmp_path / name
    path.write_bytes(dng(jpeg()))
    assert away(path) < 3
    assert away(read_bytes(path)) < 3


def test_a_tiff_that_is_a_raw_photo_by_name_alone_is_not_shown_as_its_thumbnail(tmp_path: Path):
    scene().save(tmp_path / "a.tif")
    (tmp_path / "a.tif").rename(tmp_path / "a.mos")
    for read in (read_bytes, load):
        with pytest.raises(ImageError) as refused:
            read(tmp_path / "a.mos")
        assert refused.value.kind == "unsupported"


def test_what_makes_a_tiff_a_raw_photo():
    """A version of DNG; a reduced picture before others; a value a pixel behind a color filter; a camera's packing."""
    content = dng(jpeg())
    assert is_raw_tiff(content)
    assert is_raw_tiff(dng(jpeg(), version=False))
    plain = io.BytesIO()
    scene().save(plain, "TIFF")
    assert not is_raw_tiff(plain.getvalue())
    for tag, value in ((262, 32803), (259, 34713)):
        at = plain.getvalue().index(struct.pack("<HHI", tag, 3, 1)) + 8
        assert is_raw_tiff(plain.getvalue()[:at] + struct.pack("<H", value) + plain.getvalue()[at + 2 :])
    assert not is_raw_tiff(b"II*\0\xff\xff\xff\xff")
    assert not is_raw_tiff(b"II+\0")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (dng(b"no picture, only words, and again: no picture. "), "a raw photo without a picture inside that can be"),
        (dng(jpeg())[:330], "a raw photo that is damaged, or of a camera that rawpy does not know. Export it as"),
        (b"FUJIFILMCCD-RAW" + bytes(500), "a raw photo that is damaged, or of a camera that rawpy does not know."),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(200), "a raw photo"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(200), "a raw photo"),
    ],
)
def test_what_has_no_picture_inside_is_refused_in_one_line(content, said):
    with pytest.raises(ImageError) as refused:
        load(content)
    assert refused.value.reason.startswith(said)
    assert refused.value.kind == "unsupported"


def test_the_picture_inside_is_within_the_same_limits():
    content = dng(jpeg(scene(200, 100)), (200, 100))
    assert load(content, Limits(pixels=20_000)).size == (200, 100)
    with pytest.raises(ImageError, match="over the limit of"):
        load(content, Limits(pixels=19_999))


def test_a_damaged_picture_inside_is_called_that():
    with pytest.raises(ImageError, match="the preview of a raw photo is "):
        load(dng(jpeg()[:700]))


def test_without_the_extra_it_names_it():
    """In a process of its own, in which rawpy cannot be imported."""
    program = """
import sys
sys.modules["rawpy"] = None
from lookalike.errors import ImageError
from lookalike.images.decode import load
try:
    load(b"FUJIFILMCCD-RAW")
except ImageError as error:
    print(error.kind, "|", error)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    said = "needs an extra | a camera's raw photo needs the extra 'raw'. Install it with: pip install 'lookalike[raw]'"
    assert run.stdout.strip() == said
