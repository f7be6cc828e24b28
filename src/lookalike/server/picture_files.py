"""The bytes of a collection's pictures, given only where they are what the table says."""

import contextlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from lookalike.distributed.pictures import BucketPictures
from lookalike.errors import ImageError, StorageError
from lookalike.images.decode import content_hash
from lookalike.images.limits import LIMITS, Limits
from lookalike.images.picture_source import PictureSource
from lookalike.index.pictures import Picture
from lookalike.server.errors import Refusal


def read_inside(path: Path, folder: Path, limits: Limits = LIMITS) -> bytes:
    """A regular file within a folder, whatever links lie on its way.

    Raises: ImageError.
    """
    try:
        real, root = path.resolve(strict=True), folder.resolve(strict=True)
        if not real.is_relative_to(root):
            raise ImageError("a link out of the folder.", "unreadable")
        handle = os.open(real, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise ImageError("no file.", "not a picture")
            limits.check_bytes(status.st_size)
            if not path.resolve(strict=True).samefile(real):
                raise ImageError("it changes while it is read.", "unreadable")
            return file.read(limits.bytes + 1)
    except FileNotFoundError as error:
        raise ImageError("no such file. Check its name, or whether it was moved.", "gone") from error
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ImageError(f"cannot be read ({reason}). Check the disk and the permissions.", "unreadable") from error


def read_picture(pictures: Sequence[Picture], source: PictureSource) -> tuple[Picture, bytes]:
    """The first of the files of a content that still holds it, and its bytes; of a bucket nothing is kept here.

    Raises: Refusal, when none does; StorageError, where a bucket refuses.
    """
    reason = "changed since it was indexed. Index again."
    for picture in pictures:
        try:
            content = _read(picture, source)
        except ImageError as error:
            reason = error.reason
            continue
        if content_hash(content) == picture.content:
            return picture, content
    raise Refusal(404, "picture.gone", reason)


def size_of(picture: Picture, source: PictureSource) -> int:
    """The bytes of a picture's file as it is now; 0 where it is not there, or cannot be asked."""
    if isinstance(source, BucketPictures):
        with contextlib.suppress(StorageError):
            seen = source.location.look(picture.file)
            return 0 if seen is None else seen.bytes
        return 0
    return picture.path.stat().st_size if picture.path.is_file() else 0


def _read(picture: Picture, source: PictureSource) -> bytes:
    if isinstance(source, BucketPictures):
        return source.read(picture.file)
    return read_inside(picture.path, source.folder)
