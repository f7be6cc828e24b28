"""DataFrames, dicts and rows that Python holds -> a table, read as a CSV of the same cells would be."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.errors import ExamplesError, ShapeError
from lookalike.learning.datasets.csv_columns import Line, find_columns
from lookalike.learning.datasets.tables import Table
from lookalike.learning.labels import check_alike, plain

CAN_BE = (
    "folders and CSV files by name, a DataFrame, a dict (file to label, class to files, or column to cells), or rows: "
    "(a, b), (anchor, positive, negative) or (file, label)"
)


def is_path(source: object) -> bool:
    """Whether this names a file or folder."""
    return isinstance(source, str | os.PathLike)


def is_table(source: Any) -> bool:
    """Whether `as_table` takes this: a DataFrame, a dict, or a list of rows.

    >>> is_table({"1.jpg": "cat"}), is_table([("1.jpg", "2.jpg")]), is_table(["one.csv", "two.csv"])
    (True, True, False)
    """
    if is_path(source):
        return False
    if isinstance(source, Mapping) or _column_names(source) is not None or _is_series(source):
        return True
    return isinstance(source, Sequence) and len(source) > 0 and (_are_rows(source) or _are_records(source))


def as_table(source: Any, bases: Sequence[Path], *, classes: bool = False) -> Table:
    """What Python holds as a table; names of files are tried from some folders.

    Args:
        source: a DataFrame or anything with named columns; a dict of columns; a dict from class to files, or from file
            to label; a Series of labels whose index are files; tuples or lists of equal length, of pictures or of a
            picture and a label; dicts of equal keys.
        bases: the folders.
        classes: read a dict of lists as classes, even where its keys could be names of columns.
    Raises: ExamplesError, for a cell that is no text, number or path.
    """
    kind = f"the {type(source).__name__}"
    if isinstance(source, Mapping):
        header, columns = _of_mapping(source, kind, classes)
    elif (names := _column_names(source)) is not None:
        header, columns = _of_frame(source, names, kind)
    elif _is_series(source):
        header, columns = _of_mapping(source.to_dict(), kind, classes)
    elif _are_records(source):
        header = list(source[0])
        columns = [[row.get(name) for row in source] for name in header]
    else:
        kind = "the rows"
        header, columns = _of_rows(source)
    names = [str(name).strip() for name in header]
    texts = [_texts(column, name or number, kind) for number, (name, column) in enumerate(_named(names, columns))]
    if len({len(column) for column in texts}) > 1:
        sizes = ", ".join(f"{name} {len(column):,}" for name, column in zip(names, texts, strict=True))
        raise ExamplesError(f"{kind}: columns of different lengths ({sizes}). Give a cell of each a row.")
    return Table(kind, kind, _Cells(names, texts).open, tuple(bases))


@dataclass(frozen=True)
class _Cells:
    """Columns of text, opened as a CSV is; rows count from 0."""

    names: list[str]
    columns: list[list[str]]

    @contextmanager
    def open(self) -> Iterator[tuple[Line, Iterator[Line]]]:
        rows = zip(*self.columns, strict=True)
        yield (0, self.names), ((number, list(row)) for number, row in enumerate(rows))


def _named(names: Sequence[str], columns: Sequence[Sequence[Any]]) -> Iterable[tuple[str, Sequence[Any]]]:
    return zip(names, columns, strict=True) if names else (("", column) for column in columns)


def _column_names(source: Any) -> list[Any] | None:
    """The names of an object's columns: of DataFrames, of Arrow's tables and data sets, of NumPy's records."""
    for names in (getattr(source, "column_names", None), getattr(source, "columns", None)):
        if isinstance(names, Iterable) and not isinstance(names, str) and hasattr(source, "__getitem__"):
            return list(names)
    return list(found) if (found := getattr(getattr(source, "dtype", None), "names", None)) else None


def _of_frame(source: Any, names: list[Any], kind: str) -> tuple[list[Any], list[Sequence[Any]]]:
    columns: list[Sequence[Any]] = []
    for name in names:
        try:
            column = source[name]
            column = column.iloc[:, 0] if getattr(column, "ndim", 1) == 2 else column  # several of one name
            columns.append(_listed(column))
        except Exception as error:  # libraries raise what they like
            raise ExamplesError(
                f"{kind}: column {name!r} cannot be read ({type(error).__name__}). Give it in memory, or {CAN_BE}."
            ) from error
    index: Any = getattr(source, "index", None)
    for name in getattr(index, "names", None) or ():
        if name is not None and name not in names:
            names, columns = [*names, name], [*columns, _listed(index.get_level_values(name))]
    if find_columns([str(name).strip().lower() for name in names]) is None and names == list(range(len(names))):
        names = []  # as pandas numbers columns without names
    return names, columns


def _of_mapping(source: Mapping[Any, Any], kind: str, classes: bool) -> tuple[list[Any], list[Sequence[Any]]]:
    if all(_is_column(one) for one in source.values()):
        listed = {name: _listed(one) for name, one in source.items()}
        known = find_columns([str(name).strip().lower() for name in source])
        as_long = len({len(column) for column in listed.values()}) == 1
        if known is not None and not classes and (as_long or known.layout != "pairs"):  # a and b may well be classes
            return list(listed), list(listed.values())
        files = [file for column in listed.values() for file in column]
        return ["file", "label"], [files, [name for name, column in listed.items() for _ in column]]
    if strange := [name for name, one in source.items() if _is_column(one)]:
        raise ExamplesError(
            f"{kind}: {strange[0]!r} has a list and others have none. Map every file to its label, or every class to "
            "its files."
        )
    return ["file", "label"], [list(source), list(source.values())]


def _of_rows(rows: Sequence[Any]) -> tuple[list[Any], list[Sequence[Any]]]:
    listed = [_listed(row) for row in rows]
    lengths = [len(row) for row in listed]
    if other := next((at for at, length in enumerate(lengths) if length != lengths[0]), None):
        raise ExamplesError(
            f"the rows: row 0 has {lengths[0]} cells and row {other} has {lengths[other]}. Give rows of one length: "
            "(a, b), (anchor, positive, negative) or (file, label); groups of any size as a dict, class to files."
        )
    return list(getattr(rows[0], "_fields", ())), [list(column) for column in zip(*listed, strict=True)]


def _is_series(source: Any) -> bool:
    """Whether this is a column whose index are names of files."""
    index = getattr(source, "index", None)
    return hasattr(source, "to_dict") and isinstance(index, Iterable) and any(is_path(one) for one in index)


def _are_rows(source: Sequence[Any]) -> bool:
    return all(isinstance(row, list | tuple) or getattr(row, "ndim", 0) == 1 for row in source)


def _are_records(source: Sequence[Any]) -> bool:
    return all(
        isinstance(row, Mapping) and find_columns([str(name).strip().lower() for name in row]) is not None
        and not any(map(_is_column, row.values()))
        for row in source
    )  # fmt: skip


def _is_column(value: Any) -> bool:
    """Whether this is many values, and no cell."""
    if isinstance(value, str | bytes | os.PathLike):
        return False
    return isinstance(value, list | tuple | Set | Iterator) or (
        hasattr(value, "__len__") and hasattr(value, "__iter__")
    )


def _listed(column: Any) -> list[Any]:
    if isinstance(column, Set):
        return sorted(column, key=str)
    for name in ("to_list", "to_pylist"):
        if hasattr(column, name):
            return list(getattr(column, name)())
    return list(column)


def _texts(column: Sequence[Any], name: str | int, kind: str) -> list[str]:
    values = [plain(value) for value in column]
    try:
        check_alike(dict.fromkeys(value for value in values if isinstance(value, str | int)))
        return [_text(value) for value in values]
    except ShapeError as error:
        raise ExamplesError(f"{kind}: column {name}: {error}") from error
    except TypeError:
        row, wrong = next((row, one) for row, one in enumerate(values) if not _is_cell(one))
        what = f"a {type(wrong).__name__}"
        raise ExamplesError(
            f"{kind}: column {name}, row {row}: {what} is no name, number or path. Give {CAN_BE}."
        ) from None


def _text(value: Any) -> str:
    """A cell as a CSV has it; "" for what is missing."""
    if not _is_cell(value):
        raise TypeError
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return os.fsdecode(value) if isinstance(value, bytes | os.PathLike) else str(value)


def _is_cell(value: Any) -> bool:
    """Whether a value is one thing that has a text of its own: no container, no picture, no object by its address."""
    if value is None or isinstance(value, str | bytes | os.PathLike | int | float):
        return True
    nameless: Any = object.__repr__
    is_data = any(hasattr(value, name) for name in ("__array__", "__array_interface__", "read"))
    return not is_data and not _is_column(value) and type(value).__repr__ is not nameless
