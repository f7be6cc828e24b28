"""The answers of people: appended one line each, read again whatever a crash or another program left, undone."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from lookalike.errors import ExamplesError
from lookalike.learning.datasets.csv_table import find_encoding, open_csv
from lookalike.learning.datasets.dataset import Dataset
from lookalike.learning.datasets.growing_file import Line, append, opened
from lookalike.learning.datasets.judgement_examples import examples_from
from lookalike.learning.datasets.judgement_lines import (
    GROUP_ID,
    LONGEST_TITLE,
    LONGEST_WHO,
    Apart,
    BlindAnswer,
    Distinct,
    Group,
    GroupChange,
    Judgement,
    Saying,
    groups_from,
    is_about,
    is_inside,
    saying_from,
)
from lookalike.text import first_few, plural

AT_ONCE = 24  # files that one line of a group names; more are spread over lines
Kind = TypeVar("Kind", bound=Saying)


class Judgements:
    """The answers of people about one collection, in a file that only grows.

    Every call reads the file anew, so several processes may add at once; nothing is written before the first answer.

    Args:
        path: judgements.jsonl.
        until: read so many lines only: what stood when the file had no more; None for all.
        added: called after lines were added, for who keeps them elsewhere as well; None for nobody.
    """

    def __init__(self, path: Path, until: int | None = None, added: Callable[[], None] | None = None):
        self.path, self.until, self._added = path, until, added or (lambda: None)

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
        return self._add([Judgement(0, "", who, *row) for row in rows])

    def add_answer(self, query: str, right: Sequence[str], wrong: Sequence[str], who: str | None = None) -> int:
        """Keep what was ticked and crossed beside a picture: each right belongs with the query, each wrong does not.

        Returns: how many judgements were added, all in one write; of nothing ticked and nothing crossed 0.
        Raises: ExamplesError, as `add`.
        """
        if both := set(right) & set(wrong):
            raise ExamplesError(f"{query}: right and wrong at once ({first_few(sorted(both))}). Say one of the two.")
        pairs = [Judgement(0, "", who, query, one, None) for one in right]
        return self._add([*pairs, *(Apart(0, "", who, query, one) for one in wrong)])

    def add_apart(self, one: str, others: Sequence[str], who: str | None = None) -> int:
        """Say that none of the others belongs with this picture; returns how many judgements were added."""
        return self._add([Apart(0, "", who, one, other) for other in others])

    def add_distinct(self, one: str, others: Sequence[str], who: str | None = None) -> int:
        """Say that none of the others is a duplicate of this picture, which teaches nothing; returns how many."""
        return self._add([Distinct(0, "", who, one, other) for other in others])

    def add_blind(self, answer: BlindAnswer) -> None:
        """Keep the answer to a question of a blind test; its line and time are given here."""
        self._add([answer])

    def set_group(
        self,
        group: str | None = None,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        name: str | None = None,
        gone: bool = False,
        who: str | None = None,
    ) -> str:
        """Make a group, name it, put pictures in and take them out, or give it up.

        Args:
            group: its id; None makes a new one. An id that was not there is a new group.
            add: files to put in. A picture is in one group at most, so this takes it out of another.
            remove: files to take out.
            name: what it is called from now on; None: as before.
            gone: give it up, with all that it holds.
            who: who says so.
        Returns: the id.
        Raises: ExamplesError, for an id or a file that cannot be, or what cannot be written.
        """
        group = uuid4().hex[:12] if group is None else group
        if not GROUP_ID.fullmatch(group):
            raise ExamplesError(f"{group[:40]!r}: not the id of a group. Use up to 64 of A-Z, a-z, 0-9, _ and -.")
        if name is not None and len(name) > LONGEST_TITLE:
            raise ExamplesError(f"{name[:20]}...: too long for a group's name. Take at most {LONGEST_TITLE} letters.")
        if both := set(add) & set(remove):
            raise ExamplesError(
                f"{group}: put in and taken out at once ({first_few(sorted(both))}). Say one of the two."
            )
        changes = [(file, True) for file in dict.fromkeys(add)] + [(file, False) for file in dict.fromkeys(remove)]
        lines = []
        for start in range(0, max(1, len(changes)), AT_ONCE):
            part = changes[start : start + AT_ONCE]
            put, taken = (tuple(file for file, is_in in part if is_in is way) for way in (True, False))
            lines.append(GroupChange(0, "", who, group, name, put, taken, gone))
        self._add(lines)
        return group

    def undo(self) -> Saying:
        """Take back the last line that stands, of whichever kind, and return it; only lines from it on are parsed.

        Raises: ExamplesError, when none stands.
        """
        last = self.last()
        if last is None:
            raise ExamplesError(f"{self.path}: no judgement left to take back.")
        self._append([{"t": _now(), "undo": last.line}])
        return last

    def take_back(self, one: str, other: str) -> int:
        """Take back whatever says that two pictures belong together or do not, see `is_about`; returns how many lines.

        Raises: ExamplesError, when it cannot be written.
        """
        said = [line.line for line in self if is_about(line, one, other)]
        if said:
            self._append([{"t": _now(), "undo": line} for line in said])
        return len(said)

    def last(self) -> Saying | None:
        """The last line that stands; None when none does. It is looked for from the last line back."""
        if self.until is not None:
            return next(iter(self.said()[-1:]), None)
        undone: set[int] = set()
        with opened(self.path) as file:
            for number, line in file.lines_from_the_last() if file is not None else ():
                entry = _entry(number, line)
                if isinstance(entry, int):
                    undone.add(entry)
                elif entry is not None and number not in undone:
                    return entry
        return None

    def __iter__(self) -> Iterator[Saying]:
        """All that was not taken back, of every kind, oldest first, in memory that grows only with what was."""
        said = (_entry(number, line) for number, line in self._lines() if line is not None and _may_undo(line))
        undone = {entry for entry in said if isinstance(entry, int)}
        for number, line in self._lines():
            if number not in undone and (entry := _entry(number, line)) is not None and not isinstance(entry, int):
                yield entry

    def said(self) -> list[Saying]:
        """The same as a list."""
        return list(self)

    def standing(self) -> list[Judgement]:
        """The pairs and triplets that were not taken back, oldest first."""
        return _only(Judgement, self.said())

    def apart(self) -> list[Apart]:
        """Which pictures do not belong together, as far as it stands."""
        return [one for one in _only(Apart, self.said()) if not isinstance(one, Distinct)]

    def groups(self) -> list[Group]:
        """The groups as they stand, in the order in which they were made."""
        return groups_from(self.said())

    def distinct(self) -> set[frozenset[str]]:
        """Pairs of files that are no duplicates of each other."""
        return {frozenset(one.files) for one in _only(Distinct, self.said())}

    def blind_answers(self, weights: str) -> list[BlindAnswer]:
        """The answers that stand in blind tests of a lens with this fingerprint, oldest first."""
        return [one for one in _only(BlindAnswer, self.said()) if one.weights == weights]

    def learnable(self) -> int:
        """How many sayings pictures can be learned from: pairs, triplets, and the members of groups but their first."""
        said = self.said()
        return len(_only(Judgement, said)) + sum(max(0, len(group.files) - 1) for group in groups_from(said))

    def lines(self) -> int:
        """How many lines are read: of a file that nobody writes to, what gives the same again as `until`."""
        return sum(1 for _ in self._lines())

    def notes(self) -> tuple[str, ...]:
        """What was passed over in the file, in lines for people."""
        return self._read()[1]

    def examples(self, folder: Path) -> Dataset:
        """What stands, as examples: see `judgement_examples.examples_from`.

        Args:
            folder: the collection's; judgements about files that are gone from it are left out.
        Raises: ExamplesError, when nothing is left.
        """
        said, notes = self._read()
        return examples_from(said, folder, notes, self.path)

    def _read(self) -> tuple[list[Saying], tuple[str, ...]]:
        standing: dict[int, Saying] = {}
        odd: list[str] = []
        notes = []
        for number, line in self._lines():
            if line is not None and not line.strip():
                continue
            entry = _entry(number, line)
            if isinstance(entry, int):
                standing.pop(entry, None)  # two people may take back the same one
            elif entry is not None:
                standing[number] = entry
            elif line is not None and not line.endswith(b"\n"):
                notes.append(f"passed over: line {number}, which breaks off (a crash, or it is being written)")
            else:
                odd.append(str(number))
        if odd:
            notes.append(f"passed over: {plural(len(odd), 'line')} with no judgement: line {first_few(odd)}")
        return list(standing.values()), tuple(notes)

    def _lines(self) -> Iterator[Line]:
        """Every line with its number, as far as they are read."""
        with opened(self.path) as file:
            yield from islice(file.lines(), self.until) if file is not None else ()

    def _add(self, sayings: Sequence[Saying]) -> int:
        """Keep lines, all of them or, when one is wrong, none; returns how many."""
        t, entries = _now(), list[dict[str, Any]]()
        for one in sayings:
            if one.who is not None and len(one.who) > LONGEST_WHO:
                raise ExamplesError(f"{one.who[:20]}...: too long for a name. Take at most {LONGEST_WHO} letters.")
            files = _files_in(one)
            for file in files:
                if not is_inside(file):
                    raise ExamplesError(
                        f"{file!r}: not the name of a file in the collection. Name it from its folder on."
                    )
            if len(set(files)) < len(files):
                raise ExamplesError(
                    f"{files[0]}: one picture twice in one judgement ({first_few(files)}). Name different ones."
                )
            entries.append({"t": t, "who": one.who, **one.to_json()})
        if entries:
            self._append(entries)
        return len(entries)

    def _append(self, entries: Sequence[dict[str, object]]) -> None:
        append(self.path, [json.dumps(entry, ensure_ascii=False) for entry in entries])
        self._added()


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


def _entry(number: int, line: bytes | None) -> Saying | int | None:
    """What a line says, the number of the line that it takes back, or None for neither."""
    try:
        entry = json.loads(line) if line is not None else None
    except (ValueError, RecursionError):
        return None
    if (one := saying_from(number, entry)) is not None:
        return one
    undone = entry.get("undo") if isinstance(entry, dict) else None
    return undone if type(undone) is int and 0 < undone < number else None


def _may_undo(line: bytes) -> bool:
    """Whether a line may take one back; letters of "undo" may be escaped."""
    return b"undo" in line or b"\\u00" in line


def _only(kind: type[Kind], sayings: Sequence[Saying]) -> list[Kind]:
    return [one for one in sayings if isinstance(one, kind)]


def _files_in(one: Saying) -> list[str]:
    """The files that a line names, in its order, each as often as it names it."""
    if isinstance(one, Judgement):
        return [one.query, one.yes] if one.no is None else [one.query, one.yes, one.no]
    if isinstance(one, Apart):
        return [one.one, one.other]
    if isinstance(one, BlindAnswer):
        return [one.query, *one.right, *one.wrong]
    return [*one.add, *one.remove]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
