"""Text on pictures: measured, cut, wrapped, and the same on every machine where the bundled font has the letters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lookalike.drawing.typography import lines, readable, shortened, text_width, write

LATIN = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)


def written(align: str, text: str = "mmm") -> tuple[int, int]:
    """The first and the last column with ink of a text written at x = 100."""
    picture = Image.new("RGB", (200, 40), "#ffffff")
    write(picture, (100, 30), text, 20, "#000000", align=align)
    columns = np.flatnonzero((np.asarray(picture.convert("L")) < 128).any(axis=0))
    return int(columns[0]), int(columns[-1])


def test_text_starts_ends_or_has_its_middle_where_it_is_told():
    width = text_width("mmm", 20)
    assert written("left")[0] == pytest.approx(100, abs=3)
    assert written("right")[1] == pytest.approx(100, abs=3)
    assert sum(written("centre")) / 2 == pytest.approx(100, abs=2)
    assert written("left")[1] - written("left")[0] == pytest.approx(width, abs=6)


def test_a_width_grows_with_the_letters_and_the_size():
    assert text_width("", 20) == 0
    assert text_width("mm", 20) == pytest.approx(2 * text_width("m", 20))
    assert text_width("m", 40) == pytest.approx(2 * text_width("m", 20), rel=0.02)
    assert text_width("m", 20, bold=True) > text_width("m", 20) > text_width("i", 20)


@given(name=LATIN, width=st.floats(60, 400))
def test_a_shortened_name_fits_and_keeps_both_of_its_ends(name, width):
    short = shortened(name, width, 16)
    assert text_width(short, 16) <= width
    start, cut, end = short.partition("…")
    assert name.startswith(start)
    assert name.endswith(end)
    assert cut or short == name


@given(words=st.lists(LATIN, max_size=12), width=st.floats(100, 400))
def test_lines_fit_and_together_are_the_words(words, width):
    broken = lines(" ".join(words), width, 16)
    assert all(text_width(line, 16) <= width for line in broken)
    if not any("…" in line for line in broken):
        assert " ".join(broken).split() == words


def test_text_past_the_last_line_ends_in_an_ellipsis():
    assert lines("one two three four", 70, 16, most=1) == ["one tw…"]
    assert lines("", 70, 16) == [""]


def test_what_has_no_shape_is_escaped_and_hangul_is_composed():
    assert readable("a\tb\u2028c\u202ed.jpg") == "a\\tb\\u2028c\\u202ed.jpg"
    assert readable("\u1112\u1161\u11ab\udcff") == "한\\xff"


def test_a_letter_that_no_font_has_is_a_box_of_a_known_width():
    """A code point that is never assigned: 0.7 of the size."""
    assert text_width("\U0010fffe", 20) == pytest.approx(14)
