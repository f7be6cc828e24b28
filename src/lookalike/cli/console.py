"""What people see in a terminal: tables of hits, names on one line, and how far the work is."""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.errors import QueryError
from lookalike.images.scan import scan_folder
from lookalike.text import counted, printable_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn
    from rich.table import Table

    from lookalike.index.hits import Hits
    from lookalike.models.layers import Layer
    from lookalike.progress import Progress, Stage


def without_line_ends(asked: Sequence[str]) -> list[str]:
    """Names of queries, folders among them taken apart into their files in natural order.

    Raises: QueryError, for a folder without files.
    """
    names: list[str] = []
    for one in asked:
        if os.path.isdir(one):  # noqa: PTH112  (Path.is_dir raises for a name that is too long)
            inside = [str(found.path) for found in scan_folder(Path(one))]
            if not inside:
                raise QueryError(f"{one}: no files in it. Name a picture, or a folder with pictures.")
            names += inside
        else:
            names.append(one)
    return names


PATIENCE_S = 1.0  # what is done within a second needs no bar


def console(*, stderr: bool = False) -> "Console":
    """A terminal that is written to plainly: no emoji codes, no marks in file names, no numbers in colour."""
    from rich.console import Console

    return Console(stderr=stderr, emoji=False, markup=False, highlight=False)


def table(hits: "Hits") -> "Table":
    """One answer as a table: rank, similarity, file; the file is a link where the terminal knows links."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", border_style="dim")
    drawn.title = Text.assemble((printable_line(hits.query), "bold"), (f"  {hits.lens}", "dim"))
    drawn.title_justify, drawn.title_style = "left", ""
    drawn.add_column("rank", justify="right", no_wrap=True)
    drawn.add_column("similarity", justify="right", no_wrap=True)
    drawn.add_column("file", overflow="fold")  # cut nowhere: a name is there to be copied
    for rank, hit in enumerate(hits, start=1):
        folder, slash, name = printable_line(hit.file).rpartition("/")
        file = Text.assemble((folder + slash, "dim"), name)
        file.stylize(f"link {hit.path.absolute().as_uri()}")
        drawn.add_row(str(rank), f"{hit.similarity:.3f}", file)
    return drawn


def tables(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The tables of a collection, a line each: backbone, pictures, size, and what the table is for."""
    for row in rows:
        roles = {"serves": "serves", "original": "original", "filling": "being filled"}
        role = ", ".join(word for key, word in roles.items() if row[key]) or "kept"
        size = f"{row['bytes'] / 1e6:.1f} MB"
        yield f"{'table':12}{printable_line(row['backbone'])}  {counted(row['pictures'], 'picture')}  {size}  {role}"


def layers(rows: "Sequence[Layer]") -> "Table":
    """A backbone's layers as a table; what learns stands out."""
    from rich import box
    from rich.table import Table

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim", border_style="dim")
    drawn.add_column("", justify="right", no_wrap=True)
    drawn.add_column("layer", overflow="fold")  # cut nowhere: a name is there to be copied
    drawn.add_column("kind", overflow="fold", max_width=20)
    drawn.add_column("output", no_wrap=True)
    drawn.add_column("parameters", justify="right", no_wrap=True)
    drawn.add_column("", no_wrap=True)
    for row in rows:
        shape, learns = sized(row.shape, "×"), "trainable" if row.trainable else "frozen"
        cells = (
            str(row.index),
            printable_line(row.name),
            printable_line(row.kind),
            shape,
            f"{row.parameters:,}",
            learns,
        )
        drawn.add_row(*cells, style="green" if row.trainable else "dim")
    return drawn


def sized(shape: Sequence[int], times: str = "x") -> str:
    """A shape in words.

    >>> sized((1280, 7, 7))
    '1280x7x7'
    """
    return times.join(map(str, shape)) or "?"


def layer_lines(rows: "Sequence[Layer]") -> Iterator[str]:
    """Layers for programs: index, name, kind, output, parameters, trainable or frozen, separated by tabs."""
    for row in rows:
        learns = "trainable" if row.trainable else "frozen"
        cells = (
            row.index,
            printable_line(row.name),
            printable_line(row.kind),
            sized(row.shape),
            row.parameters,
            learns,
        )
        yield "\t".join(map(str, cells))


def plain_lines(answers: "Sequence[Hits]") -> Iterator[str]:
    """Answers for programs: similarity and file, separated by tabs; the query before them where there are several."""
    for hits in answers:
        query = f"{printable_line(hits.query)}\t" if len(answers) > 1 else ""
        for hit in hits:
            yield f"{query}{hit.similarity:.3f}\t{printable_line(hit.file)}"


@contextmanager
def indexing() -> "Iterator[Callable[[Progress], None]]":
    """Show how many pictures are done, the rate and the remaining time, while there is something to do."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    rate = TextColumn("{task.fields[rate]:.0f} pictures/s")
    with _bar("indexing", BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn()) as bar:
        task = bar.add_task("indexing", total=None, rate=0.0)

        def report(now: "Progress") -> None:
            bar.start()
            bar.update(task, completed=now.done, total=now.total, rate=now.rate)

        yield report


@contextmanager
def learning() -> "Iterator[Callable[[Stage], None]]":
    """Show the stage that learning is in: how far, loss, active triplets, recall on held-out queries, time left."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    more = TextColumn("{task.fields[more]}")
    columns = (BarColumn(bar_width=24), MofNCompleteColumn(), more, TimeRemainingColumn())
    with _bar("{task.description:10}", *columns) as bar:
        task = bar.add_task("", total=None, more="", visible=False)
        doing = ""

        def report(now: "Stage") -> None:
            nonlocal doing
            if doing != now.doing:
                doing = now.doing
                bar.start()
                bar.reset(task, description=doing, visible=True)
            told = [f"{now.rate:,.0f}/s"] if now.rate >= 1 else []
            told += [] if now.loss is None else [f"loss {now.loss:.3f}"]
            told += [] if now.active is None else [f"active {now.active:.0%}"]
            told += [] if now.recall is None else [f"recall@1 {now.recall:.3f}"]
            bar.update(task, completed=now.done, total=now.total, more="  ".join(told))

        yield report


@contextmanager
def working(words: str) -> Iterator[Callable[[int, int], None]]:
    """Show after a second that work goes on, and how far it is once that is reported: report(done, of)."""
    if not sys.stderr.isatty():  # rich is slow to import
        yield lambda done, of: None
        return
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn

    with _bar(words, BarColumn(), TextColumn("{task.fields[count]}"), TimeElapsedColumn()) as bar:
        task = bar.add_task(words, total=None, count="")
        late = threading.Timer(PATIENCE_S, bar.start)
        late.daemon = True
        late.start()
        try:
            yield lambda done, of: bar.update(task, completed=done, total=of, count=f"{done:,}/{of:,}")
        finally:
            late.cancel()
            late.join()


@contextmanager
def _bar(words: str, *columns: "ProgressColumn") -> "Iterator[Bar]":
    """A bar that is gone when the work is done, or broke off."""
    from rich.progress import Progress as Bar
    from rich.progress import TextColumn

    seen = sys.stderr.isatty()
    bar = Bar(TextColumn(words), *columns, console=console(stderr=True), transient=True, disable=not seen)
    try:
        yield bar
    finally:
        bar.stop()
