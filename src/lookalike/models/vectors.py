"""Rows as they are stored, in float16 -> rows to compute with, in float32."""

from typing import Any

import numkong
import numpy as np
from numpy.typing import NDArray

SHORT = 1e-15  # below this length float32 loses part of the squares


def as_float32(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Rows as contiguous float32; from float16 by numkong, which is ten times as fast at it as numpy.

    >>> as_float32(np.array([[0.5, 2]], np.float16)).dtype
    dtype('float32')
    """
    if rows.dtype == np.float16 and rows.size:
        return np.asarray(numkong.astype(np.ascontiguousarray(rows), "float32"))
    return np.ascontiguousarray(rows, np.float32)


def normalize_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows brought to length 1, however short they are; rows of length 0 stay 0.

    >>> normalize_rows(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    short = (length < SHORT)[:, 0]
    if short.any():  # squares of such values vanish in float32, so they are made larger first
        peak = np.abs(rows[short]).max(axis=1, initial=0, keepdims=True)
        rows = rows.copy()
        rows[short] /= np.where(peak > 0, peak, 1)
        length[short] = np.linalg.norm(rows[short], axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, np.finfo(np.float32).tiny), np.float32)
