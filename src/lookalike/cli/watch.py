"""The verb `watch`: a line for each change set, until Ctrl-C."""

import sys
from datetime import datetime
from pathlib import Path

import click

from lookalike.cli.console import ProgressLines
from lookalike.cli.index_report import watch_lines
from lookalike.cli.options import AT, FOLDER, THREADS, open_collection
from lookalike.cli.output import echo
from lookalike.text import printable_line


@click.command()
@FOLDER
@AT
@click.option(
    "--quiet",
    type=click.FloatRange(0),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Read a file when its size and date have been the same for so long.",
)
@click.option(
    "--every",
    type=click.FloatRange(1),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Look through the folder so often even when nothing is heard of, as from a network drive.",
)
@THREADS
def watch(folder: Path | str, at: Path | str | None, quiet: float, every: float, threads: int | None) -> None:
    """Keep the collection of FOLDER up to date while the folder changes, until Ctrl-C; a line for each change set."""
    photos = open_collection(folder, at, threads=threads)
    for report in photos.watch(quiet_s=quiet, every_s=every, report=ProgressLines(" pictures/s")):
        line, *remarks = watch_lines(report, len(photos))
        echo(f"{datetime.now():%H:%M:%S}  {printable_line(line)}")
        if sys.stdout is not None:
            sys.stdout.flush()
        for one in remarks:
            echo(printable_line(one), err=True)
