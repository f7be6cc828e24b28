"""Pictures for and against -> one query: the vector of a ridge regression through them."""

from collections.abc import Sequence

import numpy as np

from lookalike.errors import QueryError
from lookalike.index.query import Query, Vector

RIDGE, WRONG = 0.3, -0.2  # docs/decisions/0019-refine-by-clicks.md
MOST = 2000  # pictures: memory and time grow with their square
NAMED = 4  # pictures that a query's name lists


def refine(
    positive: Sequence[Query], negative: Sequence[Query], mean: Vector, ridge: float = RIDGE, wrong: float = WRONG
) -> Query:
    """One query of several pictures: it ranks by what the positive ones share and the negative ones lack.

    Kernel ridge regression with a linear kernel (Saunders et al., "Ridge regression learning algorithm in dual
    variables", ICML 1998) on rows as seen from the mean m: x = (row - m) / |row - m|, targets t, and
    v = x' (x x' + ridge I)^-1 t. On the mean the score v . x is 0: what was never named is neither right nor wrong.

    Ranking takes one vector w and sorts by w . row. Around the positive pictures w = v + s m gives the order of v . x:
    for rows of length 1, |row - m|^2 is linear in m . row, and with s = (v . (row - m)) / |row - m|^2, both averaged
    over the positive pictures, w is the slope of v . x there.

    Args:
        positive: one or more.
        negative: any number.
        mean: (d,), that of the collection's rows.
        ridge: above 0; the larger, the nearer v is to the mean of the positive ones less `wrong` of the negative ones.
        wrong: the target of a negative picture; that of a positive one is 1.
    Returns: a query whose hits have their similarity to the nearest of the positive pictures.
    Raises: QueryError, when there is no positive one, or there are too many.

    >>> east, north = (Query(name, np.array(row, float), None, None) for name, row in (("e", [1, 0]), ("n", [0, 1])))
    >>> refine([east], [north], np.zeros(2)).vector.round(3)
    array([ 0.981, -0.196], dtype=float32)
    """
    if not positive:
        raise QueryError("no positive picture. Name at least one that the answers should be like.")
    if len(positive) + len(negative) > MOST:
        raise QueryError(f"{len(positive) + len(negative):,} pictures as one question, over {MOST:,}. Name fewer.")
    rows = _unit(np.stack([query.vector for query in (*positive, *negative)]))
    right, targets = slice(len(positive)), np.repeat([1.0, wrong], [len(positive), len(negative)])
    steps = rows - mean
    seen = _unit(steps)
    weights = np.linalg.solve(seen @ seen.T + ridge * np.eye(len(rows)), targets)
    vector = weights @ seen
    if spread := float((steps[right] ** 2).sum(axis=1).mean()):
        vector = vector + (steps[right] @ vector).mean() / spread * mean
    length = float(np.linalg.norm(vector))
    if length < 1e-6:  # nothing tells the pictures from the mean
        vector, length = rows[right].mean(axis=0), 1.0
    return Query(
        _name([query.name for query in positive], [query.name for query in negative]),
        (vector / length).astype(np.float32),
        None,
        positive[0].source,
        asked=tuple(query.content for query in (*positive, *negative) if query.content is not None),
        likened=rows[right].astype(np.float32),
    )


def _unit(rows: Vector) -> Vector:
    """Rows (n, d) of length 1, in float64; those of length 0 stay 0."""
    rows = rows.astype(np.float64)
    unit: Vector = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit


def _name(positive: Sequence[str], negative: Sequence[str]) -> str:
    """What people call such a query.

    >>> _name(["a.jpg", "b.jpg"], ["c.jpg"])
    'a.jpg + b.jpg - c.jpg'
    >>> _name(["a.jpg"] * 7, ["c.jpg"] * 3)
    'a.jpg + 6 others - 3 others'
    """
    if len(positive) + len(negative) <= NAMED:
        return " + ".join(positive) + "".join(f" - {name}" for name in negative)
    counts = (("+", len(positive) - 1), ("-", len(negative)))
    return positive[0] + "".join(f" {sign} {n} other{'s' * (n > 1)}" for sign, n in counts if n)
