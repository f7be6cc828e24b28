"""Decoding: what is read, how it comes out, what is refused and in which words."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lookalike.errors import PictureError
from lookalike.finding import walk
from lookalike.pictures import Limits, load, pixels


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_a_phone_picture_is_turned_upright():
    """Left half black; orientation 6 says: turn by 90 degrees clockwise, so the upper half is black."""
    flat = np.zeros((20, 40, 3), np.uint8)
    flat[:, 20:] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(Image.fromarray(flat), "JPEG", exif=exif)
    upright = np.asarray(load(content))
    assert upright.shape == (40, 20, 3)
    assert upright[:15].mean() < 10
    assert upright[25:].mean() > 245
    assert (pixels(content, 8).width, pixels(content, 8).height) == (20, 40)


def test_transparency_lies_on_white():
    assert np.asarray(load(Image.new("RGBA", (2, 2), (0, 0, 0, 0)))).tolist() == [[[255] * 3] * 2] * 2


def test_sixteen_bit_grey_is_scaled_not_cut():
    """32768 of 65535 is half: 127 or 128 of 255. Pillow's own conversion gives 255."""
    values = np.array([[0, 32768, 65535]], np.uint16)
    assert np.asarray(load(encoded(Image.fromarray(values), "PNG")))[0, :, 0].tolist() == [0, 128, 255]


def test_the_pixel_limit_is_checked_before_decoding():
    content = encoded(Image.new("1", (3000, 2000)), "PNG")
    with pytest.raises(PictureError, match="megapixels"):
        load(content, Limits(pixels=5_000_000))


def test_draft_mode_gives_nearly_the_pixels_of_a_full_decoding():
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((1600, 1200))
    content = encoded(smooth, "JPEG", quality=95)
    whole = np.asarray(load(content).resize((64, 64), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(whole - pixels(content, 64).array).mean() < 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty file"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"just some words", "not a picture"),
        (b"PK\x03\x04\0\0\0\0", "a zip archive"),
    ],
)
def test_what_is_no_picture_is_named(content: bytes, words: str):
    with pytest.raises(PictureError, match=words):
        load(content)


def test_a_cut_picture_is_refused():
    content = encoded(Image.effect_noise((99, 99), 50), "PNG")
    with pytest.raises(PictureError, match="PNG"):
        load(content[: len(content) // 2])


def test_every_odd_file_is_read_and_every_broken_one_refused(real_data: Path, capfd: pytest.CaptureFixture[str]):
    """bad_data_crc.png may be read: its pixels are fine. libtiff's own chatter stays off the user's screen."""
    for found in walk(real_data / "odd_files/decodes").found:
        assert pixels(found.path, 32).array.shape == (32, 32, 3), found.file
    for found in walk(real_data / "odd_files/broken").found:
        if found.file != "bad_data_crc.png":
            with pytest.raises(PictureError) as refused:
                pixels(found.path, 32)
            assert 20 < len(str(refused.value)) < 220
            assert "\n" not in str(refused.value)
    assert capfd.readouterr().err == ""


def test_the_display_p3_picture_looks_like_its_srgb_twin(real_data: Path):
    folder = real_data / "odd_files/decodes"
    wide, twin = (np.asarray(load(folder / f"display_p3{end}.jpg")).astype(int) for end in ("", "_srgb_twin"))
    assert np.abs(wide - twin).mean() < 2
