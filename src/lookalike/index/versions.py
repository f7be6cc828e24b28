"""The versions of a table: the newest that is whole is opened, and a writer removes those that never can be."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lookalike.errors import CollectionError, DamagedTableError
from lookalike.files import sync_folder
from lookalike.index.damage import (
    Damage,
    damaged_rows,
    files_of_fragment,
    find_damage,
    first_line,
    is_lance_error,
    is_local,
)
from lookalike.index.lance_runtime import open_dataset
from lookalike.index.storage import storage_error

LARGEST = 2**64 - 1  # a manifest is named by this less its version, so that the newest one is listed first
_RESTORE = "Restore it from the versions that the bucket keeps, or index into another --at."
TRIES = 3  # of a reader while another process cleans up


@dataclass(frozen=True)
class OpenedVersion:
    """A version that can be read.

    Attributes:
        dataset: Lance's, of this version.
        passed_over: what is damaged in newer versions.
        damage: what is damaged in this one.
    """

    dataset: Any
    passed_over: tuple[Damage, ...] = ()
    damage: tuple[Damage, ...] = ()


def open_newest(uri: str, columns: Collection[str], mend: str) -> OpenedVersion | None:
    """The newest version of a table that can be read whole; None when there is no table.

    A version that a power cut left without its files is passed over, as long as the older one holds every row that the
    newer one could still give.

    Args:
        uri: of the table.
        columns: that every version has; a manifest without them was overwritten with something else.
        mend: the command that mends a damaged table.
    Raises: DamagedTableError, where rows would be missing; CollectionError, for a table of a newer Lance.
    """
    if not is_local(uri):
        return _open_remote(uri, columns)
    for last in range(TRIES - 1, -1, -1):
        versions = list_versions(uri)
        found = open_damaged(uri, columns)
        if not versions and not found.passed_over:
            return None
        if found.dataset is not None and not found.damage:
            return found
        if not last or list_versions(uri)[:1] == versions[:1]:  # not only cleaned up meanwhile
            break
    raise DamagedTableError(f"{uri}: damaged ({describe(found.damage or found.passed_over)}). To mend it, run: {mend}")


def open_damaged(uri: str, columns: Collection[str]) -> OpenedVersion:
    """The version that `open_newest` would open, or, where that raises, the newest that has a manifest, with all that
    is damaged; its dataset is None when no manifest can be read or there is no table.
    """
    if not is_local(uri):
        return _open_remote(uri, columns) or OpenedVersion(None)
    versions = list_versions(uri)
    if not versions and any(Path(uri, "data").glob("*.lance")):
        return OpenedVersion(None, (Damage("_versions", "missing or empty"),))
    return _newest_whole(uri, versions, columns)


def list_versions(uri: str) -> list[int]:
    """The numbers of the versions that have a manifest, the newest first; [] when there is no table."""
    try:
        names = [path.stem for path in Path(uri, "_versions").glob("*.manifest")]
    except OSError:
        return []
    return sorted((LARGEST - int(name) for name in names if name.isdecimal()), reverse=True)


def newest_manifest(uri: str) -> tuple[int | str, ...] | None:
    """What tells the newest version of a table from any other: its number, its manifest's inode and date.

    On an object store the second is the name of its first file. None, when there is no table, or it is being removed.
    """
    if not is_local(uri):
        opened = _open_remote(uri, ())
        return None if opened is None else (opened.dataset.version, _first_file(opened.dataset))
    try:
        version = list_versions(uri)[0]
        status = Path(uri, manifest_name(version)).stat()
    except (IndexError, OSError):
        return None
    return version, status.st_ino, status.st_mtime_ns


def manifest_name(version: int) -> str:
    """The path of a version's manifest within its table."""
    return f"_versions/{LARGEST - version:020d}.manifest"


def remove_versions_above(uri: str, version: int) -> None:
    """Remove the manifests of newer versions than this one, under the collection's lock."""
    for newer in list_versions(uri):
        if newer > version:
            Path(uri, manifest_name(newer)).unlink(missing_ok=True)
    sync_folder(Path(uri, "_versions"))


def describe(damage: Collection[Damage]) -> str:
    """Damage in a few words.

    >>> describe([Damage("data/1.lance", "missing", 256, 3), Damage("data/2.lance", "empty", 10, 4)])
    'data/1.lance: missing, and 1 more file; 266 pictures'
    """
    first, *others = damage
    rows = damaged_rows(list(damage))
    more = f", and {len(others)} more file{'s' * (len(others) > 1)}" if others else ""
    return f"{first.file}: {first.reason}{more}" + (f"; {rows:,} picture{'s' * (rows != 1)}" if rows else "")


def _newest_whole(uri: str, versions: list[int], columns: Collection[str]) -> OpenedVersion:
    """The newest whole version, unless a newer one that is not whole could still give more rows: then that one."""
    passed: list[Damage] = []
    newest, least = None, 0  # what has a manifest, and the rows that it could still give
    for version in versions:
        dataset, reason = _open_version(uri, version, columns)
        if dataset is None:
            passed.append(Damage(manifest_name(version), reason))
            continue
        damage = find_damage(dataset)
        rows = sum(fragment.metadata.num_rows for fragment in dataset.get_fragments())
        if not damage:
            if newest is None or rows >= least:
                return OpenedVersion(dataset, tuple(replace(one, rows=0, fragment=None) for one in passed))
            break
        if newest is None:
            newest, least = OpenedVersion(dataset, tuple(passed), tuple(damage)), rows - damaged_rows(damage)
        passed += [one for one in damage if one not in passed]
    return newest or OpenedVersion(None, tuple(passed))


def _open_version(uri: str, version: int, columns: Collection[str]) -> tuple[Any, str]:
    """One version; or None, and why it cannot be read."""
    path = Path(uri, manifest_name(version))
    try:
        if not path.stat().st_size:
            return None, "empty"
        dataset = open_dataset(uri, version)
        names = set(dataset.schema.names)
        dataset.get_fragments()
    except BaseException as error:
        if not is_lance_error(error):
            raise
        _check_known(uri, error)
        return None, f"cannot be read: {first_line(error)}"
    if not names.issuperset(columns):
        return None, "cannot be read: its columns are missing"
    return dataset, ""


def _open_remote(uri: str, columns: Collection[str]) -> OpenedVersion | None:
    """The newest version on an object store, which keeps what was committed; None where the store says "not found".

    Raises: StorageError, where it says anything else; DamagedTableError, where what it gives is no table.
    """
    try:
        dataset = open_dataset(uri)
        names = set(dataset.schema.names)
    except BaseException as error:
        if not is_lance_error(error):
            raise
        if "was not found" in str(error):
            return None
        if (refusal := storage_error(error, "read", uri)) is not None:
            raise refusal from None
        _check_known(uri, error)
        raise DamagedTableError(f"{uri}: damaged ({first_line(error)}). {_RESTORE}") from error
    if not names.issuperset(columns):
        raise DamagedTableError(f"{uri}: damaged (its columns are missing). {_RESTORE}")
    return OpenedVersion(dataset)


def _first_file(dataset: Any) -> str:
    """A name that another table of the same place does not have."""
    return next((name for fragment in dataset.get_fragments() for name in files_of_fragment(fragment)), "")


def _check_known(uri: str, error: BaseException) -> None:
    """Raises: CollectionError, for what a newer Lance wrote."""
    if "upgrade Lance" in str(error):
        raise CollectionError(
            f"{uri}: written by a newer version of Lance. Upgrade with: pip install -U pylance"
        ) from error
