"""Hits as lines: what each form prints of the same answer."""

import csv
import io
import json
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from lookalike.cli import console
from lookalike.cli.answers import print_csv, print_json, print_table
from lookalike.index.hits import Hit, Hits

HITS = Hits([Hit("a, b.png", 0.51234567, Path("a, b.png")), Hit("=c.png", -0.5, Path("=c.png"))], query="q", source="q")


def test_each_form_names_the_hits_in_their_order(capsys: pytest.CaptureFixture[str]):
    print_table([HITS])
    assert capsys.readouterr().out == "0.512\ta, b.png\n-0.500\t=c.png\n"
    print_json([HITS])
    hits = [
        {"file": "a, b.png", "similarity": 0.512346, "likely": None},
        {"file": "=c.png", "similarity": -0.5, "likely": None},
    ]
    assert json.loads(capsys.readouterr().out) == {"query": "q", "lens": "plain", "hits": hits}
    print_csv([HITS])
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [
        ["query", "rank", "similarity", "file", "likely"],
        ["q", "1", "0.512346", "a, b.png", ""],
        ["q", "2", "-0.500000", "'=c.png", ""],
    ]


TOLD = [
    Hit("q.jpg", 1.0, Path("/p/q.jpg")),
    Hit("a.jpg", 0.8, Path("/p/a.jpg"), likely=0.874),
    Hit("b.jpg", 0.3, Path("/p/b.jpg"), likely=0.03),
]


def answer(hits) -> Hits:
    return Hits(hits, query="q.jpg", source=None, lens="kind")


def test_json_has_the_likelihood_and_null_where_nobody_knows(capsys: pytest.CaptureFixture[str]):
    print_json([answer(TOLD)])
    hits = json.loads(capsys.readouterr().out)["hits"]
    assert [hit["likely"] for hit in hits] == [None, 0.874, 0.03]


def test_csv_has_it_in_its_last_column(capsys: pytest.CaptureFixture[str]):
    print_csv([answer(TOLD)])
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows[0] == ["query", "rank", "similarity", "file", "likely"]
    assert [row[-1] for row in rows[1:]] == ["", "0.874", "0.03"]


def test_where_nobody_watches_it_is_a_line_a_hit(capsys: pytest.CaptureFixture[str]):
    print_table([answer(TOLD)])
    assert capsys.readouterr().out.splitlines() == ["1.000\tq.jpg", "0.800\ta.jpg", "0.300\tb.jpg"]


@pytest.mark.parametrize("width", [50, 80, 120])
def test_a_table_says_it_in_words_a_percentage_and_a_bar_and_stays_within_its_width(width: int):
    out = io.StringIO()
    Console(file=out, width=width, emoji=False, markup=False).print(console.table(answer(TOLD)))
    text = out.getvalue()
    assert max(map(cell_len, text.splitlines())) <= width
    lines = {word: line for line in text.splitlines() for word in line.split() if word.endswith(".jpg")}
    assert "███▌ 87% likely" in lines["a.jpg"]
    assert "3% unlikely" in lines["b.jpg"]
    assert "%" not in lines["q.jpg"]


def test_a_table_of_plain_search_has_no_such_column():
    out = io.StringIO()
    hits = [Hit("a.jpg", 0.8, Path("/p/a.jpg"))]
    Console(file=out, width=80, emoji=False, markup=False).print(console.table(answer(hits)))
    assert "likely" not in out.getvalue()
