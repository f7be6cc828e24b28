"""A folder -> the files in it, in natural order, with what was passed over and why."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SKIPPED_FOLDERS = {"@eaDir", "__MACOSX"}
SKIPPED_FILES = {"Thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Found:
    """One file: its name relative to the folder with / between parts, its size in bytes, its date in ns."""

    file: str
    path: Path
    bytes: int
    mtime_ns: int


@dataclass
class Walk:
    """What a walk met: files that may be pictures, and what it could not enter or name."""

    found: list[Found] = field(default_factory=list)
    passed_over: dict[str, str] = field(default_factory=dict)


def natural_key(file: str) -> tuple[tuple[int, int, str], ...]:
    """What to sort by so that 2.jpg comes before 10.jpg.

    >>> sorted(["10.jpg", "2.jpg", "a.jpg"], key=natural_key)
    ['2.jpg', '10.jpg', 'a.jpg']
    """
    parts = re.findall(r"([0-9]+)|([^0-9]+)", file)
    return tuple((0, int(number), "") if number else (1, 0, text) for number, text in parts)


def walk(folder: Path) -> Walk:
    """Every file under a folder, in natural order.

    Dot-folders, `._*` and other dot-files, and folders of thumbnails are skipped. Folders that cannot be read, links
    that lead back into themselves, and names that are no UTF-8 are passed over and named.
    """
    result = Walk()
    for entry in _files(folder, result, seen=set()):
        name = os.path.relpath(entry.path, folder)
        try:
            file = name.encode("utf-8").decode("utf-8").replace(os.sep, "/")
        except UnicodeEncodeError:
            shown = os.fsencode(name).decode("utf-8", "backslashreplace")
            result.passed_over[shown] = "the name is not UTF-8. Rename the file."
            continue
        try:
            stat = entry.stat()
        except OSError:
            continue  # it vanished, or a link leads nowhere
        result.found.append(Found(file, Path(entry.path), stat.st_size, stat.st_mtime_ns))
    result.found.sort(key=lambda one: natural_key(one.file))
    return result


def _files(folder: Path, result: Walk, seen: set[tuple[int, int]]) -> Iterator["os.DirEntry[str]"]:
    try:
        here = folder.stat()
        entries = list(os.scandir(folder))
    except OSError as error:
        shown = os.fsencode(folder).decode("utf-8", "backslashreplace")
        result.passed_over[shown] = f"the folder cannot be read ({error.strerror})."
        return
    identity = (here.st_dev, here.st_ino)
    if identity in seen:
        return  # a link to a folder that was entered already
    seen.add(identity)
    for entry in sorted(entries, key=lambda one: (one.is_symlink(), one.name)):
        if entry.name.startswith(".") or entry.name in SKIPPED_FILES | SKIPPED_FOLDERS:
            continue
        try:
            is_folder = entry.is_dir()
        except OSError:
            continue
        if is_folder:
            yield from _files(Path(entry.path), result, seen)
        elif entry.is_file():
            yield entry
