"""Names of files and words in any form of Unicode: one form to compare them in, and the file that is meant.

A Mac may write é as two code points (NFD) where others write one (NFC). Both are one name. Where two files differ in
nothing but their form, the exact name says which is meant.
"""

import os
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

from lookalike.errors import AmbiguousNameError


def one_form(text: str) -> str:
    r"""Text in the form in which it is compared, NFC.

    >>> one_form("cafe\u0301") == one_form("caf\u00e9")
    True
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


class Names(Protocol):
    """Names by place, to be found by `find` as by `NameIndex`."""

    @property
    def files(self) -> Sequence[str]: ...
    def find(self, name: str, /) -> int | None: ...
    def find_exactly(self, name: str, /) -> int | None: ...


class NameIndex:
    r"""Names in their order, each found in whatever form of Unicode it is asked.

    Args: files: n distinct names, sorted.

    >>> NameIndex(["cafe\u0301.png", "tea.png"]).find("caf\u00e9.png")
    0
    """

    def __init__(self, files: Sequence[str]):
        self.files = files

    def find(self, name: str) -> int | None:
        """Where a name stands: the exact one, else the only one in another form; None when it is not here.

        Raises: AmbiguousNameError, which names them, when there are several of these.
        """
        row = self.find_exactly(name)
        if row is not None:
            return row
        form = one_form(name)
        rows = self._by_form.get(form, [])
        if not rows:
            return self.find_exactly(form) if form.isascii() else None
        return rows[only_one(name, [self.files[row] for row in rows])]

    def find_exactly(self, name: str) -> int | None:
        """Where the name of these very code points stands; None when it is not here."""
        row = bisect_left(self.files, name)
        return row if row < len(self.files) and self.files[row] == name else None

    @cached_property
    def _by_form(self) -> dict[str, list[int]]:
        """The rows of names that have several forms; those in ASCII have one."""
        found: dict[str, list[int]] = {}
        for row, name in enumerate(self.files):
            if not name.isascii():
                found.setdefault(one_form(name), []).append(row)
        return found


class Folders:
    """The files on a disk, found in whatever form of Unicode their names and their folders' are asked.

    Each folder is read once: one object serves many names, as long as nothing changes.
    """

    def __init__(self) -> None:
        self._inside: dict[str, dict[str, list[str]]] = {}

    def find(self, path: Path | str) -> str | None:
        """The path of a file or folder as the disk spells it; None when there is none.

        Raises: AmbiguousNameError, when there are several that differ in their form alone, and none is spelled so.
        """
        path = os.fspath(path)
        if os.path.lexists(path):
            return path
        if path.isascii():
            return None
        there = ""
        for name in Path(path).parts:
            exact = os.path.join(there, name)  # noqa: PTH118
            if not os.path.lexists(exact):
                spelled = self._names_in(there).get(one_form(name), [])
                if not spelled:
                    return None
                exact = os.path.join(there, spelled[only_one(path, spelled)])  # noqa: PTH118
            there = exact
        return there

    def _names_in(self, folder: str) -> dict[str, list[str]]:
        if folder not in self._inside:
            found: dict[str, list[str]] = {}
            try:
                for name in sorted(os.listdir(folder or os.curdir)):  # noqa: PTH208
                    found.setdefault(one_form(name), []).append(name)
            except OSError:  # it cannot be read, or is no folder: nothing is known of it
                pass
            self._inside[folder] = found
        return self._inside[folder]


def on_disk(path: Path) -> Path:
    """A path as the disk spells it; where there is no such file, as it is.

    Raises: AmbiguousNameError.
    """
    return path if str(path).isascii() else Path(Folders().find(path) or path)


def name_within(path: Path | str, folder: Path) -> str | None:
    """The name that a path has in a folder, / between its parts; None when it lies elsewhere or cannot be a path."""
    try:
        return Path(path).resolve().relative_to(folder.resolve()).as_posix()
    except (ValueError, OSError):
        return None


def only_one(name: str, spelled: Sequence[str]) -> int:
    """The index of the only name that another one can mean: 0. Raises: AmbiguousNameError, where there are more."""
    if len(spelled) > 1:
        both = " and ".join(ascii(one) for one in spelled)
        raise AmbiguousNameError(
            f"{name}: {len(spelled)} files have this name, in other forms of Unicode: {both}. Rename one of them."
        )
    return 0
