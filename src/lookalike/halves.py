"""Rows as they are stored, in float16 -> rows to compute with, in float32."""

from typing import Any

import numkong
import numpy as np
from numpy.typing import NDArray


def as_float32(rows: NDArray[Any]) -> NDArray[np.float32]:
    """Rows as contiguous float32; from float16 by numkong, which is ten times as fast at it as numpy.

    >>> as_float32(np.array([[0.5, 2]], np.float16)).dtype
    dtype('float32')
    """
    if rows.dtype == np.float16 and rows.size:
        return np.asarray(numkong.astype(np.ascontiguousarray(rows), "float32"))
    return np.ascontiguousarray(rows, np.float32)
