"""What a collection learns from: data that was named, else its judgements, else its pictures' own views."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lookalike.errors import ExamplesError
from lookalike.learning.datasets.dataset import Dataset
from lookalike.learning.datasets.judgements import Judgements
from lookalike.learning.datasets.readers import from_files, merge_datasets, read

ENOUGH_JUDGEMENTS = 20
ExamplesSource = str | Path | Sequence[str | Path] | Dataset | None
Layout = Literal["sides", "classes", "views"]


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
        source: folders and CSV files, or a Dataset; None for what the collection itself has.
        as_: how to read folders that could be read in more than one way.
        folder: the collection's.
        judgements: what people answered.
        files: of the collection.
        shell_words: what names the collection in a shell; None: its folder.
    Raises: ExamplesError.
    """
    if isinstance(source, Dataset):
        return source, ["examples"]
    if source is not None:
        named = [Path(one) for one in ([source] if isinstance(source, str | Path) else source)]
        parts = [read(one, as_=as_, folder=folder) for one in named]
        if not parts:
            raise ExamplesError("no data named. Name a folder or a CSV, or leave it out to learn from judgements.")
        return (parts[0] if len(parts) == 1 else merge_datasets(parts)), [str(one) for one in named]
    if len(judgements.standing()) >= ENOUGH_JUDGEMENTS:
        return judgements.examples(folder), ["judgements"]
    if not files:
        raise ExamplesError(f"{folder}: no pictures to learn from. Run: lookalike index {shell_words or folder}")
    return from_files([folder / file for file in files]), ["views"]


def name_after(data: Sequence[str]) -> str:
    """A lens's name after its data: the last part of the first path, in a-z, 0-9 and -.

    >>> name_after(["~/My Pairs/"]), name_after(["일.csv"])
    ('my-pairs', 'lens')
    """
    stem = Path(data[0]).resolve().stem if data else ""
    name = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:40].strip("-")
    return name if name and name != "plain" else "lens"
