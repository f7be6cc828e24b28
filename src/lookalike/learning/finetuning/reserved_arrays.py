"""Arrays on disk whose space is taken before they are written: a full disk would end the process at a memory map."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap

from lookalike.errors import TrainingError


def reserve_arrays(wanted: dict[Path, tuple[tuple[int, ...], Any]]) -> dict[str, np.memmap[Any, Any]]:
    """Make .npy files in one folder, all of their space reserved; what lies there under these names is replaced.

    Args:
        wanted: a file -> the shape and dtype of its array.
    Returns: writable memory maps of zeros, by the names of the files without their endings.
    Raises: TrainingError, when there is too little space; then none of the files is left.
    """
    for path in wanted:
        path.unlink(missing_ok=True)
    size = sum(int(np.prod(shape, dtype=np.int64)) * np.dtype(kind).itemsize for shape, kind in wanted.values())
    folder = next(iter(wanted)).parent
    free = shutil.disk_usage(folder).free
    if size > free:
        raise _too_little(folder, size, free)
    try:
        arrays = {path.stem: open_memmap(path, "w+", kind, shape) for path, (shape, kind) in wanted.items()}
        for path in wanted:
            _reserve(path)
    except OSError as error:
        for path in wanted:
            path.unlink(missing_ok=True)
        raise _too_little(folder, size, free) from error
    return arrays


def _reserve(path: Path) -> None:
    """Take the space of a whole file, where the system can (POSIX)."""
    if hasattr(os, "posix_fallocate") and (size := path.stat().st_size):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)


def _too_little(folder: Path, size: int, free: int) -> TrainingError:
    return TrainingError(
        f"{folder}: the activations take {size / 1e6:,.0f} MB, but the disk has {free / 1e6:,.0f} MB free. Free some "
        "space, unfreeze from a later layer on, or learn from fewer pictures."
    )
