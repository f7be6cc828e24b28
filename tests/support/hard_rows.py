"""Rows that are hard for a ranking that estimates first, and the answers by brute force."""

import numpy as np

from lookalike.index.exact_knn import FEW

N, D = FEW + 1004, 33  # enough rows that codes are used, and no round numbers


def brute_force(rows, query, k):
    """Every similarity in float64 over the rows as stored, rounded to float32; sorted by it, then by row."""
    exact, asked = rows.astype(np.float64), query.astype(np.float64)
    length = np.sqrt((exact**2).sum(1)) * np.sqrt((asked**2).sum())
    similarities = np.divide(exact @ asked, length, out=np.zeros(len(rows)), where=length > 0)
    similarities = np.clip(similarities, -1, 1).astype(np.float32)
    order = np.lexsort((np.arange(len(rows)), -similarities))[:k]
    return order, similarities[order]


def drawn(kind, rng):
    """Rows (N, D) made to be hard for a ranking that estimates first."""
    rows = rng.standard_normal((N, D))
    match kind:
        case "clustered":
            rows = rng.standard_normal((20, D))[rng.integers(0, 20, N)] + 0.05 * rows
        case "all equal":
            rows[:] = rows[0]
        case "near ties by the thousand":
            rows = rows[:1] + 1e-3 * rows
        case "differing by less than float32 can tell":
            rows = np.repeat(rows[:5], N // 5, axis=0)
            rows[::7, 3] += 1e-8
        case "one huge coordinate":
            rows[:, 0] = 1e4
        case "a huge coordinate somewhere":
            rows *= 0.49 / 127
            rows[np.arange(N), rng.integers(0, D, N)] = 2
        case "a few rows that codes cannot hold":
            rows[::500] = 0.49 / 127
            rows[::500, 1] = 1
        case "sparse":
            rows[rng.random((N, D)) < 0.95] = 0
        case "one-hot":
            rows = np.eye(D)[rng.integers(0, D, N)]
        case "all negative":
            rows = -abs(rows) - 1
        case "opposite pairs":
            rows[1::2] = -rows[::2]
        case "lengths of all sizes":
            rows *= 10 ** rng.uniform(-30, 30, (N, 1))
        case "denormal":
            rows *= 1e-40
        case "mostly zeros":
            rows[rng.random(N) < 0.99] = 0
        case "on the steps of the codes":
            rows = np.rint(rows * 40)
    return rows


KINDS = [
    "random",
    "clustered",
    "all equal",
    "near ties by the thousand",
    "differing by less than float32 can tell",
    "one huge coordinate",
    "a huge coordinate somewhere",
    "a few rows that codes cannot hold",
    "sparse",
    "one-hot",
    "all negative",
    "opposite pairs",
    "lengths of all sizes",
    "denormal",
    "mostly zeros",
    "on the steps of the codes",
]
HALF = [kind for kind in KINDS if kind not in ("lengths of all sizes", "denormal")]  # float16 holds 6e-8 to 65504


def like_features(n, d, rng, values=24):
    """Rows as networks give them: a large mean, a few directions of most of the rest, and a little of everything."""
    rows = rng.standard_normal((n, values)) @ rng.standard_normal((values, d)) / values**0.5
    return np.abs(rows + rng.standard_normal((n, d)) * 0.1 + 1).astype(np.float16)
