"""Labels of rows: numbers for any labels, rows by label, and the connected components of what belongs together."""

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import ShapeError
from lookalike.images.arrays import as_array
from lookalike.names import one_form
from lookalike.text import first_few, plural

Edges = tuple[NDArray[np.int64], NDArray[np.int64]]
Rows = NDArray[np.int64]
ONE_A_ROW = "Give whole numbers or words, one a row"


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
            compared by being equal: these are numbered, and what is missing (None, NaN, NA, NaT) and "" are no label.
            Lists, arrays, columns of DataFrames, tensors. Two spellings of one word in Unicode are one label.
    Raises: ShapeError, which names the row, for numbers that are not whole, what cannot be a label, and a number beside
        a word that looks like it.

    >>> [one.tolist() for one in as_labels(["cat", "dog", None], ["dog", "cow"])]
    [[0, 1, -1], [1, 2]]
    """
    found = [_whole_numbers(one) for one in columns]
    if all(isinstance(one, np.ndarray) for one in found):
        return tuple(np.asarray(one, np.int64) for one in found)
    numbers: dict[object, int] = {}
    lists = [one.tolist() if isinstance(one, np.ndarray) else one for one in found]
    numbered = tuple(
        np.array([_number_of(label, row, numbers) for row, label in enumerate(one)], np.int64) for one in lists
    )
    check_alike(numbers)
    return numbered


def _whole_numbers(labels: Any) -> Rows | list[Any]:
    """Labels as an array where they are whole numbers within int64, else as a list."""
    if isinstance(labels, str | bytes) or not hasattr(labels, "__iter__") or isinstance(labels, Mapping | Set):
        raise ShapeError(
            f"labels given as a {type(labels).__name__}. Give whole numbers or words, one a row, in a list."
        )
    values = _listed(labels)
    if values is None:
        try:
            array = as_array(labels)
        except (TypeError, ValueError, RuntimeError, BufferError) as error:
            raise ShapeError(f"labels that cannot be read ({error}). {ONE_A_ROW}.") from error
        if array.ndim != 1:
            hint = " Of columns with a 1 at the label, take argmax(1)." if array.ndim == 2 else ""
            hint = " Take its one column: [:, 0]." if array.shape[1:] == (1,) else hint
            raise ShapeError(f"labels of shape {array.shape}. {ONE_A_ROW}.{hint}")
        if array.dtype.kind == "f":
            return _from_floats(array)
        if array.dtype.kind in "ib" or (array.dtype.kind == "u" and array.max(initial=0) < 1 << 63):
            return array.astype(np.int64)
        values = list(array) if array.dtype.kind in "mM" else array.tolist()
    values = [_as_int(plain(one)) for one in values]
    if set(map(type, values)) <= {int, bool, type(None)}:
        whole = [-1 if one is None else one for one in values]
        if all(-(1 << 63) <= one < 1 << 63 for one in whole):
            return np.array(whole, np.int64)
    return values


def _listed(labels: Any) -> list[Any] | None:
    """The elements of lists, columns and generators, which numpy would make one kind of; None for arrays."""
    if isinstance(labels, np.ma.MaskedArray):
        return None if labels.ndim != 1 else list(labels.tolist())
    for name in ("to_list", "to_pylist"):  # of pandas and polars; of Arrow
        if hasattr(labels, name):
            return list(getattr(labels, name)())
    return None if hasattr(labels, "__array__") or hasattr(labels, "__dlpack__") else list(labels)


def _as_int(label: Any) -> Any:
    """A whole number as int, where floats tell it from its neighbours."""
    return int(label) if isinstance(label, float) and abs(label) < 1 << 53 and label == int(label) else label


def _from_floats(array: NDArray[Any]) -> Rows:
    known = ~np.isnan(array)
    wrong = np.flatnonzero(known & ~(np.isfinite(array) & (array == np.round(array))))
    if len(wrong):
        raise ShapeError(f"row {wrong[0]}: {array[wrong[0]]} is no whole number. {ONE_A_ROW}.")
    most = 2 / np.finfo(array.dtype).eps
    if (large := np.flatnonzero(known & (np.abs(array) > most))).size:
        raise ShapeError(
            f"row {large[0]}: {array[large[0]]:.0f} is too large for {array.dtype} to tell it from its neighbours. "
            f"{ONE_A_ROW}."
        )
    return np.where(known, array, -1).astype(np.int64)


def plain(value: Any) -> Any:
    """A value as Python has it: of a NumPy number or a tensor of one number that number, and None for what is missing.

    >>> [plain(one) for one in (np.int64(3), float("nan"), np.datetime64("NaT"), "cat")]
    [3, None, None, 'cat']
    """
    if isinstance(value, str | int):
        return value
    if isinstance(value, np.datetime64 | np.timedelta64):  # item() makes numbers of some of them
        return None if np.isnat(value) else str(value)
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()
    if value is None or type(value).__name__ in ("NAType", "NaTType"):  # of pandas, which need not be there
        return None
    return None if isinstance(value, float | Decimal) and math.isnan(value) else value


def check_alike(labels: Iterable[object]) -> None:
    """Raises: ShapeError, for a number beside a word that looks like it: one of them is a slip, or both are one label.

    >>> check_alike([1, "one"])
    """
    labels = list(labels)
    words = {one for one in labels if isinstance(one, str)}
    if words and (twice := [one for one in labels if isinstance(one, int | float) and str(one) in words]):
        raise ShapeError(f"labels hold the number {twice[0]} and the word '{twice[0]}'. Write them alike.")


def _number_of(label: Any, row: int, numbers: dict[object, int]) -> int:
    if label is None or (isinstance(label, str) and label == ""):
        return -1
    if isinstance(label, int | float | Decimal):
        if not isinstance(label, int) and (math.isinf(label) or label != int(label)):
            raise ShapeError(f"row {row}: {label} is no whole number. {ONE_A_ROW}.")
        if label < 0:
            return -1
    elif isinstance(label, tuple | complex):
        raise _no_label(label, row)
    try:
        return numbers.setdefault(one_form(label) if isinstance(label, str) else label, len(numbers))
    except (TypeError, ValueError) as error:
        raise _no_label(label, row) from error


def _no_label(label: Any, row: int) -> ShapeError:
    return ShapeError(f"row {row}: a {type(label).__name__} cannot be a label. {ONE_A_ROW}.")


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
