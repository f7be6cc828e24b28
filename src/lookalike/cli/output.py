"""How the commands print: control characters and letters that the stream cannot hold are escaped."""

import json
import os
import re
import sys
from typing import Any, TextIO

import click

from lookalike.text import printable_line


def echo(text: str = "", *, err: bool = False) -> None:
    """Print text; control characters but tabs and line ends are escaped, and so is what the stream's charset lacks.

    Args:
        text: one line or several.
        err: to stderr.
    """
    stream = sys.stderr if err else sys.stdout
    if stream is None:  # a program without a console
        return
    lines = ("\t".join(printable_line(part) for part in line.split("\t")) for line in text.split("\n"))
    charset = getattr(stream, "encoding", None) or "utf-8"
    click.echo("\n".join(lines).encode(charset, "backslashreplace").decode(charset), err=err)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream is there and people read it as it is written."""
    return stream is not None and stream.isatty()


def echo_json(value: Any) -> None:
    """Print a value as one line of JSON; what is not printable, or not in the stream's charset, is escaped as JSON."""
    charset = getattr(sys.stdout, "encoding", None) or "utf-8"
    text = json.dumps(value, ensure_ascii=not charset.lower().startswith("utf"))
    echo(text if text.isprintable() else re.sub(r"[^ -~]", _escaped, text))


def drop_output() -> None:
    """Whoever read our answers has read enough."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _escaped(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]
