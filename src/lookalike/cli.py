"""Shell words -> calls on Collection -> print; no logic."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lookalike import __version__
from lookalike.collection import Collection
from lookalike.errors import LookalikeError

if TYPE_CHECKING:
    from lookalike.hits import Hits
    from lookalike.indexing import Progress

FOLDER = click.argument("folder", type=click.Path(path_type=Path))
AT = click.option("--at", type=click.Path(path_type=Path), help="Keep the collection in DIR, not in FOLDER/.lookalike.")


class _Group(click.Group):
    def invoke(self, context: click.Context) -> Any:
        """Turn our errors into one line and exit 1, and Ctrl-C into exit 130."""
        try:
            return super().invoke(context)
        except LookalikeError as error:
            click.echo(str(error).replace("\n", "\\n"), err=True)
            sys.exit(1)
        except KeyboardInterrupt:
            click.echo("Interrupted. What was committed is kept; the same command goes on.", err=True)
            sys.exit(130)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="lookalike")
def main() -> None:
    """A picture library that finds "the ones like this"."""


@main.command()
@FOLDER
@AT
@click.option("--backbone", metavar="NAME", help="efficientnet-lite0 (default), efficientnet-lite2, or a bundle.")
@click.option("--prune", is_flag=True, help="Forget missing pictures even when most of them are missing.")
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Threads of the processor; all by default.")
@click.option(
    "--pixels", type=click.FloatRange(0.001), default=100, show_default=True, metavar="MP", help="Refuse larger."
)
def index(folder: Path, at: Path | None, backbone: str | None, prune: bool, threads: int | None, pixels: float) -> None:
    """Make or update the collection of FOLDER."""
    photos = Collection(folder, at=at, backbone=backbone, threads=threads)
    started = time.monotonic()
    done = photos.index(prune=prune, megapixels=pixels, report=_progress())
    counts = {"added": done.added, "changed": done.changed, "moved": done.moved, "gone": done.gone}
    said = [f"{count:,} {word}" for word, count in counts.items() if count] or ["nothing new"]
    click.echo(f"{', '.join(said)}, {done.unchanged:,} unchanged, in {time.monotonic() - started:.1f} s.", err=True)
    if done.kept_missing:
        click.echo(
            f"{done.kept_missing:,} pictures are missing, more than half: kept, as if a disk were unplugged. "
            "If they are really gone, add --prune.",
            err=True,
        )
    for name, reason in done.passed_over.items():
        click.echo(f"passed over {name}: {reason}", err=True)
    for name, reason in done.damaged.items():
        click.echo(f"lens {name} left out: {reason}", err=True)
    if done.refused:
        click.echo(f"{len(done.refused):,} files refused. See why with: lookalike status {folder}", err=True)


@main.command()
@FOLDER
@click.argument("query", nargs=-1, required=True)
@AT
@click.option("-k", type=click.IntRange(1), default=5, show_default=True, help="How many hits.")
@click.option("--lens", metavar="NAME", help="Search through this lens; 'plain' for none.")
@click.option("--others", is_flag=True, help="Leave out the query itself and its copies.")
@click.option("--where", metavar="SQL", help="Only pictures with, for instance: width > 640 AND file LIKE 'shoes/%'.")
@click.option("--min-similarity", type=float, metavar="X", help="Leave out hits below X (-1 to 1).")
@click.option(
    "--grid", "grid_out", type=click.Path(path_type=Path, dir_okay=False), help="Draw the hits into this PNG."
)
@click.option("--open", "open_it", is_flag=True, help="Show the grid in the system's viewer.")
@click.option("--copy-to", type=click.Path(path_type=Path), metavar="DIR", help="Copy the hits there.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a query.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated: query, rank, similarity, file.")
def search(
    folder: Path,
    query: tuple[str, ...],
    at: Path | None,
    k: int,
    lens: str | None,
    others: bool,
    where: str | None,
    min_similarity: float | None,
    grid_out: Path | None,
    open_it: bool,
    copy_to: Path | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show the K pictures of FOLDER most like each QUERY: a picture, a file of the collection, or a folder of them."""
    photos = Collection(folder, at=at)
    answers = photos.search(
        photos.queries(query), k, lens=lens, others=others, where=where, min_similarity=min_similarity
    )
    show: Callable[[Sequence[Hits]], None] = _json if as_json else _csv if as_csv else _table
    show(answers)
    if grid_out or open_it:
        out = photos.draw(answers, grid_out)
        click.echo(f"drawn: {out}", err=True)
        if open_it:
            click.launch(str(out))
    for hits in answers if copy_to else ():
        assert copy_to is not None
        copies = photos.copy_hits(hits, copy_to)
        click.echo(f"{len(copies)} pictures copied to {copy_to}", err=True)


@main.command()
@FOLDER
@AT
@click.option("--json", "as_json", is_flag=True, help="As one line of JSON.")
def status(folder: Path, at: Path | None, as_json: bool) -> None:
    """Counts, refused files with reasons, backbone, sizes."""
    found = Collection(folder, at=at).status()
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    refused = found.pop("refused")
    found["bytes"] = f"{found['bytes'] / 1e6:.1f} MB on disk"
    for name, value in found.items():
        click.echo(f"{name:12}{value}")
    click.echo(f"{'refused':12}{len(refused)}")
    for file, reason in refused.items():
        click.echo(f"  {_one_line(file)}: {reason}")


@main.command()
@FOLDER
@AT
@click.option("--min-similarity", type=float, default=0.98, show_default=True, help="Nearly equal from here on.")
def duplicates(folder: Path, at: Path | None, min_similarity: float) -> None:
    """Pairs of pictures of equal (1.0000) or nearly equal content."""
    for first, second, value in Collection(folder, at=at).duplicates(min_similarity):
        click.echo(f"{value:.4f}\t{_one_line(first)}\t{_one_line(second)}")


@main.command()
@FOLDER
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@AT
@click.option("--lens", default="plain", metavar="NAME", help="Write this lens's embedding in place of the features.")
def export(folder: Path, out: Path, at: Path | None, lens: str) -> None:
    """Write files and features to OUT: .parquet, .csv or .npy by its ending."""
    rows = Collection(folder, at=at).export(out, lens=lens)
    click.echo(f"{rows:,} rows written to {out}", err=True)


@main.command("map")
@FOLDER
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@AT
@click.option("--lens", default="plain", metavar="NAME", help="As this lens sees it.")
def map_(folder: Path, out: Path, at: Path | None, lens: str) -> None:
    """Draw the collection in two dimensions, with its thumbnails, into the PNG file OUT."""
    click.echo(f"drawn: {Collection(folder, at=at).map(out, lens=lens)}", err=True)


def _progress() -> "Callable[[Progress], None]":
    from rich import progress
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    bar = progress.Progress(
        TextColumn("indexing"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f} pictures/s"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task("indexing", total=None, rate=0.0)

    def report(now: "Progress") -> None:
        bar.start()
        bar.update(task, completed=now.done, total=now.total, rate=now.rate)
        if now.done == now.total:
            bar.stop()

    return report


def _table(answers: "Sequence[Hits]") -> None:
    links = sys.stdout.isatty()
    for number, hits in enumerate(answers):
        if len(answers) > 1:
            click.echo(f"{chr(10) if number else ''}{_one_line(hits.query)}")
        for hit in hits:
            name = _one_line(hit.file)
            if links:
                name = f"\x1b]8;;{hit.path.resolve().as_uri()}\x1b\\{name}\x1b]8;;\x1b\\"
            click.echo(f"{hit.similarity:.3f}\t{name}")


def _json(answers: "Sequence[Hits]") -> None:
    for hits in answers:
        found = [{"file": hit.file, "similarity": round(hit.similarity, 6)} for hit in hits]
        click.echo(json.dumps({"query": hits.query, "lens": hits.lens, "hits": found}, ensure_ascii=False))


def _csv(answers: "Sequence[Hits]") -> None:
    import csv

    writer = csv.writer(sys.stdout)
    writer.writerow(["query", "rank", "similarity", "file"])
    for hits in answers:
        writer.writerows([hits.query, rank, f"{hit.similarity:.6f}", hit.file] for rank, hit in enumerate(hits, 1))


def _one_line(file: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in file)
