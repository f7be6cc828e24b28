"""A dataset -> features: from the collection's table where it holds the image, else embedded now."""

import math
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.errors import ExamplesError, ImageError
from lookalike.images.augment import SMALLEST_PART, small_crop, view_squares
from lookalike.images.decode import DecodedImage, content_hash, load, read_bytes
from lookalike.images.fetched import is_stand_in
from lookalike.images.limits import LIMITS, Limits
from lookalike.index.reader import Decoded, ImageReader
from lookalike.index.snapshot import Snapshot
from lookalike.learning.closed_form.label_free import MOST
from lookalike.learning.datasets.dataset import Dataset
from lookalike.learning.feature_set import VIEWS, FeatureSet, ViewSet
from lookalike.learning.labelled_features import LabelledFeatures, PartWeights
from lookalike.models.backbone import Backbone
from lookalike.progress import SILENT, Reporter, track
from lookalike.text import plural

MOST_VIEWED = 400  # images whose views are learned from; more of them teach no more
BLOCK = 16  # images whose views are decoded together
FEW = 1000  # rows that are picked out of the table one by one; for more, the whole column is read
NAMED = 3  # names in one line about images that are left out
NO_NUMBERS = "its features are no numbers"


class FeatureLoader:
    """Loads the features of datasets, whose images may lie in the collection or outside it.

    Args:
        folder: the collection's.
        snapshot: its table; None where there is none.
        backbone: of that table; embeds what the table does not hold.
        limits: what an image may cost.
        most_viewed: images whose views are learned from; of more, a sample is drawn.
    """

    def __init__(
        self,
        folder: Path,
        snapshot: Snapshot | None,
        backbone: Backbone,
        limits: Limits = LIMITS,
        most_viewed: int = MOST_VIEWED,
    ):
        self.folder, self.snapshot, self.backbone = folder, snapshot, backbone
        self.limits, self.most_viewed = limits, most_viewed

    def load(self, dataset: Dataset, seed: int = 0, reporter: Reporter = SILENT) -> FeatureSet:
        """The features of all images of a dataset; those that cannot be read are left out and named.

        Args:
            dataset: what to load.
            seed: of the sample and the crops, where each image stands for itself and is learned from by its views.
            reporter: told of each image that is embedded: "embedding".
        Raises: ExamplesError, when no image can be read.
        """
        return self._load_views(dataset, seed, reporter) if dataset.views else self._load_images(dataset, reporter)

    def _load_images(self, dataset: Dataset, reporter: Reporter) -> FeatureSet:
        known = KnownImages(self.folder, self.snapshot)
        paths = dataset.paths
        features = np.zeros((len(paths), self.backbone.length), np.float32)
        content: list[bytes | None] = [known.content(path) for path in paths]
        unknown = [i for i, one in enumerate(content) if one is None]
        bad: dict[int, str] = {}

        reader = ImageReader(self.backbone.bundle.side_px, known, self.limits)
        with closing(self.backbone.pipeline(unknown, lambda i: reader.read(paths[i]))) as embedded:
            for i, outcome, row in track(embedded, "embedding", len(unknown), reporter):
                if isinstance(outcome, ImageError):
                    bad[i] = str(outcome)
                    continue
                content[i] = outcome.content
                if isinstance(outcome, Decoded):
                    features[i] = row
        held = [i for i, one in enumerate(content) if one in known and i not in bad]
        if held:
            features[held] = known.features([one for i in held if (one := content[i]) is not None])
        bad |= {int(i): NO_NUMBERS for i in np.flatnonzero(~np.isfinite(features).all(axis=1)) if i not in bad}
        kept = np.array([i for i in range(len(paths)) if i not in bad], np.int64)
        if not len(kept):
            raise ExamplesError(f"none of the {len(paths)} pictures could be read ({_reasons(dataset, bad)}).")
        hashes = tuple(content[i] or b"" for i in kept)
        data = LabelledFeatures.create(
            features[kept],
            dataset.labels[kept],
            domains=None if dataset.domains is None else dataset.domains[kept],
            triplets=None if dataset.triplets is None else _renumbered(dataset.triplets, kept, len(paths)),
            content=hashes,
        )
        data = replace(data, parts=PartWeights.of(self.backbone.bundle))
        notes = (*_left_out(dataset, bad), *_shared(data.labels, hashes))
        return FeatureSet(data, tuple(paths[i] for i in kept), hashes, notes)

    def _load_views(self, dataset: Dataset, seed: int, reporter: Reporter) -> FeatureSet:
        """Each image a label of its own: itself, its mirror image and crops of it, and a part that only queries."""
        rng = np.random.default_rng(seed)
        chosen = np.sort(rng.permutation(len(dataset.paths))[: self.most_viewed])
        bad: dict[int, str] = {}
        found: list[tuple[int, bytes, NDArray[np.float32]]] = []
        with (
            closing(self._views(dataset, chosen, rng, bad)) as jobs,
            closing(self.backbone.pipeline(jobs, lambda job: job[2])) as embedded,
        ):
            for (at, one, _), outcome, row in track(embedded, "embedding", (VIEWS + 1) * len(chosen), reporter):
                if isinstance(outcome, ImageError):
                    raise outcome
                if np.isfinite(row).all():
                    found.append((at, one, row))
                else:
                    bad[at] = NO_NUMBERS
        if not found:
            raise ExamplesError(f"none of the {len(chosen)} pictures could be read ({_reasons(dataset, bad)}).")
        labels, content, features = (
            [at for at, _, _ in found],
            tuple(one for _, one, _ in found),
            [x for *_, x in found],
        )
        views = ViewSet(
            seed,
            self.backbone.bundle.side_px,
            np.searchsorted(chosen, labels),
            np.array([one[-1] for one in content]),
        )
        data = LabelledFeatures.create(np.stack(features), np.array(labels, np.int64), content=content)
        parts = PartWeights.of(self.backbone.bundle)
        data = replace(data, query_mask=views.query_mask, gallery_mask=views.gallery_mask, parts=parts)
        notes = _left_out(dataset, bad)
        if len(chosen) < len(dataset.paths):
            notes = (f"views of {len(chosen):,} of {len(dataset.paths):,} pictures, drawn at random", *notes)
        paths = tuple(dataset.paths[at] for at in labels)
        return FeatureSet(data, paths, content, notes, views, self._others(dataset, chosen, seed))

    def _others(self, dataset: Dataset, chosen: NDArray[np.int64], seed: int) -> NDArray[np.float32] | None:
        """The features of other pictures of a dataset, as far as the table holds them: a sample; None for none."""
        rest = np.random.default_rng([seed, 1]).permutation(np.delete(np.arange(len(dataset.paths)), chosen))[:MOST]
        known = KnownImages(self.folder, self.snapshot)
        contents = [one for at in rest if (one := known.content(dataset.paths[at])) is not None and one in known]
        rows = known.features(contents) if contents else np.zeros((0, self.backbone.length), np.float32)
        rows = rows[np.isfinite(rows).all(axis=1)]
        return rows if len(rows) else None

    def _views(
        self, dataset: Dataset, chosen: NDArray[np.int64], rng: np.random.Generator, bad: dict[int, str]
    ) -> Generator[tuple[int, bytes, DecodedImage], None, None]:
        """Image, content and pixels of view after view; each image is decoded once, those of one block in threads."""
        side = self.backbone.bundle.side_px

        def read(job: tuple[int, np.random.Generator]) -> tuple[int, bytes, list[DecodedImage]]:
            at, turn = job
            try:
                raw = read_bytes(dataset.paths[at], self.limits)
                squares = [
                    *view_squares(raw, side, VIEWS, turn, self.limits),
                    _square(small_crop(load(raw, self.limits, math.ceil(side / SMALLEST_PART**0.5)), turn), side),
                ]
                return at, content_hash(raw), [DecodedImage(one, side, side) for one in squares]
            except ImageError as error:
                bad[at] = str(error)
                return at, b"", []

        jobs = list(zip(chosen.tolist(), rng.spawn(len(chosen)), strict=True))
        with ThreadPoolExecutor(self.backbone.threads) as readers:
            for start in range(0, len(jobs), BLOCK):
                for at, content, squares in readers.map(read, jobs[start : start + BLOCK]):
                    # A view counts as content of its own, for a query may find the other views of its image.
                    yield from ((at, content + bytes([number]), one) for number, one in enumerate(squares))


class KnownImages:
    """What a table holds, by file and by content.

    Args:
        folder: of the collection.
        snapshot: one version of its table; None for none.
        few: rows that are picked out of the table one by one; for more, the whole column is read.
    """

    def __init__(self, folder: Path, snapshot: Snapshot | None, few: int = FEW):
        self.folder, self.snapshot, self.few = folder.resolve(), snapshot, few
        self._is_elsewhere = is_stand_in(folder)
        columns = {} if snapshot is None else snapshot.columns()
        facts = [columns.get(name, []) for name in ("file", "bytes", "mtime_ns", "content")]
        self._files = {file: facts for file, *facts in zip(*facts, strict=True)}
        self._rows: dict[object, int] = {content: row for row, content in enumerate(facts[-1])}

    def __contains__(self, content: object) -> bool:
        return content in self._rows

    def content(self, path: Path) -> bytes | None:
        """The content of a file of the collection that has not changed since it was indexed; else None."""
        try:
            facts = self._files.get(path.resolve().relative_to(self.folder).as_posix())
            if facts is not None and self._is_elsewhere:  # fetched for nothing else
                return bytes(facts[2])
            status = path.stat()
        except (ValueError, OSError):
            return None
        if facts is None or facts[:2] != [status.st_size, status.st_mtime_ns]:
            return None
        found: bytes = facts[2]
        return found

    def features(self, contents: Sequence[bytes]) -> NDArray[np.float32]:
        """The features of contents that the table holds, (n, f) float32, in their order."""
        assert self.snapshot is not None  # nothing is known without a table
        rows = np.array([self._rows[one] for one in contents], np.int64)
        if len(rows) > self.few:
            whole = np.concatenate(list(self.snapshot.blocks("features")))
            return np.asarray(whole[rows], np.float32)
        taken, back = np.unique(rows, return_inverse=True)
        return np.asarray(self.snapshot.take(taken, "features")[back], np.float32)


def _square(image: Image.Image, side_px: int) -> NDArray[np.uint8]:
    return np.asarray(image.resize((side_px, side_px), Image.Resampling.BICUBIC))


def _renumbered(triplets: NDArray[np.int64], kept: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Triplets in the numbers of the rows that are kept; those with a row that is not are left out."""
    at = np.full(n, -1)
    at[kept] = np.arange(len(kept))
    found = at[triplets]
    return np.asarray(found[(found >= 0).all(axis=1)], np.int64)


def _left_out(dataset: Dataset, bad: dict[int, str]) -> tuple[str, ...]:
    return (f"{plural(len(bad), 'picture')} left out: {_reasons(dataset, bad)}",) if bad else ()


def _shared(labels: NDArray[np.int64], content: Sequence[bytes]) -> tuple[str, ...]:
    """A line about pictures that lie in several groups, byte for byte: what is said of them contradicts itself."""
    groups: dict[bytes, set[int]] = {}
    for one, label in zip(content, labels.tolist(), strict=True):
        if label >= 0:
            groups.setdefault(one, set()).add(label)
    several = sum(len(found) > 1 for found in groups.values())
    return (f"{plural(several, 'picture')} in several groups, byte for byte: remove the wrong ones",) if several else ()


def _reasons(dataset: Dataset, bad: dict[int, str]) -> str:
    told = [f"{dataset.paths[i].name}: {reason}" for i, reason in list(bad.items())[:NAMED]]
    return "; ".join(told) + (f"; and {len(bad) - NAMED} more" if len(bad) > NAMED else "")
