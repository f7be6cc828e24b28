"""What people see in a terminal: tables of hits, names on one line, progress."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.cli.output import echo, is_terminal
from lookalike.errors import QueryError
from lookalike.images.scan import scan_folder
from lookalike.models.likelihood import percent, word_for
from lookalike.names import on_disk
from lookalike.progress import Progress, Reporter
from lookalike.text import plural, printable_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn, TaskID
    from rich.table import Table

    from lookalike.index.hits import Hits
    from lookalike.models.layers import Layer


def query_files(names: Sequence[str]) -> list[str]:
    """Names of queries; a folder among them is replaced by its files, in natural order.

    Raises: QueryError, for a folder without files.
    """
    found: list[str] = []
    for name in names:
        one = str(on_disk(Path(name))) if not os.path.exists(name) else name  # noqa: PTH110
        if os.path.isdir(one):  # noqa: PTH112  (Path.is_dir raises for a name that is too long)
            inside = [str(file.path) for file in scan_folder(Path(one))]
            if not inside:
                raise QueryError(f"{one}: no files in it. Name a picture, or a folder with pictures.")
            found += inside
        else:
            found.append(name)
    return found


PATIENCE_S = 1.0  # shorter work gets no bar
LINE_S, RARE_LINE_S = 30.0, 600.0  # between lines of progress in a log
NARROW, NARROW_TABLE, NARROWEST = 60, 40, 20  # columns that a bar with its numbers, a table, a share in words needs


def is_narrow(*, stderr: bool = False, columns: int = NARROW_TABLE) -> bool:
    """Whether the terminal has fewer columns than this."""
    return console(stderr=stderr).width < columns


def _draws_bars() -> bool:
    """Whether bars can be drawn on stderr: a terminal that is wide enough and can move its cursor."""
    if not is_terminal(sys.stderr) or os.environ.get("TERM", "").lower() in {"dumb", "unknown"}:
        return False
    return not is_narrow(stderr=True, columns=NARROWEST)


def console(*, stderr: bool = False) -> "Console":
    """A terminal without emoji codes, markup in file names or coloured numbers."""
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
    tells = any(hit.likely is not None for hit in hits)
    if tells:
        drawn.add_column("likely", no_wrap=True)
    drawn.add_column("file", overflow="fold")  # never cut: people copy names
    for rank, hit in enumerate(hits, start=1):
        folder, slash, name = printable_line(hit.file).rpartition("/")
        file = Text.assemble((folder + slash, "dim"), name)
        file.stylize(f"link {hit.path.absolute().as_uri()}")
        drawn.add_row(str(rank), f"{hit.similarity:.3f}", *([likely_cell(hit.likely)] if tells else []), file)
    return drawn


def likely_cell(likely: float | None) -> str:
    """How likely a hit is right, as a bar, a percentage and words; nothing where it is not known.

    >>> likely_cell(0.87), likely_cell(None)
    ('███▌ 87% likely', '')
    """
    if likely is None:
        return ""
    eighths = round(likely * 32)
    bar = "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()
    return f"{bar:4} {percent(likely)} {word_for(likely)}"


def tables(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The tables of a collection, a line each: backbone, pictures, size, and what the table is for."""
    for row in rows:
        roles = {"serves": "serves", "original": "original", "filling": "being filled"}
        role = ", ".join(word for key, word in roles.items() if row[key]) or "kept"
        size = f"{row['bytes'] / 1e6:.1f} MB"
        yield f"{'table':12}{printable_line(row['backbone'])}  {plural(row['pictures'], 'picture')}  {size}  {role}"


def layers(rows: "Sequence[Layer]") -> "Table":
    """A backbone's layers as a table; trainable ones are green."""
    from rich import box
    from rich.table import Table

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim", border_style="dim")
    drawn.add_column("", justify="right", no_wrap=True)
    drawn.add_column("layer", overflow="fold")  # never cut: people copy names
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


class Messages(Reporter):
    """Prints messages to stderr; progress is not shown."""

    def message(self, line: str) -> None:
        """Print a line."""
        echo(line, err=True)


class ProgressLines(Messages):
    """Prints a line of progress now and then, for logs: none in the first half minute, at most one each half minute,
    and with work of hours one for each hundredth, or each ten minutes.

    Args:
        unit: of the rate.
        now: a clock, in seconds.
    """

    def __init__(self, unit: str = "/s", now: Callable[[], float] = time.monotonic):
        self._unit, self._now = unit, now
        self._last, self._told = now(), ("", 0)

    def progress(self, progress: Progress) -> None:
        """Print a line, where one is due."""
        passed, (stage, done) = self._now() - self._last, self._told
        is_little = stage == progress.stage and (progress.done - done) * 100 < progress.total
        if passed < LINE_S or (is_little and passed < RARE_LINE_S):
            return
        self._last, self._told = self._now(), (progress.stage, progress.done)
        more = measured(progress, self._unit)
        left = f"  {_duration(progress.remaining_s)} left" if progress.remaining_s >= 1 else ""
        echo(f"{progress.stage}: {progress.done:,} of {progress.total:,}{'  ' * bool(more)}{more}{left}", err=True)


def _duration(seconds: float) -> str:
    """Seconds in words.

    >>> _duration(59), _duration(600), _duration(9000)
    ('59 s', '10 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


class _Bars(Messages):
    """Draws the stage that work is in: how far it is, its rate, what is measured, and the time left."""

    def __init__(self, bar: "Bar", unit: str):
        self._bar, self._unit, self._stage = bar, unit, ""
        self._task = bar.add_task("", total=None, more="", visible=False)

    def progress(self, progress: Progress) -> None:
        if self._stage != progress.stage:
            self._stage = progress.stage
            self._bar.start()
            self._bar.reset(self._task, description=progress.stage, visible=True)
        self._bar.update(self._task, completed=progress.done, total=progress.total, more=measured(progress, self._unit))

    def message(self, line: str) -> None:
        self._bar.console.print(printable_line(line), soft_wrap=True)


def measured(progress: Progress, unit: str = "/s") -> str:
    """The rate and the metrics of a stage, in words.

    >>> measured(Progress("tuning", 1, 2, 12.0, metrics={"loss": 0.5, "active": 0.25, "recall@1": 0.75}))
    '12/s  loss 0.500  active 25%  recall@1 0.750'
    """
    words = [f"{progress.rate:,.0f}{unit}"] if progress.rate >= 1 else []
    for name, value in progress.metrics.items():
        words.append(f"{name} {value:.0%}" if name == "active" else f"{name} {value:.3f}")
    return "  ".join(words)


@contextmanager
def bars(unit: str = "/s") -> Iterator[Reporter]:
    """Show each stage of some work on stderr, with its metrics; messages are lines above it.

    Args:
        unit: of the rate.
    """
    if not _draws_bars():  # rich is slow to import
        yield ProgressLines(unit)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

    more = TextColumn("{task.fields[more]}")
    columns: tuple[ProgressColumn, ...] = (BarColumn(bar_width=24), MofNCompleteColumn(), more, TimeRemainingColumn())
    if is_narrow(stderr=True, columns=NARROW):
        columns = (TaskProgressColumn(),)
    with _bar("{task.description:10}", *columns) as bar:
        yield _Bars(bar, unit)


class _Count(Messages):
    """Shows how many are done; messages are lines above it."""

    def __init__(self, bar: "Bar", task: "TaskID"):
        self._bar, self._task = bar, task

    def progress(self, progress: Progress) -> None:
        count = f"{progress.done:,}/{progress.total:,}"
        self._bar.update(self._task, completed=progress.done, total=progress.total, count=count)

    def message(self, line: str) -> None:
        self._bar.console.print(printable_line(line), soft_wrap=True)


@contextmanager
def working(words: str) -> Iterator[Reporter]:
    """Show after a second that work goes on, and how far it is once that is reported."""
    if not _draws_bars():  # rich is slow to import
        yield ProgressLines()
        return
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.fields[count]}"), TimeElapsedColumn())
    with _bar(words, *([] if is_narrow(stderr=True, columns=NARROW) else columns)) as bar:
        task = bar.add_task(words, total=None, count="")
        late = threading.Timer(PATIENCE_S, bar.start)
        late.daemon = True
        late.start()
        try:
            yield _Count(bar, task)
        finally:
            late.cancel()
            late.join()


@contextmanager
def _bar(words: str, *columns: "ProgressColumn") -> "Iterator[Bar]":
    """A bar that is removed when the work ends, whichever way."""
    from rich.progress import Progress as Bar
    from rich.progress import TextColumn

    bar = Bar(TextColumn(words), *columns, console=console(stderr=True), transient=True)
    try:
        yield bar
    finally:
        bar.stop()
