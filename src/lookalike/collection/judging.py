"""Judgements of a collection's pictures: what people say belongs together, checked against its files."""

import contextlib
from collections.abc import Collection, Sequence
from pathlib import Path

from lookalike.errors import QueryError
from lookalike.learning.datasets.judgements import Judgements, read_judgements_csv


class FileNames:
    """The names of a collection's pictures.

    Args:
        folder: of the pictures.
        files: their names in the collection.
    """

    def __init__(self, folder: Path, files: Collection[str]):
        self.folder, self.files = folder, frozenset(files)

    def find(self, name: str | Path) -> str:
        """The collection's name of a picture that is given by that name or as a path.

        Raises: QueryError, when it is not in the collection.
        """
        if str(name) in self.files:
            return str(name)
        with contextlib.suppress(ValueError, OSError):
            inside = Path(name).resolve().relative_to(self.folder.resolve()).as_posix()
            if inside in self.files:
                return inside
        raise QueryError(f"{name}: not a picture of {self.folder}. Name a file as `search` prints it, or index first.")


def judge(
    judgements: Judgements,
    names: FileNames,
    query: str | Path,
    yes: Sequence[str | Path],
    no: Sequence[str | Path] = (),
    who: str = "",
) -> int:
    """Add judgements: each yes belongs with the query, or, where a no is given, is more like it than every no.

    Returns: how many were added.
    Raises: QueryError, for a picture that is not in the collection; ExamplesError.
    """
    found = [names.find(one) for one in (query, *yes, *no)]
    return judgements.add(found[0], found[1 : 1 + len(yes)], found[1 + len(yes) :], who or None)


def judge_from(judgements: Judgements, names: FileNames, path: Path) -> int:
    """Add the judgements of a CSV with columns query, yes and, where wanted, no: all of them or none.

    Raises: as `judge`.
    """
    rows = read_judgements_csv(path)
    return judgements.add_all([(names.find(a), names.find(b), c and names.find(c)) for a, b, c in rows])
