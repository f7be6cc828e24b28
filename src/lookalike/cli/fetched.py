"""What --url and --clipboard name -> pictures to ask with; loads ssl and Pillow."""

from collections.abc import Sequence
from pathlib import Path

from lookalike.images.clipboard import clipboard_images
from lookalike.images.sources import NamedImage
from lookalike.images.url import fetch


def fetched(urls: Sequence[str], allow_private: bool, clipboard: bool) -> list[Path | NamedImage]:
    """The pictures at addresses and in the clipboard. Raises: ImageError."""
    found: list[Path | NamedImage] = [fetch(one, allow_private=allow_private) for one in urls]
    return found + (clipboard_images() if clipboard else [])
