"""A folder -> Examples: sides, classes or views, by how its pictures lie in it; no picture is decoded."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from lookalike.errors import ExamplesError, ImageError
from lookalike.images.formats import HEAD, detect_format, has_image_suffix
from lookalike.images.scan import NOT_OURS, ImageFile, natural_key, scan_folder
from lookalike.learning.datasets.dataset import Dataset, Identities, encode_labels, unlabelled
from lookalike.names import one_form
from lookalike.text import first_few, join_words, plural

As = Literal["sides", "classes", "views"]
MATCHING = 0.9  # every side holds at least this share of all names; class folders that number their files: 0.1 to 0.6
NEARLY = 0.5  # from here on it is worth asking whether sides were meant


@dataclass(frozen=True)
class FolderLayout:
    """How pictures lie in a folder.

    Attributes:
        source: the folder.
        files: every picture, relative to the folder, in natural order.
        paths: the same, as paths.
        sides: folder -> key -> row, of the folders that may be sides: those directly within, or, where there is only
            one and nothing beside it, those within that one. Keys are names that are compared.
        classes: folder with pictures directly in it -> their rows; "" are those beside the folders.
        empty: folders directly within that hold no picture.
        notes: what was left out, in lines for people.
    """

    source: Path
    files: list[str]
    paths: list[Path]
    sides: dict[str, dict[str, int]]
    classes: dict[str, list[int]]
    empty: list[str]
    notes: list[str]

    @property
    def beside(self) -> list[int]:
        """Rows of the pictures that lie in no folder."""
        return self.classes.get("", [])

    @property
    def folders(self) -> dict[str, list[int]]:
        """The class folders."""
        return {name: rows for name, rows in self.classes.items() if name}

    @property
    def common(self) -> float:
        """Share of all names that every folder has at least, 0 to 1."""
        names = set().union(*self.sides.values())
        return min(map(len, self.sides.values())) / len(names) if len(self.sides) > 1 else 0.0

    @property
    def shared(self) -> dict[str, list[int]]:
        """Names that at least two sides have, with their rows."""
        rows: dict[str, list[int]] = {}
        for names in self.sides.values():
            for name, row in names.items():
                rows.setdefault(name, []).append(row)
        return {name: of for name, of in rows.items() if len(of) > 1}

    def found(self) -> str:
        """What lies here, for the line of an error."""
        sizes = [len(rows) for rows in self.folders.values()] + [0] * len(self.empty)
        beside = plural(len(self.beside), "picture")
        if not sizes:
            return f"{beside} and no folders"
        what = f"{plural(len(sizes), 'folder')} with {_sizes(sizes)}"
        if len(self.sides) > 1:
            share = f"at least {self.common:.0%} of all names in each" if self.shared else "no names in common"
            what += f", {share}"
        return f"{beside} beside {what}" if self.beside else what

    def error(self, expected: str, nearest: str) -> ExamplesError:
        """One line: what was found, what was expected, the nearest layout."""
        return ExamplesError(f"{self.source}: found {self.found()}; expected {expected}. Nearest: {nearest}")


def from_folder(source: Path, as_: As | None = None) -> Dataset:
    """The examples in a folder.

    Two or more folders with matching file names are sides; else folders are classes; pictures without folders are
    views. Names match when every folder holds at least 90% of all names, and there are at least as many names as
    folders (five hundred folders that each hold front.jpg and back.jpg are classes). Endings may differ: left/1.png
    matches right/1.jpg, unless a folder has two files that differ in their ending alone; those match by whole names.

    Args:
        source: a folder.
        as_: how to read it where it could be read otherwise.
    Raises: ExamplesError, which says what was found, what was expected, and the nearest layout.
    """
    layout = scan_layout(source)
    if not layout.files:
        empty = [plural(len(layout.empty), "empty folder")] if layout.empty else []
        kinds = "; ".join([*empty, *layout.notes])
        raise ExamplesError(
            f"{source}: found no pictures{f' ({kinds})' if kinds else ''}; expected folders with the same file names "
            "(sides), a folder for each class, or pictures. Nearest: views. Put two or more pictures into it."
        )
    if as_ == "views" or (as_ is None and not layout.folders):
        return _views(layout)
    if not layout.folders:
        views = f"views. Leave out --as {as_}, or move the pictures into folders."
        raise layout.error(f"folders, as --as {as_} says", views)
    matching = layout.common >= MATCHING and 2 <= len(layout.shared) >= len(layout.sides)
    if as_ == "sides" or (as_ is None and matching):
        return _sides(layout)
    return _classes(layout, asked=as_ == "classes")


def scan_layout(source: Path) -> FolderLayout:
    """How the pictures of a folder lie in it.

    Raises: ExamplesError, when it cannot be read.
    """
    walked = scan_folder(source)
    if "." in walked.skipped:
        raise ExamplesError(f"{source}: {walked.skipped['.']}")
    lost = sorted(walked.skipped, key=natural_key)
    notes = [f"left out: {name}: {walked.skipped[name].rstrip('.')}" for name in lost[:3]]
    if (more := len(lost) - 3) > 0:
        notes.append(f"left out: {more:,} more that cannot be read")
    pictures: list[ImageFile] = []
    others: list[ImageFile] = []
    for one in walked:
        (pictures if is_picture(one) else others).append(one)
    if others:
        are = "is no picture" if len(others) == 1 else "are no pictures"
        notes.append(f"left out: {plural(len(others), 'file')} that {are}: {first_few([one.file for one in others])}")
    links = [one for one in pictures if one.path.is_symlink()]
    if twice := _here_already(pictures, links):
        notes.append(
            f"left out: {plural(len(twice), 'link')} to pictures that are here already: {first_few(list(twice))}"
        )
        pictures = [one for one in pictures if one.file not in twice]
    files = [one.file for one in pictures]
    classes: dict[str, list[int]] = {}
    for row, file in enumerate(files):
        classes.setdefault(file.rpartition("/")[0], []).append(row)
    tops = {file.split("/")[0] for file in files if "/" in file}
    empty = sorted((name for name in _folders_in(source) if name not in tops), key=natural_key)
    return FolderLayout(source, files, [one.path for one in pictures], _sides_of(files), classes, empty, notes)


def is_picture(one: ImageFile) -> bool:
    """Whether a file calls itself a picture, or is one; a broken one is, and is refused when it is read."""
    if has_image_suffix(one.file):
        return True
    try:
        with one.path.open("rb") as file:
            detect_format(file.read(HEAD), one.file)
    except ImageError as error:
        return error.kind != "not a picture"
    except OSError:
        return False
    return True


def _here_already(pictures: list[ImageFile], links: list[ImageFile]) -> dict[str, None]:
    """The links among pictures that lead to another of them; of two links to one picture elsewhere, the second."""
    if not links:
        return {}
    identities, own = Identities(), {one.file for one in links}
    seen = {identities.of(one.path) for one in pictures if one.file not in own}
    twice: dict[str, None] = {}
    for one in links:
        identity = identities.of(one.path)
        if identity in seen:
            twice[one.file] = None
        seen.add(identity)
    return twice


def _views(layout: FolderLayout) -> Dataset:
    if len(layout.files) < 2:
        raise layout.error("two or more pictures", "views. Add pictures.")
    where = "" if not layout.folders else f" from {plural(len(layout.folders), 'folder')}, each by itself"
    summary = (
        f"views: {plural(len(layout.files), 'picture')}{where}; what belongs together is each picture and its own views"
    )
    return unlabelled(layout.paths, [summary, *layout.notes])


def _sides(layout: FolderLayout) -> Dataset:
    shared = layout.shared
    if len(shared) < 2:
        nearest = "classes. Leave out --as sides." if len(layout.folders) > 1 else "views. Say --as views."
        raise layout.error("two or more folders that have at least two file names in common (sides)", nearest)
    sides = layout.sides
    side_of = {row: side for side, names in enumerate(sides.values()) for row in names.values()}
    name_of = {row: name for name, rows in shared.items() for row in rows}
    rows = sorted(name_of)
    notes = [
        f"sides: {plural(len(sides), 'folder')} with {plural(len(shared), 'matching name')} "
        f"({first_few(list(sides), 4)})"
    ]
    notes.append("files of one name belong together. If each folder is a class of its own, say --as classes")
    lone = [layout.files[row] for row in range(len(layout.files)) if row in side_of and row not in name_of]
    if lone:
        notes.append(f"left out: {plural(len(lone), 'picture')} whose name only one folder has: {first_few(lone)}")
    beside = [file for row, file in enumerate(layout.files) if row not in side_of]
    if beside:
        notes.append(f"left out: {plural(len(beside), 'picture')} beside the folders: {first_few(beside)}")
    if layout.empty:
        notes.append(_without_pictures(layout))
    group = encode_labels(name_of[row] for row in rows)
    side = np.array([side_of[row] for row in rows], np.int64)
    return Dataset(_paths(layout, rows), group, side, None, "sides", (*notes, *layout.notes), tuple(sides))


def _classes(layout: FolderLayout, asked: bool) -> Dataset:
    folders, beside = layout.folders, layout.beside
    two_or_more = sum(len(rows) > 1 for rows in folders.values())
    if two_or_more < 2:
        near_sides = layout.common >= NEARLY and len(layout.shared) > 1
        nearest = "sides. Say --as sides." if near_sides else "views. Say --as views to take every picture by itself"
        if not near_sides:
            more = "put pictures that belong together into one folder" if len(folders) > 1 else "add a second folder"
            nearest += f", or {more}."
        raise layout.error("two or more folders of two or more pictures (classes)", nearest)
    if beside and not asked:
        nearest = "classes. Say --as classes to leave out what lies beside the folders, or --as views to take every "
        raise layout.error("pictures or folders of them, not both", nearest + "picture by itself.")
    rows = [row for of in folders.values() for row in of]
    sizes = [len(of) for of in folders.values()]
    each = f"{min(sizes):,} to {max(sizes):,}" if min(sizes) < max(sizes) else f"{sizes[0]:,}"
    notes = [
        f"classes: {plural(len(sizes), 'folder')} with {plural(len(rows), 'picture')}, {each} each",
        *_doubts(layout),
    ]
    if alone_ := [name for name, of in folders.items() if len(of) == 1]:
        notes.append(f"{plural(len(alone_), 'folder')} with one picture, which is only told apart: {first_few(alone_)}")
    if layout.empty:
        notes.append(_without_pictures(layout))
    if beside:
        names = [layout.files[row] for row in beside]
        notes.append(f"left out: {plural(len(beside), 'picture')} beside the folders: {first_few(names)}")
    group = np.repeat(np.arange(len(sizes)), sizes)
    return Dataset(
        _paths(layout, rows), group, None, None, "classes", (*notes, *layout.notes), label_names=tuple(folders)
    )


def _without_pictures(layout: FolderLayout) -> str:
    return f"left out: {plural(len(layout.empty), 'folder')} without pictures: {first_few(layout.empty)}"


def _doubts(layout: FolderLayout) -> list[str]:
    """What may have been meant otherwise where folders were read as classes."""
    notes = []
    if layout.common >= NEARLY and len(layout.shared) > 1 and len(layout.sides) == len(layout.folders):
        notes.append(f"every folder has at least {layout.common:.0%} of all names. If they are sides, say --as sides")
    last = Counter(name.rpartition("/")[2] for name in layout.folders)
    if twice := [name for name, times in last.items() if times > 1]:
        notes.append(
            f"{plural(len(twice), 'folder name')} in several places ({first_few(twice)}), each a class of its own. "
            "To make them one, give a CSV of file,label"
        )
    parents = {name[:at] for name in layout.folders for at, letter in enumerate(name) if letter == "/"}
    if within := [name for name in layout.folders if name in parents]:
        notes.append(
            f"{plural(len(within), 'folder')} with pictures beside folders, each a class of its own: "
            f"{first_few(within)}"
        )
    return notes


def _sides_of(files: list[str]) -> dict[str, dict[str, int]]:
    """Folder -> name -> row. Where everything lies in one folder, the folders in that one."""
    prefix = ""
    while len(tops := {file[len(prefix) :].partition("/")[0] for file in files}) == 1:
        top = prefix + tops.pop() + "/"
        if not all(file.startswith(top) for file in files):  # a single picture
            return {}
        prefix = top
    inside: dict[str, list[tuple[str, int]]] = {}
    for row, file in enumerate(files):
        top_name, slash, name = file[len(prefix) :].partition("/")
        if slash:
            inside.setdefault(prefix + top_name, []).append((name, row))
    stems = {folder: [_stem(name) for name, _ in names] for folder, names in inside.items()}
    doubled = {stem for of in stems.values() for stem, times in Counter(of).items() if times > 1}
    keys = {}
    for folder, names in inside.items():
        both = zip(stems[folder], names, strict=True)
        keys[folder] = {(name if stem in doubled else stem): row for stem, (name, row) in both}
    return keys


def _stem(name: str) -> str:
    """A name without its ending, in one spelling: a Mac and a PC write the same Hangul in different code points."""
    stem, dot, ending = name.rpartition(".")
    return one_form(stem if dot and "/" not in ending else name)


def _folders_in(folder: Path) -> list[str]:
    with os.scandir(folder) as scan:
        return [one.name for one in scan if one.name[0] != "." and one.name.casefold() not in NOT_OURS and one.is_dir()]


def _sizes(sizes: list[int]) -> str:
    if len(sizes) > 5:
        return f"{min(sizes):,} to {max(sizes):,} pictures"
    if len(set(sizes)) == 1 and len(sizes) > 1:
        return f"{plural(sizes[0], 'picture')} each"
    return join_words([f"{size:,}" for size in sizes]) + (" picture" if sizes == [1] else " pictures")


def _paths(layout: FolderLayout, rows: list[int]) -> tuple[Path, ...]:
    return tuple(layout.paths[row] for row in rows)
