"""Conditions on pictures (--where): one SQL condition, bounded before anything parses it."""

import re

from lookalike.errors import QueryError
from lookalike.names import one_form
from lookalike.text import printable_line

LONGEST = 4096  # characters
DEEPEST = 30  # parentheses, NOT and signs within one another
MOST_OPERATORS = 200  # parsers nest a chain of operators as deep as it is long
COLUMNS = frozenset({"file", "width", "height", "bytes", "mtime"})
FUNCTIONS = frozenset(
    {
        *("abs", "char_length", "coalesce", "contains", "date_part", "date_trunc", "ends_with"),
        *("left", "length", "lower", "ltrim", "now", "regexp_like", "right", "round", "rtrim", "split_part"),
        *("starts_with", "strpos", "to_timestamp", "to_timestamp_nanos", "upper"),
    }
)
WORDS = frozenset(
    {
        *("and", "between", "cast", "date", "day", "false", "from", "hour", "ilike", "in", "interval", "is"),
        *("like", "minute", "month", "not", "null", "or", "second", "timestamp", "true", "year"),
        *("as", "bigint", "boolean", "double", "float", "int", "string"),
    }
)
BEFORE_PARENTHESES = frozenset({"and", "cast", "in", "not", "or"})
_TOKEN = re.compile(
    r"""(?P<space>\s*)(?:
      (?P<text>'(?:[^']|'')*'|"[^"]*")
    | (?P<quoted>`[^`]*`)
    | (?P<number>[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<operator><=|>=|<>|!=|==|\|\||[=<>+\-*/%])
    | (?P<open>\()
    | (?P<close>\))
    | (?P<comma>,)
    | (?P<other>\S)
    )""",
    re.VERBOSE,
)
EXAMPLE = "Write it like: width > 640 AND file LIKE 'shoes/%'"


def checked_condition(where: str) -> str:
    """A condition as it can be handed to the table: within bounds, of columns, words and functions that we know.

    Args: where: SQL on file, width, height, bytes and mtime.
    Returns: the same, in which mtime is a time, and texts are in the form of Unicode in which names are compared.
    Raises: QueryError, which says what cannot be understood.

    >>> checked_condition("width > 640 AND file LIKE 'mtime/%'")
    "width > 640 AND file LIKE 'mtime/%'"
    """
    if len(where) > LONGEST:
        raise _refused(where[:40] + "...", f"{len(where):,} characters, more than {LONGEST:,}")
    if not where.isprintable() and re.search(r"[\ud800-\udfff\0]", where):
        raise _refused(printable_line(where), "it holds bytes that are no text")
    parts, depth, operators, prefixes = [], 0, 0, 0
    for found in _TOKEN.finditer(where):
        kind, space, token = str(found.lastgroup), found["space"], found[str(found.lastgroup)]
        word, called = token.lower(), where[found.end() :].lstrip().startswith("(")
        if kind == "other":
            reason = "one condition is taken, without ;" if token == ";" else f"{token!r} is not understood"
            raise _refused(where, reason)
        if kind == "quoted":
            word = token[1:-1].lower()
            kind = "word"
        if kind == "word":
            _check_word(where, token, word, called)
        depth += (kind == "open") - (kind == "close")
        is_operator = kind == "operator" or word in {"and", "or", "not", "is", "like", "ilike", "in", "between"}
        operators += is_operator
        prefixes = prefixes + 1 if (kind == "operator" and token in "+-") or word == "not" else 0
        if depth < 0:
            raise _refused(where, "a parenthesis is closed that was not opened")
        if depth > DEEPEST or prefixes > DEEPEST:
            raise _refused(where, f"nested more than {DEEPEST} deep")
        token = one_form(token) if kind == "text" else token
        parts.append(space + ("to_timestamp_nanos(mtime_ns)" if word == "mtime" and kind == "word" else token))
    if operators > MOST_OPERATORS:
        raise _refused(where[:40] + "...", f"{operators:,} operators, more than {MOST_OPERATORS}")
    if depth:
        raise _refused(where, "a parenthesis is open")
    if not parts:
        raise _refused(where, "it is empty")
    return "".join(parts)


def _check_word(where: str, token: str, word: str, called: bool) -> None:
    if word in COLUMNS and not called:
        return
    if called and word in FUNCTIONS:
        return
    if word in WORDS and (not called or word in BEFORE_PARENTHESES):
        return
    if called:
        raise _refused(where, f"{token} is no function of conditions. There are {', '.join(sorted(FUNCTIONS))}")
    raise _refused(where, f"{token} is no column. There are file, width, height, bytes and mtime")


def _refused(where: str, reason: str) -> QueryError:
    return QueryError(f"--where {where!r}: {reason}. {EXAMPLE}", code="query.where")
