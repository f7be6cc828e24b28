"""A table of fifty rows, and an embedding of them that is one matrix."""

from pathlib import Path

import numpy as np

from lookalike.index.table import ImageRow, Table

F = 6
TURN = np.random.default_rng(1).standard_normal((F, 3)).astype(np.float32)


def row(i: int, features: np.ndarray | None = None) -> ImageRow:
    made = np.random.default_rng(i).standard_normal(F).astype(np.float32) if features is None else features
    return ImageRow(f"{i:04d}.png", i.to_bytes(16, "big"), 10 * i, 1000 + i, 40 + i, 30, made)


def turned(features: np.ndarray) -> np.ndarray:
    return features.astype(np.float32) @ TURN


def small_table(path: Path) -> Table:
    """Rows 0 to 49."""
    made = Table(path)
    made.append([row(i) for i in range(50)])
    return made
