"""The answers of people: appended one line each, read again whatever a crash or another program left, undone."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PureWindowsPath

import numpy as np

from lookalike.errors import ExamplesError
from lookalike.learning.datasets.csv_table import find_encoding, open_csv
from lookalike.learning.datasets.dataset import Dataset, Identities, labels_from_pairs
from lookalike.learning.datasets.growing_file import append, opened
from lookalike.names import Folders
from lookalike.text import first_few, plural

LONGEST_NAME = 4_096  # bytes of a file's name with its folders
LONGEST_WHO = 200


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


class Judgements:
    """The answers of people about one collection, in a file that only grows.

    Every call reads the file anew, so several processes may add at once; nothing is written before the first answer.

    Args:
        path: judgements.jsonl.
    """

    def __init__(self, path: Path):
        self.path = path

    def add(self, query: str, yes: Sequence[str], no: Sequence[str] = (), who: str | None = None) -> int:
        """Keep one answer: every yes belongs with the query, or, where a no is given, is more like it than every no.

        Args:
            query: a file relative to the collection's folder, / between parts.
            yes: one file or more.
            no: files, or none.
            who: whose answer it is.
        Returns: how many judgements were added, yes times no.
        Raises: ExamplesError, when it says nothing, contradicts itself, or cannot be written.
        """
        if not yes:
            raise ExamplesError(f"{query}: no yes. Name at least one picture that belongs with it.")
        return self.add_all([(query, one, other) for one in yes for other in (no or (None,))], who)

    def add_all(self, rows: Sequence[tuple[str, str, str | None]], who: str | None = None) -> int:
        """Keep many judgements (query, yes, no or None), all of them or, when one is wrong, none."""
        if who is not None and len(who) > LONGEST_WHO:
            raise ExamplesError(f"{who[:20]}...: too long for a name. Take at most {LONGEST_WHO} letters.")
        t = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        lines: list[dict[str, object]] = []
        for query, yes, no in rows:
            files = [query, yes] if no is None else [query, yes, no]
            for file in files:
                if not _is_inside(file):
                    raise ExamplesError(
                        f"{file!r}: not the name of a file in the collection. Name it from its folder on."
                    )
            if len(set(files)) < len(files):
                raise ExamplesError(
                    f"{query}: one picture twice in one judgement ({first_few(files)}). Name different ones."
                )
            lines.append({"t": t, "who": who, "query": query, "yes": yes, "no": no})
        self._append(lines)
        return len(lines)

    def undo(self) -> Judgement:
        """Take back the last judgement that stands, and return it; only lines from it on are parsed.

        Raises: ExamplesError, when none stands.
        """
        last = self.last()
        if last is None:
            raise ExamplesError(f"{self.path}: no judgement left to take back.")
        t = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._append([{"t": t, "undo": last.line}])
        return last

    def standing(self) -> list[Judgement]:
        """The judgements that were not taken back, oldest first."""
        return list(self)

    def __iter__(self) -> Iterator[Judgement]:
        """The same one by one, in memory that does not grow with them but with those that were taken back."""
        with opened(self.path) as file:
            if file is None:
                return
            said = (_entry(number, line) for number, line in file.lines() if line is not None and _may_undo(line))
            undone = {entry for entry in said if isinstance(entry, int)}
            for number, line in file.lines():
                if number not in undone and isinstance(entry := _entry(number, line), Judgement):
                    yield entry

    def last(self) -> Judgement | None:
        """The last judgement that stands; None when none does. It is looked for from the last line back."""
        undone: set[int] = set()
        with opened(self.path) as file:
            for number, line in file.lines_from_the_last() if file is not None else ():
                entry = _entry(number, line)
                if isinstance(entry, int):
                    undone.add(entry)
                elif entry is not None and number not in undone:
                    return entry
        return None

    def notes(self) -> tuple[str, ...]:
        """What was passed over in the file, in lines for people."""
        return self._read()[1]

    def examples(self, folder: Path) -> Dataset:
        """What stands, as examples.

        A yes without a no is a pair, and pairs join transitively. A yes with a no is a triplet and nothing more: that
        one picture is more like the query than another does not say that it belongs with it. Of two triplets that
        contradict each other the later counts.

        Args:
            folder: the collection's; judgements about files that are gone from it are left out.
        Raises: ExamplesError, when nothing is left.
        """
        standing, notes = self._read()
        paths, row = _files_of(standing, folder)
        there = [one for one in standing if row.keys() >= one.files]
        pairs: dict[tuple[int, int], None] = {}
        triplets: dict[tuple[int, int, int], None] = {}
        against = 0
        for one in there:
            query, yes = row[one.query], row[one.yes]
            if len({row[file] for file in one.files}) < len(one.files):  # two names of one picture
                continue
            if one.no is None:
                pairs[query, yes] = None
                continue
            no = row[one.no]
            if (query, no, yes) in triplets:
                del triplets[query, no, yes]
                against += 1
            triplets[query, yes, no] = None
        gone = sorted({file for one in standing for file in one.files} - row.keys())
        if not pairs and not triplets:
            why = (
                f": {plural(len(standing), 'judgement')}, about files that are gone ({first_few(gone)})" if gone else ""
            )
            raise ExamplesError(f"{self.path}: no judgements to learn from{why}. Add some with lookalike judge.")
        two = np.array(list(pairs), np.int64).reshape(-1, 2)
        three = np.array(list(triplets), np.int64).reshape(-1, 3)
        used, at = np.unique(np.concatenate([two.ravel(), three.ravel()]), return_inverse=True)
        group = labels_from_pairs(len(paths), two[:, 0], two[:, 1])[used]
        of = f"of {plural(len(used), 'picture')}"
        how = [f"judgements: {plural(len(two), 'pair')} and {plural(len(three), 'triplet')} {of}"]
        if against:
            how.append(f"left out: {plural(against, 'judgement')} that a later one contradicts")
        if gone:
            without = plural(len(standing) - len(there), "judgement")
            how.append(f"left out: {without} about files that are gone: {first_few(gone)}")
        explicit = at[two.size :].reshape(-1, 3).astype(np.int64) if len(three) else None
        kept = tuple(paths[one] for one in used)
        return Dataset(kept, group, None, explicit, "judgements", (*how, *notes))

    def _read(self) -> tuple[list[Judgement], tuple[str, ...]]:
        standing: dict[int, Judgement] = {}
        odd: list[str] = []
        notes = []
        with opened(self.path) as file:
            for number, line in file.lines() if file is not None else ():
                if line is not None and not line.strip():
                    continue
                entry = _entry(number, line)
                if isinstance(entry, Judgement):
                    standing[number] = entry
                elif entry is not None:
                    standing.pop(entry, None)  # two people may take back the same one
                elif line is not None and not line.endswith(b"\n"):
                    notes.append(f"passed over: line {number}, which breaks off (a crash, or it is being written)")
                else:
                    odd.append(str(number))
        if odd:
            notes.append(f"passed over: {plural(len(odd), 'line')} with no judgement: line {first_few(odd)}")
        return list(standing.values()), tuple(notes)

    def _append(self, entries: Sequence[dict[str, object]]) -> None:
        append(self.path, [json.dumps(entry, ensure_ascii=False) for entry in entries])


def read_judgements_csv(path: Path, is_known: Callable[[str], bool] | None = None) -> list[tuple[str, str, str | None]]:
    """Judgements from a CSV with columns query,yes and, where wanted, no (which may be empty): for `add_all`.

    Args:
        path: the CSV, in UTF-8, UTF-16, or an older encoding in which its pictures are known.
        is_known: whether a picture is one of the collection's; without it older encodings are not told apart.
    Raises: ExamplesError, when columns or cells are missing.
    """

    def count(encoding: str) -> tuple[int, int]:
        try:
            rows = _judgements_in(path, encoding)
        except ExamplesError:
            return 0, 0
        names = {name for row in rows for name in row if name is not None and not name.isascii()}
        return (0 if is_known is None else sum(map(is_known, names))), len(names)

    return _judgements_in(path, find_encoding(path, count)[0])


def _judgements_in(path: Path, encoding: str) -> list[tuple[str, str, str | None]]:
    with open_csv(path, encoding) as ((_, cells), lines):
        header = [cell.lower() for cell in cells]
        if not {"query", "yes"} <= set(header):
            raise ExamplesError(
                f"{path}: found columns {first_few([name or '(none)' for name in header], 6)}; expected query,yes,no. "
                "Name the columns so in the first line."
            )
        query, yes, no = header.index("query"), header.index("yes"), header.index("no") if "no" in header else -1
        rows = []
        for number, line in lines:
            padded = [cell.strip() for cell in line] + [""] * (len(header) - len(line))
            if not padded[query] or not padded[yes]:
                raise ExamplesError(
                    f"{path}: line {number} has no query or no yes. Fill both cells, or remove the line."
                )
            rows.append((padded[query], padded[yes], padded[no] or None if no >= 0 else None))
    if not rows:
        raise ExamplesError(f"{path}: no lines below the first. Add one for each judgement.")
    return rows


def _files_of(judgements: Sequence[Judgement], folder: Path) -> tuple[list[Path], dict[str, int]]:
    """The pictures that judgements are about, each once, and the row of each file's name; none for files gone."""
    identities, folders = Identities(), Folders()
    paths: list[Path] = []
    known: dict[str, int] = {}
    row: dict[str, int] = {}
    for one in judgements:
        for file in (one.query, one.yes, one.no):
            if file is None or file in row:
                continue
            path = folder / file
            if identity := identities.of(path) or identities.of(path := Path(folders.find(path) or path)):
                row[file] = known.setdefault(identity, len(known))
                if row[file] == len(paths):
                    paths.append(path)
    return paths, row


def _entry(number: int, line: bytes | None) -> Judgement | int | None:
    """What a line says: a judgement, the number of the line that it takes back, or None for neither."""
    try:
        entry = json.loads(line) if line is not None else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    if _is_judgement(entry):
        t, who = entry.get("t"), entry.get("who")
        told = t if isinstance(t, str) else "", who if isinstance(who, str) else None
        return Judgement(number, *told, entry["query"], entry["yes"], entry.get("no"))
    undone = entry.get("undo")
    return undone if type(undone) is int and 0 < undone < number else None


def _may_undo(line: bytes) -> bool:
    """Whether a line may take one back; letters of "undo" may be escaped."""
    return b"undo" in line or b"\\u00" in line


def _is_judgement(entry: dict[object, object]) -> bool:
    query, yes, no = entry.get("query"), entry.get("yes"), entry.get("no")
    files = [query, yes] if no is None else [query, yes, no]
    return all(isinstance(file, str) and _is_inside(file) for file in files) and len(set(files)) == len(files)


def _is_inside(file: str) -> bool:
    """Whether a name stays within the collection's folder, on any system, and can be a file's."""
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
