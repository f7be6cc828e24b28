"""The closed form: examples -> a lens in a second, by whitening what varies between pictures that belong together."""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import ExamplesError, ShapeError
from lookalike.learning.closed_form.pca import main_directions
from lookalike.models.lens import Lens

Features = NDArray[np.floating[Any]]
ROWS_AT_ONCE = 4096
SAMPLE = 4096  # rows that decide the main directions; the covariance reads all of them
SCALED_BY = 1024  # rows that decide the scale, which no similarity depends on
SMALLEST = 1e-24  # mean squared length of rows whose squares float32 can hold
SPREAD_POWER = 0.5  # how far features of small and large spread are brought together
LEAST_SPREAD = 0.1  # of the mean variance: a feature that hardly varies is not blown up


def whiten(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    domains: ArrayLike | None = None,
    triplets: ArrayLike | None = None,
    ridge: float = 1.0,
    scale: ArrayLike | None = None,
    dims: int | None = None,
    means: Literal["one", "side"] = "one",
    name: str = "lens",
) -> Lens:
    """The lens whose similarity is cosine under (S + ridge tr(S)/f I)^-1, S the scatter within groups.

    Directions in which pictures of one group differ count less; those in which they agree count more.

    Args:
        features: (n, f) of any float type or int, rows of any length. Rows outside every group and triplet only move
            the mean.
        labels: (n,) int, who belongs together; -1 for none.
        domains: (n,) int, or None; only read with means="side".
        triplets: (t, 3) int rows anchor, positive, negative. A pair of anchor and positive enters S once, as a group
            of two would, by half the square of its difference, unless the two share a group already; the negative
            does not enter: a scatter within knows no "less alike".
        ridge: how much of the mean variance is added in every direction, above 0. 1 halves the weight of the average.
        scale: (f,) above 0, what each feature is multiplied with first, such as `evened(features)`: the ridge then
            leans not towards I but towards diag(1 / scale^2), as Schaefer and Strimmer (2005) shrink towards unequal
            variances. The lens reads features as they are. None for all alike.
        dims: how many main directions of the whitened rows are kept; None, or more than the rows span, keeps all.
        means: "one" centres all rows on their mean, "side" those of each side on their own.
        name: the lens's name.
    Returns: Lens, scaled so that the rows have a mean squared length of 1 before they are brought to length 1.
    Raises: ExamplesError, when nothing belongs together or all features are alike; ShapeError.
    Source: learned whitening, Mikolajczyk and Matas, ICCV 2007, and Radenovic et al., arXiv:1711.02512, section 3.3,
        whose C_S sums the squared differences of matching pairs; within whole groups this is the S of relevant
        component analysis, Bar-Hillel et al., ICML 2003. The ridge makes it safe for fewer rows than features.

    >>> x = np.array([[0, 1, 0], [0, -1, 0], [1, 1, 0], [1, -1, 0]], np.float32)  # groups differ in x, vary in y
    >>> lens = whiten(x, [0, 0, 1, 1])                                            # S = diag(0, 4, 0), tr(S)/f = 4/3
    >>> print(round(float(lens.matrix[0, 0] / lens.matrix[1, 1]), 3))             # sqrt((3 + 1) / (0 + 1))
    2.0
    """
    x, groups, sides, pairs = checked(features, labels, domains, triplets)
    if not 0 < ridge < float("inf"):
        raise ShapeError(f"ridge must be above 0 and finite, not {ridge}. 1 is a good start.")
    if means == "side" and sides.min() < 0:
        raise ShapeError("a mean a side needs the side of every row. Use means='one', or leave rows of side -1 out.")
    mean = centre(x, sides if means == "side" else None)
    shift = mean[sides] if mean.ndim == 2 else None
    total = sum(float(np.square(part, dtype=np.float64).sum()) for _, part in centred(x, mean, sides))
    size = total / len(x) + float(np.square(mean, dtype=np.float64).sum(axis=-1).max())
    if np.isfinite(size) and total <= 1e-10 * size * len(x):
        raise ExamplesError("all pictures have the same features: nothing tells them apart. Add different pictures.")
    if not SMALLEST < size < 1 / SMALLEST:
        raise ShapeError("features that are not finite, or too small or large for float32. Bring rows to length 1.")
    differences = _differences(x, groups, pairs, shift)
    even = np.ones(x.shape[1], np.float32) if scale is None else np.asarray(scale, np.float32)
    if even.shape != (x.shape[1],) or not (np.isfinite(even).all() and even.min() > 0):
        raise ShapeError(f"scale {even.shape} must hold a number above 0 for each of {x.shape[1]} features.")
    few = (groups >= 0).sum() + len(pairs) <= x.shape[1] // 3
    matrix = even[:, None] * (_from_few if few else _from_many)(differences, even, ridge, 1e-7 * total)
    cut = dims is not None and dims < min(len(x), x.shape[1])
    some = np.unique(np.linspace(0, len(x) - 1, min(len(x), SAMPLE if cut else SCALED_BY)).astype(np.int64))
    whitened = np.vstack([part @ matrix for _, part in centred(x[some], mean, sides[some])])  # (n, f) @ (f, f)
    matrix /= np.float32(np.sqrt(np.square(whitened, dtype=np.float64).sum(axis=1).mean()))
    if cut and dims is not None:
        matrix = matrix @ main_directions(whitened, dims)  # (f, f) @ (f, d) -> (f, d)
    settings = {
        "method": "closed form",
        "ridge": ridge,
        "evened": scale is not None,
        "dims": dims,
        "means": means,
        "rows": len(x),
    }
    return Lens(name, mean, matrix, settings)


def spread_scale(features: ArrayLike, power: float = SPREAD_POWER) -> NDArray[np.float32]:
    """What each feature is multiplied with, so that those of small spread are heard: its deviation to the -power.

    No labels are needed: it is read from at most 4,096 rows. Measured on look-alikes, signs and photos (decision 12).

    Args:
        features: (n, f) of any float type.
        power: 0 changes nothing, 1 brings every feature to the same variance.
    Returns: (f,) float32; a tenth of the mean variance is mixed into each, so that no feature is blown up.

    >>> print(spread_scale([[0.0, 1.0], [0.0, -1.0]], power=1.0))  # of the mean variance .5: 0 and 2, mixed .1 and 1.9
    [3.1622777  0.72547626]
    """
    x = np.asarray(features)
    some = np.unique(np.linspace(0, len(x) - 1, min(len(x), SAMPLE)).astype(np.int64))
    variance = x[some].astype(np.float64).var(axis=0)
    mean = variance.mean()
    if not mean > 0:
        return np.ones(x.shape[1], np.float32)
    relative = (1 - LEAST_SPREAD) * variance / mean + LEAST_SPREAD
    return np.asarray(relative ** (-power / 2), np.float32)


def checked(
    features: ArrayLike, labels: ArrayLike, domains: ArrayLike | None, triplets: ArrayLike | None
) -> tuple[Features, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Examples as arrays that fit: features, group, side (0 where none), and pairs (p, 2) that triplets add."""
    x = np.asarray(features)
    x = x.astype(np.float32) if x.dtype.kind in "iu" else x
    if x.ndim != 2 or x.dtype.kind != "f" or 0 in x.shape:
        raise ShapeError(f"features must be (n, f) floats with n and f above 0, not {x.dtype} {x.shape}.")
    groups = np.asarray(labels, np.int64)
    sides = np.zeros(len(x), np.int64) if domains is None else np.asarray(domains, np.int64)
    if groups.shape != (len(x),) or sides.shape != (len(x),):
        raise ShapeError(f"{len(x)} rows of features, but group {groups.shape} and side {sides.shape}. Give one a row.")
    three = np.zeros((0, 3), np.int64) if triplets is None else np.asarray(triplets, np.int64).reshape(-1, 3)
    if three.size and not 0 <= three.min() <= three.max() < len(x):
        raise ShapeError(f"triplets name rows from {three.min()} to {three.max()}, features have {len(x)}.")
    pairs = matching_pairs(groups, three)
    if len(pairs) == 0 and not (np.unique(groups[groups >= 0], return_counts=True)[1] > 1).any():
        raise ExamplesError(
            f"no two of the {len(x)} pictures belong together. Give groups or pairs of two or more pictures, "
            "or learn from the pictures' own views."
        )
    return x, groups, sides, pairs


def matching_pairs(groups: NDArray[np.int64], triplets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Anchors and positives, each pair once, without those whose group says it already: (p, 2).

    >>> matching_pairs(np.array([0, 0, -1]), np.array([[0, 2, 1], [2, 0, 1], [0, 1, 2]]))
    array([[0, 2]])
    """
    pairs = np.unique(np.sort(triplets[:, :2], axis=1), axis=0)
    known = (groups[pairs[:, 0]] >= 0) & (groups[pairs[:, 0]] == groups[pairs[:, 1]])
    return np.asarray(pairs[~known & (pairs[:, 0] != pairs[:, 1])], np.int64)


def centre(x: Features, sides: NDArray[np.int64] | None) -> NDArray[np.float32]:
    """The mean of all rows (f,), or of each side's rows (sides, f); a side without rows gets the mean of all."""
    rows = np.zeros(len(x), np.int64) if sides is None else sides
    count = int(rows.max()) + 1
    sums = np.zeros((count, x.shape[1]), np.float64)
    for start in range(0, len(x), ROWS_AT_ONCE):
        part, at = x[start : start + ROWS_AT_ONCE], rows[start : start + ROWS_AT_ONCE]
        for one in np.unique(at):
            sums[one] += part[at == one].sum(axis=0, dtype=np.float64)
    everyone = sums.sum(axis=0) / len(x)
    sizes = np.bincount(rows, minlength=count)[:, None]
    mean = np.where(sizes > 0, sums / np.maximum(sizes, 1), everyone).astype(np.float32)
    return mean[0] if sides is None else mean


def centred(
    x: Features, mean: NDArray[np.float32], sides: NDArray[np.int64]
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Blocks of rows less their mean, (b, f) float32, with where they came from."""
    for start in range(0, len(x), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        yield part, x[part].astype(np.float32) - (mean if mean.ndim == 1 else mean[sides[part]])


def _differences(
    x: Features, groups: NDArray[np.int64], pairs: NDArray[np.int64], shift: NDArray[np.float32] | None
) -> Iterator[NDArray[np.float32]]:
    """Blocks (b, f) float32 whose squares sum to S: rows less their group's mean, and pairs' differences / sqrt 2."""

    def rows(at: NDArray[np.int64]) -> NDArray[np.float32]:
        found = x[at].astype(np.float32)
        return found if shift is None else found - shift[at]

    order = np.argsort(groups, kind="stable")
    order = order[groups[order] >= 0]
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    sizes = np.diff(starts, append=len(order))
    first = 0
    while first < len(starts):  # as many whole groups as fit in a block; a group larger than a block alone
        last = first + max(1, int(np.searchsorted(np.cumsum(sizes[first:]), ROWS_AT_ONCE, side="right")))
        members = order[starts[first] : starts[first] + int(sizes[first:last].sum())]
        if len(members) <= ROWS_AT_ONCE:
            part = rows(members)
            mean = np.add.reduceat(part, starts[first:last] - starts[first], axis=0) / sizes[first:last, None]
            yield part - np.repeat(mean, sizes[first:last], axis=0)
        else:
            chunks = [members[at : at + ROWS_AT_ONCE] for at in range(0, len(members), ROWS_AT_ONCE)]
            mean = sum(rows(chunk).sum(axis=0, dtype=np.float64) for chunk in chunks) / len(members)
            for chunk in chunks:
                yield rows(chunk) - np.asarray(mean, np.float32)
        first = last
    for at in range(0, len(pairs), ROWS_AT_ONCE):
        anchor, positive = pairs[at : at + ROWS_AT_ONCE].T
        yield (rows(anchor) - rows(positive)) * np.float32(np.sqrt(0.5))


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
