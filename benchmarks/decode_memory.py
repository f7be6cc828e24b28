"""How much memory decoding takes for each format, against its estimate: python benchmarks/decode_memory.py

Each picture of 3,000 x 3,000 pixels is decoded to a square of 224 in a process of its own; Linux only.
"""

import io
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike.images import decode

SIDE = 3000


def photo(mode: str = "RGB") -> Image.Image:
    """Smooth noise, which compresses like a photo."""
    small = np.random.default_rng(0).integers(0, 255, (SIDE // 8, SIDE // 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((SIDE, SIDE), Image.Resampling.BICUBIC).convert(mode)


def deep(dtype: str) -> Image.Image:
    """Grey of another depth."""
    return Image.fromarray(np.asarray(photo("L")).astype(dtype) * 257)


def encoded(image: Image.Image, format: str, **settings: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **settings)
    return buffer.getvalue()


def png_16() -> bytes:
    """RGB with 16 bits a channel, which Pillow does not write."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + row.tobytes() for row in np.asarray(photo()).astype(">u2"))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 16, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def psd() -> bytes:
    planes = np.asarray(photo()).transpose(2, 0, 1).tobytes()
    return b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, SIDE, SIDE, 8, 3) + bytes(14) + planes


CASES: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encoded(photo(), "JPEG"),
    "JPEG, progressive": lambda: encoded(photo(), "JPEG", progressive=True, subsampling=0),
    "JPEG, progressive CMYK": lambda: encoded(photo("CMYK"), "JPEG", progressive=True),
    "PNG": lambda: encoded(photo(), "PNG", compress_level=1),
    "PNG, RGBA": lambda: encoded(photo("RGBA"), "PNG", compress_level=1),
    "PNG, palette": lambda: encoded(photo("P"), "PNG", compress_level=1),
    "PNG, 16-bit grey": lambda: encoded(deep("uint16"), "PNG", compress_level=1),
    "PNG, 16-bit RGB": png_16,
    "GIF": lambda: encoded(photo("P"), "GIF"),
    "WebP": lambda: encoded(photo(), "WEBP", method=0),
    "WebP, lossless": lambda: encoded(photo(), "WEBP", lossless=True, method=0, quality=0),
    "AVIF, 4:4:4": lambda: encoded(photo(), "AVIF", speed=10, subsampling="4:4:4"),
    "TIFF, LZW": lambda: encoded(photo(), "TIFF", compression="tiff_lzw"),
    "TIFF, LZW in one strip": lambda: encoded(photo(), "TIFF", compression="tiff_lzw", tiffinfo={278: SIDE}),
    "TIFF, float": lambda: encoded(deep("float32"), "TIFF"),
    "TIFF, 16-bit grey": lambda: encoded(deep("uint16"), "TIFF"),
    "JPEG 2000": lambda: encoded(photo(), "JPEG2000"),
    "JPEG 2000, RGBA": lambda: encoded(photo("RGBA"), "JPEG2000"),
    "JPEG 2000, grey": lambda: encoded(photo("L"), "JPEG2000"),
    "BMP": lambda: encoded(photo(), "BMP"),
    "TGA": lambda: encoded(photo(), "TGA", compression="tga_rle"),
    "PNM": lambda: encoded(photo(), "PPM"),
    "PSD": psd,
}


def measure(path: Path) -> None:
    """Print the estimate and what decoding really takes, in bytes a pixel."""

    def kilobytes(key: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(key)).split()[1])

    content, estimates, original = path.read_bytes(), [], decode.decoding_bytes

    def recorded(*arguments: object, **named: object) -> int:
        estimates.append(original(*arguments, **named))  # type: ignore[arg-type]
        return estimates[-1]

    decode.decoding_bytes = recorded
    decode.decode_square(np.zeros((4, 4, 3), np.uint8), 224)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = kilobytes("VmRSS")
    decode.decode_square(content, 224)
    taken = (kilobytes("VmHWM") - before) * 1024
    pixels = SIDE * SIDE
    print(f"{taken / pixels:.1f} | {estimates[-1] / pixels:.1f} | {estimates[-1] / taken:.2f}")


def main() -> None:
    print("| format | measured, bytes a pixel | estimate | ratio |\n| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture")
        for name, content in CASES.items():
            path.write_bytes(content())
            done = subprocess.run([sys.executable, __file__, path], capture_output=True, text=True, check=True)
            print(f"| {name} | {done.stdout.strip()} |", flush=True)


if __name__ == "__main__":
    measure(Path(sys.argv[1])) if len(sys.argv) > 1 else main()
