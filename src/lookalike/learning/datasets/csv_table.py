"""A CSV as a table: its first line and the lines below it, whatever delimiter and encoding a spreadsheet gave it."""

import codecs
import csv
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from lookalike.errors import ExamplesError
from lookalike.learning.datasets.csv_columns import EXPECTED, Line, find_columns
from lookalike.learning.datasets.dataset import Dataset
from lookalike.learning.datasets.tables import Layout, Table, count_found, from_table

LONGEST_HEADER = 65_536  # characters; what has a longer first line is no CSV
OTHER_ENCODINGS = ("cp949", "cp932", "cp1252")  # of Excel without UTF-8: Korean, Japanese, Western European
_NO_TEXT = {  # first bytes -> what they begin
    b"PK\x03\x04": "a workbook (.xlsx, .ods) or another archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"SQLite": "a database",
    b"\x93NUMPY": "a NumPy array",
    b"\x1f\x8b": "a compressed file",
    b"%PDF": "a PDF",
}


def from_csv(path: Path, as_: Layout | None = None, folder: Path | None = None) -> Dataset:
    """The examples in a CSV with columns anchor,positive,negative or a,b or file,label.

    The first line names the columns, in any case and order, by these names or others that are usual (docs/examples.md);
    without names, columns are known by what is in them. Commas, semicolons or tabs; UTF-8, UTF-16, or an older encoding
    in which the files that it names are found. Paths are tried from the CSV's own folder, then from `folder`, then
    by their last parts, as those of another machine.

    Args:
        path: the file.
        as_: "views" takes every file that is named by itself, "classes" goes with labels.
        folder: the collection's.
    Raises: ExamplesError, in one line.
    """
    bases = (path.parent, *([folder] if folder is not None else []))

    def table(encoding: str) -> Table:
        return Table(str(path), path.name, partial(open_csv, path, encoding), bases, csv=True)

    encoding, note = find_encoding(path, lambda encoding: count_found(table(encoding)))
    return from_table(table(encoding), as_, [note] if note else [])


@contextmanager
def open_csv(path: Path, encoding: str = "utf-8-sig") -> Iterator[tuple[Line, Iterator[Line]]]:
    """A CSV's first line and its other lines that are not blank, each with its number.

    Raises: ExamplesError, when it is no text, not in this encoding, empty, or cannot be read.
    """
    before, reader = 0, csv.reader(())
    try:
        with path.open(encoding=encoding, newline="") as file:
            while first := file.readline(LONGEST_HEADER):
                before += 1
                if first.strip() and not first.lower().startswith("sep="):  # what Excel writes for itself
                    break
            else:
                raise ExamplesError(f"{path}: empty. Expected a CSV whose first line is {EXPECTED}.")
            if "\0" in first or len(first) == LONGEST_HEADER:
                raise ExamplesError(f"{path}: not a text file. Give a folder of pictures, or a CSV.")
            if first.lstrip()[0] in "{[":
                raise ExamplesError(f"{path}: found JSON; expected a CSV. Write it as a CSV: file,label or a,b.")
            header, delimiter = _header(first)
            # Strict: else an open quote makes one cell of all lines below it, and says nothing.
            reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True, strict=True)
            yield (before, header), ((before + reader.line_num, line) for line in reader if line)
    except UnicodeDecodeError:
        raise not_utf8(path) from None
    except csv.Error as error:
        raise ExamplesError(
            f"{path}: {error} near line {before + reader.line_num}. Look for a quote that is open."
        ) from None
    except OSError as error:
        raise _unreadable(path, error) from error


def find_encoding(path: Path, count: Callable[[str], tuple[int, int]]) -> tuple[str, str | None]:
    """The encoding of a CSV: UTF-8, UTF-16 with its mark, or an older one that gives the names of files that are there.

    Args:
        path: the file.
        count: an encoding -> how many files it names by more than ASCII that are there, and how many in all.
    Returns: the encoding, and a line for people where it is an older one.
    Raises: ExamplesError, when it is no CSV but something known, cannot be read, or nothing tells the encoding.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
            if kind := next((kind for start, kind in _NO_TEXT.items() if head.startswith(start)), None):
                raise ExamplesError(f"{path}: found {kind}; expected a CSV. Save it as CSV UTF-8, then try again.")
            if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                return "utf-16", None
            if _decoded(path, "utf-8") is not None or b"\0" in head:
                return "utf-8-sig", None
    except OSError as error:
        raise _unreadable(path, error) from error
    texts = {_decoded(path, encoding): encoding for encoding in reversed(OTHER_ENCODINGS)}
    texts.pop(None, None)
    found = {encoding: count(encoding) for encoding in texts.values()}
    best = max((there for there, _ in found.values()), default=0)
    fit = [encoding for encoding, (there, of) in found.items() if there == best and 2 * there >= of]
    if len(fit) != 1 or (not best and len(found) > 1):
        raise not_utf8(path)
    return fit[0], f"{path.name} is not UTF-8; read as {fit[0]}"


def not_utf8(path: Path) -> ExamplesError:
    """The error that a CSV is not UTF-8, with its first line that is not."""
    number = 1
    with path.open("rb") as file:
        for line in file:
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                break
            number += 1
    return ExamplesError(f"{path}: line {number} is not UTF-8. Save it as UTF-8 (in Excel: CSV UTF-8), then try again.")


def _header(line: str) -> tuple[list[str], str]:
    """The cells of the first line and the delimiter: the first that makes columns we know, else what makes most."""
    tries = []
    for delimiter in ",;\t":
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))]
        names = [cell.lower() for cell in cells]
        known = find_columns(names) is not None or {"query", "yes"} <= set(names)
        tries.append((known, len(cells), cells, delimiter))
    _, _, cells, delimiter = max(tries, key=lambda one: one[:2])
    return cells, delimiter


def _decoded(path: Path, encoding: str) -> bytes | None:
    """The digest of a file's text, by which encodings that read the same are known; None where it is not text so."""
    digest, decoder = hashlib.blake2b(), codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while block := file.read(1 << 20):
                digest.update(decoder.decode(block).encode("utf-8", "surrogatepass"))
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return None
    return digest.digest()


def _unreadable(path: Path, error: OSError) -> ExamplesError:
    return ExamplesError(f"{path}: cannot be read ({error.strerror}). Check its name and permissions.")
