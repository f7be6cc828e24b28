"""Products of int8 codes with a few queries or many, by the kernel that is fastest for their number and length."""

from functools import cache
from typing import Any

import numkong
import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int8]

STACK = 4  # rows that are multiplied as one: the packed kernel computes four columns at once, asked for or not
STACKED = 128  # values of a row up to which that pays; longer ones it reads too slowly
ALONE = 256  # values of a row up to which the packed kernel beats a call for each row, where it has AVX-512
ALONE_AVX2 = 128  # and without


class Products:
    """Products of codes with those of queries.

    One query and short rows: four rows are read as a long one, and multiplied with four columns that hold the query in
    one quarter each and zeros elsewhere. A few queries and long rows: a call for each pair, as fast as memory is read.
    Else numkong's packed kernel.

    Args:
        queries: (q, d) int8.

    >>> Products(np.array([[1, 2]], np.int8)).of(np.array([[3, 4], [5, -6]], np.int8)).tolist()
    [[11], [-7]]
    """

    def __init__(self, queries: Codes):
        q, d = queries.shape
        self._queries, self._stacked = queries, None
        few = q < STACK and d > (ALONE if q > 1 else _longest_packed())
        self._packed = None if few else numkong.dots_pack(queries)
        if q == 1 and d <= STACKED:
            columns = np.zeros((STACK, STACK, d), np.int8)
            columns[range(STACK), range(STACK)] = queries
            self._stacked = numkong.dots_pack(columns.reshape(STACK, STACK * d))

    def of(self, codes: Codes) -> npt.NDArray[Any]:
        """Products (b, q), int32 or float32, of codes (b, d) in contiguous memory, d as short as `LONGEST` allows."""
        if self._stacked is None:
            return self._plain(codes)
        b, d = codes.shape
        whole = b - b % STACK
        found = np.empty((b, 1), np.int32)
        if whole:
            wide = codes[:whole].reshape(whole // STACK, STACK * d)
            found[:whole] = np.asarray(numkong.dots_packed(wide, self._stacked)).reshape(whole, 1)
        if whole < b:
            found[whole:] = self._plain(codes[whole:])
        return found

    def _plain(self, codes: Codes) -> npt.NDArray[Any]:
        if self._packed is None:
            return np.asarray(numkong.cdist(codes, self._queries, "dot", out_dtype="float32"))
        return np.asarray(numkong.dots_packed(codes, self._packed))


@cache
def _longest_packed() -> int:
    """Values of a row above which one query is multiplied faster by a call for each row."""
    can = numkong.get_capabilities()
    return ALONE_AVX2 if can.get("haswell") and not can.get("icelake") else ALONE
