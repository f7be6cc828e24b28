"""The ranking codes of one column: those that are kept, those of an earlier version with what is new, or new ones."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import CollectionError
from lookalike.files import remove_folder
from lookalike.index.prefix_codes import PAYS_ROWS, PAYS_VALUES, PrefixCodes
from lookalike.index.quantization import Int8Codes, Rows

SHARE = 8  # read the whole column once an eighth of its rows was fetched piecewise: the cost is about equal
PREFIX = "prefix"  # the folder within that of the codes


class Column(Rows, Protocol):
    """Rows that can also be read one after the other."""

    def blocks(self) -> Iterator[tuple[NDArray[np.int64], NDArray[Any]]]: ...


class KeptCodes:
    """Codes of rows, and where they are kept; prefix codes too, where there are rows and values enough for them.

    Args:
        rows: (n, d), of which codes are made.
        keys: (n, 3) uint64; rows of equal keys are the same, in any version.
        folder: COLUMN@SOURCE-ROWS, which may vanish at any time; None keeps none.
    """

    def __init__(self, rows: Column, keys: NDArray[np.uint64], folder: Path | None):
        n, d = rows.shape
        self.rows, self.keys, self.folder = rows, keys, folder
        self.turns = n >= PAYS_ROWS and d >= PAYS_VALUES

    def load(self) -> tuple[Int8Codes, PrefixCodes | None]:
        """The codes, made and kept where they are not there. Prefix codes only if they are: a search can do without.

        What an earlier version's hold of the same rows is not made again.
        """
        if self.folder is None:
            return Int8Codes.gather(self._shape, self.rows.blocks()), None
        with contextlib.suppress(CollectionError):
            saved = Int8Codes.load(self.folder)
            if saved.values.shape == self._shape:
                return saved, self._load_prefix(self.folder, len(self.keys))
        made, prefix = self._extended(self.folder)
        with contextlib.suppress(OSError):  # a full or read-only disk: they are made again next time
            made.save(self.folder, self.keys)
            if prefix is not None:
                prefix.save(self.folder / PREFIX)
            for other in self.folder.parent.glob(f"{self.folder.name.split('@')[0]}@*"):
                if other != self.folder:
                    with contextlib.suppress(FileNotFoundError):  # another process removes it
                        remove_folder(other)
        return made, prefix

    def prepare(self) -> None:
        """Make and keep now what is not there: the first search need not, and all searches have their prefix codes."""
        _, prefix = self.load()
        if self.turns and prefix is None and self.folder is not None and self.folder.is_dir():
            with contextlib.suppress(OSError):
                PrefixCodes.build(self.rows, self.rows.blocks).save(self.folder / PREFIX)

    @property
    def _shape(self) -> tuple[int, int]:
        n, d = self.rows.shape
        return n, d

    def _load_prefix(self, folder: Path, n: int) -> PrefixCodes | None:
        """The prefix codes of n rows, where they are there and whole."""
        with contextlib.suppress(CollectionError):
            found = PrefixCodes.load(folder / PREFIX)
            if self.turns and found.shape == (n if found.is_worth_it else 0, self._shape[1]):
                return found
        return None

    def _extended(self, folder: Path) -> tuple[Int8Codes, PrefixCodes | None]:
        """Codes of all rows, copied from those of an earlier version for the rows that it had."""
        for earlier in sorted(folder.parent.glob(f"{folder.name.rpartition('-')[0]}-*")):
            with contextlib.suppress(CollectionError, OSError, ValueError, EOFError):
                old, keys = Int8Codes.load(earlier), np.load(earlier / "keys.npy")
                places = _find(self.keys, keys)
                new = np.flatnonzero(places < 0)
                if len(keys) != len(old.values) or old.values.shape[1] != self._shape[1]:
                    continue
                if len(new) * SHARE < len(self.keys):
                    rows = self.rows[new]
                    fresh, made = Int8Codes.build(rows), old.at(places)
                    made.values[new], made.scale[new], made.error_norm[new] = vars(fresh).values()
                    prefix = self._load_prefix(earlier, len(keys))
                    return made, None if prefix is None else prefix.extended(places, rows)
        return Int8Codes.gather(self._shape, self.rows.blocks()), None


def _find(keys: NDArray[np.uint64], among: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Where each of keys (n, 3) stands among others (m, 3) whose first column holds no number twice; -1 if nowhere."""
    if not len(among):
        return np.full(len(keys), -1)
    order = np.argsort(among[:, 0])
    places = order[np.minimum(np.searchsorted(among[order, 0], keys[:, 0]), len(among) - 1)]
    return np.where((among[places] == keys).all(axis=1), places, -1)
