"""Files and bytes -> upright RGB pixels, within bounds: the only place that calls Pillow's decoders."""

import ctypes
import hashlib
import io
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, ImageOps

from lookalike.errors import MissingExtraError, PictureError

Source = str | Path | bytes | Image.Image | NDArray[np.uint8]


@dataclass(frozen=True)
class Limits:
    """What a picture may cost: its pixels when decoded, its bytes on disk."""

    pixels: int = 100_000_000
    bytes: int = 512 * 1024 * 1024


@dataclass(frozen=True)
class Pixels:
    """A backbone's input (side, side, 3) uint8, and the picture's own width and height in pixels, upright."""

    array: NDArray[np.uint8]
    width: int
    height: int


class Budget:
    """Decoded bytes in flight: a picture waits until the others leave it room; alone, any picture may pass."""

    def __init__(self, size: int):
        self.size, self.taken, self.free = size, 0, threading.Condition()

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Wait for `size` bytes of room, and give them back afterwards."""
        with self.free:
            self.free.wait_for(lambda: self.taken == 0 or self.taken + size <= self.size)
            self.taken += size
        try:
            yield
        finally:
            with self.free:
                self.taken -= size
                self.free.notify_all()


# An upright copy of 100 megapixels is 300 MB, and turning it needs a second one.
IN_FLIGHT = Budget(700_000_000)

MAGIC = {
    b"<?xml": "an XML or SVG drawing",
    b"<svg": "an SVG drawing",
    b"<!doctype": "an HTML page",
    b"<html": "an HTML page",
    b"pk\x03\x04": "a zip archive",
    b"%pdf": "a PDF document",
    b"\x1f\x8b": "a gzip archive",
}


def content_hash(content: bytes) -> bytes:
    """What tells two contents apart: BLAKE2b, 16 bytes.

    >>> content_hash(b"").hex()
    'cae66941d9efbd404e4d88758ea67670'
    """
    return hashlib.blake2b(content, digest_size=16).digest()


def read_bytes(path: Path, limits: Limits = Limits()) -> bytes:
    """A file's bytes.

    Raises: PictureError, when it is gone, cannot be read, is empty or larger than the limit.
    """
    try:
        with path.open("rb") as file:
            content = file.read(limits.bytes + 1)
    except OSError as error:
        raise PictureError(f"cannot be read ({error.strerror}). Check the file and its permissions.") from error
    if len(content) > limits.bytes:
        raise PictureError(f"larger than {limits.bytes // 1024**2} MiB. Make a smaller copy of it.")
    return content


def load(source: Source, limits: Limits = Limits(), side_px: int | None = None) -> Image.Image:
    """A picture, upright, RGB, on white where it was transparent; the first frame of an animation.

    Args:
        source: a path, a file's bytes, a PIL image, or pixels (h, w), (h, w, 3) or (h, w, 4) uint8.
        limits: bounds that are checked before anything is decoded.
        side_px: when given, the picture may come back smaller, but no side shorter than twice this: much faster for
            large JPEGs.
    Raises: PictureError, whose text says what is wrong with it.

    >>> load(np.zeros((2, 3), np.uint8)).size
    (3, 2)
    """
    return _load(source, limits, side_px)[0]


def pixels(source: Source, side_px: int, limits: Limits = Limits()) -> Pixels:
    """A picture squashed to a square, as backbones want it.

    Args:
        source: as for `load`.
        side_px: the square's side.
    Raises: PictureError.

    >>> pixels(np.zeros((2, 3), np.uint8), 4).array.shape
    (4, 4, 3)
    """
    image, (width, height) = _load(source, limits, side_px)
    square = image.resize((side_px, side_px), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return Pixels(np.asarray(square), width, height)


def _load(source: Source, limits: Limits, side_px: int | None) -> tuple[Image.Image, tuple[int, int]]:
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim not in (2, 3) or source.size == 0:
            raise PictureError(f"pixels must be uint8 (h, w), (h, w, 3) or (h, w, 4), not {source.dtype} {source.shape}.")
        source = Image.fromarray(source)
    if isinstance(source, Image.Image):
        image = _rgb(ImageOps.exif_transpose(source))
        return image, image.size
    if not isinstance(source, bytes):
        source = read_bytes(Path(source), limits)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = _open(source, limits)
        with IN_FLIGHT.hold(image.width * image.height * 3):
            return _decode(image, side_px)


def _open(content: bytes, limits: Limits) -> Image.Image:
    if not content:
        raise PictureError("empty file (0 bytes). It will be tried again when it changes.")
    _learn_formats()
    try:
        image = Image.open(io.BytesIO(content))
    except Image.DecompressionBombError:
        raise PictureError(_too_large("more pixels than any picture should", limits)) from None
    except Exception as error:
        raise PictureError(_what_is_it(content, error)) from error
    width, height = image.size
    if width < 1 or height < 1:
        raise PictureError(f"declares a size of {width} x {height}. Save it anew.")
    if width * height > limits.pixels:
        raise PictureError(_too_large(f"{width} x {height} = {width * height / 1e6:.0f} megapixels", limits))
    return image


def _decode(image: Image.Image, side_px: int | None) -> tuple[Image.Image, tuple[int, int]]:
    kind, size = image.format or "picture", image.size
    try:
        if side_px is not None and image.format in ("JPEG", "MPO"):
            image.draft("RGB", (2 * side_px, 2 * side_px))
        image.load()
        turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
        # EXIF first: a phone turns the picture with a flag, not the pixels.
        upright = ImageOps.exif_transpose(image)
        return _rgb(upright), (size[1], size[0]) if turned else size
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and others
        raise PictureError(f"broken {kind} ({_first_line(error)}). Copy it again from where it came.") from error


def _rgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if image.mode in ("I;16", "I;16B", "I;16L", "I;16N", "I", "F"):
        image = _grey8(image)
    elif image.mode == "LAB":
        to_rgb = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
        image = ImageCms.applyTransform(image, to_rgb) or image
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image)
        image = white
    image = image.convert("RGB")
    return _srgb(image, profile) if profile else image


def _grey8(image: Image.Image) -> Image.Image:
    """16 bits scaled to 8 by 257, floats from 0..1 by 255, other ranges by their own extremes."""
    values = np.asarray(image).astype(np.float32)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if image.mode != "F" and 0 <= low and high <= 65535:
        # 12-bit data come in 16-bit files: their largest value tells.
        top = 255.0 if high < 256 and image.mode == "I" else 4095.0 if 255 < high < 4096 else 65535.0
        values = values / top
    elif not (0 <= low and high <= 1):
        values = (values - low) / max(high - low, 1e-6)
    return Image.fromarray((values * 255).round().clip(0, 255).astype(np.uint8))


def _srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        transform = _to_srgb(profile)
        return image if transform is None else (ImageCms.applyTransform(image, transform) or image)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image  # a profile that is no profile changes nothing


@cache
def _to_srgb(profile: bytes) -> Any:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if source.profile.xcolor_space.strip() != "RGB" or "sRGB" in (source.profile.profile_description or ""):
        return None
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), "RGB", "RGB")


def _what_is_it(content: bytes, error: Exception) -> str:
    head = content[:512].lstrip().lower()
    for magic, name in MAGIC.items():
        if head.startswith(magic):
            return f"{name}, not a picture. Move it elsewhere, or leave it: it does no harm."
    if content[4:8] == b"ftyp" and content[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"heim"):
        if not _heif_is_there():
            return str(MissingExtraError("a HEIC picture", "heic"))
        return "broken HEIC picture. Copy it again from where it came."
    if b"\0" not in content[:512] and all(byte > 8 for byte in content[:512]):
        return "text, not a picture. Move it elsewhere, or leave it: it does no harm."
    if isinstance(error, ValueError) and "text" in str(error).lower():
        return f"broken picture ({_first_line(error)}). Save it anew."
    return "not a picture that can be read, or broken at its beginning. Open it in a viewer and save it anew."


def _too_large(what: str, limits: Limits) -> str:
    return f"{what}, over the limit of {limits.pixels / 1e6:.0f} megapixels. Raise it with --pixels MP."


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:100] if lines else type(error).__name__


@cache
def _learn_formats() -> None:
    """Once: HEIC where the extra is there; broken files stay broken; libtiff keeps its chatter to itself."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = None  # our own limits are checked before decoding, for every caller its own
    logging.getLogger("PIL").addHandler(logging.NullHandler())
    _silence_libtiff()
    if _heif_is_there():
        import pillow_heif

        pillow_heif.register_heif_opener()


def _silence_libtiff() -> None:
    """Turn off the handlers with which the libtiff that came with Pillow writes to stderr by itself."""
    bundled = Path(PIL.__file__).parent.parent / "pillow.libs"
    for library in bundled.glob("libtiff-*"):
        try:
            libtiff = ctypes.CDLL(str(library))
            for setter in (libtiff.TIFFSetErrorHandler, libtiff.TIFFSetWarningHandler):
                setter.restype = ctypes.c_void_p
                setter.argtypes = [ctypes.c_void_p]
                setter(None)
        except (OSError, AttributeError):
            continue  # built another way: its words reach stderr, nothing else changes


@cache
def _heif_is_there() -> bool:
    from importlib.util import find_spec

    return find_spec("pillow_heif") is not None
