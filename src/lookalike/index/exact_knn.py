"""Rows and queries -> the exact top k by similarity, in memory, with ties broken by row."""

from collections.abc import Sequence
from functools import cache
from math import isqrt

import numkong
import numpy as np
import numpy.typing as npt

from lookalike.errors import ShapeError
from lookalike.images.arrays import number_array
from lookalike.index.prefix_codes import LEFT, Bounds, PrefixCodes
from lookalike.index.quantization import BLOCK_BYTES, Floats, Indices, Int8Codes, Rows, in_blocks, lengths, read
from lookalike.models.vectors import as_float32

FEW = 4096  # rows that are compared exactly, without codes
HEAD = 4  # times k: rows of which at first only the best of a bound are looked at
GROUP = 64  # rows of which at first only the best estimate is looked at
MANY = 16  # queries at once, for which a processor that multiplies in tiles had better scan all codes,
MANY_VALUES = 2048  # and any processor those of rows that are shorter
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
        prefix: of the same rows. With it only a few of the codes are read, where that can be told in time.
    Raises: ShapeError, when rows are no matrix or codes are not theirs; when codes are made or rows are read, also
        where a value is no number or infinite.

    >>> rows = np.array([[1, 0], [0.6, 0.8], [0, 1], [0, 1]], np.float16)
    >>> indices, similarities = ExactKNN(rows).search([0, 2], k=3)
    >>> indices, similarities.round(2)
    (array([2, 3, 1]), array([1. , 1. , 0.8], dtype=float32))
    """

    def __init__(self, rows: Rows, codes: Int8Codes | None = None, prefix: PrefixCodes | None = None):
        if hasattr(rows, "detach"):  # a tensor of torch
            rows = number_array(rows, "rows")
        if len(rows.shape) != 2 or not rows.shape[1]:
            raise ShapeError(f"rows of shape {tuple(rows.shape)}: ranking takes a matrix (n, d), a row a picture.")
        if codes is not None and codes.values.shape != tuple(rows.shape):
            raise ShapeError(f"codes of {codes.values.shape} for rows of {tuple(rows.shape)}: make the codes again.")
        if prefix is not None and prefix.is_worth_it and prefix.shape != tuple(rows.shape):
            raise ShapeError(f"a prefix of {prefix.shape} for rows of {tuple(rows.shape)}: make the codes again.")
        self.rows = rows
        self.prefix = prefix if prefix is not None and prefix.is_worth_it else None
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
        if answer == self._scan and self._may_prune(len(rows), k):
            answer = self._prune
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
            one = asked[j : j + 1]
            rows = None if self.prefix is None else self.prefix.bounds(one).reaching(0, np.float32(least))
            if rows is not None:
                rows = rows[~found[rows]]
                estimates, error = self.codes.estimate_some(one, rows)
            else:
                several, error_bound = self.codes.estimate(one)
                rows, estimates, error = np.arange(n), several[:, 0], self.codes.error_norm + error_bound[0]
            found[rows] |= estimates - error >= np.float32(least)
            unsure = rows[(estimates + error >= np.float32(least)) & ~found[rows]]
            found[unsure] = self.compare(one, unsure)[0] >= np.float32(least)
        return found

    def _compare_all(self, queries: Floats, k: int, among: Indices | None) -> tuple[Indices, Floats]:
        """Every row compared exactly: for few rows, or for a k near to their number."""
        among = np.arange(len(self.rows)) if among is None else among
        similarities = self.compare(queries, among)
        order = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
        return among[order], np.take_along_axis(similarities, order, axis=1)

    def _may_prune(self, queries: int, k: int) -> bool:
        """Whether looking at few codes may cost less than a scan of all."""
        few = HEAD * k * LEFT <= len(self.rows)
        scans = self.rows.shape[1] < MANY_VALUES or multiplies_in_tiles()
        return self.prefix is not None and few and not (queries >= MANY and scans)

    def _prune(self, queries: Floats, k: int, among: Indices | None) -> tuple[Indices, Floats]:
        """Bounds by the prefixes first, then the codes of what they leave; where they leave much, a scan of all."""
        assert self.prefix is not None
        bounds = self.prefix.bounds(queries)
        if among is not None:
            left_out = np.ones(len(self.rows), bool)
            left_out[among] = False
            bounds.most[:, left_out] = -np.inf
        indices, similarities = np.empty((len(queries), k), np.int64), np.empty((len(queries), k), np.float32)
        is_found = np.zeros(len(queries), bool)

        def answer(start: int, stop: int) -> None:
            for j in range(start, stop):
                found = self._first_left(k, queries[j], bounds, j)
                if found is not None:
                    indices[j], similarities[j], is_found[j] = *found, True

        in_blocks(answer, len(queries), 1)
        rest = np.flatnonzero(~is_found)
        if len(rest):
            indices[rest], similarities[rest] = self._scan(queries[rest], k, among)
        return indices, similarities

    def _first_left(self, k: int, query: Floats, bounds: Bounds, j: int) -> tuple[Indices, Floats] | None:
        """The first k for query j, from what rows reach at most; None where too many may be among them.

        The k best of those that may reach most, compared exactly, say what a row must reach.
        """
        most = bounds.most[j]
        best = group_max(most[:, None], height(len(most), HEAD * k))[:, 0]
        rows = members(np.argpartition(best, -HEAD * k)[-HEAD * k :], len(best), len(most))
        rows = rows[np.argpartition(most[rows], -HEAD * k)[-HEAD * k :]]
        estimates, _ = self.codes.estimate_some(query[None], rows)
        tried = rows[np.argpartition(estimates, -k)[-k:]]
        similarities = self.compare(query[None], tried)[0]
        most[tried] = -np.inf
        left = bounds.reaching(j, similarities.min())
        if left is None:
            return None
        estimates, error = self.codes.estimate_some(query[None], left)
        others = left[estimates + error >= similarities.min()]
        return first_of(k, (tried, others), (similarities, self.compare(query[None], others)[0]))

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
        return first_of(k, (tried, others), (similarities, self.compare(query[None], others)[0]))


@cache
def multiplies_in_tiles() -> bool:
    """Whether the processor has Intel's AMX: many queries by all codes cost it less than picking some for each."""
    return bool(numkong.get_capabilities().get("sapphireamx"))


def first_of(k: int, rows: Sequence[Indices], similarities: Sequence[Floats]) -> tuple[Indices, Floats]:
    """The first k of some rows and their similarities, given in parts: the most similar first, then by row."""
    together, exact = np.concatenate(rows), np.concatenate(similarities)
    order = np.lexsort((together, -exact))[:k]
    return together[order], exact[order]


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
