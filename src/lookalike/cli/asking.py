"""What the words after `search` ask for -> one call on Collection."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from lookalike.cli.console import query_files

if TYPE_CHECKING:
    from lookalike.collection.collection import Collection
    from lookalike.collection.search_options import SearchKeywords
    from lookalike.images.sources import NamedImage
    from lookalike.index.hits import Hits
    from lookalike.progress import Reporter

TEXT = click.option(
    "--text",
    multiple=True,
    metavar="WORDS",
    help="Find what these words say, where the backbone knows words; may be repeated, and joined with QUERY, --plus "
    "and --minus. Each part may have a weight behind it: 'red bag^2', a.jpg^0.5, 'striped^-1' for less of it. With "
    "words or weights a hit's similarity is the weighted mean of those to all parts.",
)
PLUS = click.option(
    "--plus",
    multiple=True,
    metavar="FILE",
    help="Find what is like QUERY and this picture; may be repeated. The pictures named are no hits then, and a hit's "
    "similarity is that to the nearest of QUERY and --plus.",
)
MINUS = click.option(
    "--minus", multiple=True, metavar="FILE", help="Find what is unlike this picture; may be repeated."
)


class Parts(NamedTuple):
    """What a search is asked with, as it was written."""

    query: tuple[str, ...]
    text: tuple[str, ...]
    plus: tuple[str, ...]
    minus: tuple[str, ...]
    together: bool = False
    fetched: "Sequence[Path | NamedImage]" = ()


def fetched(urls: Sequence[str], allow_private: bool, clipboard: bool) -> "Sequence[Path | NamedImage]":
    """The pictures at addresses and in the clipboard. Raises: ImageError."""
    if not urls and not clipboard:
        return ()
    from lookalike.cli import fetched  # loads ssl and Pillow

    return fetched.fetched(urls, allow_private, clipboard)


def answers(
    photos: "Collection",
    parts: Parts,
    k: int,
    options: "SearchKeywords",
    skipped: dict[str, str],
    report: "Reporter",
) -> "Sequence[Hits]":
    """An answer for each query, or one for all parts where there are several kinds.

    Raises: UsageError, where nothing is asked with, or it is not clear with what.
    """
    query, text, plus, minus, together, others = parts
    if not query and not text and not others:
        raise click.UsageError("Missing argument 'QUERY...' (or --text WORDS, --url URL, --clipboard).")
    if address := next((one for one in query if one.startswith(("http://", "https://"))), None):
        raise click.UsageError(f"{address} is an address: write it behind --url.")
    if not text and not plus and not minus and not together:
        return photos.search([*query_files(query), *others], k, skipped=skipped, report=report, **options)
    from lookalike.index.words import Weighted, parse_weighted  # loads the index

    def sources(names: Sequence[str]) -> list[Any]:
        """Pictures with their weights; a folder among them is replaced by its files."""
        found: list[Any] = []
        for one in map(parse_weighted, names):
            found += query_files([one]) if isinstance(one, str) else [one]
        return found

    first = [*sources(query), *others]
    if not text and not together and len(first) != 1:
        raise click.UsageError("--plus and --minus: name one QUERY that is a picture, or add --together.")
    alone = not text and not plus and not minus and len(first) == 1
    if alone and not isinstance(first[0], Weighted):
        return [photos.search(first[0], k, **options)]
    words = [parse_weighted(one, text=True) for one in text]
    asked: SearchKeywords = {**options, "positive": [*first, *sources(plus)], "negative": sources(minus), "text": words}
    return [photos.search(None, k, **asked)]
