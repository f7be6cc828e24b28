"""The verb `search`: words -> one call on Collection -> hits, printed, drawn and copied."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lookalike.cli import asking, console
from lookalike.cli.answers import print_csv, print_json, print_table
from lookalike.cli.asking import MINUS, PLUS, TEXT
from lookalike.cli.options import AT, FOLDER, open_collection
from lookalike.cli.output import drop_output, echo
from lookalike.drawing.png import drawable
from lookalike.images.copy_target import check_copyable
from lookalike.text import plural, printable_line

if TYPE_CHECKING:
    from lookalike.collection.search_options import Cut, SearchKeywords
    from lookalike.index.hits import Hits


class _Cut(click.ParamType[Any]):
    name = "similarity"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """A number, or the word learned."""
        return value if value == "learned" else click.FLOAT.convert(value, param, ctx)


@click.command()
@FOLDER
@click.argument("query", nargs=-1)
@AT
@TEXT
@click.option("-k", type=click.IntRange(1), default=5, show_default=True, help="How many hits.")
@click.option("--lens", metavar="NAME", help="Search through this lens; 'plain' for none.")
@click.option("--others", is_flag=True, help="Leave out the query itself and its copies.")
@click.option(
    "--where", metavar="SQL", help="Only pictures that meet a condition: width > 640 AND file LIKE 'shoes/%'."
)
@click.option(
    "--min-similarity",
    type=_Cut(),
    metavar="X|learned",
    help="Leave out hits below X (-1 to 1); 'learned': below the threshold that the lens's proof found.",
)
@click.option(
    "--likely",
    type=click.FloatRange(0, 1),
    metavar="P",
    help="Leave out hits that are less likely right than P (0 to 1), by what the lens's proof learned.",
)
@PLUS
@MINUS
@click.option("--url", multiple=True, metavar="URL", help="Ask with the picture at this address (http, https, 50 MB).")
@click.option("--allow-private", is_flag=True, help="Let --url lead to this machine and to private networks.")
@click.option("--clipboard", is_flag=True, help="Ask with the picture in the clipboard.")
@click.option("--together", is_flag=True, help="All QUERY are one question, as if all but the first were --plus.")
@click.option("--reverse", is_flag=True, help="The least similar first.")
@click.option(
    "--unique", is_flag=True, help="Of copies and nearly equal pictures show the first; says how many are hidden."
)
@click.option(
    "--approximate", is_flag=True, help="Use an approximate index, made when first asked; for millions of pictures."
)
@click.option(
    "--grid", "grid_out", type=click.Path(path_type=Path), metavar="FILE", help="Draw the hits into this PNG file."
)
@click.option("--open", "open_it", is_flag=True, help="Open the grid in the system's viewer.")
@click.option(
    "--copy-to", type=click.Path(path_type=Path), metavar="DIR", help="Copy the hits' files into this folder."
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each query.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV: query, rank, similarity, file, likely.")
def search(
    folder: Path | str,
    query: tuple[str, ...],
    at: Path | str | None,
    text: tuple[str, ...],
    k: int,
    lens: str | None,
    others: bool,
    where: str | None,
    min_similarity: "Cut",
    likely: float | None,
    plus: tuple[str, ...],
    minus: tuple[str, ...],
    url: tuple[str, ...],
    allow_private: bool,
    clipboard: bool,
    together: bool,
    reverse: bool,
    unique: bool,
    approximate: bool,
    grid_out: Path | None,
    open_it: bool,
    copy_to: Path | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show the K pictures of FOLDER most like each QUERY (a picture, a file of the collection, a folder), or --text."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv: choose one.")
    photos = open_collection(folder, at)
    if grid_out:
        drawable(grid_out)
    if copy_to:
        check_copyable(copy_to)
    skipped: dict[str, str] = {}
    with console.working("searching") as report:
        options: SearchKeywords = {
            "lens": lens, "others": others, "where": where, "min_similarity": min_similarity, "reverse": reverse,
            "unique": unique, "likely": likely, "approximate": approximate,
        }  # fmt: skip
        fetched = asking.fetched(url, allow_private, clipboard)
        parts = asking.Parts(query, text, plus, minus, together, fetched)
        answers = asking.answers(photos, parts, k, options, skipped, report)
    show: Callable[[Sequence[Hits]], None] = print_json if as_json else print_csv if as_csv else print_table
    try:
        show(answers)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:  # the grid and the copies are still made
        drop_output()
    for line in (*skipped.values(), *(hits.note for hits in answers if hits.note)):
        echo(printable_line(line), err=True)
    if answers and not any(answers):
        echo("No hits. Relax --where, --min-similarity or --likely, or leave --others out.", err=True)
    if answers and (grid_out or open_it):
        with console.working("drawing"):
            out = photos.draw(answers, grid_out)
        echo(f"drawn: {out}", err=True)
        if open_it and click.launch(str(out)):
            echo(f"No viewer could be opened here. Look at {out.absolute()}", err=True)
    if answers and copy_to:
        with console.working("copying"):
            copies = photos.copy_hits(answers, copy_to)
        echo(f"{plural(len(copies), 'picture')} copied to {copy_to}", err=True)
    if not answers or any(name in skipped for name in (*query, *map(str, fetched))):
        sys.exit(1)  # a stray file in a folder of queries is named and no more
