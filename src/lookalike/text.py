"""The words of lines that people read: counts, lists, names that are safe to print."""

from collections.abc import Sequence


def printable_line(text: str) -> str:
    r"""Text on one line; line ends, what moves the cursor or turns writing, and bytes that are no UTF-8 are escaped.

    Escaping twice changes nothing.

    >>> printable_line("caf\udce9\nlines\x1b[2J\u202egpj.exe")
    'caf\\xe9\\nlines\\x1b[2J\\u202egpj.exe'
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)


def csv_text(text: str) -> str:
    """Text as a cell of a CSV that a spreadsheet does not take for a formula: with ' in front where it might.

    >>> csv_text("=1+1.png"), csv_text("a=b.png")
    ("'=1+1.png", 'a=b.png')
    """
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") or text[:1] in ("\t", "\r") else text


def _escaped(c: str) -> str:
    if "\udc80" <= c <= "\udcff":  # how Python keeps a byte of a file's name that is no UTF-8
        return f"\\x{ord(c) - 0xDC00:02x}"
    return c.encode("unicode_escape").decode()


def plural(number: int, thing: str, things: str | None = None) -> str:
    """A number and what it counts.

    >>> plural(1, "picture"), plural(1200, "class", "classes")
    ('1 picture', '1,200 classes')
    """
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def times(number: int) -> str:
    """How often.

    >>> times(1), times(2), times(1200)
    ('once', 'twice', '1,200 times')
    """
    return {1: "once", 2: "twice"}.get(number) or f"{number:,} times"


def first_few(names: Sequence[str], most: int = 3, separator: str = ", ", last: str = " and ") -> str:
    """The first few of many names, for a line that people read; `last` comes before how many there are more.

    >>> first_few(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = f"{last}{len(names) - most:,} more" if len(names) > most else ""
    return separator.join(printable_line(name) for name in names[:most]) + more


def join_words(words: Sequence[str]) -> str:
    """Words as a sentence lists them.

    >>> join_words(["40", "38", "2"])
    '40, 38 and 2'
    """
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
