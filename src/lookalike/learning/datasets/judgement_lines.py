"""The kinds of lines that judgements.jsonl holds: what people say about pictures, as data, from JSON and to it."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PureWindowsPath
from typing import Any

LONGEST_NAME = 4_096  # bytes of a file's name with its folders
LONGEST_WHO = 200
GROUP_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_TITLE = 200  # letters of a group's name
WEIGHTS = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Judgement:
    """One answer.

    Attributes:
        line: its line in the file, from 1.
        t: when, UTC.
        who: a name, or None.
        query, yes, no: files relative to the collection's folder. Without `no`: yes belongs with query. With it: yes is
            more like query than no is.
    """

    line: int
    t: str
    who: str | None
    query: str
    yes: str
    no: str | None

    @property
    def files(self) -> set[str]:
        """The two or three files that it is about."""
        return {self.query, self.yes} | ({self.no} if self.no is not None else set())

    def to_json(self) -> dict[str, Any]:
        """What the line says, without its time and its author."""
        return {"query": self.query, "yes": self.yes, "no": self.no}

    def __str__(self) -> str:
        return f"{self.query}: {self.yes}" + (f", rather than {self.no}" if self.no else "")


@dataclass(frozen=True)
class Apart:
    """Two pictures that do not belong together; `line`, `t` and `who` as of a Judgement."""

    line: int
    t: str
    who: str | None
    one: str
    other: str

    @property
    def files(self) -> set[str]:
        """The two files that it is about."""
        return {self.one, self.other}

    def to_json(self) -> dict[str, Any]:
        """What the line says, without its time and its author."""
        return {"apart": [self.one, self.other]}

    def __str__(self) -> str:
        return f"{self.one}: not {self.other}"


@dataclass(frozen=True)
class Distinct(Apart):
    """Two pictures that are no duplicates of each other; it teaches nothing."""

    def to_json(self) -> dict[str, Any]:
        """What the line says, without its time and its author."""
        return {"distinct": [self.one, self.other]}

    def __str__(self) -> str:
        return f"{self.one}: no duplicate of {self.other}"


@dataclass(frozen=True)
class GroupChange:
    """Pictures put into a group or taken out of it; `line`, `t` and `who` as of a Judgement.

    Attributes:
        group: the group's id, 1 to 64 of the characters A-Z, a-z, 0-9, _ and -.
        name: what it is called from now on; None: as before.
        add, remove: files. A picture is in one group at most: putting it into one takes it out of the other.
        gone: the group is given up, with all that it held.
    """

    line: int
    t: str
    who: str | None
    group: str
    name: str | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    gone: bool = False

    @property
    def files(self) -> set[str]:
        """The files that it is about."""
        return {*self.add, *self.remove}

    def to_json(self) -> dict[str, Any]:
        """What the line says, without its time and its author."""
        said = {"group": self.group, "name": self.name, "add": list(self.add), "remove": list(self.remove)}
        return said | ({"gone": True} if self.gone else {})

    def __str__(self) -> str:
        if self.gone:
            return f"group {self.group}: given up"
        named = f" {self.name}" if self.name is not None else ""
        changed = (*(f"+{file}" for file in self.add), *(f"-{file}" for file in self.remove))
        return f"group {self.group}{named}: {' '.join(changed)}".removesuffix(": ")


@dataclass(frozen=True)
class BlindAnswer:
    """The answer to one question of a blind test, never learned from; `line`, `t` and `who` as of a Judgement.

    Attributes:
        query: the file that was asked with.
        right, wrong: the candidates that were ticked, and those that were not.
        lens: the name of the lens that is tested.
        weights: its fingerprint, 32 hexadecimal digits.
        seed: of the test.
        skipped: the question was passed over; then right and wrong are empty.
    """

    line: int
    t: str
    who: str | None
    query: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    lens: str
    weights: str
    seed: int
    skipped: bool = False

    @property
    def files(self) -> set[str]:
        """The files that it is about."""
        return {self.query, *self.right, *self.wrong}

    def to_json(self) -> dict[str, Any]:
        """What the line says, without its time and its author."""
        said: dict[str, Any] = {"query": self.query, "right": list(self.right), "wrong": list(self.wrong)}
        said |= {"lens": self.lens, "weights": self.weights, "seed": self.seed}
        return {"blind": said | ({"skipped": True} if self.skipped else {})}

    def __str__(self) -> str:
        what = "skipped" if self.skipped else f"{len(self.right)} of {len(self.right) + len(self.wrong)} ticked"
        return f"{self.query}: {what}, in the blind test of {self.lens}"


Saying = Judgement | Apart | Distinct | GroupChange | BlindAnswer


def saying_from(line: int, entry: object) -> Saying | None:
    """What a line's JSON says; None where it says nothing that we know."""
    if not isinstance(entry, dict):
        return None
    t, who = entry.get("t"), entry.get("who")
    head = (line, t if isinstance(t, str) else "", who if isinstance(who, str) else None)
    if _is_judgement(entry):
        return Judgement(*head, entry["query"], entry["yes"], entry.get("no"))
    for key, kind in (("apart", Apart), ("distinct", Distinct)):
        two = _files(entry.get(key))
        if two is not None and len(two) == len(set(two)) == 2:
            return kind(*head, *two)
    if isinstance(entry.get("group"), str):
        return _group_change(GroupChange(*head, entry["group"]), entry)
    if isinstance(entry.get("blind"), dict):
        return _blind_answer(head, entry["blind"])
    return None


def is_about(said: Saying, one: str, other: str) -> bool:
    """Whether a line says whether two pictures belong together: a pair, two that are apart, a triplet with query `one`.

    Groups say it of many pictures at once, and are none of these.

    >>> is_about(Judgement(1, "", None, "a", "b", None), "b", "a")
    True
    >>> is_about(Distinct(1, "", None, "a", "b"), "a", "b")
    False
    """
    if isinstance(said, Judgement) and said.no is not None:
        return said.query == one and other in (said.yes, said.no)
    return isinstance(said, Judgement | Apart) and not isinstance(said, Distinct) and said.files == {one, other}


def _group_change(draft: GroupChange, entry: dict[Any, Any]) -> GroupChange | None:
    name, gone = entry.get("name"), entry.get("gone", False)
    add, remove = _files(entry.get("add", [])), _files(entry.get("remove", []))
    if add is None or remove is None or set(add) & set(remove) or not isinstance(gone, bool):
        return None
    if not GROUP_ID.fullmatch(draft.group) or not (name is None or isinstance(name, str)):
        return None
    return replace(draft, name=name and name[:LONGEST_TITLE], add=add, remove=remove, gone=gone)


def _blind_answer(head: tuple[int, str, str | None], said: dict[Any, Any]) -> BlindAnswer | None:
    query, right, wrong = said.get("query"), _files(said.get("right")), _files(said.get("wrong"))
    lens, weights, seed, skipped = (said.get(key) for key in ("lens", "weights", "seed", "skipped"))
    if right is None or wrong is None or _files([query]) is None or query in right + wrong or set(right) & set(wrong):
        return None
    if not isinstance(lens, str) or not isinstance(weights, str) or not WEIGHTS.fullmatch(weights):
        return None
    if type(seed) is not int or skipped not in (None, False, True) or (skipped and right + wrong):
        return None
    return BlindAnswer(*head, str(query), right, wrong, lens, weights, seed, skipped is True)


def _files(value: object) -> tuple[str, ...] | None:
    """Names of files from a JSON list; None where it is none, or one leads elsewhere."""
    if not isinstance(value, list) or not all(isinstance(file, str) and is_inside(file) for file in value):
        return None
    return tuple(value)


def _is_judgement(entry: dict[Any, Any]) -> bool:
    query, yes, no = entry.get("query"), entry.get("yes"), entry.get("no")
    files = _files([query, yes] if no is None else [query, yes, no])
    return files is not None and len(set(files)) == len(files)


def is_inside(file: str) -> bool:
    """Whether a name stays within the collection's folder, on any system, and can be a file's.

    >>> is_inside("shoes/041.jpg"), is_inside("../041.jpg")
    (True, False)
    """
    if file.startswith("/") or "\0" in file or (".." in file and ".." in file.split("/")):
        return False
    if not file.strip("./") and not set(file.split("/")) - {"", "."}:  # the folder itself
        return False
    if ":" in file or "\\" in file:  # only then a name can have a drive
        windows = PureWindowsPath(file)
        if windows.drive and (os.name == "nt" or windows.root):  # elsewhere "A: b.jpg" is a file like any other
            return False
    try:
        return len(file.encode()) <= LONGEST_NAME
    except UnicodeEncodeError:
        return False


@dataclass(frozen=True)
class Group:
    """A group as it stands.

    Attributes:
        id: of the group.
        name: what it is called; "" for nothing.
        files: its pictures, in the order in which they came.
    """

    id: str
    name: str
    files: tuple[str, ...]


def groups_from(sayings: Sequence[Saying]) -> list[Group]:
    """The groups that stand after all changes, in the order in which they were made.

    >>> first = GroupChange(1, "", None, "a", "Stripes", ("1.jpg", "2.jpg"))
    >>> groups_from([first, GroupChange(2, "", None, "b", None, ("2.jpg",))])
    [Group(id='a', name='Stripes', files=('1.jpg',)), Group(id='b', name='', files=('2.jpg',))]
    """
    names: dict[str, str] = {}
    members: dict[str, dict[str, None]] = {}
    of: dict[str, str] = {}
    for one in sayings:
        if not isinstance(one, GroupChange):
            continue
        group = members.setdefault(one.group, {})
        names[one.group] = names.get(one.group, "") if one.name is None else one.name
        for file in group if one.gone else one.remove:
            if of.get(file) == one.group:
                del of[file]
        if one.gone:
            del members[one.group], names[one.group]
            continue
        for file in one.remove:
            group.pop(file, None)
        for file in one.add:
            members.get(of.get(file, ""), {}).pop(file, None)
            group[file] = None
            of[file] = one.group
    return [Group(id, names[id], tuple(files)) for id, files in members.items()]
