"""How much the pictures alone say beside the labels: chosen on examples that are held out from the learning."""

from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.closed_form.default import RIDGE, ClosedFormTrainer
from lookalike.learning.closed_form.discriminant import SMALL
from lookalike.learning.closed_form.whitening import matching_pairs, spread_scale
from lookalike.learning.evaluation.folds import Fold, HoldOut
from lookalike.learning.evaluation.splits import sample
from lookalike.learning.labelled_features import Features, LabelledFeatures
from lookalike.learning.labels import Rows, number_labels
from lookalike.models.lens import Lens
from lookalike.models.vectors import normalize_rows
from lookalike.progress import SILENT, Reporter

SHARES = (0.0, 0.2, 0.5, 0.8)
OF_SMALL = 0.2  # where labels have few pictures each, unless another share is surely better; else 0
MOST_CHOSEN_BY = 800  # rows that decide
MOST_SPREAD = 400  # pictures of the collection that stand for its spread while it is decided
FOLDS = 3


@dataclass(frozen=True, eq=False)
class PriorTrainer:
    """The closed form of labels, mixed with the spread of a collection's pictures as far as that pays.

    With few examples the labels alone say less than no labels at all; mixed they are above both. With kinds that the
    examples describe well, the spread costs. So the share is chosen: by queries that are held out of the examples
    that are given here, which are those that a lens may learn from.

    Attributes:
        spread: (m, f) features of pictures, whatever they show.
        own: the lens that search has without examples, which is what the share 1 gives; None for none.
        dims: as for `WhitenTrainer`.
        seed: of the splits.
    """

    spread: Features
    own: Lens | None = None
    dims: int | None = None
    seed: int = 0

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        """Learn a lens; its settings say the share. Raises: ExamplesError, ShapeError."""
        share = choose_share(data, self.spread, self.own, seed=self.seed)
        if share == 1 and self.own is not None:
            return replace(self.own, settings={"method": "closed form", "prior_share": 1.0}, proof=None)
        lens = ClosedFormTrainer(dims=self.dims, prior=self.spread, prior_share=share).fit(data)
        return replace(lens, settings={**lens.settings, "prior_share": share})


def choose_share(data: LabelledFeatures, spread: Features, own: Lens | None = None, *, seed: int = 0) -> float:
    """The share of the pictures' spread, 0 to 1, under which held-out queries find their partners soonest.

    Each share answers the same queries, by the mean reciprocal rank. The best one is taken where it is better than the
    usual one by more than the standard error of the difference; what is not told apart stays at the usual one. That is
    .2 where labels have four pictures or fewer in the mean, as pairs have, and 0 where they have more: pictures of a
    few kinds spread as the kinds differ.

    Args:
        data: examples; a sample of them decides, by whole groups.
        spread: (m, f) features of pictures, whatever they show.
        own: the lens that search has without examples; None for none.
        seed: of the sample and the splits.
    Returns: one of 0, .2, .5, .8, and with `own` 1; the usual one where nothing can be held out.
    """
    rng, usual = np.random.default_rng(seed), usual_share(data.labels)
    rows = sample(number_labels(data.labels), MOST_CHOSEN_BY, rng) if (data.labels >= 0).any() else None
    some = data if rows is None or len(rows) == len(data) else data.subset(rows)
    if len(some) > MOST_CHOSEN_BY:
        return usual
    seen = normalize_rows(some.features.astype(np.float32))
    folds = list(islice(HoldOut(some, seen @ seen.T).folds(rng), FOLDS))
    forms = _Forms(some, spread[np.linspace(0, len(spread) - 1, min(len(spread), MOST_SPREAD)).astype(np.int64)])
    ranks: dict[float, list[Rows]] = {share: [] for share in (*SHARES, *((1.0,) if own is not None else ()))}
    embedding = None if own is None else own.apply(some.features)
    for fold in folds:
        for share, found in ranks.items():
            if share < 1:
                similarity = forms.similarities(fold, share)
            else:
                assert embedding is not None
                similarity = embedding[fold.queries] @ embedding[fold.gallery].T
            found.append(fold.ranks(similarity))
    if not folds:
        return usual
    inverse = {share: 1 / np.concatenate(found) for share, found in ranks.items()}
    best = max(inverse, key=lambda share: (inverse[share].mean(), share))
    gain = inverse[best] - inverse[usual]
    return best if gain.mean() > gain.std() / np.sqrt(len(gain)) else usual


def usual_share(labels: Rows) -> float:
    """The share that is kept where examples cannot tell another one apart.

    >>> usual_share(np.array([0, 0, 1, 1, -1])), usual_share(np.repeat([0, 1], 9))
    (0.2, 0.0)
    """
    sizes = np.unique(labels[labels >= 0], return_counts=True)[1]
    sizes = sizes[sizes > 1]
    return 0.0 if sizes.sum() > SMALL * len(sizes) else OF_SMALL


class _Forms:
    """Similarities under closed forms of different shares, on inner products of rows: f costs nothing but once."""

    def __init__(self, data: LabelledFeatures, spread: Features):
        self.data, self.n = data, len(data)
        scale = spread_scale(data.features, parts=data.parts)
        x = (data.features.astype(np.float32) - data.features.mean(axis=0, dtype=np.float64)) * scale
        t = (spread.astype(np.float32) - spread.mean(axis=0, dtype=np.float64)) * scale
        both = np.concatenate([x, t]).astype(np.float32)
        self.gram, self.ridge = both @ both.T, RIDGE / x.shape[1]

    def similarities(self, fold: Fold, share: float) -> NDArray[np.float32]:
        """Of a fold's queries to its gallery, (q, g), learned from its training rows."""
        parts = [(_differences(self.data, fold, self.n), 1 - share)]
        if share:
            parts.append((np.eye(len(self.gram) - self.n, dtype=np.float32), share))
        at, blocks, products = 0, [], []
        for part, weight in parts:
            block = part @ self.gram[at : at + part.shape[1]]  # (d, n + m): with the rows of all
            trace = float((block[:, at : at + part.shape[1]] * part).sum(dtype=np.float64))
            root = np.float32(np.sqrt(weight / trace) if trace > 0 else 0)
            blocks.append(block * root)
            products.append((part, root))
            at += part.shape[1]
        first = np.concatenate(blocks)  # (d, n + m)
        columns, at = [], 0
        for part, root in products:
            columns.append(first[:, at : at + part.shape[1]] @ part.T * root)
            at += part.shape[1]
        inner = np.concatenate(columns, axis=1)  # (d, d)
        inner[np.diag_indices(len(inner))] += np.float32(self.ridge)
        rows = np.unique(np.concatenate([fold.queries, fold.gallery]))
        place = np.full(self.n, -1)
        place[rows] = np.arange(len(rows))
        seen = first[:, rows]
        products_of = self.gram[np.ix_(rows, rows)] - seen.T @ np.linalg.solve(inner, seen)
        length = np.sqrt(np.maximum(products_of.diagonal(), np.finfo(np.float32).tiny))
        products_of = products_of / length[:, None] / length
        return np.asarray(products_of[np.ix_(place[fold.queries], place[fold.gallery])], np.float32)


def _differences(data: LabelledFeatures, fold: Fold, n: int) -> NDArray[np.float32]:
    """What rows (n, f) are multiplied with to give the differences within the labels of a fold's training rows."""
    labels = np.full(n, -1)
    labels[fold.train] = data.labels[fold.train]
    at, sizes = np.unique(labels, return_inverse=True, return_counts=True)[1:]
    members = np.flatnonzero((labels >= 0) & (sizes[at] > 1))
    within = np.zeros((len(members), n), np.float32)
    same = at[members][:, None] == at[members]
    within[:, members] = np.eye(len(members), dtype=np.float32) - same / sizes[at[members]]
    pairs = matching_pairs(labels, fold.triplets)
    between = np.zeros((len(pairs), n), np.float32)
    number, half = np.arange(len(pairs)), np.float32(np.sqrt(0.5))
    between[number, pairs[:, 0]], between[number, pairs[:, 1]] = half, -half
    return np.concatenate([within, between])
