"""Files -> images with the hash of their bytes, in threads; content whose features are known is not decoded."""

from collections.abc import Callable, Container
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lookalike.errors import ImageError
from lookalike.images.decode import DecodedImage, content_hash, decode_square, open_bytes
from lookalike.images.limits import LIMITS, Limits
from lookalike.images.thumbnails import keep_thumbnail


@dataclass(frozen=True)
class Decoded:
    """A file that was read and decoded: the hash of its bytes (16 bytes), and its image."""

    content: bytes
    image: DecodedImage


@dataclass(frozen=True)
class KnownContent:
    """A file that was read, and not decoded, for what is made of its content is known: the hash of its bytes."""

    content: bytes


class ImageReader:
    """Reads image files for a backbone; may be called by several threads at once.

    Args:
        side_px: the side of the backbone's square input.
        known: the hashes of contents that need not be decoded: a set, a dictionary by hash, or anything with `in`.
        limits: what an image may cost.
        is_first: asked with the hash of each content that is not known; those of which it says no are not decoded,
            because another file of that content is. None: every one is decoded.
        cache: where the thumbnails of large pictures are kept, see `keep_thumbnail`; None for nowhere.
    """

    def __init__(
        self,
        side_px: int,
        known: Container[bytes] = frozenset(),
        limits: Limits = LIMITS,
        is_first: Callable[[bytes], bool] | None = None,
        cache: Path | None = None,
    ):
        self.side_px, self.known, self.limits, self.is_first = side_px, known, limits, is_first
        self.cache = cache

    def read(self, path: Path) -> Decoded | KnownContent:
        """One file, as `read_opened`."""
        return self.read_opened(open_bytes(path, self.limits))

    def read_opened(self, opened: AbstractContextManager[bytes]) -> Decoded | KnownContent:
        """One file of which the bytes are given, as `open_bytes` or a `PictureSource` gives them.

        Raises: ImageError, without the file's name in it, with the content that could not be decoded; its kind is
            "gone" when the file vanished.
        """
        with opened as raw:
            content = content_hash(raw)
            if content in self.known or (self.is_first is not None and not self.is_first(content)):
                return KnownContent(content)
            keep = None if self.cache is None else partial(keep_thumbnail, content=content, cache=self.cache)
            try:
                return Decoded(content, decode_square(raw, self.side_px, self.limits, keep))
            except ImageError as error:
                error.content = content
                raise
