"""Files and bytes -> upright RGB pixels, within bounds: the only place that calls Pillow's decoders."""

import io
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from lookalike.errors import ImageError, MissingExtraError, ShapeError
from lookalike.files import digest
from lookalike.images.coarse_image import TURNS, CoarseImage
from lookalike.images.color import to_rgb
from lookalike.images.decode_cost import decoding_bytes
from lookalike.images.fetched import present
from lookalike.images.formats import HEAD, RAW, check_slow, declared_sizes, detect_format, is_truncated
from lookalike.images.jpeg import check_scans, has_many_scans, mend_jpeg, without_detail
from lookalike.images.limits import FLIGHT, LIMITS, Limits
from lookalike.images.pillow_warnings import PIXEL_LIMIT, silence, silence_libtiff
from lookalike.images.raw_preview import is_raw_tiff, raw_preview
from lookalike.images.sources import as_image_source
from lookalike.text import printable_line

__all__ = [
    "LIMITS",
    "CoarseImage",
    "DecodedImage",
    "ImageSource",
    "Limits",
    "check_picture",
    "content_hash",
    "decode_square",
    "decoded",
    "load",
    "open_bytes",
    "read_bytes",
]

ImageSource = str | Path | bytes | Image.Image | NDArray[np.uint8]

# One class of Pillow for each format that `detect_format` knows; no other (PostScript, for one) is ever called.
_DECODERS = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "WebP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "JPEG 2000": ("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIC": ("pillow_heif", "HeifImageFile"),
    "ICO": ("PIL.IcoImagePlugin", "IcoImageFile"),
    "TGA": ("PIL.TgaImagePlugin", "TgaImageFile"),
    "PNM": ("PIL.PpmImagePlugin", "PpmImageFile"),
    "PSD": ("PIL.PsdImagePlugin", "PsdImageFile"),
    "QOI": ("PIL.QoiImagePlugin", "QoiImageFile"),
}

# Oversampling that the coarse shrink (JPEG draft, whole factors) leaves for the final bicubic step
# (benchmarks/decode.py: within a level of 255 of the full decode).
_DRAFT, _COARSE = 1.4, 2.0
_NO_MEMORY = "needs more memory than there is. Close other programs, or make a smaller copy."


@dataclass(frozen=True)
class DecodedImage:
    """A backbone's input.

    Attributes:
        array: (side, side, 3) uint8.
        width, height: of the picture itself, in pixels, upright.
        lacks: what is not there of a picture whose file ends early, in words; "" where nothing is missing.
    """

    array: NDArray[np.uint8]
    width: int
    height: int
    lacks: str = ""


def content_hash(content: bytes) -> bytes:
    """What tells two contents apart: BLAKE2b, 16 bytes.

    >>> content_hash(b"").hex()
    'cae66941d9efbd404e4d88758ea67670'
    """
    return digest([content])


def read_bytes(path: Path, limits: Limits = LIMITS) -> bytes:
    """A picture file's bytes; of a file that is no picture, or is too large, only the beginning is read.

    Raises: ImageError, without the file's name in it; its kind is "gone" when the file vanished.
    """
    with open_bytes(path, limits) as content:
        return content


@contextmanager
def open_bytes(path: Path, limits: Limits = LIMITS) -> Iterator[bytes]:
    """The same bytes, which count as in flight for as long as this is open (`Limits.in_flight`)."""
    with ExitStack() as held:
        try:
            status = present(path).stat()
            if not stat.S_ISREG(status.st_mode):
                what = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe, a socket or a device"
                raise ImageError(f"{what}, not a picture. Name a file.", "not a picture")
            with path.open("rb") as file:
                head = file.read(HEAD)
                format = detect_format(head, path.name)
                limits.check_bytes(status.st_size)
                # Sized by the file, not by the limit: Python takes the memory before it reads.
                size = max(status.st_size, len(head))
                held.enter_context(FLIGHT.hold_file(size, limits.in_flight))
                file.seek(0)
                content = file.read(size)
            _check_raw(format, content)
        except FileNotFoundError as error:
            raise ImageError("no such file. Check its name, or whether it was moved.", "gone") from error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ImageError(f"cannot be read ({reason}). Check the disk and the permissions.", "unreadable") from error
        except MemoryError as error:
            raise ImageError(f"reading it {_NO_MEMORY}", "no memory") from error
        yield content


def check_picture(name: str, content: bytes) -> None:
    """Ask of a file's bytes, or of its first ones, whether they are a picture's.

    Args:
        name: of the file, whose ending tells some formats.
        content: its bytes, or at least the first `HEAD` of them.
    Raises: ImageError.
    """
    format = detect_format(content[:HEAD], name)
    if len(content) > HEAD:
        _check_raw(format, content)


def _check_raw(format: str, content: bytes) -> None:
    if format == RAW and detect_format(content[:HEAD]) == "TIFF" and not is_raw_tiff(content):
        raise ImageError("a raw photo, by its name alone. Export it as JPEG or PNG.", "unsupported")


def load(source: ImageSource, limits: Limits = LIMITS, side_px: int | None = None) -> Image.Image:
    """A picture, upright, RGB, on white where it is transparent; the first frame of an animation.

    Args:
        source: a path, a file's bytes, a PIL image, or pixels (h, w), (h, w, 3) or (h, w, 4) uint8; also open files,
            uploads and tensors, see `lookalike.images.sources.as_image_source`.
        limits: bounds that are checked before anything is decoded.
        side_px: when given, a larger picture may come back smaller, in the same proportions, neither side shorter than
            this: much faster, and less memory.
    Raises: ImageError, which says what is wrong with it; ShapeError, for arrays that are no pixels.

    >>> load(np.zeros((2, 3), np.uint8)).size
    (3, 2)
    """
    with decoded(source, limits, side_px, squash=False) as found:
        image = found.image if found.turn is None else found.image.transpose(found.turn)
        if image is source or isinstance(image, ImageFile.ImageFile):
            image = image.copy()
        image.info = {}  # no EXIF stays behind, by which someone could turn it once more
        return image


def decode_square(
    source: ImageSource,
    side_px: int,
    limits: Limits = LIMITS,
    also: Callable[[CoarseImage], object] | None = None,
) -> DecodedImage:
    """A picture squashed to a square, as backbones want it.

    Args:
        source: as for `load`.
        side_px: the square's side.
        limits: as for `load`.
        also: called with what was decoded, before it is let go: for what else is made of a picture.
    Raises: ImageError, ShapeError.

    >>> decode_square(np.zeros((2, 3), np.uint8), 4).array.shape
    (4, 4, 3)
    """
    with decoded(source, limits, side_px, squash=True) as found:
        square = found.image.resize((side_px, side_px), Image.Resampling.BICUBIC, found.box)
        if found.turn is not None:
            square = square.transpose(found.turn)
        width, height = found.size[::-1] if found.is_on_its_side else found.size
        if also is not None:
            also(found)
        return DecodedImage(np.array(square), width, height, found.lacks)


@contextmanager
def decoded(source: ImageSource, limits: Limits, side_px: int | None, squash: bool) -> Iterator[CoarseImage]:
    """A picture decoded within its bounds, whose bytes count as in flight for as long as this is open, as for `load`.

    squash: its sides may shrink each by its own factor. `image` is the decoder's own: it ends with this.
    """
    source = as_image_source(source, limits)
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim < 2 or source.shape[2:] not in ((), (3,), (4,)) or not source.size:
            raise ShapeError(f"pixels must be uint8 (h, w), (h, w, 3) or (h, w, 4), not {source.dtype} {source.shape}.")
        source = Image.fromarray(source)
    file = str(source) if isinstance(source, str | Path) else None
    try:
        format, content = "picture", b""
        with ExitStack() as held, silence(), PIXEL_LIMIT.at_least(limits.pixels // 2):
            if not isinstance(source, Image.Image):
                content = source if isinstance(source, bytes) else held.enter_context(open_bytes(Path(source), limits))
                limits.check_bytes(len(content))
                format = detect_format(content[:HEAD], file)
                check_slow(format, content)
            said, orientation = format, 1
            if format == RAW or (format == "TIFF" and is_raw_tiff(content)):
                said = "preview of a raw photo"
                format, content, orientation = _preview(content, limits)
            held.enter_context(_as_image_error(said, content))
            sizes = declared_sizes(format, content)
            for one in sizes:
                limits.check_pixels(*one)
            image = source if isinstance(source, Image.Image) else _open(format, content, limits)
            if image is not source:  # its pixels go at once, whoever still holds an error of its decoder
                held.callback(image.close)
            limits.check_pixels(*image.size)
            size, lacks, many_scans = image.size, "", False
            if format == "JPEG":
                check_scans(content, *size)
                many_scans = has_many_scans(content)
            box = _draft(image, format, side_px)
            eighth = getattr(image, "decoderconfig", ())[:1] == (8,)
            if many_scans and eighth and (coarse := without_detail(content)) is not None:
                image = held.enter_context(_open(format, coarse, limits))
                box = _draft(image, format, side_px)
            largest = max([size, *sizes], key=lambda one: one[0] * one[1])
            cost = decoding_bytes(image, format, largest, side_px is not None, many_scans)
            limits.check_memory(cost + len(content), format)
            with FLIGHT.hold_pixels(cost, limits.in_flight):
                try:
                    image.load()
                except OSError as error:
                    if format != "JPEG" or "truncated" not in str(error) or (mended := mend_jpeg(content)) is None:
                        raise
                    image, lacks = held.enter_context(_open(format, mended.content, limits)), mended.lacks
                    box = _draft(image, format, side_px)
                    image.load()
                if format != "JPEG":  # some decoders know it only now
                    size, box = image.size, (0, 0, *image.size)
                across, down = _factors(image.size, side_px, squash)
                box = (0, 0, box[2] / across, box[3] / down)
                yield CoarseImage(to_rgb(image, (across, down)), box, _turn(image, orientation), size, lacks)
    except ImageError as error:
        if file is None:
            raise
        raise ImageError(error.reason, error.kind, printable_line(file)) from error.__cause__


def _preview(content: bytes, limits: Limits) -> tuple[str, bytes, int]:
    """Of a raw photo, the format, the bytes and the orientation of the picture inside."""
    with _as_image_error("raw photo", content), FLIGHT.hold_pixels(2 * len(content), limits.in_flight):
        found = raw_preview(content)
    check_slow(found.format, found.content)
    return found.format, found.content, found.orientation


def _open(format: str, content: bytes, limits: Limits) -> ImageFile.ImageFile:
    """A picture whose header is read, but not its pixels."""
    module, name = _DECODERS[format]
    try:
        decoder = getattr(import_module(module), name)
    except ImportError as error:
        if format != "HEIC":
            raise
        raise ImageError(str(MissingExtraError("a HEIC picture", "heic")), "needs an extra") from error
    image: ImageFile.ImageFile = decoder(io.BytesIO(content))
    if image.format == "TIFF":
        silence_libtiff()
        tags = image.tag_v2  # type: ignore[attr-defined]
        tile = tags.get(322, 1), tags.get(323, 1)
        if tile[0] * tile[1] > max(limits.pixels, 1 << 24):
            raise ImageError("the TIFF declares tiles larger than any picture. Save it anew.")
    return image


def _draft(image: Image.Image, format: str, side_px: int | None) -> tuple[float, float, float, float]:
    """Let a JPEG be decoded small where that is enough: the whole picture, in the pixels that it will have."""
    if format == "JPEG" and side_px is not None and (drafted := image.draft(None, (int(_DRAFT * side_px),) * 2)):
        return drafted[1]
    return (0, 0, *image.size)


def _factors(size: tuple[int, int], side_px: int | None, squash: bool) -> tuple[int, int]:
    """By how much width and height shrink coarsely: each by its own where proportions will not be kept."""
    if side_px is None:
        return 1, 1
    across, down = (max(1, int(side / (_COARSE * side_px))) for side in size)
    return (across, down) if squash else (min(across, down),) * 2


def _turn(image: Image.Image, orientation: int) -> Image.Transpose | None:
    """What makes it upright, by EXIF or XMP, else by `orientation`: a phone turns with a flag, not the pixels."""
    try:
        return TURNS.get(image.getexif().get(0x0112, orientation))
    except Exception:  # whatever a damaged EXIF block makes of Pillow's reader
        return None


@contextmanager
def _as_image_error(format: str, content: bytes) -> Iterator[None]:
    """Raise whatever a decoder raises as an ImageError of one line."""
    try:
        yield
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(f"decoding the {format} {_NO_MEMORY}", "no memory") from error
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"the {format} declares more pixels than any picture has, as a decompression bomb does. Leave it out.",
            "too large",
        ) from error
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and others
        said = _shortened(str(error)) or type(error).__name__
        if "MAX_TEXT" in said:
            what, mend = (
                "holds text that unpacks to more than any caption, as a decompression bomb does",
                "Leave it out.",
            )
        elif "not identified by this driver" in said:
            what, mend = "declares a width or a height of 0", "Save it anew."
        elif "truncated" in said or is_truncated(format, content):
            what, mend = "is cut short: it ends before its picture does", "Copy it again from where it came."
        else:
            what, mend = f"is damaged ({said})", "Copy it again from where it came."
        raise ImageError(f"the {format} {what}. {mend}") from error


def _shortened(message: str) -> str:
    """What a decoder said, without what is said around it."""
    message = " ".join(message.split()).removesuffix(" when reading image file")
    message = re.sub(r"^broken PNG file \((.*)\)$", r"\1", message)
    return re.sub(r"^decoder error -\d+$", "its data make no sense to the decoder", message)[:100]
