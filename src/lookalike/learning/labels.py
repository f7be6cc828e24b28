"""Labels of rows: rows by label, and the connected components of what belongs together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Edges = tuple[NDArray[np.int64], NDArray[np.int64]]
Rows = NDArray[np.int64]


def components(n: int, edges: Sequence[Edges]) -> NDArray[np.int64]:
    """The connected component of each of n rows, named by its first row.

    >>> components(4, [(np.array([0, 2]), np.array([3, 3]))]).tolist()
    [0, 1, 0, 0]
    """
    first = np.arange(n)
    if not edges:
        return first
    one = np.concatenate([a for a, _ in edges]).astype(np.int64)
    other = np.concatenate([b for _, b in edges]).astype(np.int64)
    while True:
        before = first.copy()
        least = np.minimum(first[one], first[other])
        np.minimum.at(first, first[one], least)
        np.minimum.at(first, first[other], least)
        first = first[first]
        if np.array_equal(first, before):
            return first


def chain(labels: NDArray[np.int64]) -> Edges:
    """Edges that join the rows of each group, one after the other; rows of group -1 stay alone."""
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] >= 0]
    same = labels[order][1:] == labels[order][:-1]
    return order[:-1][same], order[1:][same]


def rows_by_label(labels: Rows) -> list[Rows]:
    """The rows of each group that has two or more, in the order of their labels."""
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] >= 0]
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    return [m for m in np.split(order, starts[1:]) if len(m) > 1]
