"""Drawings -> PNG files, written whole or not at all."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.errors import CollectionError
from lookalike.files import atomic_write, why_unwritable

if TYPE_CHECKING:
    from PIL.Image import Image


def drawable(out: Path) -> Path:
    """The same path, when a check before drawing finds that a PNG can be written there.

    Raises: CollectionError.
    """
    if out.suffix.lower() != ".png":
        raise CollectionError(f"{out}: drawings are PNG files. End its name in .png.")
    if out.is_dir():
        raise CollectionError(f"{out}: a folder. Name a file.")
    if reason := why_unwritable(out):
        raise CollectionError(f"{out}: cannot be written ({reason}). Choose another place.")
    return out


def save(picture: "Image", out: Path) -> Path:
    """Write a drawing as PNG, whole or not at all; returns where it is.

    Raises: CollectionError, for another ending or a place that cannot be written.
    """
    try:
        atomic_write(drawable(out), png(picture))
    except OSError as error:
        raise CollectionError(f"{out}: cannot be written ({error.strerror}). Choose another place.") from error
    return out


def png(picture: "Image") -> bytes:
    """A drawing as the bytes of a PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
