"""What several workers of one run need, made by the first of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker to ask for it makes, while the others wait."""
    made = folder.with_suffix(".made")
    with FileLock(folder.with_suffix(".lock")):
        if not made.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            made.touch()
    return folder
