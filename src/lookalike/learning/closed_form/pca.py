"""Principal component analysis: the directions in which rows vary most."""

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ShapeError

LARGEST_EXACT = 1024  # above, main directions are found by iteration


def principal_plane(features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows seen from the side on which they spread most: principal components, centred.

    Args:
        features: (n, f), any length.
    Returns: (n, 2) float32, most spread first; each axis is turned so that its farthest row is positive.
    Raises: ShapeError, when there are no rows and columns.
    Source: principal components (Pearson, 1901), by subspace iteration (Halko, Martinsson and Tropp, arXiv:0909.4061,
        algorithm 4.4), which reads the rows some twenty times and holds no second copy of them.

    >>> principal_plane(np.array([[0.0, 0.0, 3.0], [0.0, 0.0, -1.0], [0.0, 0.0, -2.0]]))[:, 0].tolist()
    [3.0, -1.0, -2.0]
    """
    if features.ndim != 2 or not features.size:
        raise ShapeError(f"features of shape {features.shape}. Give (n, f) with at least one row.")
    rows = np.asarray(features, np.float32)
    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    width = min(rows.shape[1], 16)  # more directions than are wanted: the first two settle sooner
    axes = np.linalg.qr(np.random.default_rng(0).normal(size=(rows.shape[1], width)))[0]
    for _ in range(12):
        seen = rows @ axes.astype(np.float32) - mean @ axes.astype(np.float32)  # (n, f) @ (f, 16) -> (n, 16)
        axes = np.linalg.qr((rows.T @ seen - np.outer(mean, seen.sum(axis=0))).astype(np.float64))[0]
    seen = rows @ axes.astype(np.float32) - mean @ axes.astype(np.float32)
    turn = np.linalg.eigh((seen.T @ seen).astype(np.float64))[1][:, ::-1][:, :2]  # (16, 16) -> (16, 2)
    plane = seen @ turn.astype(np.float32)
    plane = np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))
    farthest = np.abs(plane).argmax(axis=0)
    return np.asarray(plane * np.where(plane[farthest, [0, 1]] < 0, -1, 1), np.float32)


def main_directions(rows: NDArray[np.float32], dims: int, largest_exact: int = LARGEST_EXACT) -> NDArray[np.float32]:
    """The `dims` directions in which rows (n, f) have most of their length: (f, dims) float32, orthonormal.

    Exact where rows or features are at most `largest_exact`; else by subspace iteration from a fixed start (Halko,
    Martinsson and Tropp, arXiv:0909.4061, algorithm 4.4), which may mix directions of nearly equal weight at the edge
    of what is kept.

    >>> np.abs(main_directions(np.array([[0.0, 3.0], [1.0, 0.0]], np.float32), 1)).round(3).tolist()
    [[0.0], [1.0]]
    """
    n, f = rows.shape
    if n <= min(f, largest_exact):
        vectors = np.linalg.eigh(rows @ rows.T)[1][:, ::-1][:, :dims]
        return np.asarray(np.linalg.qr(rows.T @ vectors)[0], np.float32)  # (f, n) @ (n, d) -> (f, d)
    if f <= largest_exact:
        return np.asarray(np.linalg.eigh(rows.T @ rows)[1][:, ::-1][:, :dims], np.float32)
    basis = np.random.default_rng(0).standard_normal((f, min(f, dims + 64))).astype(np.float32)
    for _ in range(6):
        basis = np.linalg.qr(rows.T @ (rows @ basis))[0]
    small = (rows @ basis).T @ (rows @ basis)
    return np.asarray(basis @ np.linalg.eigh(small)[1][:, ::-1][:, :dims], np.float32)
