"""What verbs share: FOLDER, --at, where work is done, and opening the collection."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lookalike.index.storage import is_address

if TYPE_CHECKING:
    from lookalike.collection.collection import Collection


class Place(click.Path):
    """A path, or the address of an object store, which stays as it was written."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if is_address(value) else super().convert(value, param, ctx)


PLACE = Place(path_type=Path)
FOLDER = click.argument("folder", type=PLACE)
AT = click.option("--at", type=PLACE, help="Keep the collection in DIR (or at s3://...), not in FOLDER/.lookalike.")

THREADS = click.option(
    "--threads", type=click.IntRange(1), metavar="N", help="Number of processor threads; all by default."
)
_WORKERS = (
    click.option(
        "--on",
        metavar="ENGINE",
        help="Let workers do it: ray for workers on this machine, ray=ADDRESS for a cluster (host:port, "
        "ray://host:port, auto).",
    ),
    click.option("--workers", type=click.IntRange(1), metavar="N", help="How many workers; all processors by default."),
)
SHARD = click.option(
    "--shard",
    type=click.IntRange(1),
    metavar="N",
    help="Pictures that a worker takes at once; by default 4,096, fewer where there are few.",
)


def with_workers(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options that say where work is done."""
    for option in reversed(_WORKERS):
        verb = option(verb)
    return verb


def open_collection(
    folder: Path | str,
    at: Path | str | None,
    *,
    backbone: str | None = None,
    threads: int | None = None,
    moved: bool = False,
) -> "Collection":
    """The collection of a folder. Its code is imported here, when a verb runs: it loads numkong and Pillow."""
    from lookalike.collection.collection import Collection

    return Collection(folder, at=at, backbone=backbone, threads=threads, moved=moved)
