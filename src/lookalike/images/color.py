"""Any of Pillow's modes -> RGB as a screen shows it: palettes, alpha, 16 bits, floats, CMYK, Lab, colour profiles."""

import io
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from lookalike.files import digest
from lookalike.images.decode_cost import BAND_PX

Factors = tuple[int, int]
DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_SIMPLE = ("RGB", "L", "CMYK", "LAB")
_ALPHA = ("RGBA", "RGBa", "LA", "La", "PA")
_LARGEST_PROFILE = 4_000_000  # bytes; those of printers, the largest, are of 1 to 3 MB


def to_rgb(image: Image.Image, factors: Factors = (1, 1), band_px: int = BAND_PX) -> Image.Image:
    """A loaded picture in RGB, on white where it is transparent, in the colours of sRGB.

    16-bit grey is scaled by its bits: the fewest of 8, 10, 12, 14, 16 that hold its largest value, so that 12-bit data
    kept in 16 bits are not black. Floats from 0 to 1 become 0 to 255; other floats, and integers beyond 16 bits, are
    stretched from their smallest to their largest. Colour profiles are obeyed; one that is invalid, or above 4 MB, is
    passed over.

    Args:
        image: in any of Pillow's modes.
        factors: whole numbers by which the width and the height shrink (each block becomes its mean) before the
            costly steps; the last column and row may be of smaller blocks.
        band_px: pixels that are converted at a time; it changes what the work takes, not what comes out.
    Returns: RGB; the very same object where nothing was to do.
    """
    profile = image.info.get("icc_profile")
    return _srgb(_simple(image, factors, band_px), profile)


def _simple(image: Image.Image, factors: Factors, band_px: int) -> Image.Image:
    """RGB, L, CMYK or LAB, without alpha, shrunk; converted band by band."""
    if image.mode in _SIMPLE and "transparency" not in image.info:
        return image if factors == (1, 1) else image.reduce(factors)
    scale = _scale(image, band_px) if image.mode in DEEP else (0.0, 1.0)
    result: Image.Image | None = None
    for top, band in _bands(image, band_px, factors[1]):
        flat = _flat(band, scale)
        small = flat if factors == (1, 1) else flat.reduce(factors)
        if band.height == image.height:
            return small
        if result is None:
            result = Image.new(small.mode, (-(-image.width // factors[0]), -(-image.height // factors[1])))
        result.paste(small, (0, top // factors[1]))
    assert result is not None
    return result


def _bands(image: Image.Image, band_px: int, multiple: int = 1) -> Iterator[tuple[int, Image.Image]]:
    rows = max(band_px // image.width // multiple, 1) * multiple
    for top in range(0, image.height, rows):
        whole = top == 0 and rows >= image.height
        yield top, image if whole else image.crop((0, top, image.width, min(top + rows, image.height)))


def _flat(image: Image.Image, scale: tuple[float, float]) -> Image.Image:
    """One band: any mode -> RGB, L, CMYK or LAB, on white."""
    key = image.info.get("transparency")
    if image.mode in DEEP:
        values = np.asarray(image)
        grey = _grey(values, scale)
        if isinstance(key, int):
            grey[values == key] = 255
        return Image.fromarray(grey)
    if image.mode in _ALPHA or key is not None:
        clear = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(clear, mask=clear.getchannel("A"))
        return white
    return image.convert("L" if image.mode == "1" else "RGB")


def _scale(image: Image.Image, band_px: int) -> tuple[float, float]:
    """The values of a deep grey picture that become black and white."""
    lows, highs = [], []
    for _, band in _bands(image, band_px):
        values = np.asarray(band)
        values = values[np.isfinite(values)] if image.mode == "F" else values
        if values.size:
            lows.append(float(values.min()))
            highs.append(float(values.max()))
    low, high = min(lows, default=0.0), max(highs, default=0.0)
    if image.mode == "F" and low >= 0 and high <= 1:
        return 0.0, 1.0
    if image.mode != "F" and low >= 0 and high <= 65535:
        return 0.0, next(top for bits in (8, 10, 12, 14, 16) if high <= (top := 2.0**bits - 1))
    return low, high


def _grey(values: NDArray[Any], scale: tuple[float, float]) -> NDArray[np.uint8]:
    low, high = scale
    share = (values.astype(np.float32) - low) * (255 / max(high - low, 1e-30))
    share = np.nan_to_num(share, nan=0.0, posinf=255.0, neginf=0.0).clip(0, 255)
    result: NDArray[np.uint8] = np.rint(share).astype(np.uint8)
    return result


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB, L, CMYK or LAB -> RGB, by the picture's profile where it has a valid one."""
    if image.mode == "LAB":
        profile = b""
    elif not isinstance(profile, bytes) or not profile or len(profile) > _LARGEST_PROFILE:
        return image if image.mode == "RGB" else image.convert("RGB")
    transform = _transforms.get(profile, image.mode)
    if transform is None:
        return image if image.mode == "RGB" else image.convert("RGB")
    return ImageCms.applyTransform(image, transform) or image


class _Transforms:
    """The transforms of the profiles that came last, by digest, so that no profile stays in memory."""

    def __init__(self, most: int = 64):
        self._most, self._lock = most, threading.Lock()
        self._kept: OrderedDict[tuple[bytes, str], ImageCms.ImageCmsTransform | None] = OrderedDict()

    def get(self, profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
        """As `_build_transform`."""
        key = digest([profile]), mode
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        transform = _build_transform(profile, mode)
        with self._lock:
            self._kept[key] = transform
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return transform


_transforms = _Transforms()


def _build_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From a profile to sRGB; None where it is invalid, is not for this mode, or changes nothing to speak of."""
    srgb = ImageCms.createProfile("sRGB")
    try:
        if mode == "LAB":
            return ImageCms.buildTransform(ImageCms.createProfile("LAB"), srgb, "LAB", "RGB")
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}[mode]:
            return None
        transform = ImageCms.buildTransform(source, srgb, mode, "RGB")
        return transform if mode == "CMYK" or _changes(transform, mode) else None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, KeyError):
        return None


def _changes(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether some colour moves by more than 2 of 255 levels: sRGB has many profiles, and most files carry one."""
    ramp = np.linspace(0, 255, 9).astype(np.uint8)
    cube = np.stack(np.meshgrid(ramp, ramp, ramp), axis=-1).reshape(9, 81, 3)
    before = Image.fromarray(cube) if mode == "RGB" else Image.fromarray(ramp[None])
    after = ImageCms.applyTransform(before, transform)
    moved = np.asarray(before.convert("RGB")).astype(int) - np.asarray(after)
    return bool(np.abs(moved).max() > 2)
