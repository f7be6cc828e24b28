"""Lance, imported where it is used."""

import os
from typing import Any

from lookalike.index.storage import lance_options
from lookalike.models.forks import check_not_forked


def load_lance() -> Any:
    """Lance, which crashes or hangs in a process whose parent used it before the fork.

    Raises: ForkedError.
    """
    check_not_forked("Lance")
    os.environ.setdefault("LANCE_LOG", "error")  # its warnings are for who writes programs with it
    import lance

    return lance


def open_dataset(uri: str, version: int | None = None) -> Any:
    """A table as Lance's dataset, in a folder or on an object store.

    Args:
        uri: of the table.
        version: its number; None for the newest.
    Raises: what Lance raises; ForkedError.
    """
    return load_lance().dataset(uri, version=version, storage_options=lance_options(uri) or None)
