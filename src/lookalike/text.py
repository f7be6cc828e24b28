"""The words of lines that people read: counts, lists, names that are safe to print."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


def printable(name: str) -> str:
    r"""A file's name for a screen or a message: on one line, with bytes that are no UTF-8 escaped.

    >>> printable("caf\udce9\n.jpg")
    'caf\\xe9\\n.jpg'
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", lambda odd: repr(odd[0])[1:-1], text)


def plural(number: int, thing: str, things: str | None = None) -> str:
    """A number and what it counts.

    >>> plural(1, "picture"), plural(1200, "class", "classes")
    ('1 picture', '1,200 classes')
    """
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def first_few(names: Sequence[str], most: int = 3) -> str:
    """The first few of many names, for a line that people read.

    >>> first_few(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(printable(name) for name in names[:most]) + more


def join_words(words: Sequence[str]) -> str:
    """Words as a sentence lists them.

    >>> join_words(["40", "38", "2"])
    '40, 38 and 2'
    """
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def printable_line(name: str) -> str:
    r"""A file's name on one line, without what could move the cursor or cannot be printed.

    >>> printable_line("two\nlines\x1b[2J\u202egpj.exe")
    'two\\nlines\\x1b[2J\\u202egpj.exe'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in printable(name))


def counted(n: int, word: str) -> str:
    """A number and its word.

    >>> counted(1, "picture"), counted(2000, "picture")
    ('1 picture', '2,000 pictures')
    """
    return f"{n:,} {word}{'' if n == 1 else 's'}"
