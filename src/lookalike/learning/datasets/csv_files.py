"""The names of files in a table -> files, in whatever form of Unicode, and from whatever machine the names are."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lookalike.errors import ExamplesError
from lookalike.learning.datasets.dataset import Identities
from lookalike.learning.labels import Rows
from lookalike.names import Folders, one_form
from lookalike.text import csv_text

FROM_ONE_FOLDER = "Name all pictures from one folder on."
Found = tuple[str, str]  # a path, and the file's identity


def find_files(names: Sequence[str], bases: Sequence[Path]) -> tuple[list[Path], Rows]:
    """The files that names stand for.

    Args:
        names: n paths, as a table has them: of this machine, of another one, relative to one of the folders.
        bases: the folders, tried in this order.
    Returns: the m files, each once; (n,) int64, the row of every name among them, -1 where there is no such file.
    Raises: ExamplesError, when paths of another machine contradict each other, or what is found without them;
        AmbiguousNameError.

    Absolute paths that are not here are taken for those of another machine, on which the pictures lay below one folder,
    the same for all names: what is left without it is tried here.
    """
    search = _Search(bases)
    found = [search.find(_spellings(name)) for name in names]
    rest = {
        i: _with_slashes(name).split("/") for i, name in enumerate(names) if found[i] is None and _is_absolute(name)
    }
    above = _folder_above(rest, names, search)
    own = {of[1]: i for i, of in reversed(list(enumerate(found))) if of is not None}
    for i, parts in rest.items():
        if above is None or _place(parts[: len(above)]) != above:
            continue
        found[i] = here = search.find(["/".join(parts[len(above) :])])
        if here is not None and here[1] in own:
            other = names[own[here[1]]]
            raise ExamplesError(
                f"{names[i]} is not here, and its end leads to the file that is also named as {other}. "
                f"{FROM_ONE_FOLDER}"
            )
    paths: list[Path] = []
    known: dict[str, int] = {}
    row = np.full(len(names), -1)
    for i, of in enumerate(found):
        if of is not None:
            row[i] = known.setdefault(of[1], len(known))
            if row[i] == len(paths):
                paths.append(Path(of[0]))
    return paths, row


def _folder_above(rest: dict[int, list[str]], names: Sequence[str], search: "_Search") -> tuple[str, ...] | None:
    """The folder, by `_place`, without which most of some absolute paths are here; None where none is.

    Raises: ExamplesError, when no folder does for more than half of those that any does for.
    """
    above: dict[int, tuple[tuple[str, ...], str]] = {}
    for i, parts in rest.items():
        for start in range(1, len(parts)):  # what is left is the longest end that is here
            if (here := search.find(["/".join(parts[start:])])) is not None:
                above[i] = _place(parts[:start]), here[0]
                break
    if not above:
        return None
    times = Counter(folder for folder, _ in above.values())
    [(best, most), *_] = times.most_common(1)
    if 2 * most <= len(above):
        one, other = (next(i for i, (folder, _) in above.items() if folder == of) for of, _ in times.most_common(2))
        raise ExamplesError(
            f"{names[one]} would be {above[one][1]}, and {names[other]} would be {above[other][1]}: paths of different "
            f"places. {FROM_ONE_FOLDER}"
        )
    return best


def _place(folder: Sequence[str]) -> tuple[str, ...]:
    """The parts of a folder's path as they are compared: in one form of Unicode; on Windows case says nothing.

    >>> _place(["C:", "Photos"]) == _place(["c:", "photos"]), _place(["", "Photos"]) == _place(["", "photos"])
    (True, False)
    """
    blind = folder[0].endswith(":")
    return tuple(one_form(part).casefold() if blind else one_form(part) for part in folder)


class _Search:
    """Looks for names in folders: as they are spelled, then in other forms of Unicode."""

    def __init__(self, bases: Sequence[Path]):
        self._bases, self._identities, self._folders = bases, Identities(), Folders()

    def find(self, spellings: Sequence[str]) -> Found | None:
        """The first file that one of these names is."""
        tried = [os.path.join(base, spelling) for spelling in spellings for base in self._bases]  # noqa: PTH118  many
        for path in tried:
            if identity := self._identities.of(path):
                return path, identity
        for path in tried:
            if not path.isascii() and (spelled := self._folders.find(path)) and (of := self._identities.of(spelled)):
                return spelled, of
        return None


def _spellings(name: str) -> list[str]:
    """The names that a file may have here: as it is written, without spaces around, with the other slashes."""
    own = [name[1:]] if name[:1] == "'" and csv_text(name[1:]) == name else []  # as our own CSVs disarm a formula
    return [one for one in dict.fromkeys([*own, name, name.strip(), _with_slashes(name)]) if one]


def _is_absolute(name: str) -> bool:
    path = _with_slashes(name)
    return path.startswith("/") or re.match(r"[A-Za-z]:", path) is not None


def _with_slashes(name: str) -> str:
    return name.strip().replace("\\", "/")
