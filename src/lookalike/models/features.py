"""The outputs of a network's stages -> one row of features."""

import numpy as np
from numpy.typing import NDArray

from lookalike.models.bundle import Bundle, StageOutput


def combine_stages(depths: dict[str, NDArray[np.float32]], bundle: Bundle) -> NDArray[np.float32]:
    """Pooled depths -> features, in float32.

    Each value x of a depth becomes sign(x) ((|x| + e)^power - e^power), where e is `soft` times the mean of |x| in its
    row: few large values count less, many small ones more. Each depth's row is then brought to length 1 and weighted;
    side by side they are brought to length 1 again.

    Args:
        depths: each (n, length) float32, by name.
        bundle: says which, in what order, and each one's weight, power and soft.
    Returns: (n, f) float32, rows of length 1.
    """
    parts = []
    for depth in bundle.depths:
        x = np.asarray(depths[depth.name], np.float32)
        size = np.abs(x)
        e = np.float32(depth.soft) * size.mean(axis=1, keepdims=True)
        parts.append(np.float32(depth.weight) * _unit(np.copysign(_raised(size + e, depth) - _raised(e, depth), x)))
    return _unit(np.hstack(parts))


def _raised(x: NDArray[np.float32], depth: StageOutput) -> NDArray[np.float32]:
    return np.sqrt(x) if depth.power == 0.5 else np.power(x, np.float32(depth.power))


def _unit(x: NDArray[np.float32]) -> NDArray[np.float32]:
    size = np.linalg.norm(x, axis=1, keepdims=True)
    result: NDArray[np.float32] = (x / np.maximum(size, 1e-12)).astype(np.float32)
    return result
