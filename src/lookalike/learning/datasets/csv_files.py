"""The names of files in a CSV -> files, in whatever spelling, and from whatever machine the names are."""

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from lookalike.learning.datasets.dataset import Identities
from lookalike.learning.labels import Rows
from lookalike.text import csv_text


def find_files(names: Sequence[str], bases: Sequence[Path]) -> tuple[list[Path], Rows]:
    """The files that names stand for.

    Args:
        names: n paths, as a CSV has them: of this machine, of another one, relative to one of the folders.
        bases: the folders, tried in this order.
    Returns: the m files, each once; (n,) int64, the row of every name among them, -1 where there is no such file.

    Two paths of another machine whose last parts lead to one file are both taken for missing: one of them is another.
    """
    identities = Identities()
    paths: list[Path] = []
    known: dict[str, int] = {}
    row = np.full(len(names), -1)
    by_end: dict[int, list[int]] = {}  # row -> the names that were found by their last parts
    for i, name in enumerate(names):
        ends = False
        for spellings in (_spellings(name), _ends(name)):
            tried = (os.path.join(base, spelling) for spelling in spellings for base in bases)  # noqa: PTH118  many
            found = next(((path, identity) for path in tried if (identity := identities.of(path))), None)
            if found is not None:
                at = row[i] = known.setdefault(found[1], len(known))
                if at == len(paths):
                    paths.append(Path(found[0]))
                if ends:
                    by_end.setdefault(int(at), []).append(i)
                break
            ends = True
    for several in by_end.values():
        if len({names[i].replace("\\", "/") for i in several}) > 1:
            row[several] = -1
    return paths, row


def _spellings(name: str) -> Iterator[str]:
    """The names that a file may have here: as it is written, in both forms of Unicode, with the other slashes."""
    if name[:1] == "'" and csv_text(name[1:]) == name:  # as our own CSVs keep a name from being a formula
        yield name[1:]
    yield from _forms([name, name.strip(), _with_slashes(name)])


def _ends(name: str) -> Iterator[str]:
    """The last parts of an absolute path, the longest first: what may be left of it on this machine."""
    path = _with_slashes(name)
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        parts = path.split("/")
        yield from _forms(["/".join(parts[start:]) for start in range(1, len(parts))])


def _with_slashes(name: str) -> str:
    return name.strip().replace("\\", "/")


def _forms(names: Sequence[str]) -> Iterator[str]:
    """Names that are not empty, each in the forms NFC and NFD of Unicode as well, each once."""
    forms = (form for one in names for form in (one, *(unicodedata.normalize(form, one) for form in ("NFC", "NFD"))))
    yield from dict.fromkeys(form for form in forms if form)
