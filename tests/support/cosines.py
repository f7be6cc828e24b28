"""Similarities of the rows of two matrices, one by one."""

import numpy as np


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n, d) and (n, d) -> (n,)."""
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
