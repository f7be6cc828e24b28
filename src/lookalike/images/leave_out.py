"""What a scan leaves out: files and folders that patterns name, and the folders in which collections are kept."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.errors import CollectionError
from lookalike.names import one_form

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".lookalikeignore"
MARKS = frozenset({"collection.json", "lock"})  # one of them lies in every folder that `is_collection`
MOST_BYTES = 1 << 20  # that are read of a collection.json or an ignore file
_OF_A_COLLECTION = frozenset(
    {
        "tables",
        "lenses",
        "judgements.jsonl",
        "proofs.jsonl",
        "backbones",
        "cache",
        "lock",
        "lock.holder",
        "collection.json",
        "collection.json.damaged",
        "reading",
    }
)


@dataclass(frozen=True)
class LeaveOut:
    """What a scan shall leave out besides what the ignore files in the folder say.

    Attributes:
        patterns: in gitignore's syntax, relative to the folder that is scanned.
        own: the folder of the collection itself; None for none.
    """

    patterns: tuple[str, ...] = ()
    own: Path | None = None


NOTHING_ELSE = LeaveOut()


class IgnoreRules:
    """The patterns of a folder and of those above it; those of the deepest folder that says anything decide.

    Patterns and names are compared in one form of Unicode.

    Args:
        prefix: the folder's name within the whole: "", or ending in /.
        lines: patterns in gitignore's syntax, relative to this folder.
        above: the rules of the folder above.
        source: where the lines come from, for the error.
    Raises: CollectionError, for a line that is no pattern.

    >>> rules = IgnoreRules("", ["*.png", "!keep.png", "old/"])
    >>> rules.excludes("a/b.png"), rules.excludes("keep.png"), rules.excludes("old/"), rules.excludes("old")
    (True, False, True, False)
    """

    def __init__(
        self, prefix: str, lines: Sequence[str], above: "IgnoreRules | None" = None, source: str = "--exclude"
    ):
        self.prefix, self.above = prefix, above
        self._spec = _spec([one_form(line) for line in lines], source)

    def excludes(self, name: str) -> bool:
        """Whether a name within the whole is left out; that of a folder ends in /."""
        said = self._spec.check_file(one_form(name.removeprefix(self.prefix))).include
        if said is None:
            return self.above is not None and self.above.excludes(name)
        return said


def read_rules(path: Path, prefix: str, above: IgnoreRules | None) -> IgnoreRules:
    """The rules of a folder that has an ignore file.

    Raises: CollectionError, when it cannot be read, or a line is no pattern: nothing is indexed that may be unwanted.
    """
    try:
        with path.open("rb") as file:
            lines = file.read(MOST_BYTES).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise CollectionError(
            f"{path}: cannot be read ({reason}), so it is not known what to leave out. Save it as UTF-8 text, or "
            "remove it."
        ) from error
    return IgnoreRules(prefix, lines, above, str(path))


def is_collection(folder: Path) -> bool:
    """Whether a folder holds a collection of lookalike, a damaged or an unfinished one too.

    A collection.json of another program makes no collection: beside it lie tables/ or lock, or it has our keys. Nor do
    folders that have the names of ours: where collection.json is missing, there is a lock and nothing that is not ours.
    """
    if (folder / "collection.json").is_file():
        return (folder / "tables").is_dir() or (folder / "lock").is_file() or _has_our_keys(folder / "collection.json")
    if not (folder / "lock").is_file():
        return False
    try:
        names = os.listdir(folder)  # noqa: PTH208  (names alone)
    except OSError:
        return False
    return all(name in _OF_A_COLLECTION or name.startswith(".") for name in names)


def _has_our_keys(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and {"format", "backbone"} <= found.keys()


def _spec(lines: Sequence[str], source: str) -> "GitIgnoreSpec":
    from pathspec import GitIgnoreSpec  # takes 80 ms, and few folders have patterns

    for number, line in enumerate(lines, start=1):
        try:
            GitIgnoreSpec.from_lines([line])
        except Exception as error:  # the library's own errors, and those of the regular expressions that it makes
            where = source if source.startswith("--") else f"{source}, line {number}"
            raise CollectionError(
                f"{where}: {line!r} is not a pattern. Write it as in a .gitignore file: *.psd or /drafts/"
            ) from error
    return GitIgnoreSpec.from_lines(lines)
