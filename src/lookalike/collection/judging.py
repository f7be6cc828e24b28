"""Judgements of a collection's pictures: what people say belongs together, checked against its files."""

import os
from collections.abc import Sequence
from pathlib import Path

from lookalike.errors import AmbiguousNameError, QueryError
from lookalike.images.sources import as_source_list
from lookalike.learning.datasets.judgements import Judgements, read_judgements_csv
from lookalike.names import Folders, Names, name_within


class FileNames:
    """The names of a collection's pictures.

    Args:
        folder: of the pictures.
        names: their names in the collection.
    """

    def __init__(self, folder: Path, names: Names):
        self.folder, self._index, self._folders = folder, names, Folders()

    def find(self, name: object) -> str:
        """The collection's name of a picture that is given by that name or as a path, in any form of Unicode.

        Raises: QueryError, when it is not in the collection; AmbiguousNameError.
        """
        name = getattr(name, "path", name)  # of a Hit
        if not isinstance(name, str | os.PathLike):
            raise QueryError(f"an object of type {type(name).__name__} names no picture. Give a name, a path or a Hit.")
        name = os.fsdecode(name)
        inside = name_within(name, self.folder)
        for exact in (name, inside):
            if exact is not None and self._index.find_exactly(exact) is not None:
                return exact
        spelled = self._folders.find(name)  # the folders above the collection's may be in another form too
        for other in (name, inside, spelled and name_within(spelled, self.folder)):
            if other is not None and (row := self._index.find(other)) is not None:
                return self._index.files[row]
        raise QueryError(f"{name}: not a picture of {self.folder}. Name a file as `search` prints it, or index first.")

    def knows(self, picture: object) -> bool:
        """Whether a picture is in the collection, as `find` takes it."""
        try:
            return bool(self.find(picture))
        except AmbiguousNameError:
            return True
        except QueryError:
            return False


def judge(
    judgements: Judgements,
    names: FileNames,
    query: str | Path,
    yes: Sequence[str | Path] | str | Path,
    no: Sequence[str | Path] | str | Path = (),
    who: str = "",
) -> int:
    """Add judgements: each yes belongs with the query, or, where a no is given, is more like it than every no.

    Returns: how many were added.
    Raises: QueryError, for a picture that is not in the collection; ExamplesError.
    """
    found, more, less = ([names.find(one) for one in as_source_list(some)] for some in (query, yes, no))
    return judgements.add(found[0], more, less, who or None)


def judge_from(judgements: Judgements, names: FileNames, path: Path) -> int:
    """Add the judgements of a CSV with columns query, yes and, where wanted, no: all of them or none.

    Raises: as `judge`.
    """
    rows = read_judgements_csv(path, names.knows)
    return judgements.add_all([(names.find(a), names.find(b), c and names.find(c)) for a, b, c in rows])
