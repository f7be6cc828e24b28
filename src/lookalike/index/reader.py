"""Files -> images with the hash of their bytes, in threads; content whose features are known is not decoded."""

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from lookalike.images.decode import DecodedImage, content_hash, decode_square, open_bytes
from lookalike.images.limits import LIMITS, Limits


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
    """

    def __init__(self, side_px: int, known: Container[bytes] = frozenset(), limits: Limits = LIMITS):
        self.side_px, self.known, self.limits = side_px, known, limits

    def read(self, path: Path) -> Decoded | KnownContent:
        """One file.

        Raises: ImageError, without the file's name in it; its kind is "gone" when the file vanished.
        """
        with open_bytes(path, self.limits) as raw:
            content = content_hash(raw)
            if content in self.known:
                return KnownContent(content)
            return Decoded(content, decode_square(raw, self.side_px, self.limits))
