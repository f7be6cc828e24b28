"""Pictures that are sent to ask with: kept in memory, never on a disk, never named by what the client calls them."""

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass

from lookalike.images.decode import content_hash
from lookalike.images.thumbnails import preview
from lookalike.server.errors import Refusal

MOST, MOST_BYTES = 32, 256_000_000


@dataclass(frozen=True)
class Upload:
    """A picture that was sent: its bytes, their hash, a small JPEG of it, its size in pixels, upright."""

    id: str
    content: bytes
    hash: bytes
    thumbnail: bytes
    width: int
    height: int


class Uploads:
    """The last pictures that were sent: 32 of them, and 256 MB."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Upload] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, content: bytes, side_px: int = 1600) -> Upload:
        """Decode a picture and keep it. Raises: ImageError."""
        upload = Upload(secrets.token_hex(8), content, content_hash(content), *preview(content, side_px))
        with self._lock:
            self._kept[upload.id] = upload
            while len(self._kept) > MOST or sum(len(one.content) for one in self._kept.values()) > MOST_BYTES:
                self._kept.popitem(last=False)
        return upload

    def get(self, id: str) -> Upload:
        """One that is still kept. Raises: Refusal."""
        with self._lock:
            try:
                self._kept.move_to_end(id)
                return self._kept[id]
            except KeyError:
                raise Refusal(404, "query.gone", "this picture is no longer kept. Send it again.") from None
