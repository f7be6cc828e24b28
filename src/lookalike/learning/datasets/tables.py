"""A table -> Examples: triplets, pairs or labels, by the names of its columns or by what is in them."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np

from lookalike.errors import ExamplesError
from lookalike.learning.datasets.csv_columns import (
    EXPECTED,
    EXPECTED_BY_LAYOUT,
    Columns,
    Line,
    find_answer,
    find_columns,
    guess_columns,
    lines_that_say_yes,
)
from lookalike.learning.datasets.csv_files import find_files
from lookalike.learning.datasets.dataset import Dataset, labels_from_pairs, unlabelled
from lookalike.learning.labels import Rows, notes_on_case
from lookalike.names import one_form
from lookalike.text import first_few, plural

Layout = Literal["sides", "classes", "views"]


@dataclass(frozen=True)
class Table:
    """Lines of cells, wherever they come from.

    Attributes:
        name: for error messages; short: the same without folders.
        open: gives the names of the columns, in whatever case, with their line's number, no names where there are none,
            and the lines, each with its number. It may be opened several times.
        bases: folders from which names of files are tried, in this order.
        csv: whether it is a CSV, whose first line may be no names but a line like the others.
    """

    name: str
    short: str
    open: Callable[[], AbstractContextManager[tuple[Line, Iterator[Line]]]]
    bases: tuple[Path, ...]
    csv: bool = False


@dataclass(frozen=True)
class Cells:
    """The columns of a table that matter, each distinct text once.

    Attributes:
        names: the distinct texts of each column that has its own (labels), or of all of them together (files).
        at: (lines, columns) int64, positions in `names`.
        incomplete: numbers of the lines that lack a cell.
    """

    names: list[list[str]]
    at: Rows
    incomplete: list[int]


def from_table(table: Table, as_: Layout | None = None, notes: Sequence[str] = ()) -> Dataset:
    """The examples in a table with columns anchor,positive,negative or a,b or file,label.

    Columns are known by their names, in any case and order, or, where none has a name that is known, by what is in
    them. Pairs join transitively, but those that a further column says no to; triplets don't. A picture with two labels
    is left out.

    Args:
        table: its columns are files and labels.
        as_: "views" takes every file that is named by itself, "classes" goes with labels.
        notes: lines for people that come after the first.
    Raises: ExamplesError, in one line.
    """
    notes, path, line = list(notes), table.name, "line" if table.csv else "row"
    columns, answer, unused, named = _columns(table)
    layout = columns.layout
    if as_ == "sides" or (as_ == "classes" and layout != "labels"):
        raise ExamplesError(f"{path}: a table of {layout}, which --as {as_} cannot be. Leave out --as {as_}.")
    if not named:
        names = EXPECTED_BY_LAYOUT[layout] + ("" if answer is None else ",yes or no")
        notes.append(f"columns without names, read as {names}")
    said_no: list[int] = []
    with table.open() as (first, rest):
        lines = rest if named or not first[1] else chain([first], rest)
        chosen = lines if answer is None else lines_that_say_yes(lines, answer, said_no)
        cells = _cells(chosen, columns.at, own_names=layout == "labels")
    if said_no:
        notes.append(
            f"{plural(len(said_no), 'pair')} that the {'CSV' if table.csv else 'table'} says no to, which join nothing"
        )
    if unused:
        notes.append(f"not read of this table of pairs: {plural(len(unused), 'column')}: {first_few(unused)}")
    if cells.incomplete:
        numbers = first_few([str(line) for line in cells.incomplete])
        notes.append(f"left out: {plural(len(cells.incomplete), line)} with an empty cell: {line} {numbers}")
    if not len(cells.at):
        below = " below the first" if table.csv else ""
        raise ExamplesError(f"{path}: found no {line}s of {layout}{below}; expected one for each. Add some.")
    bases = table.bases
    try:
        paths, row = find_files(cells.names[0], bases)
    except ExamplesError as error:
        raise ExamplesError(f"{path}: {error}") from error
    if missing := [name for name, at in zip(cells.names[0], row.tolist(), strict=True) if at < 0]:
        tried = " and ".join(str(base) for base in bases)
        there = f"{len(row) - len(missing):,} of {plural(len(row), 'file')} that it names"
        if 2 * len(missing) > len(row):
            mend = "Move the CSV beside its pictures, or mend its paths." if table.csv else "Mend its paths."
            raise ExamplesError(
                f"{path}: found {there}, looking in {tried}; expected more than half. "
                f"Missing: {first_few(missing)}. {mend}"
            )
        notes.append(
            f"left out: {len(missing):,} of {plural(len(row), 'file')}, not found in {tried}: {first_few(missing)}"
        )
    if as_ == "views":
        if len(paths) < 2:
            raise ExamplesError(f"{path}: names {plural(len(paths), 'picture')}; expected two or more. Add {line}s.")
        return unlabelled(
            paths, [f"views: {plural(len(paths), 'picture')} that {table.short} names, each by itself", *notes]
        )
    make = {"triplets": _triplets, "pairs": _pairs, "labels": _labels}[layout]
    return make(path, cells, row, paths, notes)


def _columns(table: Table) -> tuple[Columns, int | None, list[str], bool]:
    """What the columns stand for, which one says of pairs whether they belong together, the names of those of pairs
    that say nothing, and whether the columns have names.

    Raises: ExamplesError.
    """
    with table.open() as (first, lines):
        header = [cell.lower() for cell in first[1]]
        columns, named = find_columns(header), True
        if columns is None and (table.csv or not first[1]):
            columns, named = guess_columns(first[1], lines), False
        if columns is None:
            raise _unknown(table, header)
    if columns.layout != "pairs" or not columns.others:
        return columns, None, [], named
    with table.open() as (first, lines):
        header = header if named else [""] * (max(columns.others) + 1)
        rest = lines if named or not first[1] else chain([first], lines)
        answer = find_answer(header, columns, rest, table.name)
        return columns, answer, [header[one] for one in columns.others if one != answer and header[one]], named


def count_found(table: Table) -> tuple[int, int]:
    """How many of the files that a table names by more than ASCII are there, and how many it names so."""
    try:
        columns, _, _, named = _columns(table)
        with table.open() as (first, rest):
            lines = rest if named or not first[1] else chain([first], rest)
            names = _cells(lines, columns.at, own_names=columns.layout == "labels").names[0]
        names = [name for name in names if not name.isascii()]
        return int((find_files(names, table.bases)[1] >= 0).sum()), len(names)
    except ExamplesError:
        return 0, 0


def _cells(lines: Iterator[tuple[int, list[str]]], columns: Sequence[int], own_names: bool) -> Cells:
    known: list[dict[str, int]] = [{}, {}] if own_names else [{}] * len(columns)
    pairs = list(zip(columns, known, strict=True))
    at, incomplete = array("q"), []
    for number, line in lines:
        try:
            texts = [line[column] for column in columns]
        except IndexError:
            texts = [""]
        if all(texts) and all(map(str.strip, texts)):
            at.extend([names.setdefault(line[column], len(names)) for column, names in pairs])
        else:
            incomplete.append(number)
    together = np.frombuffer(at, np.int64).reshape(-1, len(columns)) if at else np.empty((0, len(columns)), np.int64)
    return Cells([list(names) for names in known], together, incomplete)


def _triplets(path: str, cells: Cells, row: Rows, paths: list[Path], notes: list[str]) -> Dataset:
    three = row[cells.at]  # (lines, 3)
    there = three[(three >= 0).all(axis=1)]
    apart = (there[:, 0] != there[:, 1]) & (there[:, 0] != there[:, 2]) & (there[:, 1] != there[:, 2])
    if same := int((~apart).sum()):
        notes = [*notes, f"left out: {plural(same, 'triplet')} with one picture twice"]
    distinct = _once(there[apart])
    if not len(distinct):
        raise ExamplesError(
            f"{path}: found no triplet of three pictures; expected one a line. {'; '.join(notes)}".strip()
        )
    used, at = np.unique(distinct, return_inverse=True)
    how = f"triplets: {plural(len(distinct), 'triplet')} of {plural(len(used), 'picture')}"
    if against := _contradictions(distinct):
        pairs = plural(against, "pair") + " of triplets say"
        notes = [*notes, f"{pairs} the opposite of one another, with positive and negative exchanged"]
    kept = tuple(paths[one] for one in used)
    none = np.full(len(used), -1)
    return Dataset(kept, none, None, at.reshape(-1, 3).astype(np.int64), "triplets", (how, *notes))


def _contradictions(triplets: Rows) -> int:
    """How many pairs of distinct triplets (t, 3) differ only in which picture is the positive."""
    said = set(map(tuple, triplets.tolist()))
    return sum((anchor, negative, positive) in said for anchor, positive, negative in said) // 2


def _pairs(path: str, cells: Cells, row: Rows, paths: list[Path], notes: list[str]) -> Dataset:
    two = row[cells.at]  # (lines, 2)
    there = two[(two >= 0).all(axis=1)]
    apart = there[:, 0] != there[:, 1]
    if same := int((~apart).sum()):
        notes = [*notes, f"left out: {plural(same, 'pair')} of a picture with itself"]
    distinct = _once(np.sort(there[apart], axis=1))
    group = labels_from_pairs(len(paths), distinct[:, 0], distinct[:, 1])
    used = np.flatnonzero(group >= 0)
    sizes = np.bincount(group[used])
    if len(sizes) < 2:
        found = (
            f"{plural(len(distinct), 'pair')} that join into one group of {len(used):,}" if len(used) else "no pairs"
        )
        raise ExamplesError(
            f"{path}: found {found}, with nothing to tell it from; expected two or more groups. "
            "Nearest: triplets, which do not join. Add pairs of other pictures, or give anchor,positive,negative."
        )
    pictures = plural(len(used), "picture")
    how = [f"pairs: {plural(len(distinct), 'pair')}, which join {pictures} into {plural(len(sizes), 'group')}"]
    if 2 * sizes.max() > len(used) and len(used) > 10:
        how.append(f"one group has {sizes.max():,} of them. If not all of these belong together, give triplets")
    return Dataset(tuple(paths[one] for one in used), group[used], None, None, "pairs", (*how, *notes))


def _labels(path: str, cells: Cells, row: Rows, paths: list[Path], notes: list[str]) -> Dataset:
    spelled: dict[str, int] = {}
    texts = (one_form(text.strip()) for text in cells.names[1])
    label_of = np.array([spelled.setdefault(text, len(spelled)) for text in texts], np.int64)
    lines = np.column_stack([row[cells.at[:, 0]], label_of[cells.at[:, 1]]])
    distinct = _once(lines[lines[:, 0] >= 0])
    times = np.bincount(distinct[:, 0], minlength=len(paths))
    if torn := np.flatnonzero(times > 1).tolist():
        names = first_few([paths[one].name for one in torn])
        notes = [*notes, f"left out: {plural(len(torn), 'picture')} with several labels: {names}"]
    kept = distinct[times[distinct[:, 0]] == 1]
    sizes = np.bincount(kept[:, 1], minlength=len(spelled))
    if (sizes > 1).sum() < 2:
        single = int((sizes == 1).sum())
        found = f"{plural(int((sizes > 0).sum()), 'label')}, {single:,} of them with one picture"
        raise ExamplesError(
            f"{path}: found {found}; expected two or more labels of two or more pictures. "
            "Nearest: views. Say --as views to take every picture by itself, or add lines."
        )
    labels, group = np.unique(kept[:, 1], return_inverse=True)
    names_ = list(spelled)
    how = [f"labels: {plural(len(labels), 'label')} with {plural(len(kept), 'picture')}"]
    if alone_ := [names_[one] for one in np.flatnonzero(sizes == 1)]:
        how.append(f"{plural(len(alone_), 'label')} with one picture, which is only told apart: {first_few(alone_)}")
    label_names = tuple(names_[one] for one in labels)
    how += notes_on_case(label_names)
    kept_paths = tuple(paths[one] for one in kept[:, 0])
    return Dataset(kept_paths, group.astype(np.int64), None, None, "labels", (*how, *notes), label_names=label_names)


def _once(lines: Rows) -> Rows:
    """Distinct lines, in the order in which they first come."""
    code, size = lines[:, 0], int(lines.max(initial=0)) + 1
    for column in lines.T[1:]:  # numbers are sorted a hundred times faster than lines
        code = np.unique(code, return_inverse=True)[1] * size + column
    return lines[np.sort(np.unique(code, return_index=True)[1])]


def _unknown(table: Table, header: list[str]) -> ExamplesError:
    if not header:
        return ExamplesError(
            f"{table.name}: rows that are no examples; expected {EXPECTED}, all rows alike, pictures by their names."
        )
    found = f"{table.name}: found columns {first_few([name or '(none)' for name in header], 6)}; expected {EXPECTED}."
    if {"query", "yes"} <= set(header):
        return ExamplesError(f"{found} These are judgements: add them with lookalike judge FOLDER --from {table.short}")
    nearest = "anchor,positive,negative" if len(header) == 3 else "file,label (or a,b)"
    return ExamplesError(f"{found} Nearest: {nearest}. Name the columns so{' in the first line' if table.csv else ''}.")
