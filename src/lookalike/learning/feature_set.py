"""The features of labelled images, and how rows are views of images."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lookalike.images.augment import SMALLEST_CROP, SMALLEST_PART, small_crop, views
from lookalike.images.decode import load
from lookalike.images.limits import LIMITS, Limits
from lookalike.learning.labelled_features import LabelledFeatures

if TYPE_CHECKING:
    from PIL import Image


VIEWS = 4  # of each picture, where nothing but its own views says what belongs together


@dataclass(frozen=True)
class FeatureSet:
    """The features of a dataset's images, n rows.

    Attributes:
        data: what is learned from and proved on.
        paths: n files; with views a file stands at each of its views.
        content: n hashes: rows of equal ones are one and the same picture, or view of it.
        notes: lines for people: what was left out and why.
        views: how the rows are views of their files; None where they are the files themselves.
        others: (m, f) features of a collection's pictures, of which nothing else is known; None for none.
    """

    data: LabelledFeatures
    paths: tuple[Path, ...]
    content: tuple[bytes, ...]
    notes: tuple[str, ...] = ()
    views: "ViewSet | None" = None
    others: NDArray[np.float32] | None = None

    @property
    def features(self) -> NDArray[np.float32]:
        """(n, f) float32."""
        return np.asarray(self.data.features, np.float32)

    @property
    def labels(self) -> NDArray[np.int64]:
        """(n,) int64."""
        return self.data.labels

    @property
    def domains(self) -> NDArray[np.int64] | None:
        """(n,) int64, or None."""
        return self.data.domains

    @property
    def triplets(self) -> NDArray[np.int64] | None:
        """(t, 3) int64, or None."""
        return self.data.triplets if len(self.data.triplets) else None

    def training_rows(self) -> "FeatureSet":
        """The rows that a lens learns from: all but the parts of pictures that only query."""
        if self.views is None:
            return self
        rows = np.flatnonzero(~self.views.query_mask)
        return FeatureSet(
            self.data.subset(rows),
            tuple(self.paths[row] for row in rows),
            tuple(self.content[row] for row in rows),
            self.notes,
            replace(self.views, turn=self.views.turn[rows], number=self.views.number[rows]),
            self.others,
        )

    def names(self, folder: Path) -> list[str]:
        """What each row is called: a file of the collection in `folder` as it is called there, else its whole path."""
        root, found = folder.resolve(), []
        parents: dict[Path, Path] = {}  # a folder of many pictures is followed once
        for path in self.paths:
            parent = parents.get(path.parent) or parents.setdefault(path.parent, path.parent.resolve())
            whole = path.resolve() if path.is_symlink() else parent / path.name
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
        """One view, in its own shape. Raises: ImageError, when the file cannot be read any more."""
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
