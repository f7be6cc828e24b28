"""Examples held out as questions: which rows a lens may learn from, which ask, and what would be a right answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.evaluation.metrics import ranks_from_similarities
from lookalike.learning.evaluation.splits import (
    DUPLICATE_THRESHOLD,
    ENOUGH_GROUPS,
    SplitGroups,
    assign_folds,
    split_groups,
)
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.learning.labels import Rows, chain

HoldOutKind = Literal["groups", "pictures", "triplets", "views"]
FOLDS = 5
TRIPLET_FOLDS = 3  # all three pictures of a triplet must be held out, which of five folds would ask but a 25th
ENOUGH_QUERIES = 600  # then no further fold is asked
ENOUGH_UNITS = 40
REPEATS = 3  # of all folds, where they ask fewer than FEW_QUERIES in all
FEW_QUERIES = 100


@dataclass(frozen=True)
class Fold:
    """One split.

    The gallery is of one kind: what a lens learned from lies elsewhere in its embedding than what it never saw, so in
    a mixture right answers can be told from wrong ones by that alone.

    Args:
        learned: (l,) rows that a lens may learn from.
        triplets: (t, 3) triplets that it may learn from; t may be 0.
        queries: (q,) rows that ask; with triplets one anchor may ask several times.
        key: (q,) what is asked, the same in every repeat: the row, or the number of the triplet.
        unit: (q,) which queries belong to one draw of chance.
        gallery: (g,) rows that answer: held-out ones where whole groups were held out, else learned ones.
        right, out: (q, g) bool, what is a right answer, and what is left out of the gallery.
    """

    train: Rows
    triplets: Rows
    queries: Rows
    query_id: Rows
    cluster: Rows
    gallery: Rows
    relevant: NDArray[np.bool_]
    excluded: NDArray[np.bool_]

    def ranks(self, similarities: NDArray[np.float32]) -> Rows:
        """Rank of the first right answer of each query, from similarities (q, g); never 0."""
        return ranks_from_similarities(similarities, self.relevant, self.excluded)

    def first(self, similarities: NDArray[np.float32], k: int) -> NDArray[np.float64]:
        """The first k hits of each query, from similarities (q, g): (3, k, q), rows, similarities, and 1 where right.

        Row -1 stands where there are no more. As `ranks` has it, a wrong one goes before a right one as similar.
        """
        order = np.where(self.relevant, np.nextafter(similarities, np.float32(-np.inf)), similarities)
        order[self.excluded] = -np.inf
        at = np.argsort(-order, axis=1, kind="stable")[:, :k]
        there = np.isfinite(np.take_along_axis(order, at, axis=1))
        right = np.take_along_axis(self.relevant, at, axis=1)
        found = np.full((3, k, len(self.queries)), -1.0)
        found[0, : at.shape[1]] = np.where(there, self.gallery[at], -1).T
        found[1, : at.shape[1]] = np.take_along_axis(similarities, at, axis=1).T
        found[2, : at.shape[1]] = right.T
        return found


class HoldOut:
    """How examples are held out, decided before anything is learned.

    Args:
        examples: the arrays.
        plain: (n, n) float32, plain similarity.
        hold_out: "groups", "pictures", or None to decide: triplets where they have more anchors than there are pictures
            with a partner in their group; pictures within groups where there are fewer than 20 groups and one has
            three; else whole groups. Where some rows only ask it is "views": whole groups, each the views of a picture.
        content: n content hashes, or None.
        same: plain similarity above which two pictures count as one.
    """

    def __init__(
        self,
        examples: LabelledFeatures,
        plain: NDArray[np.float32],
        hold_out: HoldOutKind | None = None,
        content: Sequence[bytes] | None = None,
        same: float = DUPLICATE_THRESHOLD,
    ):
        self.examples, group = examples, examples.labels
        sizes = np.bincount(group[group >= 0])
        sizes = sizes[sizes > 1]
        anchors = len(np.unique(examples.triplets[:, 0]))
        if examples.query_mask is not None:
            hold_out = "views"
        elif not len(sizes) or (hold_out is None and anchors > sizes.sum()):
            hold_out = "triplets"
        elif hold_out is None:
            hold_out = "pictures" if len(sizes) < ENOUGH_GROUPS and sizes.max() > 2 else "groups"
        self.hold_out: HoldOutKind = hold_out
        self.groups = len(sizes)
        links = None
        if hold_out == "triplets":
            anchor, positive = examples.triplets[:, :2].T
            after, before = chain(group)
            links = (np.concatenate([anchor, after]), np.concatenate([positive, before]))
        elif hold_out == "groups":
            links = chain(group)
        which: Literal["groups", "pictures"] = "pictures" if hold_out == "pictures" else "groups"
        self.split_groups: SplitGroups = split_groups(group, plain, which, content=content, links=links, same=same)

    def folds(self, rng: np.random.Generator) -> Iterator[Fold]:
        """Split after split, as many as are needed for enough queries; those that teach or ask nothing are passed."""
        asked, seen = 0, 0
        count = TRIPLET_FOLDS if self.hold_out == "triplets" else FOLDS
        stratum = self.examples.labels if self.hold_out == "pictures" else np.zeros_like(self.examples.labels)
        for repeat in range(REPEATS):
            if repeat and asked >= FEW_QUERIES:
                return
            fold = assign_folds(self.split_groups.of, stratum, count, rng)
            for one in range(count):
                task = self.fold(fold == one)
                if task is None:
                    continue
                yield task
                asked, seen = asked + len(task.queries), seen + len(np.unique(task.cluster))
                if repeat == 0 and asked >= ENOUGH_QUERIES and (seen >= ENOUGH_UNITS or self.hold_out == "pictures"):
                    return

    def fold(self, held: NDArray[np.bool_]) -> Fold | None:
        """The task that holds out these rows (n,) bool; None where nothing is left to learn from, or nothing to ask."""
        examples, triplets = self.examples, self.examples.triplets
        asks = np.zeros(len(held), bool) if examples.query_mask is None else examples.query_mask
        group, learned = examples.labels, np.flatnonzero(~held & ~asks)
        taught = triplets[~held[triplets].any(axis=1)]
        if not (np.bincount(group[learned][group[learned] >= 0]) > 1).any() and not len(taught):
            return None
        if self.hold_out == "triplets":
            key = np.flatnonzero(held[triplets].all(axis=1))
            queries, gallery = triplets[key, 0], np.flatnonzero(held)
            right, negative = (triplets[key, at, None] == gallery for at in (1, 2))
            out = ~right & ~negative
            unit = self.split_groups.of[queries]
        else:
            queries = np.flatnonzero(held & (group >= 0) & (asks | (examples.query_mask is None)))
            gallery = learned if self.hold_out == "pictures" else np.flatnonzero(held)
            right, out = examples.relevance(queries, gallery)
            asking = (right & ~out).any(axis=1)
            key = queries = queries[asking]
            right, out = right[asking], out[asking]
            unit = (group if self.hold_out == "pictures" else self.split_groups.of)[queries]
        if not len(queries):
            return None
        return Fold(learned, taught, queries, key, unit, gallery, right, out)
