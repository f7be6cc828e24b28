"""Watches a training and stops what has gone wrong, with the remedy."""

import math
from collections.abc import Callable

from torch import Tensor

from lookalike.errors import NoActiveTripletsError, TrainingError


class CollapseMonitor:
    """Looks at every step's loss and spread.

    Args: patience: how many bad steps in a row it takes, 1 or more. Numbers that are no numbers stop at once.
    """

    def __init__(self, patience: int = 20):
        self.patience = patience
        self.first_spread: float | None = None
        self.collapsed = self.idle = 0
        self.learned_something = False

    def check(self, step: int, loss: float, spread: float, alike: Callable[[], float]) -> bool:
        """Whether nothing is left to learn: no triplet was active for long, but some were before.

        Args:
            step: from 1.
            loss: this step's.
            spread: this step's mean squared distance of the embeddings to their mean.
            alike: gives what the loss would be with all embeddings equal; asked only when they nearly are.
        Raises: TrainingError on numbers that are none and on collapse; NoActiveTripletsError where no triplet was ever
            active.
        """
        if not (math.isfinite(loss) and math.isfinite(spread)):
            raise TrainingError(
                f"step {step}: the loss is {loss}, no number. Use a smaller learning rate, and check the features for "
                "infinite values."
            )
        if self.first_spread is None:
            self.first_spread = spread
            if spread < 1e-12:
                raise TrainingError(
                    "all embeddings are equal before anything was learned: nothing to tell apart. "
                    "Check that the pictures differ and that the network does not start at zero."
                )
        self.idle = self.idle + 1 if loss == 0 else 0
        self.learned_something |= loss != 0
        # Two signs together: the rows have come close, and the loss is what equal rows would give (the margin, for
        # the triplet loss; a miner that finds nothing among equal rows gives 0).
        close = spread < 0.1 * self.first_spread
        stuck = close and (loss == 0 or math.isclose(loss, alike(), rel_tol=0.02))
        self.collapsed = self.collapsed + 1 if stuck else 0
        if self.collapsed >= self.patience:
            raise TrainingError(
                f"step {step}: collapse, all embeddings have become alike (loss {loss:.4g}, spread {spread:.2g}). "
                "Use a smaller learning rate; with a triplet loss the semi-hard miner too, or the softmax loss instead."
            )
        if self.idle >= self.patience:
            self.finish()
            return True
        return False

    def finish(self) -> None:
        """Called after the last step. Raises: NoActiveTripletsError, when no triplet was active in any step."""
        if not self.learned_something and self.idle:
            raise NoActiveTripletsError(
                f"no triplet was active in {self.idle} steps: the miner found none, or every negative is already "
                "farther than the positive by the margin. Use a larger margin, the miner 'all', or the softmax loss."
            )


def embedding_spread(embeddings: Tensor) -> float:
    """Mean squared distance of rows (b, d) to their mean, 0 where all are alike; at most 1 on rows of length 1.

    >>> import torch
    >>> embedding_spread(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
    1.0
    """
    return float((embeddings - embeddings.mean(0)).square().sum(1).mean())
