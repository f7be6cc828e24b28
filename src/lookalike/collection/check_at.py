"""Whether a collection of these pictures is, or may be, kept where `--at` says."""

import shlex
from pathlib import Path

from lookalike.errors import CollectionError
from lookalike.images.leave_out import is_collection
from lookalike.images.picture_source import PictureSource
from lookalike.index.storage import is_address

FOLDER_NAME = ".lookalike"
_NAME_ANOTHER = "Name a new or an empty folder with --at DIR."


def check_at(at: Path, pictures: PictureSource, moved: bool) -> None:
    """Ask whether a folder of this machine may hold the collection of these pictures.

    Args:
        at: the folder.
        pictures: where they lie.
        moved: whether the collection there is to be taken over.
    Raises: CollectionError, which names both places.
    """
    local = not is_address(pictures.address)
    if local and is_same(at, pictures.folder / FOLDER_NAME):
        return
    if at.exists() and not at.is_dir():
        raise CollectionError(f"{at}: a file, so the collection of {pictures} cannot be kept there. {_NAME_ANOTHER}")
    if local and is_same(at, pictures.folder):
        raise CollectionError(f"{at}: the folder of the pictures {pictures} itself. {_NAME_ANOTHER}")
    if at.resolve().name == FOLDER_NAME:
        raise CollectionError(
            f"{at}: this name is for the collection of {at.resolve().parent}, not of {pictures}. {_NAME_ANOTHER}"
        )
    if not at.is_dir() or not any(at.iterdir()):
        if moved:
            raise CollectionError(f"{at}: no collection that {pictures} could take over. Leave --moved out.")
        return
    if not is_collection(at):
        raise CollectionError(f"{at}: not empty, and no collection of {pictures}. {_NAME_ANOTHER}")


def not_of_these(place: str, others: str, pictures: PictureSource) -> CollectionError:
    """The error that a collection is kept for other pictures.

    Args:
        place: of the collection.
        others: the place of the pictures that it is of, as collection.json names it.
        pictures: those that were named.
    """
    words = shlex.join([str(pictures), "--at", place])
    return CollectionError(
        f"{place}: the collection of {others}, not of {pictures}. Name another folder with --at DIR; or, if the "
        f"pictures were moved from there to here, run: lookalike index {words} --moved"
    )


def is_of(place: str, pictures: PictureSource) -> bool:
    """Whether the place that a collection.json names is that of these pictures."""
    if is_address(place) or is_address(pictures.address):
        return place == pictures.address
    return is_same(Path(place), pictures.folder)


def is_same(one: Path, other: Path) -> bool:
    """Whether two paths name the same place, there or not."""
    try:
        if one.exists() and other.exists():
            return one.samefile(other)
        return one.resolve() == other.resolve()
    except OSError:
        return False
