"""The closed form: examples -> a lens in a second, by whitening what varies between pictures that belong together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import ExamplesError, ShapeError
from lookalike.learning.closed_form.pca import main_directions
from lookalike.learning.labelled_features import Features, LabelledFeatures, PartWeights
from lookalike.learning.labels import Rows, rows_by_label, sort_by_label
from lookalike.models.lens import Lens
from lookalike.progress import SILENT, Reporter

ROWS_AT_ONCE = 4096
SAMPLE = 4096  # rows that decide the main directions; the covariance reads all of them
SCALED_BY = 256  # rows that decide the scale, which no similarity depends on
SMALLEST = 1e-24  # mean squared length of rows whose squares float32 can hold
SPREAD_POWER = 0.5  # how far features of small and large spread are brought together
LEAST_SPREAD = 0.1  # of the mean variance: a feature that hardly varies is not blown up


def whiten(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    triplets: ArrayLike | None = None,
    ridge: float = 1.0,
    scale: ArrayLike | None = None,
    dims: int | None = None,
    name: str = "lens",
) -> Lens:
    """The lens whose similarity is cosine under (S + ridge tr(S)/f I)^-1, S the scatter within labels.

    Directions in which pictures of one label differ count less; those in which they agree count more.

    Args:
        features: (n, f) of any float type or int, rows of any length. Rows outside every label and triplet only move
            the mean.
        labels: (n,) whole numbers or words, who belongs together; below 0, None or "" for none.
        triplets: (t, 3) int rows anchor, positive, negative. A pair of anchor and positive enters S once, as a label
            of two would, by half the square of its difference, unless the two share a label already; the negative
            does not enter: a scatter within knows no "less alike".
        ridge: as for `WhitenTrainer`.
        scale: as for `WhitenTrainer`.
        dims: as for `WhitenTrainer`.
        name: the lens's name.
    Returns: Lens, scaled so that the rows have a mean squared length of 1 before they are brought to length 1.
    Raises: ExamplesError, when nothing belongs together or all features are alike; ShapeError.
    Source: learned whitening, Mikolajczyk and Matas, ICCV 2007, and Radenovic et al., arXiv:1711.02512, section 3.3,
        whose C_S sums the squared differences of matching pairs; within whole labels this is the S of relevant
        component analysis, Bar-Hillel et al., ICML 2003. The ridge makes it safe for fewer rows than features.

    >>> x = np.array([[0, 1, 0], [0, -1, 0], [1, 1, 0], [1, -1, 0]], np.float32)  # labels differ in x, vary in y
    >>> lens = whiten(x, [0, 0, 1, 1])                                            # S = diag(0, 4, 0), tr(S)/f = 4/3
    >>> print(round(float(lens.matrix[0, 0] / lens.matrix[1, 1]), 3))             # sqrt((3 + 1) / (0 + 1))
    2.0
    """
    data = LabelledFeatures.create(features, labels, triplets=triplets)
    return replace(WhitenTrainer(ridge, scale, dims).fit(data), name=name)


@dataclass(frozen=True, eq=False)
class WhitenTrainer:
    """`whiten` as a Trainer.

    Attributes:
        ridge: how much of the mean variance is added in every direction, above 0. 1 halves the weight of the average.
        scale: (f,) above 0, what each feature is multiplied with first, such as `spread_scale(features)`: the ridge
            then leans not towards I but towards diag(1 / scale^2), as Schaefer and Strimmer (2005) shrink towards
            unequal variances. The lens reads features as they are. None for all alike.
        dims: how many main directions of the whitened rows are kept; None, or more than the rows span, keeps all.
        prior: (m, f) further rows, of which nothing is known, whose spread about their mean is mixed into S; or None.
        prior_share: of that spread in S, both at the same trace; 0 to below 1.
    """

    ridge: float = 1.0
    scale: ArrayLike | None = None
    dims: int | None = None
    prior: Features | None = None
    prior_share: float = 0.0

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        """Learn a lens from features, labels and triplets; domains are not read."""
        x, labels, ridge = data.features, data.labels, self.ridge
        pairs = _pairs_to_learn_from(data)
        if not 0 < ridge < float("inf"):
            raise ShapeError(f"ridge must be above 0 and finite, not {ridge}. 1 is a good start.")
        mean = _mean(x)
        total = sum(float(np.square(part, dtype=np.float64).sum()) for part in _centred(x, mean))
        size = total / len(x) + float(np.square(mean, dtype=np.float64).sum())
        if np.isfinite(size) and total <= 1e-10 * size * len(x):
            raise ExamplesError(
                "all pictures have the same features: nothing tells them apart. Add different pictures."
            )
        if not SMALLEST < size < 1 / SMALLEST:
            raise ShapeError("features that are not finite, or too small or large for float32. Bring rows to length 1.")
        even = np.ones(x.shape[1], np.float32) if self.scale is None else np.asarray(self.scale, np.float32)
        if even.shape != (x.shape[1],) or not (np.isfinite(even).all() and even.min() > 0):
            raise ShapeError(f"scale {even.shape} must hold a number above 0 for each of {x.shape[1]} features.")
        spread = None if self.prior is None or not self.prior_share else self.prior
        few = (labels >= 0).sum() + len(pairs) + (0 if spread is None else len(spread)) <= x.shape[1] // 3
        root = _from_few if few else _from_many
        differences, least = _differences(x, labels, pairs), 1e-7 * total
        if spread is not None:
            differences, least = _mixed(lambda: _differences(x, labels, pairs), spread, even, self.prior_share), 1e-7
        matrix = even[:, None] * root(differences, even, ridge, least)
        cut = self.dims is not None and self.dims < min(len(x), x.shape[1])
        some = np.unique(np.linspace(0, len(x) - 1, min(len(x), SAMPLE if cut else SCALED_BY)).astype(np.int64))
        whitened = np.vstack([part @ matrix for part in _centred(x[some], mean)])  # (n, f) @ (f, f)
        matrix /= np.float32(np.sqrt(np.square(whitened, dtype=np.float64).sum(axis=1).mean()))
        if cut and self.dims is not None:
            matrix = matrix @ main_directions(whitened, self.dims)  # (f, f) @ (f, d) -> (f, d)
        settings = {
            "method": "closed form",
            "ridge": ridge,
            "spread_scaled": self.scale is not None,
            "dims": self.dims,
            "rows": len(x),
        }
        return Lens("lens", mean, matrix, settings)


def spread_scale(
    features: ArrayLike, power: float = SPREAD_POWER, parts: PartWeights | None = None
) -> NDArray[np.float32]:
    """What each feature is multiplied with, so that those of small spread are heard: its deviation to the -power.

    No labels are needed: it is read from at most 4,096 rows. Measured on look-alikes, signs and photos (decision 12).

    Args:
        features: (n, f) of any float type.
        power: 0 changes nothing, 1 brings every feature to the same variance.
        parts: how much the parts of the features weigh. Spreads are then read as if every part weighed 1, and the
            weights that lenses want come after, so that each means what it says; None: spreads as they are.
    Returns: (f,) float32; a tenth of the mean variance is mixed into each, so that no feature is blown up.

    >>> print(spread_scale([[0.0, 1.0], [0.0, -1.0]], power=1.0))  # of the mean variance .5: 0 and 2, mixed .1 and 1.9
    [3.1622777  0.72547626]
    """
    x = np.asarray(features)
    some = np.unique(np.linspace(0, len(x) - 1, min(len(x), SAMPLE)).astype(np.int64))
    variance = x[some].astype(np.float64).var(axis=0)
    after = np.ones(x.shape[1])
    if parts is not None:
        if parts.stored.shape != after.shape:
            raise ShapeError(f"weights of {len(parts.stored)} values for {len(after)} features. They must be as many.")
        variance, after = variance / parts.stored.astype(np.float64) ** 2, after * parts.lens / parts.stored
    mean = variance.mean()
    if not mean > 0:
        return np.asarray(after, np.float32)
    relative = (1 - LEAST_SPREAD) * variance / mean + LEAST_SPREAD
    return np.asarray(relative ** (-power / 2) * after, np.float32)


def _pairs_to_learn_from(data: LabelledFeatures) -> Rows:
    """The pairs (p, 2) that triplets add. Raises: ExamplesError, when no two rows belong together."""
    pairs = matching_pairs(data.labels, data.triplets)
    if len(pairs) == 0 and not rows_by_label(data.labels):
        raise ExamplesError(
            f"no two of the {len(data)} pictures belong together. Give groups or pairs of two or more pictures, "
            "or learn from the pictures' own views."
        )
    return pairs


def matching_pairs(labels: Rows, triplets: Rows) -> Rows:
    """Anchors and positives, each pair once, without those whose label says it already: (p, 2).

    >>> matching_pairs(np.array([0, 0, -1]), np.array([[0, 2, 1], [2, 0, 1], [0, 1, 2]]))
    array([[0, 2]])
    """
    pairs = np.unique(np.sort(triplets[:, :2], axis=1), axis=0)
    known = (labels[pairs[:, 0]] >= 0) & (labels[pairs[:, 0]] == labels[pairs[:, 1]])
    return np.asarray(pairs[~known & (pairs[:, 0] != pairs[:, 1])], np.int64)


def _mean(x: Features) -> NDArray[np.float32]:
    """The mean of all rows, (f,), summed in float64 block by block."""
    total = np.zeros(x.shape[1], np.float64)
    for start in range(0, len(x), ROWS_AT_ONCE):
        total += x[start : start + ROWS_AT_ONCE].sum(axis=0, dtype=np.float64)
    return (total / len(x)).astype(np.float32)


def _centred(x: Features, mean: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Blocks of rows less their mean, (b, f) float32."""
    for start in range(0, len(x), ROWS_AT_ONCE):
        yield x[start : start + ROWS_AT_ONCE].astype(np.float32) - mean


def _differences(x: Features, labels: Rows, pairs: Rows) -> Iterator[NDArray[np.float32]]:
    """Blocks (b, f) float32 whose squares sum to S: rows less their label's mean, and pairs' differences / sqrt 2."""
    order, starts, sizes = sort_by_label(labels)
    first = 0
    while first < len(starts):  # as many whole labels as fit in a block; a label larger than a block alone
        last = first + max(1, int(np.searchsorted(np.cumsum(sizes[first:]), ROWS_AT_ONCE, side="right")))
        members = order[starts[first] : starts[first] + int(sizes[first:last].sum())]
        if len(members) <= ROWS_AT_ONCE:
            part = x[members].astype(np.float32)
            mean = np.add.reduceat(part, starts[first:last] - starts[first], axis=0)
            mean /= sizes[first:last, None].astype(np.float32)  # in float64 all that follows would be
            yield part - np.repeat(mean, sizes[first:last], axis=0)
        else:
            chunks = [members[at : at + ROWS_AT_ONCE] for at in range(0, len(members), ROWS_AT_ONCE)]
            mean = sum(x[chunk].astype(np.float32).sum(axis=0, dtype=np.float64) for chunk in chunks) / len(members)
            for chunk in chunks:
                yield x[chunk].astype(np.float32) - np.asarray(mean, np.float32)
        first = last
    for at in range(0, len(pairs), ROWS_AT_ONCE):
        anchor, positive = pairs[at : at + ROWS_AT_ONCE].T
        yield (x[anchor].astype(np.float32) - x[positive].astype(np.float32)) * np.float32(np.sqrt(0.5))


def _mixed(
    differences: Callable[[], Iterator[NDArray[np.float32]]],
    prior: Features,
    scale: NDArray[np.float32],
    share: float,
) -> Iterator[NDArray[np.float32]]:
    """Blocks whose squares, scaled, sum to a trace of 1: `share` of it is the spread of `prior` about its mean."""
    mean = _mean(prior)
    parts = ((differences, 1 - share), (lambda: _centred(prior, mean), share))
    for blocks, weight in parts:
        trace = sum(float(np.square(block * scale, dtype=np.float64).sum()) for block in blocks())
        for block in blocks() if trace > 0 else ():
            yield block * np.float32(np.sqrt(weight / trace))


def _from_many(
    differences: Iterator[NDArray[np.float32]], scale: NDArray[np.float32], ridge: float, least: float
) -> NDArray[np.float32]:
    """(S f / tr S + ridge I)^-1/2 by Cholesky, (f, f) float32, where there are about as many rows as features."""
    f = len(scale)
    within = np.zeros((f, f), np.float32)
    for part in differences:
        within += part.T @ part  # (f, b) @ (b, f) -> (f, f)
    within *= scale[:, None]
    within *= scale
    trace = float(np.trace(within, dtype=np.float64))
    # Equal pictures only: no direction varies more than another, so the lens is centring alone.
    within *= np.float32(f / trace if trace > least else 0)
    within[np.diag_indices(f)] += np.float32(ridge)
    if ridge < 0.01:  # so small that float32 could lose positive definiteness
        return np.asarray(inverse_root(within.astype(np.float64)).T, np.float32)
    return np.asarray(inverse_root(within).T)


def _from_few(
    differences: Iterator[NDArray[np.float32]], scale: NDArray[np.float32], ridge: float, least: float
) -> NDArray[np.float32]:
    """The same but for a turn, where there are few rows: all but their span is left as it is, and S has few weights."""
    f = len(scale)
    rows = np.vstack(list(differences)) * scale  # (m, f)
    trace = float(np.square(rows, dtype=np.float64).sum())
    matrix = np.eye(f, dtype=np.float32)
    if trace > least:
        rows *= np.float32(np.sqrt(f / trace))
        weights, vectors = np.linalg.eigh((rows @ rows.T).astype(np.float64))  # (m, f) @ (f, m) -> (m, m)
        kept = weights > 1e-6 * weights[-1]
        weights, vectors = weights[kept], vectors[:, kept]
        # With R'R = U W U' the root of its inverse is I - U (1 - (W / ridge + 1)^-1/2) U', but for 1 / sqrt ridge.
        shrink = (1 - 1 / np.sqrt(weights / ridge + 1)) / weights
        across = (rows.T @ vectors.astype(np.float32)).astype(np.float32)  # (f, m): U W^1/2
        matrix -= (across * shrink.astype(np.float32)) @ across.T
    return matrix / np.float32(np.sqrt(ridge))


def inverse_root(square: NDArray[np.floating[Any]]) -> NDArray[Any]:
    """The inverse of the lower Cholesky factor of a positive definite matrix, by halves: (n, n), lower triangular.

    Both are found together in products of halves: numpy has no triangular solve but a general one, and its Cholesky
    on several threads is slower than this by far where other programs run.

    >>> inverse_root(np.array([[4.0, 2.0], [2.0, 17.0]], np.float32)).tolist()  # L = [[2, 0], [1, 4]]
    [[0.5, 0.0], [-0.125, 0.25]]
    """
    n = len(square)
    if n <= 96:
        return np.asarray(np.tril(np.linalg.inv(np.linalg.cholesky(square))))
    half = n // 2
    result = np.zeros_like(square)
    first = inverse_root(square[:half, :half])
    below = square[half:, :half] @ first.T
    second = inverse_root(square[half:, half:] - below @ below.T)
    result[:half, :half], result[half:, half:] = first, second
    result[half:, :half] = -(second @ (below @ first))
    return result
