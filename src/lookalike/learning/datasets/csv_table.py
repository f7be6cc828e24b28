"""A CSV -> Examples: triplets, pairs or labels, whatever delimiter and spelling a spreadsheet gave it."""

import codecs
import csv
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from lookalike.errors import ExamplesError
from lookalike.learning.datasets.csv_columns import (
    EXPECTED,
    Columns,
    find_answer,
    find_columns,
    lines_that_say_yes,
)
from lookalike.learning.datasets.csv_files import find_files
from lookalike.learning.datasets.dataset import Dataset, labels_from_pairs, unlabelled
from lookalike.learning.labels import Rows, notes_on_case
from lookalike.names import one_form
from lookalike.text import first_few, plural

LONGEST_HEADER = 65_536  # characters; what has a longer first line is no CSV


@dataclass(frozen=True)
class CsvColumns:
    """The columns of a CSV that matter, each distinct text once.

    Attributes:
        names: the distinct texts of each column that has its own (labels), or of all of them together (files).
        at: (lines, columns) int64, positions in `names`.
        incomplete: numbers of the lines that lack a cell.
    """

    names: list[list[str]]
    at: Rows
    incomplete: list[int]


def from_csv(
    path: Path, as_: Literal["sides", "classes", "views"] | None = None, folder: Path | None = None
) -> Dataset:
    """The examples in a CSV with columns anchor,positive,negative or a,b or file,label.

    The first line names the columns, in any case and order, by these names or others that are usual (docs/examples.md).
    Commas, semicolons or tabs; UTF-8 or UTF-16. Paths are tried from the CSV's own folder, then from `folder`, then by
    their last parts, as those of another machine. Pairs join transitively, but those whose line says no; triplets
    don't. A picture with two labels is left out.

    Args:
        path: the file.
        as_: "views" takes every file that is named by itself, "classes" goes with labels.
        folder: the collection's.
    Raises: ExamplesError, in one line.
    """
    notes: list[str] = []
    columns, answer, unused = _columns(path)
    layout = columns.layout
    if as_ == "sides" or (as_ == "classes" and layout != "labels"):
        raise ExamplesError(f"{path}: a table of {layout}, which --as {as_} cannot be. Leave out --as {as_}.")
    said_no: list[int] = []
    with open_csv(path) as (_, lines):
        chosen = lines if answer is None else lines_that_say_yes(lines, answer, said_no)
        cells = _cells(chosen, columns.at, own_names=layout == "labels")
    if said_no:
        notes.append(f"{plural(len(said_no), 'pair')} that the CSV says no to, which join nothing")
    if unused:
        notes.append(f"not read of this table of pairs: {plural(len(unused), 'column')}: {first_few(unused)}")
    if cells.incomplete:
        numbers = first_few([str(line) for line in cells.incomplete])
        notes.append(f"left out: {plural(len(cells.incomplete), 'line')} with an empty cell: line {numbers}")
    if not len(cells.at):
        raise ExamplesError(f"{path}: found no lines of {layout} below the first; expected one for each. Add some.")
    bases = [path.parent, *([folder] if folder is not None else [])]
    paths, row = find_files(cells.names[0], bases)
    if missing := [name for name, at in zip(cells.names[0], row.tolist(), strict=True) if at < 0]:
        tried = " and ".join(str(base) for base in bases)
        there = f"{len(row) - len(missing):,} of {plural(len(row), 'file')} that it names"
        if 2 * len(missing) > len(row):
            raise ExamplesError(
                f"{path}: found {there}, looking in {tried}; expected more than half. "
                f"Missing: {first_few(missing)}. Move the CSV beside its pictures, or mend its paths."
            )
        notes.append(
            f"left out: {len(missing):,} of {plural(len(row), 'file')}, not found in {tried}: {first_few(missing)}"
        )
    if as_ == "views":
        if len(paths) < 2:
            raise ExamplesError(f"{path}: names {plural(len(paths), 'picture')}; expected two or more. Add lines.")
        return unlabelled(
            paths, [f"views: {plural(len(paths), 'picture')} that {path.name} names, each by itself", *notes]
        )
    make = {"triplets": _triplets, "pairs": _pairs, "labels": _labels}[layout]
    return make(path, cells, row, paths, notes)


def _columns(path: Path) -> tuple[Columns, int | None, list[str]]:
    """What the columns stand for, which one says of pairs whether they belong together, and the names of those of
    pairs that say nothing.

    Raises: ExamplesError.
    """
    with open_csv(path) as (header, lines):
        columns = find_columns(header)
        if columns is None:
            raise _unknown(path, header)
        answer = find_answer(header, columns, lines, path) if columns.layout == "pairs" and columns.others else None
        unused = [header[one] for one in columns.others if one != answer and header[one]]
        return columns, answer, unused if columns.layout == "pairs" else []


@contextmanager
def open_csv(path: Path) -> Iterator[tuple[list[str], Iterator[tuple[int, list[str]]]]]:
    """A CSV's column names, in small letters, and its lines that are not blank, each with its number.

    Raises: ExamplesError, when it is no text, not UTF-8, empty, or cannot be read.
    """
    before, reader = 0, csv.reader(())
    try:
        with path.open(encoding=_encoding(path), newline="") as file:
            while first := file.readline(LONGEST_HEADER):
                before += 1
                if first.strip() and not first.lower().startswith("sep="):  # what Excel writes for itself
                    break
            else:
                raise ExamplesError(f"{path}: empty. Expected a CSV whose first line is {EXPECTED}.")
            if "\0" in first or len(first) == LONGEST_HEADER:
                raise ExamplesError(f"{path}: not a text file. Give a folder of pictures, or a CSV.")
            header, delimiter = _header(first)
            # Strict: else an open quote makes one cell of all lines below it, and says nothing.
            reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
            yield header, ((before + reader.line_num, line) for line in reader if line)
    except UnicodeDecodeError:
        raise ExamplesError(
            f"{path}: line {_not_utf8(path)} is not UTF-8. Save it as UTF-8 (in Excel: CSV UTF-8), then try again."
        ) from None
    except csv.Error as error:
        raise ExamplesError(
            f"{path}: {error} near line {before + reader.line_num}. Look for a quote that is open."
        ) from None
    except OSError as error:
        raise ExamplesError(f"{path}: cannot be read ({error.strerror}). Check its name and permissions.") from error


def _header(line: str) -> tuple[list[str], str]:
    """Column names and the delimiter: the first that makes columns we know, else the one that makes most."""
    tries = []
    for delimiter in ",;\t":
        names = [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))]
        known = find_columns(names) is not None or {"query", "yes"} <= set(names)
        tries.append((known, len(names), names, delimiter))
    _, _, names, delimiter = max(tries, key=lambda one: one[:2])
    return names, delimiter


def _encoding(path: Path) -> str:
    """UTF-16 where its mark says so, else UTF-8."""
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _cells(lines: Iterator[tuple[int, list[str]]], columns: Sequence[int], own_names: bool) -> CsvColumns:
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
    return CsvColumns([list(names) for names in known], together, incomplete)


def _triplets(path: Path, cells: CsvColumns, row: Rows, paths: list[Path], notes: list[str]) -> Dataset:
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


def _pairs(path: Path, cells: CsvColumns, row: Rows, paths: list[Path], notes: list[str]) -> Dataset:
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


def _labels(path: Path, cells: CsvColumns, row: Rows, paths: list[Path], notes: list[str]) -> Dataset:
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


def _unknown(path: Path, header: list[str]) -> ExamplesError:
    found = f"{path}: found columns {first_few([name or '(none)' for name in header], 6)}; expected {EXPECTED}."
    if {"query", "yes"} <= set(header):
        return ExamplesError(f"{found} These are judgements: add them with lookalike judge FOLDER --from {path.name}")
    nearest = "anchor,positive,negative" if len(header) == 3 else "file,label (or a,b)"
    return ExamplesError(f"{found} Nearest: {nearest}. Name the columns so in the first line.")


def _not_utf8(path: Path) -> int:
    """The first line that is not UTF-8, or the one after the last."""
    number = 1
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return number
