"""Hits as lines: what each form prints of the same answer."""

import csv
import io
import json
from pathlib import Path

import pytest

from lookalike.cli.answers import print_csv, print_json, print_table
from lookalike.index.hits import Hit, Hits

HITS = Hits([Hit("a, b.png", 0.51234567, Path("a, b.png")), Hit("=c.png", -0.5, Path("=c.png"))], query="q", source="q")


def test_each_form_names_the_hits_in_their_order(capsys: pytest.CaptureFixture[str]):
    print_table([HITS])
    assert capsys.readouterr().out == "0.512\ta, b.png\n-0.500\t=c.png\n"
    print_json([HITS])
    hits = [{"file": "a, b.png", "similarity": 0.512346}, {"file": "=c.png", "similarity": -0.5}]
    assert json.loads(capsys.readouterr().out) == {"query": "q", "lens": "plain", "hits": hits}
    print_csv([HITS])
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [
        ["query", "rank", "similarity", "file"],
        ["q", "1", "0.512346", "a, b.png"],
        ["q", "2", "-0.500000", "'=c.png"],
    ]
