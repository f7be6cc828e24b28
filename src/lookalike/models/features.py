"""The outputs of a network's stages -> one row of features."""

import numpy as np
from numpy.typing import NDArray

from lookalike.models.bundle import Bundle, StageOutput
from lookalike.models.vectors import normalize_rows


def combine_stages(outputs: dict[str, NDArray[np.float32]], bundle: Bundle) -> NDArray[np.float32]:
    """Pooled outputs of stages -> features, in float32.

    Each value x of a stage becomes sign(x) ((|x| + e)^power - e^power), where e is `soft` times the mean of |x| in its
    row: few large values count less, many small ones more. Each stage's row is then brought to length 1 and weighted;
    side by side they are brought to length 1 again.

    Args:
        outputs: each (n, length) float32, by name.
        bundle: says which, in what order, and each one's weight, power and soft.
    Returns: (n, f) float32, rows of length 1.
    """
    parts = []
    for stage in bundle.depths:
        x = np.asarray(outputs[stage.name], np.float32)
        size = np.abs(x)
        e = np.float32(stage.soft) * size.mean(axis=1, keepdims=True)
        parts.append(
            np.float32(stage.weight) * normalize_rows(np.copysign(_raised(size + e, stage) - _raised(e, stage), x))
        )
    return normalize_rows(np.hstack(parts))


def _raised(x: NDArray[np.float32], stage: StageOutput) -> NDArray[np.float32]:
    return np.sqrt(x) if stage.power == 0.5 else np.power(x, np.float32(stage.power))
