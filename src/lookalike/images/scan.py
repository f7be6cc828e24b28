"""A folder -> the files in it, in natural order, with what was passed over and why; nothing is opened."""

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lookalike.images.leave_out import (
    IGNORE_FILE,
    MARKS,
    NOTHING_ELSE,
    IgnoreRules,
    LeaveOut,
    is_collection,
    read_rules,
)
from lookalike.text import printable_line

# Folders and files that programs leave among pictures; dot-names (.lookalike, ._*, .DS_Store) are left out as well.
NOT_OURS = frozenset({"@eadir", "__macosx", "#recycle", "$recycle.bin", "thumbs.db", "ehthumbs.db", "desktop.ini"})
AT_ONCE = 1 << 16  # files that a sieve is asked of
_EARLIEST, _LATEST = -(2**63), 2**63 - 1  # in ns; 1677 and 2262


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One file: its name relative to the folder with / between parts, where it lies, its bytes, its date in ns.

    A date that 64 bits cannot hold, before 1677 or after 2262, is the nearest one that they can.
    """

    file: str
    place: str
    bytes: int
    mtime_ns: int

    @property
    def path(self) -> Path:
        """Where it lies; made when it is asked for, as few of a folder's files are read."""
        return Path(self.place)


# Names, bytes and dates of files -> the places of those that are to be kept.
Sieve = Callable[[Sequence[str], Sequence[int], Sequence[int]], Iterable[int]]


@dataclass
class ScanResult:
    """What lies under a folder.

    Attributes:
        files: those that may be pictures, in natural order; of a scan through a sieve, those that it kept.
        skipped: name -> reason, of what could not be entered or named. Names that are no UTF-8 are escaped.
        unseen: names of files and folders that could not be looked at, so that what lies there may still be there:
            unreadable folders, links to nowhere.
        empty: names of folders with nothing in them, as one is whose disk is not mounted.
        excluded: names of files and folders that patterns leave out.
        collections: names of folders in which collections are kept.
        mounts: names of folders that lie on another disk than the folder above them.
    """

    files: list[ImageFile] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=set)
    empty: set[str] = field(default_factory=set)
    excluded: set[str] = field(default_factory=set)
    collections: set[str] = field(default_factory=set)
    mounts: set[str] = field(default_factory=set)

    def __iter__(self) -> Iterator[ImageFile]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


def is_below(file: str, names: AbstractSet[str]) -> bool:
    """Whether a file is one of these, or lies in one of these folders.

    >>> is_below("a/b/1.jpg", {"a/b"}), is_below("a/b.jpg", {"a/b"}), is_below("1.jpg", {"."})
    (True, False, True)
    """
    if not names:
        return False
    parts = file.split("/")
    return "." in names or any("/".join(parts[:end]) in names for end in range(1, len(parts) + 1))


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


def scan_folder(
    folder: Path, leave_out: LeaveOut = NOTHING_ELSE, *, ordered: bool = True, sieve: Sieve | None = None
) -> ScanResult:
    """Every file under a folder: dot-names and the thumbnails of other programs are left out, links are followed.

    Every real folder is entered once, so links that lead back (or aside) end there. Folders that cannot be read, links
    to nowhere, and names that are no UTF-8 are passed over and named. What vanishes meanwhile is not mentioned. What
    ignore files in the folders name is left out, and so are folders in which collections are kept.

    Args:
        folder: any folder; when it cannot be read, or is not there, the result is empty and says so.
        leave_out: what else is left out.
        ordered: put the files into natural order, which takes longer than finding them.
        sieve: asked of some thousand files at a time which of them to keep; None keeps all.
    Raises: CollectionError, for an ignore file that cannot be read, and for a pattern that is none.

    >>> scan_folder(Path("no such folder")).skipped
    {'.': 'cannot be read (No such file or directory). Check the disk and the permissions.'}
    """
    found = _Scan(leave_out, sieve).run(folder)
    if ordered:
        found.files.sort(key=lambda one: natural_key(one.file))
    return found


class _Scan:
    """One scan: what was found, and the folders that were entered."""

    def __init__(self, leave_out: LeaveOut, sieve: Sieve | None = None):
        self.result, self._sieve = ScanResult(), sieve or keep_all
        self._block = _Block()
        self._patterns = leave_out.patterns
        self._own = None if leave_out.own is None else folder_identity(leave_out.own)
        self._seen: set[tuple[int, int]] = set()

    def run(self, folder: Path) -> ScanResult:
        result = self.result
        rules = IgnoreRules("", self._patterns) if self._patterns else None
        folders: list[_Folder] = [_Folder(folder, "", rules)]
        links: list[_Folder] = []
        while folders or links:
            if not folders:  # links last: what lies here under its own name is not found under a link's
                links.sort(key=lambda one: natural_key(one.prefix), reverse=True)
                folders.append(links.pop())
            here = folders.pop()
            entries, rules, device = self._entries(here)
            for entry in entries:
                file = here.prefix + entry.name
                if not (entry.name.isascii() or _is_utf8(entry.name)):
                    result.skipped[printable_line(file)] = "its name is not UTF-8. Rename it."
                    continue
                try:
                    is_folder = entry.is_dir()
                    if rules is not None and rules.excludes(file + "/" * is_folder):
                        result.excluded.add(file)
                    elif is_folder:
                        deeper = links if entry.is_symlink() else folders
                        deeper.append(_Folder(here.path / entry.name, file + "/", rules, device))
                    else:
                        _add(entry, file, result, self._block)
                except OSError as error:
                    self._could_not_look(file, error)
            if len(self._block.names) >= AT_ONCE or not (folders or links):
                result.files += self._block.kept(self._sieve)
                self._block = _Block()
        return result

    def _entries(self, folder: "_Folder") -> "tuple[list[os.DirEntry[str]], IgnoreRules | None, int]":
        """What lies in a folder and may be ours, its rules, its disk; nothing where it was entered or cannot be."""
        name = folder.prefix.rstrip("/") or "."
        try:
            status = folder.path.stat()
            with os.scandir(folder.path) as scan:
                every = list(scan)
        except OSError as error:
            if not folder.prefix or not isinstance(error, FileNotFoundError):  # that one within vanished is no news
                self._could_not_look(name, error)
            return [], None, 0
        identity = (status.st_dev, status.st_ino)
        if identity in self._seen and status.st_ino:  # some network drives number nothing
            self.result.skipped[name] = "a link to a folder that was read already."
            return [], None, 0
        self._seen.add(identity)
        if folder.above not in (None, status.st_dev):
            self.result.mounts.add(name)
        names = [one.name for one in every]
        if folder.prefix and self._is_collection(folder.path, name, identity, names):
            return [], None, 0
        if not every:
            self.result.empty.add(name)
        rules = folder.rules
        if IGNORE_FILE in names:
            rules = read_rules(folder.path / IGNORE_FILE, folder.prefix, rules)
        ours = [one for one, name in zip(every, names, strict=True) if not is_not_ours(name)]
        return ours, rules, status.st_dev

    def _is_collection(self, path: Path, name: str, identity: tuple[int, int], inside: list[str]) -> bool:
        """Whether a folder is no folder of pictures, but one in which a collection is kept; another's is named."""
        own = identity == self._own
        if not own and (MARKS.isdisjoint(inside) or not is_collection(path)):
            return False
        self.result.collections.add(name)
        if not own:
            self.result.skipped[name] = "a collection of lookalike, not pictures."
        return True

    def _could_not_look(self, name: str, error: OSError) -> None:
        self.result.skipped[name] = _unreadable(error)
        self.result.unseen.add(name)


class _Folder(NamedTuple):
    """A folder that is still to be read."""

    path: Path
    prefix: str  # its name within the whole: "", or ending in /
    rules: IgnoreRules | None  # of the folder above
    above: int | None = None  # the disk of the folder above


def folder_identity(folder: Path) -> tuple[int, int] | None:
    """Disk and number of a folder, the same by whatever path it is reached; None where it is not there."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


class _Block:
    """Files that were found, some thousand of them; a file that is not kept costs no object of its own."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.sizes: list[int] = []
        self.dates: list[int] = []
        self.entries: list[os.DirEntry[str]] = []

    def kept(self, sieve: Sieve) -> list[ImageFile]:
        return [
            ImageFile(self.names[i], self.entries[i].path, self.sizes[i], self.dates[i])
            for i in sieve(self.names, self.sizes, self.dates)
        ]


def keep_all(names: Sequence[str], sizes: Sequence[int], dates: Sequence[int]) -> Iterable[int]:
    """The sieve that keeps every file."""
    return range(len(names))


def is_not_ours(name: str) -> bool:
    """Whether a file or folder of this name is left out wherever it lies."""
    return name[0] == "." or name.casefold() in NOT_OURS


def _add(entry: "os.DirEntry[str]", file: str, result: ScanResult, block: _Block) -> None:
    try:
        status = entry.stat()
    except FileNotFoundError:
        if entry.is_symlink():
            result.skipped[file] = "a link to nowhere. Mend or remove it."
            result.unseen.add(file)
        return  # a file that vanished
    if stat.S_ISREG(status.st_mode):
        date = status.st_mtime_ns
        if not _EARLIEST <= date <= _LATEST:
            date = min(max(date, _EARLIEST), _LATEST)
        block.names.append(file)
        block.sizes.append(status.st_size)
        block.dates.append(date)
        block.entries.append(entry)
    else:
        result.skipped[file] = "a pipe, a socket or a device, not a file."


def _is_utf8(name: str) -> bool:
    if name.isascii():
        return True
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _unreadable(error: OSError) -> str:
    return f"cannot be read ({error.strerror}). Check the disk and the permissions."
