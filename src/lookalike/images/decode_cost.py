"""How many bytes decoding a picture takes at its peak, by its header; from benchmarks/decode_memory.py."""

from PIL import Image

# Pixels converted to RGB at a time (`color.to_rgb`), so that a large picture is never there twice in full.
BAND_PX = 1 << 22

_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}  # others: 4 bytes
# Bytes a pixel of a band costs while it is converted; modes that need no conversion cost none.
_BAND = {"1": 8, "P": 10, "RGBA": 18, "RGBa": 18, "LA": 18, "La": 18, "PA": 18, "F": 25, "I": 25}
_DEEP_BAND = 20
# Bytes a pixel costs inside decoders that hold the picture a second time. For each band: of JPEG 2000, in 32 bits.
_INSIDE = {"AVIF": 8, "HEIC": 8, "WebP": 15, "QOI": 4, "PSD": 3}
_JPEG_2000_BAND = 6


def decoding_bytes(
    image: Image.Image, format: str, size: tuple[int, int], shrunk: bool, many_scans: bool = False
) -> int:
    """About how many bytes decoding takes at its peak, without the file's own; rather too many than too few.

    Args:
        image: opened and not loaded; of a JPEG, with its draft size.
        format: as `detect_format` calls it.
        size: the picture's whole size (width, height) in pixels, draft or not, or that of its largest part.
        many_scans: whether a JPEG comes in several scans.
        shrunk: whether it is made smaller before the costly steps; else a second copy in RGB counts too.

    >>> decoding_bytes(Image.new("RGB", (1000, 1000)), "PNG", (1000, 1000), shrunk=True)
    4000000
    """
    pixels = image.width * image.height
    if format != "JPEG":
        pixels = max(pixels, size[0] * size[1])
    each = _PIXEL.get(image.mode, 4) + _inside(image, format) + (0 if shrunk else 4)
    band = _DEEP_BAND if image.mode.startswith("I;16") else _BAND.get(image.mode, 0)
    if "transparency" in image.info:
        band = max(band, 18)
    # A JPEG of several scans keeps 16 bits for each value of the whole picture until the last one, draft or not.
    scans = 2 * len(image.getbands()) * size[0] * size[1] if many_scans else 0
    return each * pixels + band * min(pixels, BAND_PX) + scans


def _inside(image: Image.Image, format: str) -> int:
    """Bytes a pixel that the decoder holds beside the picture."""
    if format == "JPEG 2000":
        return _JPEG_2000_BAND * len(image.getbands())
    if format == "TIFF":  # one strip may be the whole picture
        bits = getattr(image, "tag_v2", {}).get(258, (8,))
        return -(-sum(bits if isinstance(bits, tuple) else (bits,)) // 8)
    return _INSIDE.get(format, 0)
