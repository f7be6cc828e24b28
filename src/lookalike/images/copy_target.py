"""Whether pictures can be copied into a folder, asked before they are searched for."""

from pathlib import Path

from lookalike.errors import CollectionError
from lookalike.files import why_unwritable


def check_copyable(destination: Path) -> None:
    """Ask whether files can be copied into a folder, which need not be there.

    Raises: CollectionError.
    """
    if destination.exists() and not destination.is_dir():
        raise CollectionError(f"{destination}: a file. Name a folder to copy to.")
    if reason := why_unwritable(destination / "hit"):
        raise CollectionError(f"{destination}: cannot be written ({reason}). Name another folder to copy to.")
