"""A table of more rows than are compared without codes, and its answers by brute force."""

import numpy as np

from lookalike import similarity
from lookalike.index.exact_knn import FEW
from lookalike.index.query import Query
from lookalike.index.table import ImageRow
from lookalike.models.lens import Lens

N, F = FEW + 900, 16
RNG = np.random.default_rng(7)
FEATURES = RNG.standard_normal((N, F)).astype(np.float16)
FEATURES[100:110] = FEATURES[100]  # ten pictures that look alike to the bit; five of them are one content
LENS = Lens("pattern", RNG.standard_normal(F), RNG.standard_normal((F, 4)))


def content(i: int) -> bytes:
    return (100 if 100 <= i < 105 else i).to_bytes(16, "big")


def row(i: int) -> ImageRow:
    return ImageRow(f"{(i * 7919) % N:05d}.png", content(i), i, i, i, 9, FEATURES[i])  # not in the order of their names


FILES = [row(i).file for i in range(N)]


def truth(vectors: np.ndarray, query: np.ndarray, k: int) -> list[str]:
    """By brute force: the most similar first, ties by file."""
    values = similarity(vectors, query)[:, 0]
    return [FILES[i] for i in sorted(range(N), key=lambda i: (-values[i], FILES[i]))[:k]]


def ask(vector: np.ndarray, own: bytes | None = None) -> Query:
    return Query("q", vector, own, None)


def names(hits) -> list[str]:
    return [hit.file for hit in hits]
