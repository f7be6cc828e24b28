"""The arrays of floats in an HDF5 file, read within bounds: whoever wrote the file may not be a friend."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import BundleError, MissingExtraError

LARGEST_BYTES = 2_000_000_000  # of all arrays, as float32
MOST_OBJECTS = 20_000  # groups and arrays; a ResNet152 has about 3,000
DEEPEST = 12  # groups inside each other

Parts = tuple[str, ...]  # the names of the groups, and of the array


def float_arrays(file: Path) -> dict[Parts, NDArray[np.float32]]:
    """Every array of floats, as float32, by its path; arrays of other kinds are left out.

    Nothing outside of the file is read: a link to elsewhere, an array that is stored elsewhere, and one that was never
    written are refused.

    Raises: BundleError, for those, for too many or too large arrays, and for what is not HDF5; MissingExtraError.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError(f"reading {file.name}", "learn") from error
    try:
        with h5py.File(file, "r") as opened:
            found = {parts: one for parts, one in _walk(file, opened) if one.dtype.kind == "f"}
            for parts, one in found.items():
                _check_stored(file, "/".join(parts), one)
            if sum(4 * int(one.size) for one in found.values()) > LARGEST_BYTES:
                raise BundleError(f"{file}: more than 2 GB of weights. Save a ResNet without its top.")
            return {parts: np.asarray(one, np.float32) for parts, one in found.items()}
    except BundleError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:100]
        raise BundleError(
            f"{file}: neither a bundle nor weights that are known: not HDF5 ({reason}). Name a folder in transformers' "
            "format, or Keras' ResNet50 weights (.h5)."
        ) from error


def _walk(file: Path, root: Any) -> Iterator[tuple[Parts, Any]]:
    """Every array below a group, by hard links alone."""
    import h5py

    waiting: list[tuple[Parts, Any]] = [((), root)]
    count = 0
    while waiting:
        parts, group = waiting.pop()
        if len(parts) >= DEEPEST:
            raise BundleError(f"{file}: groups more than {DEEPEST} deep. Save the weights again with Keras.")
        for name in group:
            count += 1
            if count > MOST_OBJECTS:
                raise BundleError(f"{file}: more than {MOST_OBJECTS:,} parts. Save a ResNet without its top.")
            path = (*parts, name)
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise BundleError(f"{file}: {'/'.join(path)} is a link. Save the weights again with Keras.")
            one = group[name]
            if isinstance(one, h5py.Group):
                waiting.append((path, one))
            elif isinstance(one, h5py.Dataset):
                yield path, one


def _check_stored(file: Path, name: str, array: Any) -> None:
    """Raises: BundleError, when the values of an array are not in this file."""
    if array.external or array.is_virtual:
        raise BundleError(f"{file}: {name} is stored in another file, which is not read. Save it again with Keras.")
    if array.size and not array.id.get_storage_size():
        raise BundleError(f"{file}: {name} has a shape but no values. Save the weights again with Keras.")
