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
    """Edges that join the rows of each label, one after the other; rows of label -1 stay alone."""
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] >= 0]
    same = labels[order][1:] == labels[order][:-1]
    return order[:-1][same], order[1:][same]


def number_labels(labels: Rows) -> Rows:
    """The same labels numbered from 0 on without gaps, in their order; -1 stays.

    >>> number_labels(np.array([7, -1, 3, 7])).tolist()
    [1, -1, 0, 1]
    """
    known = labels >= 0
    numbers = np.full(len(labels), -1)
    numbers[known] = np.unique(labels[known], return_inverse=True)[1]
    return numbers


def sort_by_label(labels: Rows) -> tuple[Rows, Rows, Rows]:
    """The rows that have a label, label by label and in their own order within one.

    Args: labels: (n,) int64, -1 for none.
    Returns: order (m,), the rows; starts (l,) and sizes (l,), where in `order` each label begins and how many it has.

    >>> [one.tolist() for one in sort_by_label(np.array([7, -1, 3, 7]))]
    [[2, 0, 3], [0, 1], [1, 2]]
    """
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] >= 0]
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    return order, starts, np.diff(starts, append=len(order))


def rows_by_label(labels: Rows) -> list[Rows]:
    """The rows of each label that has two or more, in the order of the labels.

    >>> [rows.tolist() for rows in rows_by_label(np.array([7, -1, 3, 7]))]
    [[0, 3]]
    """
    order, starts, _ = sort_by_label(labels)
    return [rows for rows in np.split(order, starts[1:]) if len(rows) > 1]
