"""Rows and queries -> the exact top k by similarity, in memory, with ties broken by row."""

from math import isqrt

import numkong
import numpy as np
import numpy.typing as npt

from lookalike.errors import ShapeError
from lookalike.images.arrays import number_array
from lookalike.index.quantization import BLOCK_BYTES, Floats, Indices, Int8Codes, Rows, lengths, read
from lookalike.models.vectors import as_float32

FEW = 4096  # rows that are compared exactly, without codes
GROUP = 64  # rows of which at first only the best estimate is looked at
ESTIMATES = 1 << 25  # held at once: 128 MB


def similarity(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Cosine of every row of a with every row of b: what every search here is sorted by.

    Args:
        a: (n, d), or (d,) for one row; of any length. A row of zeros is like nothing: 0.
        b: (m, d), or (d,), likewise.
    Returns: (n, m) float32, -1 to 1: summed in float64, then rounded. Equal rows give equal similarities, to the bit.
    Raises: ShapeError, when the rows differ in length or hold a value that is no number or infinite.

    >>> similarity([[1, 0], [0, 2]], [3, 4])
    array([[0.6],
           [0.8]], dtype=float32)
    """
    one, other = as_rows(a), as_rows(b)
    if one.shape[1] != other.shape[1]:
        raise ShapeError(f"rows of {one.shape[1]} and of {other.shape[1]} values cannot be compared. Embed both alike.")
    return cosines(one, other) if len(one) < len(other) else cosines(other, one).T


class ExactKNN:
    """Exact nearest neighbours by cosine similarity.

    One scan of their codes (a byte a value) estimates all similarities, each with a bound on its error. The k best
    estimates are compared exactly, then every other row that could reach them: the rest cannot be among the first k.
    What is sorted is `similarity`, to the bit: one query or many, filtered or not, the answer is that of brute force.

    Args:
        rows: (n, d) float16 or float32 of any length, in memory, or anything with a shape whose rows[indices] reads
            some of them.
        codes: those of the same rows; without them they are made when first needed (over 4,096 rows).
    Raises: ShapeError, when rows are no matrix or codes are not theirs; when codes are made or rows are read, also
        where a value is no number or infinite.

    >>> rows = np.array([[1, 0], [0.6, 0.8], [0, 1], [0, 1]], np.float16)
    >>> indices, similarities = ExactKNN(rows).search([0, 2], k=3)
    >>> indices, similarities.round(2)
    (array([2, 3, 1]), array([1. , 1. , 0.8], dtype=float32))
    """

    def __init__(self, rows: Rows, codes: Int8Codes | None = None):
        if hasattr(rows, "detach"):  # a tensor of torch
            rows = number_array(rows, "rows")
        if len(rows.shape) != 2 or not rows.shape[1]:
            raise ShapeError(f"rows of shape {tuple(rows.shape)}: ranking takes a matrix (n, d), a row a picture.")
        if codes is not None and codes.values.shape != tuple(rows.shape):
            raise ShapeError(f"codes of {codes.values.shape} for rows of {tuple(rows.shape)}: make the codes again.")
        self.rows = rows
        self._codes = codes

    @property
    def codes(self) -> Int8Codes:
        """The codes that searching needs, made now if they are not there yet."""
        if self._codes is None:
            self._codes = Int8Codes.build(self.rows)
        return self._codes

    def search(
        self, queries: npt.ArrayLike, k: int | None = 10, among: npt.ArrayLike | None = None
    ) -> tuple[Indices, Floats]:
        """The k rows most like each query, most alike first, equal ones in the order of rows.

        Args:
            queries: (q, d), or (d,) for one; of any length.
            k: how many, at most as many as there are; None for all.
            among: only these rows are ranked: a mask (n,) of bool, or indices in any order.
        Returns: indices (q, k) int64 and similarities (q, k) float32, -1 to 1; (k,) each for one query (d,).
        Raises: ShapeError, when queries, k or among do not fit the rows, or a query holds a value that is no number.
        """
        rows = as_rows(queries)
        n, d = self.rows.shape
        if rows.shape[1] != d:
            raise ShapeError(f"a query of {rows.shape[1]} values for rows of {d}. Embed both with the same lens.")
        lengths(rows, what="query")
        chosen = None if among is None else as_indices(among, n)
        count = n if chosen is None else len(chosen)
        if k is not None and k < 1:
            raise ShapeError(f"k = {k}: ask for at least 1, or for None to rank all.")
        k = count if k is None else min(k, count)
        answer = self._compare_all if count <= max(FEW, 4 * k) else self._scan
        indices, similarities = np.empty((len(rows), k), np.int64), np.empty((len(rows), k), np.float32)
        step = max(1, ESTIMATES // max(n, 1))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            indices[part], similarities[part] = answer(rows[part], k, chosen)
        return (indices[0], similarities[0]) if np.ndim(queries) == 1 else (indices, similarities)

    def compare(self, queries: Floats, indices: Indices) -> Floats:
        """Exact similarities of queries (q, d) to some rows, (q, m) float32, a few rows at a time."""
        step = max(1, BLOCK_BYTES // (4 * self.rows.shape[1]))
        parts = [indices[start : start + step] for start in range(0, max(1, len(indices)), step)]
        return np.concatenate([cosines(queries, read(self.rows, part)) for part in parts], axis=1)

    def reaches(self, queries: npt.ArrayLike, least: float) -> npt.NDArray[np.bool_]:
        """Whether rows have a similarity of at least `least` to one or more of queries (q, d): (n,), as brute force.

        Raises: ShapeError, as `search` does.
        """
        asked, n = as_rows(queries), len(self.rows)
        if n <= FEW:
            return np.asarray((self.compare(asked, np.arange(n)) >= np.float32(least)).any(axis=0))
        found = np.zeros(n, np.bool_)
        for j in range(len(asked)):  # one by one: what one reaches need not be compared with the next
            estimates, error_bound = self.codes.estimate(asked[j : j + 1])
            error = self.codes.error_norm + error_bound[0]
            found |= estimates[:, 0] - error >= np.float32(least)
            unsure = np.flatnonzero((estimates[:, 0] + error >= np.float32(least)) & ~found)
            found[unsure] = self.compare(asked[j : j + 1], unsure)[0] >= np.float32(least)
        return found

    def _compare_all(self, queries: Floats, k: int, among: Indices | None) -> tuple[Indices, Floats]:
        """Every row compared exactly: for few rows, or for a k near to their number."""
        among = np.arange(len(self.rows)) if among is None else among
        similarities = self.compare(queries, among)
        order = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
        return among[order], np.take_along_axis(similarities, order, axis=1)

    def _scan(self, queries: Floats, k: int, among: Indices | None) -> tuple[Indices, Floats]:
        """Estimates first, then exact comparisons of the rows that may be among the first k."""
        estimates, error_bound = self.codes.estimate(queries)
        if among is not None:
            left_out = np.ones(len(estimates), bool)
            left_out[among] = False
            estimates[left_out] = -np.inf
        best = group_max(estimates, height(len(estimates), k))
        most = best + group_max(self.codes.error_norm[:, None], height(len(estimates), k))
        indices, similarities = np.empty((len(queries), k), np.int64), np.empty((len(queries), k), np.float32)
        for j in range(len(queries)):
            indices[j], similarities[j] = self._first(
                k, queries[j], estimates[:, j], error_bound[j], best[:, j], most[:, j]
            )
        return indices, similarities

    def _first(
        self, k: int, query: Floats, estimates: Floats, error_bound: np.float32, best: Floats, most: Floats
    ) -> tuple[Indices, Floats]:
        """The first k for one query, from estimates (n,) and what groups have (m,) at best and may reach at most.

        The k best estimates, compared exactly, say what a row must reach; the others that may are compared then.
        """
        rows = members(np.argpartition(best, -k)[-k:], len(best), len(estimates))
        tried = rows[np.argpartition(estimates[rows], -k)[-k:]]
        similarities = self.compare(query[None], tried)[0]
        estimates[tried] = -np.inf
        others = reaching(estimates, self.codes.error_norm, most, similarities.min() - error_bound)
        rows = np.concatenate([tried, others])
        similarities = np.concatenate([similarities, self.compare(query[None], others)[0]])
        order = np.lexsort((rows, -similarities))[:k]
        return rows[order], similarities[order]


def join_similar(rows: Rows, least: float, codes: Int8Codes | None = None) -> Indices:
    """Groups of rows that are joined by similarities of at least `least`, directly or by others between them.

    Rows that are joined already are not compared any more, so many rows that are all alike cost no more than others.

    Args:
        rows: as in `ExactKNN`.
        least: -1 to 1.
        codes: as in `ExactKNN`.
    Returns: (n,) int64, for each row the first row of its group.
    Raises: ShapeError, as `ExactKNN` does.

    >>> join_similar(np.array([[1, 0], [0, 1], [1, 0.1], [2, 0]], np.float32), 0.9)
    array([0, 1, 0, 0])
    """
    ranking, groups = ExactKNN(rows, codes), _Groups(len(rows))
    codes = ranking.codes
    for start in range(0, len(rows), GROUP):
        block = np.arange(start, min(start + GROUP, len(rows)))
        later = np.arange(start, len(rows))
        rest = Int8Codes(codes.values[start:], codes.scale[start:], codes.error_norm[start:])
        if (groups.of[block] == groups.of[start]).all():  # then what is in their group has nothing to find
            later = np.flatnonzero(groups.of != groups.of[start])
            later = later[later >= start]
            rest = Int8Codes(codes.values[later], codes.scale[later], codes.error_norm[later])
        if not len(later):
            continue
        estimates, error_bound = rest.estimate(read(rows, block))
        tall = height(len(later))
        most = group_max(estimates, tall) + group_max(rest.error_norm[:, None], tall)
        for j, row in enumerate(block.tolist()):
            hopes = reaching(estimates[:, j], rest.error_norm, most[:, j], np.float32(least) - error_bound[j])
            others = later[hopes]
            others = others[(others > row) & (groups.of[others] != groups.of[row])]
            exact = ranking.compare(read(rows, block[j : j + 1]), others)[0]
            groups.join(row, others[exact >= np.float32(least)])
    return groups.of


class _Groups:
    """Which of n rows are in one group: `of` is (n,) int64, the first row of each one's group."""

    def __init__(self, n: int):
        self.of = np.arange(n)
        self._members: dict[int, Indices] = {}

    def join(self, row: int, others: Indices) -> None:
        """Put the groups of a row and of others together."""
        firsts = np.unique(self.of[np.append(others, row)]).tolist()
        if len(firsts) > 1:
            parts = [self._members.pop(first, np.array([first])) for first in firsts]
            largest = max(parts, key=len)
            together = np.concatenate(parts)
            self._members[firsts[0]] = together
            # Only the largest part may be as it was: so each row moves no more often than its group doubles.
            for part in parts:
                if part is not largest or self.of[part[0]] != firsts[0]:
                    self.of[part] = firsts[0]


def height(n: int, k: int = 1) -> int:
    """How many of n rows a group holds: few enough that most groups hold none of the first k."""
    return max(1, min(GROUP, isqrt(n), n // (4 * k)))


def group_max(values: Floats, height: int) -> Floats:
    """The largest of values (n, q) in each of m = n // height groups, (m, q); row i is in group i % m."""
    m = len(values) // height
    best: Floats = values[: m * height].reshape(height, m, -1).max(0)
    rest = values[m * height :]  # fewer than m, as height is at most the root of n
    np.maximum(best[: len(rest)], rest, out=best[: len(rest)])
    return best


def members(groups: Indices, m: int, n: int) -> Indices:
    """The rows, below n, of some of m groups; ascending where the groups are.

    >>> members(np.array([0, 2]), m=3, n=7)
    array([0, 2, 3, 5, 6])
    """
    rows = (groups + m * np.arange(-(-n // m))[:, None]).ravel()
    return rows[rows < n]


def reaching(estimates: Floats, error_norm: Floats, most: Floats, needed: np.float32) -> Indices:
    """The rows (n,) whose estimate and error_norm together reach what is needed, ascending.

    Only groups that reach it with `most` (m,), the sum of their best estimate and worst error_norm, are looked into.
    """
    rows = members(np.flatnonzero(most >= needed), len(most), len(estimates))
    return rows[estimates[rows] + error_norm[rows] >= needed]


def cosines(queries: Floats, rows: Floats) -> Floats:
    """Similarities of queries (q, d) to rows (m, d), both float32: (q, m) float32.

    A pair gives the same bits in any company: it is summed by itself, in float64.
    """
    found = np.zeros((len(queries), len(rows)), np.float32)
    row_lengths, query_lengths = lengths(rows), lengths(queries)
    for j in range(len(queries) if len(rows) else 0):
        dots = np.asarray(numkong.cdist(rows, queries[j : j + 1], "dot"))[:, 0]
        both = row_lengths * query_lengths[j]
        found[j] = np.clip(np.divide(dots, both, out=np.zeros(len(rows)), where=both > 0), -1, 1)
    return found


def as_rows(array: npt.ArrayLike) -> Floats:
    """Whatever can be read as one row (d,) or rows (n, d), as (n, d) float32.

    Raises: ShapeError, where it cannot.
    """
    found = number_array(array, "rows")
    if found.ndim not in (1, 2) or found.dtype.kind not in "fiub":
        raise ShapeError(f"{found.dtype} of shape {found.shape}: give numbers, a row (d,) or rows (n, d).")
    with np.errstate(over="ignore"):  # too large for float32 is infinite, and refused as that
        return as_float32(np.atleast_2d(found))


def as_indices(among: npt.ArrayLike, n: int) -> Indices:
    """A mask (n,) or indices in any order -> indices, ascending, each once.

    Raises: ShapeError, where it is neither, or names rows that are not there.
    """
    chosen = np.asarray(among)
    if chosen.dtype == np.bool_ and chosen.shape == (n,):
        return np.flatnonzero(chosen)
    if not chosen.size:
        return np.empty(0, np.int64)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu" or chosen.min() < 0 or chosen.max() >= n:
        raise ShapeError(f"among: {chosen.dtype} of shape {chosen.shape}. Give a mask ({n},) or indices below {n}.")
    return np.unique(chosen.astype(np.int64))
