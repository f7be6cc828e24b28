"""What tells groups apart counts more: a lens leaned towards the directions in which the means of groups differ."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.labelled_features import Features
from lookalike.learning.labels import Rows
from lookalike.models.lens import Lens

DIRECTIONS = 128
MIN_GAIN = 0.3  # of the square of a length: what directions keep in which large groups do not differ at all
HALF_GAIN_AT = 10.0  # times the mean variance of a direction: a scatter between that is heard by half
SMALL = 4  # pictures a group, in the mean, from which on the means of groups are looked at
MOST_GROUPS = 1024  # that the directions are found from


def reweight_between_class(
    lens: Lens,
    features: Features,
    labels: Rows,
    *,
    domains: Rows | None = None,
    floor: float = MIN_GAIN,
    half: float = HALF_GAIN_AT,
) -> Lens:
    """The lens with each direction's length times sqrt((b + floor half) / (b + half)), but for a factor.

    In the embedding before its rows are brought to length 1, b is the variance of groups' means in a direction, less
    what their pictures' own spread adds to it, in units of the mean variance of a direction.
    The means of a few pictures are mostly spread: with k pictures a group in the mean, the floor is
    1 - (1 - floor) (1 - 4 / k), so that groups of four or fewer change nothing.

    Args:
        lens: a closed form, (f, d).
        features: (n, f) float, the rows it was learned from.
        labels: (n,) int, -1 for none.
        domains: (n,) int; only read for a lens with a mean a side.
        floor: above 0, at most 1; 1 changes nothing.
        half: above 0.
    Returns: Lens with the same mean and a matrix of the same shape.
    Source: the weights are those of probabilistic linear discriminant analysis, Ioffe, ECCV 2006, where directions
        count by their scatter between, beside a constant; the floor leaves room for kinds never seen.
    """
    names, at, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    large = (names >= 0) & (sizes > 1)
    pictures, groups = int(sizes[large].sum()), int(large.sum())
    if groups < 2 or pictures <= SMALL * groups:
        return lens
    least = 1 - (1 - floor) * (1 - SMALL * groups / pictures)
    chosen = np.flatnonzero(large)
    chosen = chosen[np.unique(np.linspace(0, groups - 1, min(groups, MOST_GROUPS)).astype(np.int64))]
    place = np.full(len(names), -1)
    place[chosen] = np.arange(len(chosen))
    rows = np.flatnonzero(place[at] >= 0)
    label, counts = place[at[rows]], sizes[chosen]
    y = _embedded(lens, features[rows], None if domains is None else domains[rows])  # (m, d)
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
    return replace(lens, matrix=matrix, settings={**lens.settings, "leaned": round(1 - least, 3)})


def _embedded(lens: Lens, x: Features, domains: Rows | None) -> NDArray[np.float32]:
    """(m, f) -> (m, d) float32, rows of any length."""
    mean = lens.mean if lens.mean.ndim == 1 else lens.mean.mean(axis=0) if domains is None else lens.mean[domains]
    return np.asarray((x.astype(np.float32) - mean) @ lens.matrix, np.float32)
