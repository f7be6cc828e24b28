"""A camera's raw photo -> the JPEG that the camera put inside, by rawpy, an extra; its sensor's data are left alone."""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lookalike.errors import ImageError, MissingExtraError

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

_MEND = "Export it as JPEG or PNG."
_SUBFILE_TYPE, _COMPRESSION, _PHOTOMETRIC, _SUB_IFDS, _DNG_VERSION = 254, 259, 262, 330, 50706  # tags of TIFF
_SENSOR = {32803, 34892}  # values of a color filter, or of three colors that are no RGB yet
_RAW_COMPRESSIONS = {99, 32767, 32769, 32770, 32772, 34713, 34892, 65000, 65535}
_EXIF_OF_FLIP = {0: 1, 3: 3, 5: 8, 6: 6}


@dataclass(frozen=True)
class Preview:
    """The picture inside a raw photo.

    Attributes:
        format: "JPEG", or "PNM" where the camera put plain pixels inside.
        content: its bytes.
        orientation: of the raw photo, as EXIF numbers it; counts where the picture itself says nothing.
    """

    format: str
    content: bytes
    orientation: int


def raw_preview(content: bytes) -> Preview:
    """The largest picture that a camera put into a raw photo.

    Args:
        content: of the raw photo; in memory once more while this works, and the preview besides.
    Raises: ImageError, without the extra `raw`, for a camera that rawpy does not know, and where there is no picture.
    """
    try:
        import rawpy
    except ImportError as error:
        raise ImageError(str(MissingExtraError("a camera's raw photo", "raw")), "needs an extra") from error
    try:
        with rawpy.imread(io.BytesIO(content)) as photo:
            found, orientation = photo.extract_thumb(), _EXIF_OF_FLIP.get(photo.sizes.flip, 1)
            if found.format == rawpy.ThumbFormat.JPEG:
                return Preview("JPEG", bytes(found.data), orientation)
            pixels = found.data
            if found.format == rawpy.ThumbFormat.BITMAP and pixels.dtype == "uint8" and pixels.shape[2:] == (3,):
                head = f"P6\n{pixels.shape[1]} {pixels.shape[0]}\n255\n"
                return Preview("PNM", head.encode() + pixels.tobytes(), orientation)
    except (rawpy.LibRawNoThumbnailError, rawpy.LibRawUnsupportedThumbnailError) as error:
        raise _without_preview() from error
    except rawpy.LibRawUnsufficientMemoryError as error:
        raise MemoryError from error
    except rawpy.LibRawError as error:
        said = "a raw photo that is damaged, or of a camera that rawpy does not know"
        raise ImageError(f"{said}. {_MEND}", "unsupported") from error
    raise _without_preview()


def _without_preview() -> ImageError:
    return ImageError(f"a raw photo without a picture inside that can be shown. {_MEND}", "unsupported")


def is_raw_tiff(content: bytes) -> bool:
    """Whether a TIFF is a camera's raw photo, of which Pillow would show the thumbnail, or nothing.

    Args:
        content: of a file that begins as TIFF does.
    """
    try:
        tags = _first_tags(content)
        return bool(
            _DNG_VERSION in tags
            or (tags.get(_SUBFILE_TYPE) == 1 and _SUB_IFDS in tags)
            or tags.get(_PHOTOMETRIC) in _SENSOR
            or tags.get(_COMPRESSION) in _RAW_COMPRESSIONS
        )
    except Exception:  # whatever a damaged file makes of Pillow's reader, which will say so
        return False


def _first_tags(content: bytes) -> "ImageFileDirectory_v2":
    """Those of a file's first picture, whether Pillow can decode it or not."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2  # loads what most pictures do not need

    file = io.BytesIO(content)
    head = file.read(8)
    tags = ImageFileDirectory_v2(head + file.read(8) if b"+" in head[2:4] else head)  # a + says 64 bits
    file.seek(tags.next)
    tags.load(file)
    return tags
