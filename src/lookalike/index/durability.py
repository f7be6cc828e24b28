"""Forcing what Lance committed to the disk: Lance itself leaves that to the system, which may take half a minute."""

from pathlib import Path
from typing import Any

from lookalike.files import sync_file, sync_folder
from lookalike.index.checksums import add_checksums
from lookalike.index.damage import files_of_fragment, is_local
from lookalike.index.lance_runtime import open_dataset
from lookalike.index.versions import manifest_name


def sync_version(uri: str, before: Any) -> None:
    """Force the newest version of a table to the disk, with checksums; a power cut afterwards loses nothing of it.

    Only files that are new since `before` are forced: first contents, then the names that lead to them, the manifest
    last. Until that is done a power cut may leave a manifest without its files: opening passes over it.

    Args:
        uri: of the table; on an object store every write is durable already.
        before: the version before, an open Lance dataset.
    """
    if not is_local(uri):
        return
    folder, after = Path(uri), open_dataset(uri)
    new = sorted(files_of(after) - files_of(before))
    versions = range(before.version, after.version)
    transactions = [path for version in versions for path in folder.glob(f"_transactions/{version}-*.txn")]
    _sync([*(folder / name for name in new), *transactions])
    _sync([folder / manifest_name(version + 1) for version in versions])
    add_checksums(folder, new)


def files_of(dataset: Any) -> set[str]:
    """The data and deletion files of a version, by their paths within the table."""
    return {name for fragment in dataset.get_fragments() for name in files_of_fragment(fragment)}


def _sync(files: list[Path]) -> None:
    """Force files to the disk, then the folders that name them."""
    for file in files:
        sync_file(file)
    for folder in sorted({file.parent for file in files}):
        sync_folder(folder)
