"""Re-weights the whitened space by between-class variance: directions in which class means differ get longer."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.models.lens import Lens

DIRECTIONS = 128
MIN_GAIN = 0.3  # smallest weight (squared) of a direction without between-class variance
HALF_GAIN_AT = 10.0  # between-class variance, in mean variances, at which a direction gets half of the weight
SMALL = 4  # images a class, in the mean, up to which class means say nothing
MOST_CLASSES = 1024  # that the directions are found from
COLUMNS_AT_ONCE = 512  # of a product


def reweight_between_class(
    lens: Lens, data: LabelledFeatures, *, floor: float = MIN_GAIN, half: float = HALF_GAIN_AT
) -> Lens:
    """The lens with each direction's length times sqrt((b + floor half) / (b + half)), but for a factor.

    In the embedding before its rows are brought to length 1, b is the variance of class means in a direction, less
    what the variance within classes adds to it, in units of the mean variance of a direction.
    The means of a few images are mostly noise: with k images a class in the mean, the floor is
    1 - (1 - floor) (1 - 4 / k), so that classes of four or fewer change nothing.

    Args:
        lens: a closed form, (f, d).
        data: what it was learned from; features and labels are read.
        floor: above 0, at most 1; 1 changes nothing.
        half: above 0.
    Returns: Lens with the same mean and a matrix of the same shape.
    Source: the weights are those of probabilistic linear discriminant analysis, Ioffe, ECCV 2006, where directions
        count by their scatter between, beside a constant; the floor leaves room for kinds never seen.
    """
    names, at, sizes = np.unique(data.labels, return_inverse=True, return_counts=True)
    large = (names >= 0) & (sizes > 1)
    images, classes = int(sizes[large].sum()), int(large.sum())
    if classes < 2 or images <= SMALL * classes:
        return lens
    least = 1 - (1 - floor) * (1 - SMALL * classes / images)
    chosen = np.flatnonzero(large)
    chosen = chosen[np.unique(np.linspace(0, classes - 1, min(classes, MOST_CLASSES)).astype(np.int64))]
    place = np.full(len(names), -1)
    place[chosen] = np.arange(len(chosen))
    rows = np.flatnonzero(place[at] >= 0)
    label, counts = place[at[rows]], sizes[chosen]
    y = _product(data.features[rows].astype(np.float32) - lens.mean, lens.matrix)  # (m, d)
    means = np.zeros((len(chosen), y.shape[1]), np.float32)
    np.add.at(means, label, y)
    means /= counts[:, None]
    weighted = np.sqrt(counts / len(rows))[:, None].astype(np.float32) * means  # (g, d)
    values, vectors = np.linalg.eigh((weighted @ weighted.T).astype(np.float64))
    kept = np.flatnonzero(values > 1e-6 * values[-1])[::-1][:DIRECTIONS]
    main = weighted.T @ (vectors[:, kept] / np.sqrt(values[kept])).astype(np.float32)  # (d, r), orthonormal
    spread = np.square(y @ main - (means @ main)[label]).sum(axis=0) / (len(rows) - len(chosen))
    unit = np.square(y).sum(axis=1).mean() / lens.features
    between = np.maximum(values[kept] - spread * len(chosen) / len(rows), 0) / unit
    gain = np.sqrt((between + least * half) / (between + half) / least) - 1
    matrix = lens.matrix + (lens.matrix @ main * gain.astype(np.float32)) @ main.T  # (f, d)
    return replace(lens, matrix=matrix, settings={**lens.settings, "between_class_gain": round(1 - least, 3)})


def _product(x: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """(m, f) @ (f, d) -> (m, d) by blocks of columns, without the zeros below them: half the work of a triangle."""
    y = np.empty((len(x), matrix.shape[1]), np.float32)
    for at in range(0, matrix.shape[1], COLUMNS_AT_ONCE):
        end = at + COLUMNS_AT_ONCE
        part = matrix[:, at:end]
        used = len(part) if part[end:].any() else end
        y[:, at:end] = x[:, :used] @ part[:used]
    return y
