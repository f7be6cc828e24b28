"""Closed forms of many labellings at once: what the labels taught, and what whitening gives anyway."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.closed_form.whitening import inverse_root


@dataclass(frozen=True)
class LabelAssignment:
    """Who belongs together: groups (n,) int64, -1 for none, and further pairs (p, 2) int64 of rows."""

    labels: NDArray[np.int64]
    pairs: NDArray[np.int64]

    def permuted(self, sides: NDArray[np.int64], rng: np.random.Generator) -> "LabelAssignment":
        """The same groups and pairs laid on the same rows at random; each row keeps its side.

        >>> one = LabelAssignment(np.array([0, 0, 1, 1, -1]), np.zeros((0, 2), int))
        >>> one.permuted(np.zeros(5, int), np.random.default_rng(0)).labels.tolist()
        [0, 1, 0, 1, -1]
        """
        groups, pairs = self.labels.copy(), self.pairs
        grouped, paired = np.flatnonzero(groups >= 0), np.unique(pairs)
        groups[_turned(grouped, sides, rng)] = self.labels[grouped]
        turn = np.arange(len(groups))
        turn[paired] = _turned(paired, sides, rng)
        return LabelAssignment(groups, turn[pairs])


class PermutedClosedForms:
    """The similarities under closed forms of different labellings of the same rows, from one matrix inverse.

    The scatter within groups is that of all labelled rows less that of the group means. The first is the same for
    every labelling of the same rows, and the second has as many dimensions as there are groups: one inverse for all,
    and a small correction for each (Woodbury's identity). All is done on inner products of rows, so the number of
    features costs nothing.

    The ridge is the same for all: that of the labelling with the least scatter within, which is the real one wherever
    labels teach anything. It depends on the set of labellings and not on which of them is real, so that labels that
    mean nothing cannot be told from the shuffled ones.

    Args:
        gram: (n, n) float32 or float64, inner products of the centred features of all rows; float64 for a ridge so
            small that what is left after whitening is a small part of them.
        labellings: all over the same rows, with groups of the same sizes and as many pairs.
        features: f, over which the mean variance is taken.
        ridge: as for `whiten`.
    """

    def __init__(
        self, gram: NDArray[np.floating[Any]], labellings: list[LabelAssignment], features: int, ridge: float = 1.0
    ):
        self.labellings = labellings
        grouped = np.flatnonzero(labellings[0].labels >= 0)
        total = float(gram.diagonal()[grouped].sum(dtype=np.float64))
        within = min(total - _between(gram, one) for one in labellings)
        shift = gram.dtype.type(ridge * within / features)
        # Equal pictures only: no direction varies more than another, as in `whiten`.
        self.centring_alone = bool(within <= 1e-7 * float(np.trace(gram, dtype=np.float64)))
        self.shared: NDArray[Any] = gram
        if not self.centring_alone:
            # (Z'Z + c I)^-1 = (I - Z' (Z Z' + c I)^-1 Z) / c, seen from both sides by all rows.
            inner = gram[np.ix_(grouped, grouped)]
            inner[np.diag_indices(len(grouped))] += shift
            half = inverse_root(inner) @ gram[grouped]  # (g, g) @ (g, n) -> (g, n)
            self.shared = (gram - half.T @ half) / shift

    def similarities(self, which: int, queries: NDArray[np.int64], gallery: NDArray[np.int64]) -> NDArray[np.float32]:
        """Cosine of the queries' rows (q,) to the gallery's (g,) under one labelling's closed form: (q, g) float32."""
        products, squares = self.shared[np.ix_(queries, gallery)], self.shared.diagonal()
        asking, answering = squares[queries], squares[gallery]
        if not self.centring_alone:
            parts, signs = _parts(self.shared, self.labellings[which])  # (t, n)
            inner = _parts(parts.T, self.labellings[which])[0] + np.diag(signs)  # (t, t)
            asked, answered = parts[:, queries], parts[:, gallery]
            rows = np.unique(queries)
            solved = np.linalg.solve(inner, np.hstack([parts[:, rows], answered]))
            solved_asked, solved_answered = solved[:, np.searchsorted(rows, queries)], solved[:, len(rows) :]
            asking = asking - (asked * solved_asked).sum(axis=0)
            answering = answering - (answered * solved_answered).sum(axis=0)
            products = products - asked.T @ solved_answered  # (q, t) @ (t, g) -> (q, g)
        tiny = np.finfo(np.float32).tiny
        lengths = np.sqrt(np.maximum(asking, tiny))[:, None], np.sqrt(np.maximum(answering, tiny))
        return np.asarray(products / lengths[0] / lengths[1], np.float32)


def _between(gram: NDArray[Any], labelling: LabelAssignment) -> float:
    """How much of the scatter of all grouped rows is not within groups: less what further pairs add."""
    order = np.argsort(labelling.labels, kind="stable")
    order = order[labelling.labels[order] >= 0]
    starts = np.flatnonzero(np.diff(labelling.labels[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    between = 0.0
    for size in np.unique(sizes):
        members = order[starts[sizes == size, None] + np.arange(size)]  # (t, s)
        blocks = gram[members[:, :, None], members[:, None, :]]  # (t, s, s)
        between += float(blocks.sum(dtype=np.float64)) / size
    a, b = labelling.pairs.T
    apart = gram[a, a] + gram[b, b] - 2 * gram[a, b]
    return between - float(apart.sum(dtype=np.float64)) / 2


def _parts(rows: NDArray[Any], labelling: LabelAssignment) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rows (n, m) -> what the labelling takes from and adds to the scatter: (t, m), and its signs (t,).

    A group of s rows takes their sum / sqrt s; a pair adds its difference / sqrt 2.
    """
    order = np.argsort(labelling.labels, kind="stable")
    order = order[labelling.labels[order] >= 0]
    starts = np.flatnonzero(np.diff(labelling.labels[order], prepend=-1))
    sizes = np.diff(starts, append=len(order)).astype(rows.dtype)
    parts: NDArray[Any] = np.zeros((len(starts), rows.shape[1]), rows.dtype)
    for one, members in zip(parts, np.split(order, starts)[1:], strict=True):  # reduceat is slower by far
        np.add.reduce(rows[members], axis=0, out=one)
    parts /= np.sqrt(sizes)[:, None]
    a, b = labelling.pairs.T
    parts = np.vstack([parts, (rows[a] - rows[b]) * rows.dtype.type(np.sqrt(0.5))])
    return parts, np.repeat(np.array([-1, 1], rows.dtype), [len(starts), len(a)])


def _turned(rows: NDArray[np.int64], sides: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Rows in an order of chance, each in the place of one of its side."""
    result = rows.copy()
    for one in np.unique(sides[rows]):
        at = sides[rows] == one
        result[at] = rng.permutation(rows[at])
    return result
