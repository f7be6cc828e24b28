"""Printing: nothing moves a terminal's cursor, every charset will do, and a closed stream is no error."""

import io
import json
import sys

import pytest

from lookalike.cli.output import echo, echo_json


class Stream(io.TextIOWrapper):
    """Standard output of a charset."""

    def __init__(self, charset: str):
        super().__init__(io.BytesIO(), encoding=charset, newline="")

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)  # type: ignore[attr-defined]


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch):
    def run(charset: str, *calls: tuple) -> str:
        stream = Stream(charset)
        monkeypatch.setattr(sys, "stdout", stream)
        for function, value in calls:
            function(value)
        return stream.text()

    return run


def test_escape_sequences_bidi_marks_and_line_ends_in_names_are_escaped_and_tabs_stay(printed):
    line = "0.9\ta\x1b[2J.png\t\u202egpj.exe\x9b1m\r"
    assert printed("utf-8", (echo, line)) == "0.9\ta\\x1b[2J.png\t\\u202egpj.exe\\x9b1m\\r\n"


@pytest.mark.parametrize(("charset", "expected"), [("ascii", "caf\\xe9 \\uc0ac"), ("latin-1", "café \\uc0ac")])
def test_letters_that_the_charset_lacks_are_escaped(printed, charset: str, expected: str):
    assert printed(charset, (echo, "café 사")) == expected + "\n"


def test_json_stays_json_and_holds_nothing_that_a_terminal_acts_on(printed):
    value = {"file": "a\x1b[2J\u202e\x9b사\n.png", "similarity": 0.5}
    for charset in ("utf-8", "ascii"):
        text = printed(charset, (echo_json, value))
        assert text.rstrip("\n").isprintable()
        assert json.loads(text) == value
        assert ("사" in text) is (charset == "utf-8")


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_stream_that_is_not_there_is_no_error(monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setattr(sys, name, None)
    echo("lost", err=name == "stderr")


def test_several_lines_stay_several_lines(printed):
    assert printed("utf-8", (echo, "one\ntwo"), (echo, "")) == "one\ntwo\n\n"
