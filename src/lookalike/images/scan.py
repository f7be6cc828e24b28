"""A folder -> the files in it, in natural order, with what was passed over and why; nothing is opened."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lookalike.text import printable_line

# Folders and files that programs leave among pictures; dot-names (.lookalike, ._*, .DS_Store) are left out as well.
NOT_OURS = frozenset({"@eadir", "__macosx", "#recycle", "$recycle.bin", "thumbs.db", "ehthumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One file: its name relative to the folder with / between parts, its size in bytes, its date in ns."""

    file: str
    path: Path
    bytes: int
    mtime_ns: int


@dataclass
class ScanResult:
    """What lies under a folder.

    Attributes:
        files: those that may be pictures, in natural order.
        skipped: name -> reason, of what could not be entered or named. Names that are no UTF-8 are escaped.
    """

    files: list[ImageFile] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[ImageFile]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


def natural_key(file: str) -> tuple[tuple[tuple[str | tuple[int, str], ...], str], ...]:
    """What to sort by so that 2.jpg comes before 10.jpg, whatever the case of letters, folder by folder.

    >>> sorted(["b/1.jpg", "IMG10.jpg", "img2.jpg", "b 2/1.jpg"], key=natural_key)
    ['b/1.jpg', 'b 2/1.jpg', 'img2.jpg', 'IMG10.jpg']
    """
    return tuple(map(_part_key, file.split("/")))


def _part_key(part: str) -> tuple[tuple[str | tuple[int, str], ...], str]:
    pieces: list[str | tuple[int, str]] = list(re.split(r"([0-9]+)", part.casefold()))
    for i in range(1, len(pieces), 2):  # text and digits take turns, so like is compared with like
        digits = str(pieces[i]).lstrip("0")
        pieces[i] = (len(digits), digits)  # no int(): Python refuses to make one of thousands of digits
    return tuple(pieces), part  # names that differ only in case or leading zeros still have an order


def scan_folder(folder: Path) -> ScanResult:
    """Every file under a folder: dot-names and the thumbnails of other programs are left out, links are followed.

    Every real folder is entered once, so links that lead back (or aside) end there. Folders that cannot be read, links
    to nowhere, and names that are no UTF-8 are passed over and named. What vanishes meanwhile is not mentioned.

    Args:
        folder: any folder; when it cannot be read, or is not there, the result is empty and says so.

    >>> scan_folder(Path("no such folder")).skipped
    {'.': 'cannot be read (No such file or directory). Check the disk and the permissions.'}
    """
    result = ScanResult()
    seen: set[tuple[int, int]] = set()
    folders: list[tuple[Path, str]] = [(folder, "")]  # with their name within the whole: "", or ending in /
    links: list[tuple[Path, str]] = []
    while folders or links:
        if not folders:  # links last: what lies here under its own name is not found under a link's
            links.sort(key=lambda one: natural_key(one[1]), reverse=True)
            folders.append(links.pop())
        here, prefix = folders.pop()
        for entry in _entries(here, prefix, result, seen):
            file = prefix + entry.name
            if not _is_utf8(entry.name):
                result.skipped[printable_line(file)] = "its name is not UTF-8. Rename it."
                continue
            try:
                if entry.is_dir():
                    (links if entry.is_symlink() else folders).append((here / entry.name, file + "/"))
                else:
                    _add(entry, file, result)
            except OSError as error:
                result.skipped[file] = _unreadable(error)
    result.files.sort(key=lambda one: natural_key(one.file))
    return result


def _entries(folder: Path, prefix: str, result: ScanResult, seen: set[tuple[int, int]]) -> list["os.DirEntry[str]"]:
    """What lies in a folder and may be ours; nothing where it was entered before or cannot be."""
    name = prefix.rstrip("/") or "."
    try:
        status = folder.stat()
        with os.scandir(folder) as scan:
            entries = [one for one in scan if one.name[0] != "." and one.name.casefold() not in NOT_OURS]
    except OSError as error:
        if not prefix or not isinstance(error, FileNotFoundError):  # a folder within that vanished is no news
            result.skipped[name] = _unreadable(error)
        return []
    identity = (status.st_dev, status.st_ino)
    if identity in seen and status.st_ino:  # some network drives number nothing
        result.skipped[name] = "a link to a folder that was read already."
        return []
    seen.add(identity)
    return entries


def _add(entry: "os.DirEntry[str]", file: str, result: ScanResult) -> None:
    try:
        status = entry.stat()
    except FileNotFoundError:
        if entry.is_symlink():
            result.skipped[file] = "a link to nowhere. Mend or remove it."
        return  # a file that vanished
    if stat.S_ISREG(status.st_mode):
        result.files.append(ImageFile(file, Path(entry.path), status.st_size, status.st_mtime_ns))
    else:
        result.skipped[file] = "a pipe, a socket or a device, not a file."


def _is_utf8(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _unreadable(error: OSError) -> str:
    return f"cannot be read ({error.strerror}). Check the disk and the permissions."
