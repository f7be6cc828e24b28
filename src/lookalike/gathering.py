"""Examples -> arrays: the features of their pictures, from the table where it holds them, else embedded now."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lookalike.backbone import Backbone
from lookalike.bounds import LIMITS, Limits
from lookalike.errors import ExamplesError, ImageError
from lookalike.learn.belonging import plural
from lookalike.learn.examples import Dataset
from lookalike.pictures import (
    SMALLEST_CROP,
    SMALLEST_PART,
    DecodedImage,
    content_hash,
    decode_square,
    load,
    read_bytes,
    small_crop,
    view_squares,
    views,
)
from lookalike.table import Table

if TYPE_CHECKING:
    from PIL import Image

VIEWS = 4  # of each picture, where nothing but its own views says what belongs together
MOST_VIEWED = 2000  # pictures whose views are learned from
BLOCK = 16  # pictures whose views are decoded together
FEW = 1000  # rows that are picked out of the table one by one; for more, the whole column is read
SAID = 3  # names in one line about pictures that are left out

Report = Callable[["Stage"], None]


@dataclass(frozen=True)
class Stage:
    """How far learning has come: what is being done, how much of it, and what it looks like meanwhile.

    Attributes:
        doing: "embedding", "rehearsing", "proving", "learning", "applying"; where a backbone learns also "caching",
            "tuning" and "switching".
        done, total: of pictures, splits or steps.
        rate: of these a second.
        remaining_s: seconds until this stage is done.
        loss, active, recall: of the newest step: its loss, the share of triplets that still teach, and recall@1 on
            held-out queries; None where there is none.
    """

    doing: str
    done: int
    total: int
    rate: float = 0.0
    remaining_s: float = 0.0
    loss: float | None = None
    active: float | None = None
    recall: float | None = None


@dataclass(frozen=True)
class FeatureSet:
    """Examples as arrays of n rows: what learn/ and siamese/ work on.

    Attributes:
        features: (n, f) float32.
        group, side, triplets: as in Examples, over these rows.
        content: n hashes: rows of equal ones are one and the same picture, or view of it.
        paths: n files; with views a file stands at each of its views.
        said: lines for people: what was left out and why.
        looks: how the rows are views of their files; None where they are the files themselves.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    domains: NDArray[np.int64] | None
    triplets: NDArray[np.int64] | None
    content: tuple[bytes, ...]
    paths: tuple[Path, ...]
    notes: tuple[str, ...]
    views: "ViewSet | None" = None

    def training_rows(self) -> "FeatureSet":
        """The rows that a lens learns from: all but the parts that only ask."""
        if self.views is None:
            return self
        kept = np.flatnonzero(~self.views.query_mask)
        content, paths = tuple(self.content[row] for row in kept), tuple(self.paths[row] for row in kept)
        looks = replace(self.views, turn=self.views.turn[kept], number=self.views.number[kept])
        return replace(
            self, features=self.features[kept], labels=self.labels[kept], content=content, paths=paths, views=looks
        )

    def names(self, folder: Path) -> list[str]:
        """What each row is called: a file of the collection in `folder` as it is called there, else its whole path."""
        root, found = folder.resolve(), []
        for path in self.paths:
            whole = path.resolve()
            found.append(whole.relative_to(root).as_posix() if whole.is_relative_to(root) else str(whole))
        return found


@dataclass(frozen=True)
class ViewSet:
    """Views of pictures, so that they can be drawn again as they were embedded.

    Attributes:
        seed: of the crops.
        side_px: of the squares that were embedded: what a picture was decoded for.
        turn: (n,) the number of each row's picture among those that were looked at.
        number: (n,) which of the picture's views it is, from 0 on: the picture itself; the last is the part of it that
            the proof asks with, and nothing learns from.
    """

    seed: int
    side_px: int
    turn: NDArray[np.int64]
    number: NDArray[np.int64]

    def image(self, row: int, path: Path, limits: Limits = LIMITS) -> "Image.Image":
        """One view, in its own shape. Raises: PictureError, when the file cannot be read any more."""
        # The children of a generator's seed by number, as `spawn` gave them to `_views`.
        turn = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(int(self.turn[row]),)))
        looks = views(load(path, limits, math.ceil(self.side_px / SMALLEST_CROP**0.5)), VIEWS, turn)
        if self.number[row] < VIEWS:
            return looks[int(self.number[row])]
        return small_crop(load(path, limits, math.ceil(self.side_px / SMALLEST_PART**0.5)), turn)

    @property
    def query_mask(self) -> NDArray[np.bool_]:
        """The rows that are asked with: parts of pictures."""
        return np.asarray(self.number == VIEWS)

    @property
    def gallery_mask(self) -> NDArray[np.bool_]:
        """The rows that are pictures as they are."""
        return np.asarray(self.number == 0)


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


def _watched(pipeline: Iterator[Any], total: int, report: Report | None) -> Iterator[Any]:
    started = time.monotonic()
    for done, one in enumerate(pipeline, start=1):
        yield one
        if report is not None:
            rate = done / max(time.monotonic() - started, 1e-6)
            report(Stage("embedding", done, total, rate, (total - done) / rate))


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
