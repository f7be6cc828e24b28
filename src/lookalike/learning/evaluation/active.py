"""Which pictures to ask people about: those that are least like what was judged, with candidates to tick."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.labels import Rows
from lookalike.models.vectors import as_float32, normalize_rows

CANDIDATES = 12  # of each question
FIRST = 10  # of them are the first hits
FARTHER = (13, 60)  # from these ranks come the others, so that what search misses is asked about too
ROWS_AT_ONCE = 8192


def farthest_first(
    features: NDArray[np.floating[Any]], judged: Rows, count: int, rows_at_once: int = ROWS_AT_ONCE
) -> Rows:
    """Pictures that lie farthest from what was judged, each next one farthest from those before it as well.

    Args:
        features: (n, f) of any float type, rows of any length; they are compared by cosine.
        judged: (j,) int64, rows about which something was said: they are not asked about. Where there are none, the
            first is the row that is most like the mean of all.
        count: how many.
        rows_at_once: how many are compared together; it bounds the memory.
    Returns: (at most count,) int64, in the order in which they are to be asked; fewer where the rest are copies of
        what was judged or chosen.
    Source: farthest-first traversal, Gonzalez 1985, which covers at most twice as badly as the best choice; as a way
        to choose what to label it is the core-set selection of Sener and Savarese, arXiv:1708.00489.

    >>> farthest_first(np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.7, 0.7]]), np.array([0]), 2).tolist()
    [2, 3]
    """
    n, chosen = len(features), list[int]()
    most = np.full(n, -np.inf, np.float32)  # how much each row is like the one judged or chosen row it is most like
    if len(judged):
        anchors = normalize_rows(as_float32(features[judged]))
        for part, block in _blocks(features, rows_at_once):
            for start in range(0, len(anchors), rows_at_once):
                like = block @ anchors[start : start + rows_at_once].T  # (b, f) @ (f, j) -> (b, j)
                most[part] = np.maximum(most[part], like.max(axis=1))
        most[judged] = np.inf
    while len(chosen) < min(count, n):
        if chosen or len(judged):
            row = int(np.argmin(most))
            if most[row] > 1 - 1e-5:  # a copy: whoever answers it says again what was said
                break
        else:
            mean = np.sum([block.sum(axis=0) for _, block in _blocks(features, rows_at_once)], axis=0)
            row = int(np.argmax(np.concatenate([block @ mean for _, block in _blocks(features, rows_at_once)])))
        chosen.append(row)
        anchor = normalize_rows(as_float32(features[row : row + 1]))[0]
        for part, block in _blocks(features, rows_at_once):
            most[part] = np.maximum(most[part], block @ anchor)
        most[row] = np.inf
    return np.array(chosen, np.int64)


def choose_candidates(ranked: Rows, rng: np.random.Generator) -> Rows:
    """What to show beside a picture: the first 10 hits, and 2 of ranks 13 to 60.

    Args:
        ranked: rows, the most similar first, without the picture itself and its copies.
        rng: draws the two.
    Returns: at most 12 rows: the first hits in their order, then the others in theirs; of few hits all of them.

    >>> choose_candidates(np.arange(100), np.random.default_rng(0))[:10].tolist()
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    if len(ranked) <= CANDIDATES:
        return ranked
    farther = ranked[FARTHER[0] - 1 : FARTHER[1]]
    drawn = np.sort(rng.permutation(len(farther))[: CANDIDATES - FIRST])
    return np.concatenate([ranked[:FIRST], farther[drawn]])


def _blocks(features: NDArray[np.floating[Any]], at_once: int) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Some rows at once, of length 1."""
    for start in range(0, len(features), at_once):
        part = slice(start, start + at_once)
        yield part, normalize_rows(as_float32(features[part]))
