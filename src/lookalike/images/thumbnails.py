"""Small pictures for grids and pages: made when asked for, kept by content hash; the folder may vanish at any time."""

import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from lookalike.errors import ImageError
from lookalike.images.decode import CoarseImage, ImageSource, content_hash, decoded, load, read_bytes
from lookalike.images.limits import LIMITS, Limits

SIDE_PX = 320  # of the pictures kept for grids: cells are 220 wide, a query under several lenses 286
LARGE_PIXELS = 2_000_000  # of larger pictures a thumbnail takes long to make: it is kept while they are indexed
LEAST_FREE = 100_000_000  # bytes of a disk: below, indexing leaves the room to what has to be kept


def thumbnail_image(
    source: Any, content: bytes | None = None, cache: Path | None = None, side_px: int = SIDE_PX
) -> Image.Image | str:
    """A picture small enough to be drawn, or the reason why there is none.

    Args:
        source: as `load` takes it, or None.
        content: its hash, where it is known.
        cache: where `thumbnail` keeps things: with both, a picture that was drawn before is not decoded again.
        side_px: its longer side at most.
    """
    if source is None:
        return "no picture: asked with a vector"
    try:
        if content is not None and cache is not None and isinstance(source, Path):
            return thumbnail(source, content, cache, side_px)
        picture = load(source, side_px=side_px)
    except ImageError as error:
        return error.reason
    picture.thumbnail((side_px, side_px))
    return picture


def thumbnail(path: Path, content: bytes, cache: Path, side_px: int, limits: Limits = LIMITS) -> Image.Image:
    """A picture whose longer side is at most `side_px`; smaller pictures keep their size.

    Args:
        path: the picture's file; opened only where no thumbnail of it is kept.
        content: the hash of its bytes, 16 bytes, as `content_hash` gives it: the thumbnail is kept by it, so that
            moved files keep theirs and changed ones get another.
        cache: where a collection keeps what may be deleted; thumbnails go to its folder thumbnails/. Where nothing can
            be written, nothing is kept, and the thumbnail comes all the same.
        side_px: longer side, in pixels.
        limits: as for `load`.
    Returns: RGB, upright. Once it is kept, it stays the same pixels; see `keep_thumbnail`.
    Raises: ImageError, without the file's name, when the picture itself cannot be read.

    >>> thumbnail(Path("gone.jpg"), bytes(16), Path("cache"), 64)
    Traceback (most recent call last):
    lookalike.errors.ImageError: no such file. Check its name, or whether it was moved.
    """
    with contextlib.suppress(ImageError):  # none yet, or a damaged one, which is made anew
        found = load(_place(content, cache, side_px))
        if max(found.size) <= side_px:
            return found
    return load(_made(lambda: read_bytes(path, limits), content, cache, side_px, limits))


def thumbnail_bytes(
    read: Callable[[], bytes], content: bytes, cache: Path, side_px: int, limits: Limits = LIMITS
) -> bytes:
    """The same as a JPEG file's bytes, as it is kept: what is kept is sent on without being decoded.

    Args:
        read: gives the bytes of the picture's file; called only where no thumbnail of it is kept.
        content: as for `thumbnail`.
        cache: as for `thumbnail`.
        side_px: as for `thumbnail`.
        limits: as for `load`.
    Raises: ImageError, and what `read` raises.
    """
    kept = kept_thumbnail(content, cache, side_px)
    return _made(read, content, cache, side_px, limits) if kept is None else kept


def kept_thumbnail(content: bytes, cache: Path, side_px: int) -> bytes | None:
    """The bytes of a thumbnail that is kept, as a JPEG file; None where there is none, or a damaged one.

    >>> kept_thumbnail(bytes(16), Path("cache"), 64) is None
    True
    """
    with contextlib.suppress(OSError):
        kept = _place(content, cache, side_px).read_bytes()
        if kept[:2] == b"\xff\xd8" and kept[-2:] == b"\xff\xd9":  # whole: kept files are renamed into place
            return kept
    return None


def keep_thumbnail(found: CoarseImage, content: bytes, cache: Path) -> bool:
    """Keep the 320 px thumbnail of a picture above 2 megapixels, made of pixels that were decoded for something else.

    They may be coarser than those that `thumbnail` decodes: it differs by a few levels of 255 where there are edges.

    Args:
        found: the picture, as `decode_square` hands it on.
        content: as for `thumbnail`.
        cache: as for `thumbnail`. Where nothing can be written, or less than 100 MB are free, nothing is kept.
    Returns: whether it was kept now: not if it is there already, or if the pixels are too few.
    """
    if found.size[0] * found.size[1] <= LARGE_PIXELS:
        return False
    (left, top, right, bottom), small = found.box, _size(found, SIDE_PX)
    if right - left < small[0] or bottom - top < small[1]:
        return False
    place = _place(content, cache, SIDE_PX)
    try:
        cache.mkdir(exist_ok=True)  # not in the place of a disk that is away
        if place.exists() or shutil.disk_usage(cache).free < LEAST_FREE:
            return False
        return _keep(place, _encoded(_shrunk(found, SIDE_PX)))
    except (OSError, MemoryError):
        return False


class Preview(NamedTuple):
    """A picture as a new JPEG file, and how wide and high it is itself, in pixels, upright."""

    jpeg: bytes
    width: int
    height: int


def preview(source: ImageSource, side_px: int, limits: Limits = LIMITS) -> Preview:
    """A picture as a new JPEG file, upright, RGB, its longer side at most `side_px`; decoded once.

    Raises: ImageError.

    >>> import numpy as np
    >>> preview(np.zeros((40, 80), np.uint8), 20)[1:]
    (80, 40)
    """
    with decoded(source, limits, side_px, squash=False) as found:
        jpeg = _encoded(_shrunk(found, side_px))
        width, height = found.size[::-1] if found.is_on_its_side else found.size
        return Preview(jpeg, width, height)


def encoded(source: ImageSource, side_px: int, limits: Limits = LIMITS) -> bytes:
    """A picture as a new JPEG file, upright, RGB, its longer side at most `side_px`.

    Raises: ImageError.
    """
    return preview(source, side_px, limits).jpeg


def _place(content: bytes, cache: Path, side_px: int) -> Path:
    return cache / "thumbnails" / content[:1].hex() / f"{content.hex()}-{side_px}.jpg"


def _made(read: Callable[[], bytes], content: bytes, cache: Path, side_px: int, limits: Limits) -> bytes:
    """A new thumbnail, kept where it can be."""
    original = read()
    made = encoded(original, side_px, limits)
    if content_hash(original) == content:  # the file may have changed since its hash was taken
        _keep(_place(content, cache, side_px), made)
    return made


def _size(found: CoarseImage, side_px: int) -> tuple[int, int]:
    """The width and height, not yet upright, at which the longer side is at most `side_px`."""
    width, height = found.size
    share = min(1.0, side_px / max(width, height))
    return max(1, round(width * share)), max(1, round(height * share))


def _shrunk(found: CoarseImage, side_px: int) -> Image.Image:
    """Upright, with nothing of what the file said beside its pixels."""
    size = _size(found, side_px)
    image = found.image.copy() if size == found.size else found.image.resize(size, Image.Resampling.LANCZOS, found.box)
    image.info = {}
    return image if found.turn is None else image.transpose(found.turn)


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    # Full colour resolution: halved, the edges of signs and drawings fray at this size.
    image.save(buffer, "JPEG", quality=88, subsampling=0)
    return buffer.getvalue()


def _keep(path: Path, encoded: bytes) -> bool:
    """Write it whole or not at all, if it can be written; unlike what matters, it is not forced to the disk."""
    temporary = None
    try:
        path.parents[2].mkdir(exist_ok=True)  # the cache; not in the place of a disk that is away
        path.parent.mkdir(parents=True, exist_ok=True)
        # Beside the folders of all thumbnails: there the next writer finds what a killed run left.
        handle, temporary = tempfile.mkstemp(dir=path.parent.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(encoded)
        Path(temporary).replace(path)
    except OSError:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        return False
    return True
