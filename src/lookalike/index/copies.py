"""Hits -> copies of their files, numbered by rank."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from lookalike.errors import CollectionError
from lookalike.files import fitting_name
from lookalike.images.copy_target import check_copyable
from lookalike.images.fetched import present
from lookalike.index.hits import Hits


def copy_hits(answers: Sequence[Hits], destination: Path) -> list[Path]:
    """Copy hits into a folder, numbered by rank; those of several queries into a folder a query. Gives the copies.

    A name that is too long with its number is cut before its ending.

    Raises: CollectionError, when one is there already, or a file cannot be read or written.
    """
    check_copyable(destination)
    copies = []
    for number, hits in enumerate(answers, start=1):
        of_query = fitting_name(f"{number:03d}-{Path(hits.query).stem}", destination, keep_ending=False)
        folder = destination if len(answers) == 1 else destination / of_query
        for rank, hit in enumerate(hits, start=1):
            to = folder / fitting_name(f"{rank:03d}-{Path(hit.file).name}", destination)
            try:
                if to.exists():
                    raise CollectionError(f"{to}: is there already. Name an empty folder to copy to.")
                folder.mkdir(parents=True, exist_ok=True)
                copies.append(Path(shutil.copy2(present(hit.path), to)))
            except OSError as error:
                raise CollectionError(
                    f"{error.filename or to}: {error.strerror or error}. Name another folder to copy to, "
                    "or index again if pictures are gone."
                ) from error
    return copies
