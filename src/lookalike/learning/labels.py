"""Labels of rows: numbers for any labels, rows by label, and the connected components of what belongs together."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import ShapeError
from lookalike.names import one_form
from lookalike.text import first_few, plural

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


def as_labels(*columns: ArrayLike) -> tuple[Rows, ...]:
    """Labels of any kind as numbers, the same label by the same number in all columns: each (n,) int64, -1 for none.

    Args:
        columns: whole numbers, which stay as they are, below 0 for none; or words, or anything else that can be
            compared by being equal: these are numbered, and None, NaN and "" are no label. Two spellings of one word
            in Unicode are one label.
    Raises: ShapeError, for numbers that are not whole, or what cannot be a label.

    >>> [one.tolist() for one in as_labels(["cat", "dog", None], ["dog", "cow"])]
    [[0, 1, -1], [1, 2]]
    """
    arrays = [_label_array(one) for one in columns]
    if all(array.dtype.kind in "iub" for array in arrays):
        return tuple(array.astype(np.int64) for array in arrays)
    numbers: dict[object, int] = {}
    return tuple(
        np.array([_number_of(one, numbers) for one in array.ravel().tolist()], np.int64).reshape(array.shape)
        for array in arrays
    )


def _label_array(labels: ArrayLike) -> NDArray[Any]:
    if hasattr(labels, "detach"):  # a tensor of torch, on any device
        labels = labels.detach().cpu()
    if isinstance(labels, list | tuple) and len({isinstance(one, str) for one in labels}) == 2:
        mixed = np.empty(len(labels), object)  # numpy would make words of NaN and numbers
        mixed[:] = labels
        return mixed
    array = np.asarray(labels)
    if array.dtype.kind == "f":
        known = ~np.isnan(array)
        if not (array[known] == np.round(array[known])).all() or np.isinf(array).any():
            raise ShapeError("labels are numbers that are not whole. Give whole numbers or words, one a row.")
        return np.where(known, array, -1).astype(np.int64)
    return array


def _number_of(label: object, numbers: dict[object, int]) -> int:
    if label is None or label == "" or label != label:  # NaN alone differs from itself
        return -1
    if isinstance(label, int | float) and not isinstance(label, bool) and label < 0:
        return -1
    key = one_form(label) if isinstance(label, str) else label
    try:
        return numbers.setdefault(key, len(numbers))
    except TypeError as error:
        kind = type(label).__name__
        raise ShapeError(f"a {kind} cannot be a label. Give whole numbers or words, one a row.") from error


def notes_on_case(names: Sequence[str]) -> list[str]:
    """A line about labels that differ in case alone, where there are any.

    >>> notes_on_case(["Cat", "cat", "dog"])
    ['1 pair of labels that differ in case alone, kept apart: Cat and cat. If they are one, write them alike']
    """
    by_word: dict[str, list[str]] = {}
    for name in names:
        by_word.setdefault(name.casefold(), []).append(name)
    alike = [" and ".join(spelled) for spelled in by_word.values() if len(spelled) > 1]
    if not alike:
        return []
    pairs = f"{plural(len(alike), 'pair')} of labels that differ in case alone, kept apart"
    return [f"{pairs}: {first_few(alike)}. If they are one, write them alike"]


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
