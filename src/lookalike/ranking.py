"""Vectors -> the exact top k by cosine: an int8 scan with a proven bound, then the few that it cannot exclude."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import ShapeError

BLOCK = 4096
# float32 rounding of the scan's own arithmetic, far above what 100,000 dimensions can gather.
ROUNDING = 1e-5


def similarity(a: ArrayLike, b: ArrayLike) -> NDArray[np.float32]:
    """Cosine of every row of a with every row of b.

    Args:
        a: (n, d) or (d,) for one row; of any length, a row of zeros is like nothing.
        b: (m, d) or (d,).
    Returns: (n, m) float32, -1 to 1, larger is more alike.
    Raises: ShapeError, when the rows are not of one length d.

    >>> float(similarity([[2.0, 0.0]], [[1.0, 0.0]])[0, 0])
    1.0
    """
    left, right = _unit(_matrix(a)), _unit(_matrix(b))
    if left.shape[1] != right.shape[1]:
        raise ShapeError(
            f"similarity: rows of {left.shape[1]} and of {right.shape[1]} numbers. Compare like with like."
        )
    result: NDArray[np.float32] = np.clip(left @ right.T, -1, 1)
    return result


class Ranking:
    """Rows, ready to be asked which of them are most similar to a query.

    A row x is kept as int8 codes q and a scale s, with e = the largest |x - s q| over all rows; a query y likewise.
    Then |<x, y> - s t <q, u>| <= e_x + e_y + e_x e_y for rows of length 1 (Cauchy-Schwarz, three terms), so every row
    whose estimate lies further below the k-th best estimate than twice that cannot be among the top k. The rest are
    ranked in float64.

    Args:
        rows: (n, d) float16 or float32, of any length; kept as they are, and read again for exact ranking.
    Raises: ShapeError, for another shape or for values that are not finite.

    >>> ranking = Ranking(np.eye(3, dtype=np.float32))
    >>> ranking.top([0.0, 2.0, 1.0], k=2)[0].tolist()
    [1, 2]
    """

    def __init__(self, rows: NDArray[Any]):
        if rows.ndim != 2:
            raise ShapeError(f"ranking: rows of shape {rows.shape}, expected (n, d).")
        self.rows = rows
        n, d = rows.shape
        self._codes = np.zeros((n, d), np.int8)
        self._scale = np.zeros(n, np.float32)
        self._error = 0.0
        for start in range(0, n, BLOCK):
            here = slice(start, start + BLOCK)
            x = _unit(_matrix(rows[here]))
            self._codes[here], self._scale[here], error = _quantise(x)
            self._error = max(self._error, error)

    def __len__(self) -> int:
        return len(self.rows)

    def top(
        self, query: ArrayLike, k: int | None = None, among: NDArray[Any] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The k rows most similar to one query.

        Args:
            query: (d,) of any length.
            k: how many; None, or more than there are, for all.
            among: (m,) the only indices that count, or (n,) bool; None for all rows.
        Returns: indices (k,) and similarities (k,), the most similar first, equal ones by index.
        Raises: ShapeError.
        """
        y = _unit(_matrix(query))
        if y.shape != (1, self.rows.shape[1]):
            raise ShapeError(f"ranking: a query of {y.shape[1]} numbers in rows of {self.rows.shape[1]}.")
        candidates = self._possible(y, k, among)
        similarities = np.concatenate(
            [np.zeros(0)]
            + [_exact(self.rows[candidates[i : i + BLOCK]], y[0]) for i in range(0, len(candidates), BLOCK)]
        )
        order = np.lexsort((candidates, -similarities))[:k]
        return candidates[order], similarities[order]

    def _possible(self, y: NDArray[np.float32], k: int | None, among: NDArray[Any] | None) -> NDArray[np.int64]:
        """Indices that hold the true top k, in rising order."""
        everyone = np.arange(len(self.rows)) if among is None else np.arange(len(self.rows))[among]
        everyone = np.unique(everyone)
        if k is None or k >= len(everyone):
            return everyone
        if k < 1:
            return everyone[:0]
        code, scale, error = _quantise(y)
        estimate = self._scan(code) * (self._scale * scale[0])
        if among is not None:
            estimate = estimate[everyone]
        slack = self._error + error + self._error * error + ROUNDING
        bar = np.partition(estimate, -k)[-k] - np.float32(2 * slack)
        possible: NDArray[np.int64] = everyone[estimate >= bar]
        return possible

    def _scan(self, code: NDArray[np.int8]) -> NDArray[np.float32]:
        """(n, d) int8 . (d,) int8 -> (n,) float32"""
        import numkong

        scores = np.empty(len(self.rows), np.float32)
        for start in range(0, len(self.rows), BLOCK):
            here = slice(start, start + BLOCK)
            scores[here] = np.asarray(numkong.cdist(self._codes[here], code, "dot"))[:, 0]
        return scores


def pairs_above(rows: NDArray[Any], least: float) -> Iterator[tuple[int, int, float]]:
    """Every pair of rows at least so similar, (i, j, similarity) with i < j, in order; a block of rows at a time."""
    size = 1024
    for start in range(0, len(rows), size):
        left = _unit(_matrix(rows[start : start + size]))
        for other in range(start, len(rows), size):
            values = left @ _unit(_matrix(rows[other : other + size])).T
            for i, j in np.argwhere(values >= least):
                if start + i < other + j:
                    yield int(start + i), int(other + j), min(float(values[i, j]), 1.0)


def _quantise(x: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32], float]:
    scale = np.maximum(np.abs(x).max(axis=1, initial=0.0), 1e-30).astype(np.float32) / 127
    codes = np.rint(x / scale[:, None])
    error = float(np.linalg.norm(x - codes * scale[:, None], axis=1).max(initial=0.0))
    return codes.astype(np.int8), scale, error


def _exact(rows: NDArray[Any], y: NDArray[np.float32]) -> NDArray[np.float64]:
    x = np.asarray(rows, np.float64)
    size = np.sqrt(np.einsum("nd,nd->n", x, x)) * np.linalg.norm(y.astype(np.float64))
    # einsum sums each row in one order whatever rows stand beside it: equal rows get equal similarities.
    dots = np.einsum("nd,d->n", x, y.astype(np.float64))
    result: NDArray[np.float64] = np.clip(dots / np.maximum(size, 1e-300), -1, 1)
    return result


def _matrix(values: ArrayLike) -> NDArray[np.float32]:
    matrix = np.atleast_2d(np.asarray(values, np.float32))
    if matrix.ndim != 2:
        raise ShapeError(f"rows of shape {matrix.shape}, expected (n, d) or (d,).")
    if not np.isfinite(matrix).all():
        raise ShapeError("rows hold values that are not finite numbers. Leave these rows out.")
    return matrix


def _unit(x: NDArray[np.float32]) -> NDArray[np.float32]:
    size = np.sqrt(np.einsum("nd,nd->n", x, x, dtype=np.float64))[:, None]
    result: NDArray[np.float32] = (x / np.maximum(size, 1e-30)).astype(np.float32)
    return result
