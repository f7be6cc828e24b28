"""What every verb shares: FOLDER, --at, and opening the collection."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lookalike.collection.collection import Collection

FOLDER = click.argument("folder", type=click.Path(path_type=Path))
AT = click.option("--at", type=click.Path(path_type=Path), help="Keep the collection in DIR, not in FOLDER/.lookalike.")


def open_collection(
    folder: Path, at: Path | None, *, backbone: str | None = None, threads: int | None = None, moved: bool = False
) -> "Collection":
    """The collection of a folder. Its code is imported here, when a verb runs: it loads numkong and Pillow."""
    from lookalike.collection.collection import Collection

    return Collection(folder, at=at, backbone=backbone, threads=threads, moved=moved)
