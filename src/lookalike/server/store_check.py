"""Whether an object store answers: asked with few tries, and not again at once."""

import threading
import time
from collections.abc import Callable

from lookalike.collection.folder import CollectionFolder
from lookalike.collection.remote_folder import RemoteFolder
from lookalike.distributed.pictures import BucketPictures
from lookalike.errors import StorageError

FRESH_S = 2.0


class StoreCheck:
    """Says in seconds that a store is away, as who waits for an answer needs it.

    What reads and writes tries again for minutes, which is right for who indexes.

    Args:
        ask: asks the store for one name, and raises StorageError; None where there is no store.
    """

    def __init__(self, ask: Callable[[], None] | None):
        self._ask = ask
        self._lock = threading.Lock()
        self._asked_s = time.monotonic()  # its collection was opened just now
        self._refused: StorageError | None = None

    @classmethod
    def of_table(cls, home: CollectionFolder) -> "StoreCheck":
        """Of the place where a collection is kept."""
        return cls(home.location.check if isinstance(home, RemoteFolder) else None)

    @classmethod
    def of_pictures(cls, home: CollectionFolder) -> "StoreCheck":
        """Of the place where its pictures lie."""
        return cls(home.require_pictures if isinstance(home.pictures, BucketPictures) else None)

    @property
    def is_needed(self) -> bool:
        """Whether there is a store."""
        return self._ask is not None

    def require(self) -> None:
        """Raises: StorageError, when the store refuses, or did so within the last two seconds."""
        if self._ask is None:
            return
        with self._lock:
            if time.monotonic() - self._asked_s >= FRESH_S:
                self._refused = None
                try:
                    self._ask()
                except StorageError as error:
                    self._refused = error
                self._asked_s = time.monotonic()
            refused = self._refused
        if refused is not None:
            raise StorageError(*refused.args, code=refused.code)
