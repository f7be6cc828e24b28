"""The way to learn that held for every kind of picture: teaching, proof and benchmarks all take it from here."""

import numpy as np

from lookalike.learning.closed_form.discriminant import reweight_between_class
from lookalike.learning.closed_form.whitening import spread_scale, whiten
from lookalike.learning.labelled_features import Correct, Features, Learn
from lookalike.learning.labels import Rows
from lookalike.models.lens import Lens

RIDGE = 1.0


def recipe(correct: Correct | None = None, *, ridge: float = RIDGE, dims: int | None = None) -> Learn:
    """The defaults: examples as arrays -> the closed form and, where a second step is given, the correction.

    Features are evened, whitened within groups, and leaned towards what tells large groups apart; decision 12 says why.

    Args:
        correct: `lookalike.learning.training.low_rank_trainer.correct`, or `partial(correct, seed=1)`; None for the closed form alone.
        ridge: as for `whiten`.
        dims: as for `whiten`.
    Returns: features (n, f), group (n,), side (n,) or None, triplets (t, 3) or None -> Lens.

    >>> x = np.array([[0, 1, 0], [0, -1, 0], [1, 1, 0], [1, -1, 0]], np.float32)
    >>> recipe()(x, np.array([0, 0, 1, 1]), None, None).dims
    3
    """

    def learn(features: Features, group: Rows, side: Rows | None, triplets: Rows | None) -> Lens:
        x = np.asarray(features)
        lens = whiten(x, group, domains=side, triplets=triplets, ridge=ridge, dims=dims, scale=spread_scale(x))
        lens = reweight_between_class(lens, x, group, domains=side)
        return lens if correct is None else correct(lens, features, group, domains=side, triplets=triplets)

    return learn
