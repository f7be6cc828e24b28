"""What held-out queries are shown when the whole collection is searched, each hit right, wrong or unknown."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.evaluation.folds import Fold
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.learning.labels import Rows
from lookalike.models.likelihood import SEEN

DEPTH = SEEN  # first hits of a query that are looked at

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class JudgedHits:
    """The first k hits of q held-out queries.

    Attributes:
        similarities: (q, k) falling; -inf where there are no more.
        right: (q, k) bool.
        weight: (q, k) how much each counts; 0 for one of which nobody knows whether it is right: it takes its place
            among the hits, and is not counted.
        cluster: (q,) which queries belong to one draw of chance.
        asked: (q,) what is asked: the same where one query asked in several folds.
    """

    similarities: Floats
    right: NDArray[np.bool_]
    weight: Floats
    cluster: Rows
    asked: Rows

    @classmethod
    def of_folds(cls, shown: NDArray[np.floating[Any]], cluster: Rows, asked: Rows) -> "JudgedHits":
        """From what `judge_hits` gave, fold after fold along its last axis.

        Hits that are known to be wrong but for a doubt (a weight below 0) count together as often as the held-out wrong
        ones say that they should, at most once each.
        """
        similarities, right, weight, instead = shown.astype(np.float64).transpose(0, 2, 1)
        doubtful = weight < 0
        if doubtful.any():
            weight = np.where(doubtful, min(1.0, instead.sum() / doubtful.sum()), weight)
        return cls(similarities, right > 0, weight, cluster, asked)

    @property
    def queries(self) -> int:
        """How many different queries there are."""
        return len(np.unique(self.asked))

    def subset(self, rows: NDArray[Any]) -> "JudgedHits":
        """Some of the queries."""
        return JudgedHits(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def judge_hits(
    similarities: NDArray[np.float32], fold: Fold, data: LabelledFeatures, *, of_kinds: bool, unit: Rows | None = None
) -> NDArray[np.float32]:
    """The first hits of a fold's queries among everything: learned, held-out and unlabelled pictures.

    Ranks are those of a search of the whole collection: nothing is left out but the query and its copies. The
    unlabelled pictures are as new to the lens as those held out.

    Where pictures within groups were held out, what has no label may be of the query's kind: it takes its place and
    weighs nothing, and what was held out, right or wrong, counts for itself and as often again as there are unlabelled
    pictures for each that was held out.

    Where whole groups were held out, all that belongs with a query should be labelled, and what has no label be wrong;
    but people label some pictures of a thing and leave others. So the unlabelled hits count as wrong, but together only
    as often as the wrong ones that were held out stand for them: where many more are hit than that, they are of the
    same things, and count for little.

    What is nearly equal to a query is always held out with it, and not by a share of all: it stands for fewer, as many
    as there are unlabelled pictures for each labelled one.

    Args:
        similarities: (q, n + u) of the fold's queries to the n rows of `data` and to u unlabelled pictures.
        fold: of these data.
        data: n rows.
        of_kinds: whether pictures within groups were held out.
        unit: (n,) what was held out together, as `SplitGroups.of` has it; None: each row by itself.
    Returns: (4, DEPTH, q) float32: similarities, -inf for none; 1 where right; weights, -1 for an unlabelled one that
        is wrong but for a doubt; how many of these each stands for.
    """
    n, every, q = len(data), similarities.shape[1], len(fold.queries)
    content = np.arange(n) if data.content is None else data.content
    found = similarities.copy()
    found[:, :n][content[fold.queries, None] == content] = -np.inf
    if data.gallery_mask is not None:
        found[:, :n][:, ~data.gallery_mask] = -np.inf
    k = min(DEPTH, every)
    at = np.argpartition(-found, k - 1, axis=1)[:, :k]
    at = np.take_along_axis(at, np.argsort(-np.take_along_axis(found, at, axis=1), axis=1, kind="stable"), axis=1)
    found = np.take_along_axis(found, at, axis=1)  # (q, k)
    labels = np.concatenate([data.labels, np.full(every - n, -1)])
    learned = np.zeros(every, bool)
    learned[fold.train] = True
    known = (labels[at] >= 0) & np.isfinite(found)
    own = data.labels[fold.queries]
    right = known & (labels[at] == own[:, None])
    held = n - len(fold.train)
    others, row = every - n, np.minimum(at, n - 1)
    new = known & ~learned[at]  # held out
    beside = new & (False if unit is None else unit[row] == unit[fold.queries, None])
    instead = np.zeros(at.shape)  # unlabelled hits that each stands for
    if not of_kinds:
        instead = np.where(new & ~right, np.where(beside, others / n, others / max(held, 1)), 0)
        weight = np.where(known, 1.0, np.where(at >= n, -1.0, 0))
    else:
        as_many = (others + held) / max(held, 1)  # each held-out picture stands for so many
        # The query itself is held out and is no hit: the others of its kind stand for what it would stand for, or else
        # the learned ones do.
        held_of, learned_of = (_count(data.labels, rows)[own] for rows in (~learned[:n], learned[:n]))
        each = np.where(held_of > 1, (held_of * as_many - 1) / np.maximum(held_of - 1, 1), 0)[:, None]
        alone = (held_of <= 1)[:, None] & right & ~new
        weight = np.where(new, np.where(right, each, as_many), 1.0)
        weight = np.where(alone, 1 + (as_many - 1) / np.maximum(learned_of, 1)[:, None], weight)
        weight = np.where(beside, 1 + others / n, weight)
        weight = np.where(known, weight, 0)
    weight = np.where(np.isfinite(found), weight, 0)
    shown = np.full((4, DEPTH, q), -np.inf, np.float32)
    shown[1:] = 0
    for plane, values in zip(shown, (found, right, weight, instead), strict=True):
        plane[:k] = values.T
    return shown


def _count(labels: Rows, among: NDArray[np.bool_]) -> Rows:
    """How many of some rows have each label, 0 to the largest."""
    return np.bincount(labels[among & (labels >= 0)], minlength=int(labels.max()) + 1)
