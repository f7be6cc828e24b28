"""The verbs that look after a collection: check, which verifies and repairs, and compact."""

import sys
from dataclasses import asdict
from pathlib import Path

import click

from lookalike.cli import console
from lookalike.cli.options import AT, FOLDER, open_collection
from lookalike.cli.output import echo, echo_json
from lookalike.text import plural


@click.command()
@FOLDER
@AT
@click.option("--repair", is_flag=True, help="Repair or remove what can be made again; lenses and judgements stay.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each thing that is damaged.")
def check(folder: Path | str, at: Path | str | None, repair: bool, as_json: bool) -> None:
    """Verify every part of the collection of FOLDER; exits with 1 where something is damaged."""
    photos = open_collection(folder, at)
    with console.bars(" parts/s") as report:
        found = photos.verify(repair=repair, report=report)
    for one in found:
        if as_json:
            echo_json(asdict(one))
        else:
            echo(str(one))
    left = sum(not one.repaired for one in found)
    if not found:
        echo("Nothing is damaged.", err=True)
    elif repair:
        echo(f"{len(found) - left:,} repaired, {left:,} left.", err=True)
    else:
        echo(f"{plural(left, 'thing')} damaged.", err=True)
    sys.exit(1 if left else 0)


@click.command()
@FOLDER
@AT
def compact(folder: Path | str, at: Path | str | None) -> None:
    """Put small pieces of the table of FOLDER together, and remove what only older versions need."""
    before, after = open_collection(folder, at).compact()
    echo(f"{plural(before, 'piece')} before, {after:,} now.", err=True)
