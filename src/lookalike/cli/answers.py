"""Hits as lines: a table for people, JSON and CSV for programs."""

import csv
import io
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lookalike.cli import console
from lookalike.cli.output import echo, echo_json, is_terminal
from lookalike.text import csv_text

if TYPE_CHECKING:
    from lookalike.index.hits import Hits


def print_table(answers: "Sequence[Hits]") -> None:
    if not is_terminal(sys.stdout) or console.is_narrow():
        for line in console.plain_lines(answers):
            echo(line)
        return
    terminal = console.console()
    for hits in answers:
        terminal.print(console.table(hits))


def print_json(answers: "Sequence[Hits]") -> None:
    for hits in answers:
        found = [{"file": hit.file, "similarity": round(hit.similarity, 6), "likely": hit.likely} for hit in hits]
        hidden = {"hidden": hits.hidden} if hits.hidden else {}
        echo_json({"query": hits.query, "lens": hits.lens, "hits": found, **hidden})


def print_csv(answers: "Sequence[Hits]") -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["query", "rank", "similarity", "file", "likely"])
    for hits in answers:
        query = csv_text(hits.query)
        writer.writerows(
            [query, rank, f"{hit.similarity:.6f}", csv_text(hit.file), "" if hit.likely is None else hit.likely]
            for rank, hit in enumerate(hits, 1)
        )
    echo(buffer.getvalue().replace("\r\n", "\n").rstrip("\n"))
