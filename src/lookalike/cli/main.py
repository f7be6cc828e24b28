"""Shell words -> calls on Collection -> print; no logic."""

import os
import shlex
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import click

from lookalike import __version__
from lookalike.cli import check, console, learn, search, serve, watch
from lookalike.cli.index_report import index_lines
from lookalike.cli.options import AT, FOLDER, SHARD, THREADS, open_collection, with_workers
from lookalike.cli.output import drop_output, echo, echo_json
from lookalike.drawing.png import drawable
from lookalike.errors import DamagedTableWarning, LookalikeError, MemoryLimitError, is_out_of_memory
from lookalike.models.address_space import is_limited, reserve_little
from lookalike.text import plural, printable_line

if TYPE_CHECKING:
    from lookalike.distributed.engine import WorkersKeywords


class _Group(click.Group):
    def invoke(self, context: click.Context) -> Any:
        """Turn our errors into one line and exit 1, wrong usage into one and exit 2, and Ctrl-C into exit 130.

        Our warnings are lines on stderr.
        """
        reserve_little()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("always", DamagedTableWarning)
                warnings.showwarning = _warned(warnings.showwarning)
                return super().invoke(context)
        except click.UsageError as error:
            verb = (error.ctx or context).command_path
            echo(f"{verb}: {printable_line(error.format_message())} See: {verb} --help", err=True)
            sys.exit(2)
        except LookalikeError as error:
            echo(printable_line(str(error)), err=True)
            sys.exit(1)
        except KeyboardInterrupt:
            kept = " What was committed is kept; run the same command to continue."
            echo(f"Interrupted.{kept if context.invoked_subcommand in {'index', 'use', 'watch'} else ''}", err=True)
            sys.exit(130)
        except BrokenPipeError:
            drop_output()
            sys.exit(0)
        except OSError as error:  # a disk or a permission that nothing closer to it foresaw
            _end_without_memory(error, context)
            where = f"{printable_line(os.fsdecode(error.filename))}: " if error.filename else ""
            echo(f"{where}{error.strerror or error}. Check the disk and the permissions.", err=True)
            sys.exit(1)
        except BaseException as error:  # what Rust panics with is no Exception
            _end_without_memory(error, context)
            raise


def _end_without_memory(error: BaseException, context: click.Context) -> None:
    """Where an error says that there is too little memory, say that and exit 1."""
    panicked = type(error).__name__ == "PanicException"  # Rust's, as Lance's
    if is_out_of_memory(error) or (panicked and is_limited()):
        echo(str(MemoryLimitError(str(context.invoked_subcommand))), err=True)
        sys.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="lookalike")
def main() -> None:
    """A picture library that finds "the ones like this"."""


@main.command()
@FOLDER
@AT
@click.option(
    "--backbone",
    metavar="NAME",
    help="The network that computes features: efficientnet-lite0 (default), efficientnet-lite2, a folder, or a model "
    "on the Hugging Face hub: clip and siglip2 (which know words), dinov2, dinov3, or OWNER/MODEL. "
    "A different backbone is filled in the background and replaces the current one when complete.",
)
@click.option("--drop-old", is_flag=True, help="Afterwards, remove the tables of backbones that are not in use.")
@click.option("--moved", is_flag=True, help="Take over the collection in --at DIR: its pictures were moved to FOLDER.")
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out what matches, as in a .gitignore file; may be repeated. To leave it out in every run, write it "
    "into FOLDER/.lookalikeignore.",
)
@click.option("--prune", is_flag=True, help="Forget missing pictures even when more than half of them are missing.")
@click.option("--no-own", is_flag=True, help="Learn no lens from the pictures alone (own, once there are 300).")
@THREADS
@click.option(
    "--pixels",
    type=click.FloatRange(0.001),
    default=100,
    show_default=True,
    metavar="MP",
    help="Refuse pictures of more megapixels.",
)
@with_workers
@SHARD
def index(
    folder: Path | str,
    at: Path | str | None,
    backbone: str | None,
    drop_old: bool,
    moved: bool,
    exclude: tuple[str, ...],
    prune: bool,
    no_own: bool,
    threads: int | None,
    pixels: float,
    **workers: "Unpack[WorkersKeywords]",
) -> None:
    """Create or update the collection of FOLDER."""
    photos = open_collection(folder, at, backbone=backbone, threads=threads, moved=moved)
    started = time.monotonic()
    with console.bars(" pictures/s") as report:
        done = photos.index(prune=prune, megapixels=pixels, drop_old=drop_old, exclude=exclude, own=not no_own,
                            report=report, **workers)  # fmt: skip
    for line in index_lines(done, str(folder), _same(folder, at), time.monotonic() - started):
        echo(printable_line(line), err=True)


@main.command()
@FOLDER
@AT
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def status(folder: Path | str, at: Path | str | None, as_json: bool) -> None:
    """Show counts, sizes, the backbone, and refused files with the reason."""
    found = open_collection(folder, at).status()
    if as_json:
        echo_json(found)
        return
    refused, tables = found.pop("refused"), found.pop("tables")
    found["bytes"] = f"{found['bytes'] / 1e6:.1f} MB on disk"
    for name, value in found.items():
        echo(f"{name:12}{value}")
    for line in console.tables(tables):
        echo(line)
    echo(f"{'refused':12}{len(refused)}")
    for file, reason in refused.items():
        echo(f"  {printable_line(file)}: {reason}")


@main.command()
@FOLDER
@AT
@click.option(
    "--min-similarity", type=float, help="Least similarity of two pictures.  [default: 0.94, of other backbones 0.98]"
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each group.")
def duplicates(folder: Path | str, at: Path | str | None, min_similarity: float | None, as_json: bool) -> None:
    """List groups of pictures with equal (1.0000) or nearly equal content: similarity, the one to keep, another."""
    with console.working("comparing"):
        groups = open_collection(folder, at).duplicates(min_similarity)
    if not groups:
        so = "are nearly equal" if min_similarity is None else f"have a similarity of {min_similarity:g}"
        echo(f"No two pictures {so}. Lower --min-similarity.", err=True)
    for group in groups:
        if as_json:
            others = [{"file": file, "similarity": round(value, 6)} for file, value in group.others]
            echo_json({"keep": group.keep, "others": others})
        else:
            keep = printable_line(group.keep)
            for file, value in group.others:
                echo(f"{value:.4f}\t{keep}\t{printable_line(file)}")


@main.command()
@FOLDER
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@AT
@click.option("--lens", default="plain", metavar="NAME", help="Write this lens's embedding instead of the features.")
def export(folder: Path | str, out: Path, at: Path | str | None, lens: str) -> None:
    """Write files and features to OUT (.parquet, .csv, .npy), or backbone and lens as one model (.onnx)."""
    with console.working("writing"):
        rows = open_collection(folder, at).export(out, lens=lens)
    echo(f"{plural(rows, 'row')} written to {out}" if rows else f"written: {out}", err=True)


@main.command("map")
@FOLDER
@click.argument("out", type=click.Path(path_type=Path))
@AT
@click.option("--lens", default="plain", metavar="NAME", help="Draw this lens's embedding.")
def map_(folder: Path | str, out: Path, at: Path | str | None, lens: str) -> None:
    """Draw the collection in two dimensions, like beside like, with its thumbnails, into the PNG file OUT."""
    drawable(out)
    with console.working("drawing") as report:
        drawn = open_collection(folder, at).map(out, lens=lens, report=report)
    echo(f"drawn: {drawn}", err=True)


for verb in (
    check.check,
    check.compact,
    learn.learn,
    learn.judge,
    learn.lenses,
    learn.use,
    learn.forget,
    learn.layers,
    search.search,
    serve.serve,
    serve.mcp,
    watch.watch,
):
    main.add_command(verb)


def _warned(other: Callable[..., None]) -> Callable[..., None]:
    """Shows our warnings in one line each, and others as before."""

    def show(message: Warning | str, category: type[Warning], *rest: Any) -> None:
        if issubclass(category, DamagedTableWarning):
            echo(printable_line(str(message)), err=True)
        else:
            other(message, category, *rest)

    return show


def _same(folder: Path | str, at: Path | str | None) -> str:
    """The words that name this collection again, ready for a shell."""
    return shlex.join([str(folder), *(["--at", str(at)] if at else [])])
