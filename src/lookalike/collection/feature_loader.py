"""Examples -> arrays: the features of their pictures, from the table where it holds them, else embedded now."""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ExamplesError, ImageError
from lookalike.images.augment import SMALLEST_PART, small_crop, view_squares
from lookalike.images.decode import DecodedImage, content_hash, decode_square, load, read_bytes
from lookalike.images.limits import LIMITS, Limits
from lookalike.index.table import Table
from lookalike.learning.datasets.dataset import Dataset
from lookalike.learning.feature_set import VIEWS, FeatureSet, ViewSet
from lookalike.models.backbone import Backbone
from lookalike.progress import Report, _watched
from lookalike.text import plural

if TYPE_CHECKING:
    from PIL import Image


MOST_VIEWED = 2000  # pictures whose views are learned from
BLOCK = 16  # pictures whose views are decoded together
FEW = 1000  # rows that are picked out of the table one by one; for more, the whole column is read
SAID = 3  # names in one line about pictures that are left out


def load_features(
    examples: Dataset,
    folder: Path,
    table: Table,
    backbone: Backbone,
    *,
    seed: int = 0,
    limits: Limits = LIMITS,
    report: Report | None = None,
) -> FeatureSet:
    """The features of all pictures of the examples; those that cannot be read are left out and named.

    Args:
        examples: the pictures may lie inside the collection or outside.
        folder: the collection's.
        table: what the collection knows.
        backbone: embeds what the table does not hold.
        seed: of the sample and the crops, where pictures are learned from by their own views.
        limits: what a picture may cost.
        report: called as pictures are embedded.
    Raises: ExamplesError, when no picture can be read.
    """
    if examples.views:
        return _gather_views(examples, backbone, seed, limits, report)
    known = _Known(folder, table)
    features = np.zeros((len(examples.paths), backbone.length), np.float32)
    content: list[bytes | None] = [known.by_file(path) for path in examples.paths]
    unknown = [i for i, found in enumerate(content) if found is None]
    bad: dict[int, str] = {}

    def read(i: int) -> DecodedImage:
        raw = read_bytes(examples.paths[i], limits)
        content[i] = content_hash(raw)
        if content[i] in known.files:
            raise _HeldError
        return decode_square(raw, backbone.bundle.side_px, limits)

    for i, outcome, row in _watched(backbone.pipeline(unknown, read), len(unknown), report):
        if isinstance(outcome, ImageError):
            bad[i] = str(outcome)
        elif isinstance(outcome, DecodedImage):
            features[i] = row
        elif not isinstance(outcome, _HeldError):
            raise outcome
    held = [i for i, one in enumerate(content) if one in known.files and i not in bad]
    features[held] = known.features([known.files[one] for i in held if (one := content[i]) is not None])
    kept = np.array([i for i in range(len(content)) if i not in bad], np.int64)
    if not len(kept):
        raise ExamplesError(f"none of the {len(content)} pictures could be read ({_some(examples, bad)}).")
    return FeatureSet(
        features[kept],
        examples.labels[kept],
        None if examples.domains is None else examples.domains[kept],
        _renamed(examples.triplets, kept, len(content)),
        tuple(content[i] or b"" for i in kept),
        tuple(examples.paths[i] for i in kept),
        (f"{plural(len(bad), 'picture')} left out: {_some(examples, bad)}",) if bad else (),
    )


def _gather_views(
    examples: Dataset, backbone: Backbone, seed: int, limits: Limits, report: Report | None
) -> FeatureSet:
    """Each picture a group of its own: itself, its mirror image and crops of it, and a part that only asks."""
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(examples.paths))[:MOST_VIEWED])
    bad: dict[int, str] = {}
    jobs = _views(examples, chosen, rng, backbone, limits, bad)
    found = []
    for (at, content, _), outcome, row in _watched(
        backbone.pipeline(jobs, lambda job: job[2]), (VIEWS + 1) * len(chosen), report
    ):
        if not isinstance(outcome, DecodedImage):
            raise outcome
        found.append((at, content, row))
    if not found:
        raise ExamplesError(f"none of the {len(chosen)} pictures could be read ({_some(examples, bad)}).")
    group, content, features = zip(*found, strict=True)
    said = []
    if len(chosen) < len(examples.paths):
        said.append(f"{len(chosen):,} of {len(examples.paths):,} pictures, drawn at random")
    if bad:
        said.append(f"{plural(len(bad), 'picture')} left out: {_some(examples, bad)}")
    return FeatureSet(
        np.stack(features),
        np.array(group, np.int64),
        None,
        None,
        content,
        tuple(examples.paths[at] for at in group),
        tuple(said),
        ViewSet(seed, backbone.bundle.side_px, np.searchsorted(chosen, group), np.array([one[-1] for one in content])),
    )


def _views(
    examples: Dataset,
    chosen: NDArray[np.int64],
    rng: np.random.Generator,
    backbone: Backbone,
    limits: Limits,
    bad: dict[int, str],
) -> Iterator[tuple[int, bytes, DecodedImage]]:
    """Picture, content and pixels of view after view; each picture is decoded once, those of one block in threads."""

    def read(job: tuple[int, np.random.Generator]) -> tuple[int, bytes, list[DecodedImage]]:
        at, turn = job
        try:
            raw = read_bytes(examples.paths[at], limits)
            side = backbone.bundle.side_px
            looks = [
                *view_squares(raw, side, VIEWS, turn, limits),
                _square(small_crop(load(raw, limits, math.ceil(side / SMALLEST_PART**0.5)), turn), side),
            ]
            return at, content_hash(raw), [DecodedImage(one, side, side) for one in looks]
        except ImageError as error:
            bad[at] = str(error)
            return at, b"", []

    jobs = list(zip(chosen.tolist(), rng.spawn(len(chosen)), strict=True))
    with ThreadPoolExecutor(backbone.threads) as readers:
        for start in range(0, len(jobs), BLOCK):
            for at, content, looks in readers.map(read, jobs[start : start + BLOCK]):
                # A view counts as content of its own, for a query may find the other views of its picture.
                yield from ((at, content + bytes([number]), look) for number, look in enumerate(looks))


def _square(image: "Image.Image", side_px: int) -> NDArray[np.uint8]:
    from PIL import Image

    return np.asarray(image.resize((side_px, side_px), Image.Resampling.BICUBIC))


class _HeldError(Exception):
    """Raised by the reader in place of decoding, for content whose features the table holds."""


class _Known:
    """What the table holds, by file and by content."""

    def __init__(self, folder: Path, table: Table):
        self.folder, self.table = folder.resolve(), table
        columns = table.columns()
        self.rows = {
            file: (size, date, content)
            for file, size, date, content in zip(
                columns["file"], columns["bytes"], columns["mtime_ns"], columns["content"], strict=True
            )
        }
        self.files: dict[bytes | None, str] = dict(zip(columns["content"], columns["file"], strict=True))

    def by_file(self, path: Path) -> bytes | None:
        """The content of a file of the collection that has not changed since it was indexed."""
        try:
            row = self.rows.get(path.resolve().relative_to(self.folder).as_posix())
            status = path.stat()
        except (ValueError, OSError):
            return None
        return row[2] if row is not None and row[:2] == (status.st_size, status.st_mtime_ns) else None

    def features(self, files: Sequence[str]) -> NDArray[np.float32]:
        """(n, f) float32, in the order of the files."""
        names, rows = self.table.features(sorted(set(files)) if len(files) <= FEW else None)
        at = {name: i for i, name in enumerate(names)}
        return rows[[at[file] for file in files]].astype(np.float32)


def _renamed(triplets: NDArray[np.int64] | None, kept: NDArray[np.int64], n: int) -> NDArray[np.int64] | None:
    """Triplets over the rows that are kept; those with a row that is not are left out."""
    if triplets is None:
        return None
    at = np.full(n, -1)
    at[kept] = np.arange(len(kept))
    found = at[triplets]
    return np.asarray(found[(found >= 0).all(axis=1)], np.int64)


def _some(examples: Dataset, bad: dict[int, str]) -> str:
    told = [f"{examples.paths[i].name}: {reason}" for i, reason in list(bad.items())[:SAID]]
    return "; ".join(told) + (f"; and {len(bad) - SAID} more" if len(bad) > SAID else "")
