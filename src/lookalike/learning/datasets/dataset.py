"""What people have to learn from, as one thing: pictures, and who belongs together."""

import os
import stat
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lookalike.learning.labels import Rows, components


@dataclass(frozen=True, eq=False)
class Dataset:
    """What people have to learn from: pictures, and who belongs together.

    Attributes:
        paths: n pictures, each once.
        labels: (n,) int64, 0 and up; pictures of one number belong together; -1 for none.
        domains: (n,) int64, from which of several folders; -1 for none; None where there are no sides.
        triplets: (t, 3) int64, rows that are anchor, positive, negative; None where there are none.
        layout: "sides", "classes", "labels", "pairs", "triplets", "views", "judgements", or "several" of them united.
        notes: lines for people: how it was read, what was left out and why.
        domain_names: the folders, by side.
        label_names: by group, of classes and labels; "" for a group without a name, () where none has one.
    """

    paths: tuple[Path, ...]
    labels: Rows
    domains: Rows | None
    triplets: Rows | None
    layout: str
    notes: tuple[str, ...]
    domain_names: tuple[str, ...] = ()
    label_names: tuple[str, ...] = ()

    @property
    def views(self) -> bool:
        """Whether pictures stand alone and are to be learned from by their own augmented views; group is 0 to n - 1."""
        return self.layout == "views"


def unlabelled(paths: Sequence[Path], notes: Sequence[str]) -> Dataset:
    """Examples of pictures that stand alone."""
    return Dataset(tuple(paths), np.arange(len(paths)), None, None, "views", tuple(notes))


def labels_from_pairs(n: int, one: Rows, other: Rows) -> Rows:
    """The groups that pairs make, transitively, numbered by their first row: (n,), -1 for rows in no pair.

    >>> labels_from_pairs(6, np.array([4, 1, 0]), np.array([2, 3, 1])).tolist()
    [0, 0, 1, 0, 1, -1]
    """
    of = components(n, [(one, other)])
    paired = np.zeros(n, bool)
    paired[one] = paired[other] = True
    group = np.full(n, -1)
    group[paired] = np.unique(of[paired], return_inverse=True)[1]
    return group


def encode_labels(names: Iterable[Hashable]) -> Rows:
    """Numbers for names, in the order in which they first come.

    >>> encode_labels(["b", "a", "b"]).tolist()
    [0, 1, 0]
    """
    known: dict[Hashable, int] = {}
    return np.fromiter((known.setdefault(name, len(known)) for name in names), np.int64)


class Identities:
    """Which files are one and the same: paths with every link followed, each folder's links only once."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def of(self, path: Path | str) -> str | None:
        """The resolved path of a file; None when there is no such file."""
        try:
            status = os.lstat(path)
            if stat.S_ISREG(status.st_mode):
                return self._within_its_folder(path)
            return os.path.realpath(path) if Path(path).is_file() else None
        except (OSError, ValueError):  # ValueError: a name that no file can have
            return None

    def of_name(self, path: Path | str) -> str:
        """As `of`, and the resolved name of a file that is not there."""
        return self.of(path) or self._within_its_folder(path)

    def _within_its_folder(self, path: Path | str) -> str:
        parent, name = os.path.split(path)
        if parent not in self._parents:
            self._parents[parent] = os.path.realpath(parent)
        return os.path.join(self._parents[parent], name)  # noqa: PTH118  a million of them
