"""Examples as arrays: the features of labelled pictures, and how rows are views of pictures."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lookalike.images.augment import SMALLEST_CROP, SMALLEST_PART, small_crop, views
from lookalike.images.decode import load
from lookalike.images.limits import LIMITS, Limits

if TYPE_CHECKING:
    from PIL import Image


VIEWS = 4  # of each picture, where nothing but its own views says what belongs together


@dataclass(frozen=True)
class FeatureSet:
    """Examples as arrays of n rows: what learn/ and siamese/ work on.

    Attributes:
        features: (n, f) float32.
        labels, domains, triplets: as in Examples, over these rows.
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
