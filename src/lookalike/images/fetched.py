"""Folders of this machine that stand for pictures kept elsewhere: a file is fetched when it is opened."""

import os
from collections.abc import Callable
from pathlib import Path

_fetch: dict[str, Callable[[str], None]] = {}  # a folder -> what brings one of its files there


def stand_in(folder: Path, fetch: Callable[[str], None]) -> None:
    """From now on the files of a folder are fetched when they are opened.

    Args:
        folder: of a cache; it need not be there.
        fetch: called with a file's name within the folder, / between its parts; it puts the file there, as it is now.
    """
    _fetch[os.path.abspath(folder)] = fetch  # noqa: PTH100  (links stay: callers join names to this very path)


def is_stand_in(folder: Path) -> bool:
    """Whether the files of a folder lie elsewhere, and need not be here.

    >>> is_stand_in(Path("photos"))
    False
    """
    return os.path.abspath(folder) in _fetch  # noqa: PTH100


def present(path: Path) -> Path:
    """A path whose file is there, as far as there is one: it is fetched first where its folder only stands for others.

    Raises: OSError, StorageError.

    >>> present(Path("photos/1.jpg")).as_posix()
    'photos/1.jpg'
    """
    if _fetch:
        whole = os.path.abspath(path)  # noqa: PTH100
        for folder, fetch in _fetch.items():
            if whole.startswith(folder + os.sep):
                fetch(whole[len(folder) + 1 :].replace(os.sep, "/"))
    return path
