"""Taking what is damaged out of a table, so that the next index makes it again. For who holds the collection's lock."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from lookalike.errors import CollectionError
from lookalike.files import remove_folder
from lookalike.index.damage import Damage, find_damage, find_unreadable
from lookalike.index.durability import sync_version
from lookalike.index.lance_runtime import load_lance, open_dataset
from lookalike.index.snapshot import LENS
from lookalike.index.storage import lance_options
from lookalike.index.versions import open_damaged, remove_versions_above


def verify_table(uri: str, columns: Collection[str]) -> list[Damage]:
    """All that is damaged in a table, newer versions that cannot be opened included; nothing is changed.

    Args:
        uri: of the table; one that is not there has no damage.
        columns: that it has in every version.
    """
    opened = open_damaged(uri, columns)
    found = [] if opened.dataset is None else find_unreadable(opened.dataset)
    passed_over = {one.file: one for one in opened.passed_over}  # several versions may need one file
    return [*(one for file, one in passed_over.items() if file not in {other.file for other in found}), *found]


def remove_damaged(uri: str, columns: Collection[str], *, deep: bool = False) -> list[Damage]:
    """Remove versions, columns of lenses and rows that are damaged; a table without any version goes whole.

    Args:
        uri: of the table.
        columns: that it has in every version.
        deep: read every row; otherwise only missing, empty and cut files are noticed.
    Returns: what was removed, with the rows that went with it.
    """
    opened = open_damaged(uri, columns)
    if opened.dataset is None:
        if opened.passed_over:
            _remove_table(Path(uri))
        return list(opened.passed_over)
    if opened.passed_over:
        remove_versions_above(uri, opened.dataset.version)
    find = find_unreadable if deep else find_damage
    columns_removed = _drop_lens_columns(opened.dataset, find(opened.dataset) if deep else opened.damage)
    removed = [*opened.passed_over, *columns_removed]
    return removed + _remove_rows(uri, columns, find)


def _remove_rows(uri: str, columns: Collection[str], find: Callable[[Any], list[Damage]]) -> list[Damage]:
    import pyarrow.compute as pc

    lance = load_lance()
    dataset = open_damaged(uri, columns).dataset
    damage = find(dataset)
    fragments = sorted({one.fragment for one in damage if one.fragment is not None})
    if fragments:
        removal = lance.LanceOperation.Delete([], fragments, "damaged")
        options = lance_options(uri) or None
        lance.LanceDataset.commit(uri, removal, read_version=dataset.version, storage_options=options)
    rows = [one.picture for one in damage if one.picture is not None]
    for start in range(0, len(rows), 500):
        open_dataset(uri).delete(pc.field("file").isin(rows[start : start + 500]))
    if damage:
        sync_version(uri, dataset)
    return damage


def _drop_lens_columns(dataset: Any, damage: Collection[Damage]) -> list[Damage]:
    """Drop the columns of lenses whose own files are damaged: they are computed again, and no picture is embedded."""
    lenses = {field.id(): field.name() for field in dataset.lance_schema.fields() if field.name().startswith(LENS)}
    damaged = {one.file for one in damage}
    names: set[str] = set()
    for fragment in dataset.get_fragments():
        for file in fragment.metadata.files:
            if f"data/{file.path}" in damaged and lenses.keys() >= set(file.fields):
                names.update(lenses[id] for id in file.fields)
    if names:
        before = dataset.checkout_version(dataset.version)
        dataset.drop_columns(sorted(names))
        sync_version(str(dataset.uri), before)
    return [Damage(name, "its files are damaged") for name in sorted(names)]


def _remove_table(folder: Path) -> None:
    """Remove a table of which no version can be read."""
    try:
        remove_folder(folder)
    except OSError as error:
        raise CollectionError(f"{folder}: damaged, and cannot be removed ({error.strerror}).") from error
