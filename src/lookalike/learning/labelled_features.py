"""Features with what is known of their rows: labels, domains, triplets, which rows query and which are found."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import ShapeError
from lookalike.images.arrays import number_array
from lookalike.learning.labels import Rows, as_labels
from lookalike.models.bundle import NEARLY_EQUAL, Bundle
from lookalike.models.lens import Lens
from lookalike.progress import SILENT, Reporter

Features = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PartWeights:
    """How much the parts of the features weigh, value by value: as they are stored, and as lenses want them.

    Attributes:
        stored: (f,) float32 above 0, what each value was multiplied with.
        lens: (f,) float32 above 0, what it shall be multiplied with in its place.
        nearly_equal: plain similarity above which two pictures count as one.
    """

    stored: NDArray[np.float32]
    lens: NDArray[np.float32]
    nearly_equal: float = NEARLY_EQUAL

    @property
    def scale(self) -> NDArray[np.float32]:
        """(f,) what stored features are multiplied with to weigh as lenses want them."""
        return self.lens / self.stored

    @classmethod
    def of(cls, bundle: Bundle) -> "PartWeights":
        """Those of a backbone's features.

        >>> from lookalike.models.registry import resolve_bundle
        >>> bundle = resolve_bundle("efficientnet-lite0")
        >>> len(PartWeights.of(bundle).lens) == bundle.length
        True
        """
        lengths = [one.length for one in bundle.depths]
        stored = [one.weight for one in bundle.depths]
        lens = [one.weight if one.lens_weight is None else one.lens_weight for one in bundle.depths]
        each, wanted = (np.repeat(np.array(some, np.float32), lengths) for some in (stored, lens))
        return cls(each, wanted, bundle.nearly_equal)


@dataclass(frozen=True)
class LabelledFeatures:
    """n rows of features and what is known of them; make one with `create`, which checks the arrays once.

    Attributes:
        features: (n, f) float of any width.
        labels: (n,) int64: rows of one label belong together; -1 for none.
        domains: (n,) int64, or None: a query is not searched in its own domain (people call it a side); -1 for none.
        triplets: (t, 3) int64 rows anchor, positive, negative; t may be 0.
        content: (n,) int64, equal for equal pictures, or None where nothing is known to be equal.
        query_mask: (n,) bool, the only rows that query, from which nothing is learned; None: any may.
        gallery_mask: (n,) bool, the only rows that are found; None: any is.
        parts: how much the parts of the features weigh for lenses; None: as much as they do in the rows.
    """

    features: Features
    labels: Rows
    domains: Rows | None
    triplets: Rows
    content: Rows | None = None
    query_mask: Mask | None = None
    gallery_mask: Mask | None = None
    parts: PartWeights | None = None

    @classmethod
    def create(
        cls,
        features: ArrayLike,
        labels: ArrayLike,
        *,
        domains: ArrayLike | None = None,
        triplets: ArrayLike | None = None,
        content: Sequence[bytes] | ArrayLike | None = None,
        query_mask: ArrayLike | None = None,
        gallery_mask: ArrayLike | None = None,
    ) -> "LabelledFeatures":
        """Arrays that fit together.

        Args:
            features: (n, f), integers or floats.
            labels: (n,) whole numbers, below 0 for none, or words, see `as_labels`.
            domains: (n,) likewise, or None.
            triplets: (t, 3) int rows, or None.
            content: n content hashes or numbers, equal for equal pictures; or None.
            query_mask: (n,) bool, or None.
            gallery_mask: (n,) bool, or None.
        Raises: ShapeError, which names the array that does not fit.

        >>> data = LabelledFeatures.create(np.eye(3), [0, 0, 1])
        >>> len(data), data.domains, data.triplets.shape
        (3, None, (0, 3))
        """
        x = number_array(features, "features")
        x = x.astype(np.float32) if x.dtype.kind in "iu" else x
        if x.ndim != 2 or x.dtype.kind != "f" or 0 in x.shape:
            raise ShapeError(f"features must be (n, f) floats with n and f above 0, not {x.dtype} {x.shape}.")
        given: dict[str, NDArray[Any]] = {"labels": as_labels(labels)[0]}
        if domains is not None:
            given["domains"] = as_labels(domains)[0]
        if content is not None:
            named = np.asarray(content, dtype=None if isinstance(content, np.ndarray) else object)
            given["content"] = np.unique(named, return_inverse=True)[1].astype(np.int64)
        for name, mask in (("query_mask", query_mask), ("gallery_mask", gallery_mask)):
            if mask is not None:
                given[name] = np.asarray(mask, bool)
        for name, rows in given.items():
            if rows.shape != (len(x),):
                raise ShapeError(f"{name} {rows.shape} for {len(x)} rows of features. Give one a row.")
        three = np.zeros((0, 3), np.int64) if triplets is None else np.asarray(triplets, np.int64).reshape(-1, 3)
        if three.size and not 0 <= three.min() <= three.max() < len(x):
            raise ShapeError(f"triplets name rows from {three.min()} to {three.max()}, features have {len(x)}.")
        masks = given.get("query_mask"), given.get("gallery_mask")
        return cls(x, given["labels"], given.get("domains"), three, given.get("content"), *masks)

    def __len__(self) -> int:
        return len(self.features)

    def subset(self, rows: Rows, triplets: Rows | None = None) -> "LabelledFeatures":
        """Some of the rows, in that order, with the triplets that lie wholly among them.

        Args:
            rows: (m,) int64, each at most once.
            triplets: (s, 3) int64 in the numbers of this object, all among `rows`; None for every one that is.

        >>> data = LabelledFeatures.create(np.eye(3), [0, 0, 1], triplets=[[0, 1, 2], [2, 2, 1]])
        >>> data.subset(np.array([2, 1])).triplets.tolist()
        [[0, 0, 1]]
        """
        place = np.full(len(self), -1)
        place[rows] = np.arange(len(rows))
        three = place[self.triplets if triplets is None else triplets]
        return LabelledFeatures(
            self.features[rows],
            self.labels[rows],
            None if self.domains is None else self.domains[rows],
            three[(three >= 0).all(axis=1)],
            None if self.content is None else self.content[rows],
            None if self.query_mask is None else self.query_mask[rows],
            None if self.gallery_mask is None else self.gallery_mask[rows],
            self.parts,
        )

    def relevance(self, queries: Rows, gallery: Rows) -> tuple[Mask, Mask]:
        """Which gallery rows (g,) are relevant to queries (q,), and which are excluded: both (q, g) bool.

        Excluded are the query's own domain, the query itself with all its copies, and rows that are never found.
        """
        relevant = (self.labels[queries, None] == self.labels[gallery]) & (self.labels[gallery] >= 0)
        content = np.arange(len(self)) if self.content is None else self.content
        excluded = content[queries, None] == content[gallery]
        if self.domains is not None:
            excluded |= (self.domains[queries, None] == self.domains[gallery]) & (self.domains[gallery] >= 0)
        return relevant, excluded if self.gallery_mask is None else excluded | ~self.gallery_mask[gallery]


class Trainer(Protocol):
    """A way to learn a lens."""

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        """Learn a lens.

        Args:
            data: what to learn from.
            start: a lens to go on from, for trainers that refine one; the others make their own.
            reporter: told of each step, where there are steps.
        Raises: ExamplesError, where nothing belongs together; TrainingError; MissingExtraError.
        """
        ...
