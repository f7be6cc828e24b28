"""What belongs together among n rows that are no features: images, or what a frozen network made of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lookalike.errors import ShapeError
from lookalike.learning.labels import Rows, as_labels


@dataclass(frozen=True)
class TrainingLabels:
    """What is known of n rows; make it with `create`, which checks the arrays once. `LabelledFeatures` does as well.

    Attributes:
        labels: (n,) int64: rows of one label belong together; -1 for none.
        domains: (n,) int64, or None; a batch takes rows of as many domains as it can.
        triplets: (t, 3) int64 rows anchor, positive, negative; t may be 0.
        content: (n,) int64, equal for equal images, or None where nothing is known to be equal.
    """

    labels: Rows
    domains: Rows | None
    triplets: Rows
    content: Rows | None = None

    @classmethod
    def create(
        cls,
        labels: ArrayLike,
        *,
        domains: ArrayLike | None = None,
        triplets: ArrayLike | None = None,
        content: Sequence[bytes] | ArrayLike | None = None,
    ) -> "TrainingLabels":
        """Arrays that fit together.

        Args:
            labels: (n,) whole numbers, below 0 for none, or words, see `as_labels`.
            domains: (n,) likewise, or None.
            triplets: (t, 3) int rows, or None.
            content: n content hashes or numbers, equal for equal images; or None.
        Raises: ShapeError, which says what does not fit.

        >>> TrainingLabels.create([0, 0, -7]).labels.tolist()
        [0, 0, -1]
        """
        found = np.maximum(as_labels(labels)[0], -1)
        sides = None if domains is None else as_labels(domains)[0]
        if found.ndim != 1 or (sides is not None and sides.shape != found.shape):
            shapes = f"labels {found.shape}" + ("" if sides is None else f" and domains {sides.shape}")
            raise ShapeError(f"{shapes}: give one number for each image, (n,).")
        three = np.empty((0, 3), np.int64) if triplets is None else np.asarray(triplets, np.int64)
        if three.ndim != 2 or three.shape[1] != 3:
            raise ShapeError(f"triplets {three.shape}: give (t, 3), a row of anchor, positive, negative each.")
        if len(three) and not 0 <= three.min() <= three.max() < len(found):
            raise ShapeError(f"triplets name rows {three.min()} to {three.max()} of {len(found)}: count from 0.")
        same = None
        if content is not None:
            named = np.asarray(content, dtype=None if isinstance(content, np.ndarray) else object)
            if named.shape != found.shape:
                raise ShapeError(f"content {named.shape} for {len(found)} labels. Give one hash an image.")
            same = np.unique(named, return_inverse=True)[1].astype(np.int64)
        return cls(found, sides, three, same)

    def __len__(self) -> int:
        return len(self.labels)
