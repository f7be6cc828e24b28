"""Examples held out as questions: which rows a lens may learn from, which ask, and what would be a right answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.evaluation.metrics import ranks_from_similarities
from lookalike.learning.evaluation.splits import ENOUGH_GROUPS, SplitGroups, assign_folds, split_groups
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.learning.labels import Edges, Rows, chain, components
from lookalike.models.bundle import NEARLY_EQUAL
from lookalike.models.proof_parts import HoldOutKind

FOLDS = 5
TRIPLET_FOLDS = 3  # all three pictures of a triplet must be held out, which of five folds would ask but a 25th
ENOUGH_QUERIES = 600  # then no further fold is asked
ENOUGH_UNITS = 40
REPEATS = 3  # of all folds, where they ask fewer than FEW_QUERIES in all
FEW_QUERIES = 100


@dataclass(frozen=True)
class Fold:
    """One fold: what is learned from, what is asked, and what would be a right answer.

    The gallery is of one kind: what a lens learned from lies elsewhere in its embedding than what it never saw, so in
    a mixture right answers can be told from wrong ones by that alone.

    Args:
        train: (l,) rows that a lens may learn from.
        triplets: (t, 3) triplets that it may learn from; t may be 0.
        queries: (q,) rows that ask; with triplets one anchor may ask several times.
        query_id: (q,) what is asked, the same in every repeat: the row, or the number of the triplet.
        cluster: (q,) which queries belong to one draw of chance.
        gallery: (g,) rows that answer: held-out ones where whole groups were held out, else learned ones.
        relevant, excluded: (q, g) bool, what is a right answer, and what is left out of the gallery.
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
        data: the examples.
        similarity: (n, n) float32, of plain search.
        kind: "groups", "pictures", or None to decide: triplets where they have more anchors than there are pictures
            with a partner in their group; pictures within groups where there are fewer than 20 groups and one has
            three; else whole groups. Of triplets an anchor stays with its positives; where these chain into a unit of
            more than a third of the pictures, as those of a crowd do, each picture is a unit of its own. A triplet
            asks where all its pictures are held out, and is learned from where none is. Where some rows only ask it is
            "views": whole groups, each the views of a picture.
        duplicate_threshold: plain similarity above which two pictures count as one.
    """

    def __init__(
        self,
        data: LabelledFeatures,
        similarity: NDArray[np.float32],
        kind: HoldOutKind | None = None,
        duplicate_threshold: float = NEARLY_EQUAL,
    ):
        self.data, labels = data, data.labels
        sizes = np.bincount(labels[labels >= 0])
        sizes = sizes[sizes > 1]
        anchors = len(np.unique(data.triplets[:, 0]))
        if data.query_mask is not None:
            kind = "views"
        elif not len(sizes) or (kind is None and anchors > sizes.sum()):
            kind = "triplets"
        elif kind is None:
            kind = "pictures" if len(sizes) < ENOUGH_GROUPS and sizes.max() > 2 else "groups"
        self.kind: HoldOutKind = kind
        self.labels = len(sizes)
        links = _triplet_links(data) if kind == "triplets" else None
        self.note = ""
        if links is not None and _chains(len(data), links):
            links = None
            self.note = "anchors and positives chain through most pictures, so pictures were held out one by one."
        which: Literal["groups", "pictures"] = "pictures" if kind == "pictures" else "groups"
        self.groups: SplitGroups = split_groups(
            labels, similarity, which, content=data.content, links=links, same=duplicate_threshold
        )

    @property
    def notes(self) -> list[str]:
        """What must be said about it, in lines for people."""
        return [line for line in (self.note, self.groups.note) if line]

    def folds(self, rng: np.random.Generator) -> Iterator[Fold]:
        """Fold after fold, until there are enough queries; those with nothing to learn or to ask are passed."""
        asked, seen = 0, 0
        count = TRIPLET_FOLDS if self.kind == "triplets" else FOLDS
        stratum = self.data.labels if self.kind == "pictures" else np.zeros_like(self.data.labels)
        for repeat in range(REPEATS):
            if repeat and asked >= FEW_QUERIES:
                return
            fold = assign_folds(self.groups.of, stratum, count, rng)
            for one in range(count):
                found = self.fold(fold == one)
                if found is None:
                    continue
                yield found
                asked, seen = asked + len(found.queries), seen + len(np.unique(found.cluster))
                if repeat == 0 and asked >= ENOUGH_QUERIES and (seen >= ENOUGH_UNITS or self.kind == "pictures"):
                    return

    def fold(self, held: NDArray[np.bool_]) -> Fold | None:
        """The fold that holds out these rows (n,) bool; None where nothing is left to learn from, or nothing to ask."""
        data, triplets = self.data, self.data.triplets
        may_query = np.zeros(len(held), bool) if data.query_mask is None else data.query_mask
        labels, train = data.labels, np.flatnonzero(~held & ~may_query)
        train_triplets = triplets[~held[triplets].any(axis=1)]
        if not (np.bincount(labels[train][labels[train] >= 0]) > 1).any() and not len(train_triplets):
            return None
        if self.kind == "triplets":
            query_id = np.flatnonzero(held[triplets].all(axis=1))
            queries, gallery = triplets[query_id, 0], np.flatnonzero(held)
            right, negative = (triplets[query_id, at, None] == gallery for at in (1, 2))
            out = ~right & ~negative
            cluster = self.groups.of[queries]
        else:
            queries = np.flatnonzero(held & (labels >= 0) & (may_query | (data.query_mask is None)))
            gallery = train if self.kind == "pictures" else np.flatnonzero(held)
            right, out = data.relevance(queries, gallery)
            answered = (right & ~out).any(axis=1)
            query_id = queries = queries[answered]
            right, out = right[answered], out[answered]
            cluster = (labels if self.kind == "pictures" else self.groups.of)[queries]
        if not len(queries):
            return None
        return Fold(train, train_triplets, queries, query_id, cluster, gallery, right, out)


def _triplet_links(data: LabelledFeatures) -> Edges:
    """What triplets and labels say belongs together."""
    anchor, positive = data.triplets[:, :2].T
    after, before = chain(data.labels)
    return np.concatenate([anchor, after]), np.concatenate([positive, before])


def _chains(n: int, links: Edges) -> bool:
    """Whether links join more rows than one fold of triplets can hold out."""
    return int(np.bincount(components(n, [links])).max(initial=0)) * TRIPLET_FOLDS > n
