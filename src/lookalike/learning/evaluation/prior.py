"""How much the pictures alone say beside the labels: chosen on examples that are held out from the learning."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
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
SURELY = 2.0  # standard errors: the best of five shares looks better than it is


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
        share: one that is chosen already; None: each lens chooses by its own examples.
        chosen: the shares of the lenses so far.
    """

    spread: Features
    own: Lens | None = None
    dims: int | None = None
    seed: int = 0
    share: float | None = None
    chosen: list[float] = field(default_factory=list)

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        """Learn a lens; its settings say the share. Raises: ExamplesError, ShapeError."""
        share = choose_share(data, self.spread, self.own, seed=self.seed) if self.share is None else self.share
        self.chosen.append(share)
        if share == 1 and self.own is not None:
            return replace(self.own, settings={"method": "closed form", "prior_share": 1.0}, proof=None)
        lens = ClosedFormTrainer(dims=self.dims, prior=self.spread, prior_share=share).fit(data)
        return replace(lens, settings={**lens.settings, "prior_share": share})

    def settled(self) -> "PriorTrainer":
        """The same with the share that most of its lenses have so far, of equals the least; as it is before the first.

        What was proved is then what is learned: similarities under different shares differ by a factor of two, so that
        what a proof says of them would not hold of a lens with another share than its own lenses had.

        >>> PriorTrainer(np.eye(2), chosen=[0.2, 0.0, 0.2]).settled().share
        0.2
        """
        return replace(self, share=max(sorted(self.chosen), key=self.chosen.count)) if self.chosen else self


def choose_share(data: LabelledFeatures, spread: Features, own: Lens | None = None, *, seed: int = 0) -> float:
    """The share of the pictures' spread, 0 to 1, under which held-out queries find their partners soonest.

    Each share answers the same queries, by the mean reciprocal rank. The best one is taken where it is better than the
    usual one by more than two standard errors of the difference; what is not told apart stays at the usual one. That is
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
        for share, similarity in forms.similarities(fold, SHARES).items():
            ranks[share].append(fold.ranks(similarity))
        if embedding is not None:
            ranks[1].append(fold.ranks(embedding[fold.queries] @ embedding[fold.gallery].T))
    if not folds:
        return usual
    inverse = {share: 1 / np.concatenate(found) for share, found in ranks.items()}
    best = max(inverse, key=lambda share: (inverse[share].mean(), share))
    gain = inverse[best] - inverse[usual]
    return best if gain.mean() > SURELY * gain.std() / np.sqrt(len(gain)) else usual


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

    def similarities(self, fold: Fold, shares: Iterable[float]) -> dict[float, NDArray[np.float32]]:
        """Of a fold's queries to its gallery, (q, g), learned from its training rows, for each share."""
        within = _differences(self.data, fold, self.n)  # (p, n)
        p, rows = len(within), np.unique(np.concatenate([fold.queries, fold.gallery]))
        place = np.full(self.n, -1)
        place[rows] = np.arange(len(rows))
        asked = np.ix_(place[fold.queries], place[fold.gallery])
        # Products of the differences and the spread with all rows, and with one another: the same for every share.
        across = np.concatenate([within @ self.gram[: self.n], self.gram[self.n :]])  # (p + m, n + m)
        inner = np.concatenate([across[:, : self.n] @ within.T, across[:, self.n :]], axis=1)  # (p + m, p + m)
        traces = [float(part.diagonal().sum(dtype=np.float64)) for part in (inner[:p, :p], inner[p:, p:])]
        seen, itself, found = across[:, rows], self.gram[np.ix_(rows, rows)], {}
        for share in shares:
            weights = zip((1 - share, share), traces, strict=True)
            root = np.repeat([np.sqrt(w / t) if t > 0 else 0 for w, t in weights], (p, len(inner) - p))
            some = np.flatnonzero(root)
            root = root[some].astype(np.float32)
            square = inner[np.ix_(some, some)] * root[:, None] * root
            square[np.diag_indices(len(square))] += np.float32(self.ridge)
            part = seen[some] * root[:, None]
            products = itself - part.T @ np.linalg.solve(square, part)
            length = np.sqrt(np.maximum(products.diagonal(), np.finfo(np.float32).tiny))
            found[share] = np.asarray((products / length[:, None] / length)[asked], np.float32)
        return found


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
