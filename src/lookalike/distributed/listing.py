"""What is listed below an address -> the files that may be pictures, with what was passed over and why."""

from collections.abc import Iterable
from functools import cache

from lookalike.distributed.object_store import Location, StoredFile
from lookalike.errors import CollectionError
from lookalike.images.leave_out import IGNORE_FILE, IgnoreRules, LeaveOut
from lookalike.images.scan import NOT_OURS, ImageFile, ScanResult
from lookalike.text import printable_line

_MOST_BYTES = 1 << 20  # of an ignore file


def as_scan(location: Location, leave_out: LeaveOut, own: Location | None = None) -> ScanResult:
    """What lies below an address, by the same rules as in a folder: see `scan_folder`.

    Names that cannot be a file's, as a//b, are passed over and named.

    Raises: StorageError, where the listing did not come to its end; CollectionError, for an ignore file that cannot be
        read, and a pattern that is none.
    """
    every = list(location.list_all())
    collections = _collections(every)
    found = sift(location, every, _rules(location, every, leave_out), collections | _own_folder(location, own))
    others = sorted(collections - _own_folder(location, own))
    found.skipped.update(dict.fromkeys(others, "a collection of lookalike, not pictures."))
    return found


def sift(
    location: Location, every: Iterable[StoredFile], rules: dict[str, IgnoreRules], collections: set[str]
) -> ScanResult:
    """The files among what was listed.

    Args:
        location: where it lies.
        every: what was listed.
        rules: of folders that have some, by the folder's name, "" for the whole.
        collections: the folders in which collections are kept.
    """
    result = ScanResult(collections=collections)

    @cache
    def rules_of(folder: str) -> IgnoreRules | None:
        return rules.get(folder) or (rules_of(_above(folder)) if folder else None)

    @cache
    def is_out(folder: str) -> bool:
        """Whether nothing in a folder is ours; says so once."""
        if not folder:
            return False
        if is_out(_above(folder)) or folder in collections or _is_not_ours(folder.rpartition("/")[2]):
            return True
        above = rules_of(_above(folder))
        if above is not None and above.excludes(f"{folder}/"):
            result.excluded.add(folder)
            return True
        return False

    for one in every:
        folder, _, name = one.name.rpartition("/")
        if not is_file_name(one.name):
            result.skipped[printable_line(one.name)] = "its name cannot be that of a file. Rename it."
        elif not is_out(folder) and not _is_not_ours(name):
            above = rules_of(folder)
            if above is not None and above.excludes(one.name):
                result.excluded.add(one.name)
            else:
                result.files.append(ImageFile(one.name, str(location.child(one.name)), one.bytes, one.mtime_ns))
    return result


def is_file_name(name: str) -> bool:
    """Whether an object's name can be that of a file in a folder.

    >>> [is_file_name(name) for name in ("a/1.jpg", "a//1.jpg", "../1.jpg", "a/")]
    [True, False, False, False]
    """
    return "\\0" not in name and not any(part in ("", ".", "..") for part in name.split("/"))


def _own_folder(location: Location, own: Location | None) -> set[str]:
    """The folder of the collection of these pictures, where that lies below them."""
    below = f"{location.prefix}/" if location.prefix else ""
    if own is None or own.bucket != location.bucket or not own.prefix.startswith(below):
        return set()
    return {own.prefix[len(below) :]} - {""}


def _above(folder: str) -> str:
    return folder.rpartition("/")[0]


def _is_not_ours(name: str) -> bool:
    return name.startswith(".") or name.casefold() in NOT_OURS


def _collections(every: Iterable[StoredFile]) -> set[str]:
    """The folders that hold a collection: a collection.json, and tables or a lock beside it."""
    named, beside = set(), set()
    for one in every:
        folder, _, name = one.name.rpartition("/")
        if name == "collection.json":
            named.add(folder)
        elif name in ("lease", "lock"):
            beside.add(folder)
        elif "tables/" in one.name:
            beside.add(one.name.partition("tables/")[0].rstrip("/"))
    return (named & beside) - {""}


def _rules(location: Location, every: Iterable[StoredFile], leave_out: LeaveOut) -> dict[str, IgnoreRules]:
    """The rules of the folders that have some: patterns for the whole, and ignore files, the outer ones first."""
    rules: dict[str, IgnoreRules] = {}
    if leave_out.patterns:
        rules[""] = IgnoreRules("", leave_out.patterns)
    names = [one.name for one in every if one.name.rpartition("/")[2] == IGNORE_FILE]
    for name in sorted(names, key=lambda name: name.count("/")):
        folder = _above(name)
        above = folder
        while above not in rules and above:
            above = _above(above)
        content = location.read_start(name, _MOST_BYTES)
        where = str(location.child(name))
        try:
            lines = content.decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise CollectionError(
                f"{where}: cannot be read (not UTF-8), so it is not known what to leave out. Save it as UTF-8 text, or "
                "remove it."
            ) from error
        rules[folder] = IgnoreRules(f"{folder}/" if folder else "", lines, rules.get(above), where)
    return rules
