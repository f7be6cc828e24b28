"""Rankings and labels -> recall@k, MAP@R and their like, block by block, the query itself left out.

All take the same things: queries (q, d) and gallery (n, d), rows of any length, compared by cosine; their labels (q,)
and (n,) int or words, where equal and not negative means right; `itself` (q,), the row of the gallery that is the query
and is left out, -1 for none; and domains (q,), (n,), where equal and not negative leaves out too. A query without a
right answer in the gallery is not counted. Ties go against us: a right answer stands behind every wrong one as similar.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import ShapeError
from lookalike.learning.labels import as_labels

BLOCK_BYTES = 32_000_000  # of similarities at a time; about six times that is in flight


class LeftOut(TypedDict, total=False):
    """What a query is not searched in; see the top of this file."""

    itself: ArrayLike | None
    query_domains: ArrayLike | None
    gallery_domains: ArrayLike | None


@dataclass(frozen=True)
class QueryBlock:
    """A block of queries: their similarities to the gallery (b, n), which rows are right, which are left out."""

    rows: slice
    similarities: NDArray[np.float32]
    relevant: NDArray[np.bool_]
    excluded: NDArray[np.bool_]


def recall_at_k(
    queries: ArrayLike,
    gallery: ArrayLike,
    query_labels: ArrayLike,
    gallery_labels: ArrayLike,
    k: int = 1,
    **left: Unpack[LeftOut],
) -> float:
    """Share of queries with a right answer among the first k, 0 to 1.

    `left` is `itself`, `query_domains` and `gallery_domains`, see the top of this file.
    Returns: nan where no query has a right answer.

    >>> recall_at_k([[1, 0], [0, 1]], [[1, 0], [1, 1], [0, 1]], [0, 0], [0, 0, 1])
    0.5
    """
    ranks = first_relevant_ranks(queries, gallery, query_labels, gallery_labels, **left)
    return _mean((ranks <= k)[ranks > 0])


def mean_reciprocal_rank(
    queries: ArrayLike, gallery: ArrayLike, query_labels: ArrayLike, gallery_labels: ArrayLike, **left: Unpack[LeftOut]
) -> float:
    """Mean over queries of 1 / rank of the first right answer, 0 to 1.

    >>> mean_reciprocal_rank([[1, 0], [0, 1]], [[1, 0], [1, 1], [0, 1]], [0, 0], [0, 0, 1])
    0.75
    """
    ranks = first_relevant_ranks(queries, gallery, query_labels, gallery_labels, **left)
    return _mean(1 / ranks[ranks > 0])


def map_at_r(
    queries: ArrayLike, gallery: ArrayLike, query_labels: ArrayLike, gallery_labels: ArrayLike, **left: Unpack[LeftOut]
) -> float:
    """Mean over queries of 1/R times the sum of precision@i over the right answers among the first R, 0 to 1.

    R is how many right answers a query has.
    Source: A Metric Learning Reality Check, arXiv:2003.08505, section 3.2.

    >>> map_at_r([[1, 0]], [[1, 0], [2, 1], [1, 1]], [0], [0, 1, 0])  # right, wrong | right: R = 2, (1/1) / 2
    0.5
    """
    values = []
    for placed, r in _first_r(queries, gallery, query_labels, gallery_labels, **left):
        place = np.arange(1, placed.shape[1] + 1)
        values.append((np.cumsum(placed, axis=1) / place * placed).sum(axis=1) / r)
    return _mean(np.concatenate(values))


def r_precision(
    queries: ArrayLike, gallery: ArrayLike, query_labels: ArrayLike, gallery_labels: ArrayLike, **left: Unpack[LeftOut]
) -> float:
    """Mean over queries of the share of right answers among the first R, R being how many there are, 0 to 1.

    >>> r_precision([[1, 0]], [[2, 1], [1, 1], [1, 0]], [0], [0, 0, 1])  # wrong, right | right
    0.5
    """
    found = _first_r(queries, gallery, query_labels, gallery_labels, **left)
    return _mean(np.concatenate([placed.sum(axis=1) / r for placed, r in found]))


def triplet_accuracy(embedding: ArrayLike, triplets: ArrayLike) -> float:
    """Share of triplets whose anchor is more like its positive than its negative; equal is not more.

    Args:
        embedding: (n, d) rows of any length.
        triplets: (t, 3) int rows anchor, positive, negative.
    Returns: 0 to 1; nan for no triplets.

    >>> triplet_accuracy([[1, 0], [1, 1], [0, 1]], [[0, 1, 2], [2, 0, 1]])
    0.5
    """
    x, three = np.asarray(embedding, np.float32), np.asarray(triplets, np.int64).reshape(-1, 3)
    if x.ndim != 2 or (three.size and not 0 <= three.min() <= three.max() < len(x)):
        raise ShapeError(f"triplets must name rows of an embedding (n, d), here {x.shape}.")
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-30)
    right = []
    for start in range(0, len(three), 8192):
        anchor, positive, negative = (x[at] for at in three[start : start + 8192].T)
        right.append((anchor * positive).sum(axis=1) > (anchor * negative).sum(axis=1))
    return _mean(np.concatenate(right)) if right else float("nan")


def roc_auc(similarities: ArrayLike, right: ArrayLike) -> float:
    """The chance that a right pair is more similar than a wrong one, equal counting half.

    Args:
        similarities: (m,) float.
        right: (m,) bool, which of them are of a right pair.
    Returns: 0 to 1; nan where there are only right or only wrong ones.

    >>> roc_auc([0.9, 0.5, 0.5, 0.1], [True, True, False, False])
    0.875
    """
    values, is_right = np.asarray(similarities), np.asarray(right, bool)
    if values.ndim != 1 or values.shape != is_right.shape:
        raise ShapeError(f"similarities {values.shape} and right {is_right.shape} must be (m,) both.")
    _, at = np.unique(values, return_inverse=True)
    count = int(at.max(initial=-1)) + 1
    return _auc(np.bincount(at[is_right], minlength=count), np.bincount(at[~is_right], minlength=count))


def first_relevant_ranks(
    queries: ArrayLike, gallery: ArrayLike, query_labels: ArrayLike, gallery_labels: ArrayLike, **left: Unpack[LeftOut]
) -> NDArray[np.int64]:
    """Rank of each query's first right answer, from 1; 0 where the gallery has none: (q,) int64.

    >>> first_relevant_ranks([[1, 0], [0, 1]], [[1, 0], [1, 1], [0, 1]], [0, 0], [0, 0, 1]).tolist()
    [1, 2]
    """
    blocks = similarity_blocks(queries, gallery, query_labels, gallery_labels, **left)
    return np.concatenate([ranks_from_similarities(one.similarities, one.relevant, one.excluded) for one in blocks])


def ranks_from_similarities(
    similarities: NDArray[np.float32], right: NDArray[np.bool_], out: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Rank of the first right answer of each row of similarities (q, n), rows of `out` left out; 0 where none is."""
    best = np.where(right & ~out, similarities, -np.inf).max(axis=1, initial=-np.inf)
    ahead = (similarities >= best[:, None]) & ~right & ~out
    return np.where(np.isfinite(best), 1 + ahead.sum(axis=1), 0)


def similarity_blocks(
    queries: ArrayLike,
    gallery: ArrayLike,
    query_labels: ArrayLike,
    gallery_labels: ArrayLike,
    *,
    itself: ArrayLike | None = None,
    query_domains: ArrayLike | None = None,
    gallery_domains: ArrayLike | None = None,
) -> Iterator[QueryBlock]:
    """The queries by blocks of bounded memory, each with its similarities.

    Raises: ShapeError, when the arrays do not fit together.
    """
    q, g = np.asarray(queries, np.float32), np.asarray(gallery, np.float32)
    if q.ndim != 2 or g.ndim != 2 or q.shape[1] != g.shape[1] or not len(q) or not len(g):
        raise ShapeError(f"queries {q.shape} and gallery {g.shape} must be (q, d) and (n, d) with rows in both.")

    def column(values: ArrayLike | None, n: int, name: str) -> NDArray[np.int64]:
        array = np.full(n, -1) if values is None else np.asarray(values, np.int64)
        if array.shape != (n,):
            raise ShapeError(f"{name} must be ({n},), one a row, not {array.shape}.")
        return array

    label, labels = as_labels(query_labels, gallery_labels)
    label, labels = column(label, len(q), "query_labels"), column(labels, len(g), "gallery_labels")
    own = column(itself, len(q), "itself")
    if own.max() >= len(g):
        raise ShapeError(f"itself names row {own.max()} of a gallery of {len(g)}.")
    domain, domains = column(query_domains, len(q), "query_domains"), column(gallery_domains, len(g), "gallery_domains")
    length = np.maximum(np.linalg.norm(g, axis=1), 1e-30)
    step = max(1, BLOCK_BYTES // (4 * len(g)))
    for start in range(0, len(q), step):
        rows = slice(start, start + step)
        block = q[rows] / np.maximum(np.linalg.norm(q[rows], axis=1, keepdims=True), 1e-30)
        right = (label[rows, None] == labels) & (labels >= 0)
        out = (domain[rows, None] == domains) & (domains >= 0)
        at = np.flatnonzero(own[rows] >= 0)
        out[at, own[rows][at]] = True
        similarities = block @ g.T  # (b, d) @ (d, n) -> (b, n)
        similarities /= length
        yield QueryBlock(rows, similarities, right, out)


def _first_r(*arrays: ArrayLike, **left: Unpack[LeftOut]) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.int64]]]:
    """Blocks of queries with right answers: whether place 1, 2, ... holds a right one (False behind R), and R."""
    for asked in similarity_blocks(*arrays, **left):
        right = asked.relevant & ~asked.excluded
        r = right.sum(axis=1)
        counted = r > 0
        right, r = right[counted], r[counted]
        if not len(r):
            yield np.zeros((0, 1), bool), r
            continue
        # Sorted as integers: the float's own order, then right behind wrong; what is left out last.
        bits = np.ascontiguousarray(asked.similarities[counted] + np.float32(0)).view(np.int32).astype(np.int64)
        keys = np.where(bits < 0, bits & 0x7FFFFFFF, -bits) * 2 + right  # ascending: the most similar first
        keys[asked.excluded[counted]] = np.iinfo(np.int64).max
        most = int(r.max())
        first = np.argpartition(keys, most - 1, axis=1)[:, :most] if most < keys.shape[1] else None
        if first is None:
            first = np.broadcast_to(np.arange(keys.shape[1]), keys.shape)
        order = np.argsort(np.take_along_axis(keys, first, axis=1), axis=1, kind="stable")
        placed = np.take_along_axis(right, np.take_along_axis(first, order, axis=1), axis=1)[:, :most]
        yield placed & (np.arange(most) < r[:, None]), r


def _auc(right: NDArray[np.integer[Any]], wrong: NDArray[np.integer[Any]]) -> float:
    """From counts of right and wrong pairs by rising similarity."""
    below = np.cumsum(wrong) - wrong
    pairs = int(right.sum()) * int(wrong.sum())
    return float((right * (below + wrong / 2)).sum() / pairs) if pairs else float("nan")


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")
