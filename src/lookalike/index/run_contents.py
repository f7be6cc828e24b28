"""Which contents an index run has met, so that each is decoded and embedded once."""

import threading

from lookalike.errors import ImageError
from lookalike.images.scan import ImageFile


class ContentsOfRun:
    """The contents that a run meets, by hash: the first file of each is decoded, the others take what came of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: dict[bytes, str | ImageError | None] = {}  # None: it is being decoded
        self._waiting: dict[bytes, list[ImageFile]] = {}

    def is_first(self, content: bytes) -> bool:
        """Whether no file of this content was met before; called by the threads that read."""
        with self._lock:
            if content in self._outcomes:
                return False
            self._outcomes[content] = None
            return True

    def settle(self, content: bytes, outcome: str | ImageError) -> list[ImageFile]:
        """Say what came of the first file: its name, or why it cannot be decoded. Gives the files that waited."""
        self._outcomes[content] = outcome
        return self._waiting.pop(content, [])

    def outcome(self, content: bytes, file: ImageFile) -> str | ImageError | None:
        """What came of the first file of this content; None while that is open: then `file` waits for it."""
        outcome = self._outcomes[content]
        if outcome is None:
            self._waiting.setdefault(content, []).append(file)
        return outcome
