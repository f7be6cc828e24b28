"""Which columns of a CSV say what: the names that people give them, and words that say yes or no."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from lookalike.errors import ExamplesError
from lookalike.images.formats import has_image_suffix
from lookalike.names import one_form
from lookalike.text import first_few

EXPECTED = "anchor,positive,negative or a,b or file,label"
# By layout and column: our own name, then those that people use.
NAMES: dict[str, tuple[tuple[str, ...], ...]] = {
    "triplets": (
        ("anchor", "anchors", "a", "query"),
        ("positive", "positives", "pos", "p"),
        ("negative", "negatives", "neg", "n"),
    ),
    "pairs": (
        ("a", "left", "first", "image1", "image_1", "img1", "file1", "path1", "image_a", "file_a", "source"),
        ("b", "right", "second", "image2", "image_2", "img2", "file2", "path2", "image_b", "file_b", "target"),
    ),
    "labels": (
        ("file", "filename", "file_name", "filepath", "file_path", "path", "image", "image_path", "img", "picture"),
        ("label", "labels", "class", "class_name", "classname", "category", "group"),
    ),
}
ANSWERS = frozenset(
    {
        *("label", "same", "match", "is_match", "similar", "is_similar", "duplicate", "is_duplicate", "y"),
        *("similarity", "score"),
    }
)
DISTANCES = frozenset({"distance", "dist", "dissimilarity", "different", "is_different"})  # 0 is the nearest there
YES = frozenset({"1", "1.0", "+1", "true", "t", "yes", "y", "same", "match", "similar", "positive", "pos"})
NO = frozenset({"0", "0.0", "-1", "-1.0", "false", "f", "no", "n", "different", "dissimilar", "negative", "neg", "not"})
MOST_WORDS = 50  # distinct words of a column after which it is no answer
EXPECTED_BY_LAYOUT = dict(zip(("triplets", "pairs", "labels"), EXPECTED.split(" or "), strict=True))
Line = tuple[int, list[str]]  # its number, its cells
Lines = Iterator[Line]


@dataclass(frozen=True)
class Columns:
    """What the columns of a CSV stand for.

    Attributes:
        layout: "triplets", "pairs" or "labels".
        at: the columns of its pictures, or of file and label.
        others: the columns that are left.
    """

    layout: str
    at: tuple[int, ...]
    others: tuple[int, ...]


def find_columns(header: Sequence[str]) -> Columns | None:
    """The columns by their names, our own before those of others; None where they are no examples.

    >>> find_columns(["image1", "image2", "same"])
    Columns(layout='pairs', at=(0, 1), others=(2,))
    """
    for most in (1, None):
        for layout, names in NAMES.items():
            at = [next((header.index(name) for name in known[:most] if name in header), -1) for known in names]
            if min(at) >= 0 and len(set(at)) == len(at):
                return Columns(layout, tuple(at), tuple(i for i in range(len(header)) if i not in at))
    return None


def guess_columns(first: Sequence[str], lines: Lines) -> Columns | None:
    """The columns of a table without names, by what is in them; None where they are no examples.

    Three pictures in each line are anchor, positive and negative; two are a pair, of which a third column may say yes
    or no; a picture and anything else are file and label. All lines must agree.

    Args:
        first: a line that is read already; empty for none.
        lines: the others, of which those with an empty cell don't count.

    >>> guess_columns(["1.jpg", "2.jpg"], iter([(2, ["3.jpg", "4.jpg"])])).layout
    'pairs'
    """
    if first and _kind_of(first[0]) != "picture":
        return None
    kinds: list[set[str]] = []
    for _, line in chain([(0, list(first))] if first else [], lines):
        if not all(map(str.strip, line)):
            continue
        kinds = kinds or [set() for _ in line]
        if len(line) != len(kinds):
            return None
        for kind, cell in zip(kinds, line, strict=True):
            kind.add(_kind_of(cell))
    pictures = [kind == {"picture"} for kind in kinds]
    if pictures == [True, True, True]:
        return Columns("triplets", (0, 1, 2), ())
    if pictures == [True, True, False] and kinds[2] == {"answer"}:
        return Columns("pairs", (0, 1), (2,))
    if pictures == [True, True]:
        return Columns("pairs", (0, 1), ())
    if pictures == [True, False] and "picture" not in kinds[1]:
        return Columns("labels", (0, 1), ())
    return None


def _kind_of(cell: str) -> str:
    if has_image_suffix(cell.strip()):
        return "picture"
    return "answer" if word_of(cell) in YES | NO else "word"


def find_answer(header: Sequence[str], columns: Columns, lines: Lines, path: object) -> int | None:
    """The column in which a table of pairs says of each pair whether it belongs together; None where none does.

    It is one that is called so, or the only other one whose cells are all words that say yes or no, and some say no.

    Raises: ExamplesError, where a column that is called so says something else.
    """
    words: dict[int, set[str]] = {column: set() for column in columns.others}
    for _, line in lines:
        for column, found in words.items():
            if len(found) <= MOST_WORDS and column < len(line) and line[column].strip():
                found.add(word_of(line[column]))
    if distances := [header[column] for column in columns.others if header[column] in DISTANCES and words[column]]:
        raise ExamplesError(
            f"{path}: column {distances[0]!r} of pairs says how different two pictures are. Call it 'same', with 1 for "
            "those that belong together and 0 for the others, or leave it out and keep only the former."
        )
    named = [column for column in columns.others if header[column] in ANSWERS and words[column]]
    for column in named:
        if strange := sorted(words[column] - YES - NO):
            raise ExamplesError(
                f"{path}: column {header[column]!r} of pairs says {first_few(strange)}; expected yes or no, 1 or 0. "
                "Write it so, or keep only the lines of pairs that belong together and leave the column out."
            )
    answers = named or [column for column, found in words.items() if found & NO and found <= YES | NO]
    if len(answers) > 1:
        names = " and ".join(repr(header[column]) for column in answers)
        raise ExamplesError(f"{path}: columns {names} of pairs both say yes or no. Leave one of them out.")
    return answers[0] if answers else None


def word_of(cell: str) -> str:
    r"""A cell as it is compared: without spaces around it, in small letters, in one spelling.

    >>> word_of(" Ye\u0301s ") == word_of("y\u00e9s")
    True
    """
    return one_form(cell.strip()).lower()


def lines_that_say_yes(lines: Lines, answer: int, said_no: list[int]) -> Lines:
    """The lines whose answer is yes; the numbers of those that say no go to `said_no`, an empty cell says nothing."""
    for number, line in lines:
        if answer < len(line) and word_of(line[answer]) in NO:
            said_no.append(number)
        elif answer < len(line) and line[answer].strip():
            yield number, line
        else:
            yield number, []
