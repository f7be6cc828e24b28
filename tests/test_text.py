"""Words for people: what is safe to print, what is counted, what is listed."""

import pytest

from lookalike.text import csv_text, first_few, join_words, plural, printable_line


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("caf\u00e9 \ud55c\uae00.jpg", "caf\u00e9 \ud55c\uae00.jpg"),
        ("caf\udce9.jpg", "caf\\xe9.jpg"),
        ("two\nlines\x1b[2J", "two\\nlines\\x1b[2J"),
        ("\u202egpj.exe\u2028", "\\u202egpj.exe\\u2028"),
        ("lone \ud800", "lone \\ud800"),
    ],
)
def test_what_could_harm_a_terminal_is_escaped_once(text: str, expected: str):
    assert printable_line(text) == expected
    assert printable_line(expected) == expected


def test_counts_take_the_plural_they_need():
    assert [plural(n, "class", "classes") for n in (0, 1, 1200)] == ["0 classes", "1 class", "1,200 classes"]


def test_a_few_names_stand_for_many():
    assert first_few(["a", "b"]) == "a, b"
    assert first_few(["a", "b\n", "c"], 2, "; ", "; and ") == "a; b\\n; and 1 more"
    assert [join_words(["a"]), join_words(["a", "b", "c"])] == ["a", "a, b and c"]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", " =1", "\t=1", "\tx", "\rx"])
def test_a_cell_that_would_be_a_formula_is_text_in_a_spreadsheet(text: str):
    assert csv_text(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a", "1", "a=1", "'=1", "사과.png", "1-2.png"])
def test_other_cells_stay_as_they_are(text: str):
    assert csv_text(text) == text
