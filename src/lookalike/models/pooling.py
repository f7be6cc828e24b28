"""How much each place of a map counts when it is pooled: the middle more, or the upper half against the lower."""

import numpy as np
from numpy.typing import NDArray

PLACES = ".places"  # ends the name of a constant that holds such weights in a graph; before it stands ".centre", say
CENTRE = 0.25  # the standard deviation of the Gaussian around the middle, as a share of the side


def place_weights(pooling: str, side: int) -> NDArray[np.float64]:
    """What each place of a square map counts, by rows from above and by columns: (side, side) float64.

    A mirrored picture gives the same centre and the same fall.

    Args:
        pooling: "centre": a Gaussian around the middle, in all 1. "fall": the mean of the upper half less that of the
            lower half; of an odd number of rows the middle one belongs to neither.
        side: of the map, 2 or more.

    >>> place_weights("fall", 2).tolist()
    [[0.5, 0.5], [-0.5, -0.5]]
    """
    at = (np.arange(side) + 0.5) / side - 0.5
    if pooling == "centre":
        bell = np.exp(-(at**2) / (2 * CENTRE**2))
        return np.asarray(np.outer(bell, bell) / bell.sum() ** 2)
    rows = np.where(np.abs(at) < 1e-9, 0, -np.sign(at)) / (side // 2 * side)
    return np.repeat(rows[:, None], side, axis=1)
