"""What a collection learns from: data that was named, else its judgements, else its pictures' own views."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, cast

from lookalike.distributed.engine import WorkersKeywords
from lookalike.errors import ExamplesError
from lookalike.learning.config import LearnOptions
from lookalike.learning.datasets.dataset import Dataset
from lookalike.learning.datasets.judgements import Judgements
from lookalike.learning.datasets.python_tables import is_path
from lookalike.learning.datasets.readers import from_files, read, sources_of
from lookalike.learning.datasets.tables import Layout

ENOUGH_JUDGEMENTS = 20
ExamplesSource = str | PathLike[str] | Mapping[Any, Any] | Iterable[Any] | Dataset | None


class LearnKeywords(LearnOptions, WorkersKeywords, total=False):
    """The keyword options of `Collection.learn`: how to learn, and where the column of the lens is filled."""


def split_keywords(given: LearnKeywords) -> tuple[LearnOptions, WorkersKeywords]:
    """How to learn, and where.

    >>> split_keywords({"quick": True, "on": "ray"})
    ({'quick': True}, {'on': 'ray'})
    """
    options, names = dict(given), WorkersKeywords.__annotations__
    where = {name: options.pop(name) for name in names if name in options}
    return cast(LearnOptions, options), cast(WorkersKeywords, where)


@dataclass(frozen=True)
class LearnRequest:
    """What to learn from, and what becomes of the lens: see `Collection.learn`."""

    source: ExamplesSource = None
    as_: Layout | None = None
    name: str | None = None
    replace: bool = False
    use: bool = False
    resume: bool = False


def dataset_from(
    source: ExamplesSource,
    as_: Layout | None,
    folder: Path,
    judgements: Judgements,
    files: Sequence[str],
    shell_words: str | None = None,
) -> tuple[Dataset, list[str]]:
    """The dataset to learn from, and what it came from, by name.

    Args:
        source: what `read` takes: folders and CSV files, a DataFrame, a dict, rows, or a Dataset; None for what the
            collection itself has.
        as_: how to read folders that could be read in more than one way; without a source "views" takes the pictures
            even where there are judgements.
        folder: the collection's.
        judgements: what people answered.
        files: of the collection.
        shell_words: what names the collection in a shell; None: its folder.
    Raises: ExamplesError.
    """
    if source is not None:
        parts = sources_of(source)
        if not parts:
            raise ExamplesError("no data named. Name a folder or a CSV, or leave it out to learn from judgements.")
        names = [str(Path(one)) if is_path(one) else "examples" for one in parts]
        return read(parts if len(parts) > 1 else parts[0], as_=as_, folder=folder), names
    if as_ != "views" and judgements.learnable() >= ENOUGH_JUDGEMENTS:
        return judgements.examples(folder), ["judgements"]
    if not files:
        raise ExamplesError(f"{folder}: no pictures to learn from. Run: lookalike index {shell_words or folder}")
    return from_files([folder / file for file in files]), ["views"]


def source_of(settings: Mapping[str, Any]) -> str | None:
    """What a lens was learned from, by its settings.

    Returns: "judgements", "views", "folders" (class folders or sides), "csv", "python" (a DataFrame, a dictionary or
        rows), "several" of them together; None where the settings do not tell.

    >>> source_of({"layout": "classes", "data": ["photos"]})
    'folders'
    """
    layout, data = settings.get("layout"), settings.get("data")
    if not isinstance(layout, str) or not isinstance(data, list) or not data:
        return None
    if layout in ("judgements", "views", "several"):
        return layout
    if layout in ("classes", "sides"):
        return "folders"
    return "python" if data == ["examples"] else "csv"


def name_after(data: Sequence[str]) -> str:
    """A lens's name after its data: the last part of the first path, in a-z, 0-9 and -.

    >>> name_after(["~/My Pairs/"]), name_after(["일.csv"])
    ('my-pairs', 'lens')
    """
    stem = Path(data[0]).resolve().stem if data else ""
    name = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:40].strip("-")
    return name if name and name != "plain" else "lens"
