"""The bytes that decoding takes: worked by hand, and against what a process of its own really takes."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from lookalike.images.decode_cost import BAND_PX, decoding_bytes

CHILD = """
import io, sys
import numpy as np
from PIL import Image
from lookalike.images import decode
def value(key):
    return int(next(line for line in open("/proc/self/status") if line.startswith(key)).split()[1]) * 1024
image = Image.open(sys.argv[1])
expected = decode.decoding_bytes(image, sys.argv[2], image.size, True, "progressive" in image.info)
image.close()
content = open(sys.argv[1], "rb").read()
decode.decode_square(np.zeros((4, 4, 3), np.uint8), 64)
open("/proc/self/clear_refs", "w").write("5")
before = value("VmRSS")
decode.decode_square(content, 64)
print(expected, value("VmHWM") - before)
"""


def test_a_grey_picture_costs_a_byte_a_pixel_and_its_rgb_copy_four():
    """10 x 10: 100 bytes; read in its full size also 4 x 100."""
    image = Image.new("L", (10, 10))
    assert decoding_bytes(image, "PNG", (10, 10), shrunk=True) == 100
    assert decoding_bytes(image, "PNG", (10, 10), shrunk=False) == 500


def test_alpha_is_converted_a_band_at_a_time():
    """3,000 x 3,000 in RGBA: 4 bytes a pixel, and 18 for each of the 4,194,304 pixels of a band."""
    assert decoding_bytes(Image.new("RGBA", (3000, 3000)), "PNG", (3000, 3000), True) == 36_000_000 + 18 * BAND_PX


def test_a_progressive_jpeg_keeps_16_bits_of_each_value_of_the_whole_picture():
    """CMYK, drafted from 80 x 40 to 10 x 5: 4 x 50 for the small one, 2 x 4 x 3,200 for the scans."""
    assert decoding_bytes(Image.new("CMYK", (10, 5)), "JPEG", (80, 40), True, many_scans=True) == 200 + 25_600


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells the peak of a process")
@pytest.mark.parametrize(
    ("format", "mode", "settings"),
    [
        ("JPEG", "CMYK", {"progressive": True}),
        ("PNG", "RGBA", {"compress_level": 1}),
        ("PNG", "P", {"compress_level": 1}),
        ("GIF", "P", {}),
        ("WebP", "RGB", {"lossless": True, "method": 0, "quality": 0}),
        ("TIFF", "F", {}),
        ("TIFF", "RGB", {"compression": "tiff_lzw", "tiffinfo": {278: 2000}}),
        ("JPEG 2000", "RGB", {}),
        ("JPEG 2000", "RGBA", {}),
        ("AVIF", "RGB", {"speed": 10}),
        ("BMP", "RGB", {}),
    ],
)
def test_decoding_takes_no_more_than_its_estimate_and_not_less_than_a_third(format, mode, settings, tmp_path):
    """2,000 x 2,000 pixels; 6 MB are allowed for what a library loads at its first picture."""
    noise = Image.effect_noise((250, 250), 60).resize((2000, 2000))
    path = tmp_path / "picture"
    noise.convert("RGB" if mode == "RGBA" else mode).convert(mode).save(
        path, format.replace(" ", "").upper(), **settings
    )
    done = subprocess.run([sys.executable, "-c", CHILD, path, format], capture_output=True, text=True, check=True)
    expected, taken = map(int, done.stdout.split())
    assert expected / 3 < taken < expected + 6_000_000
