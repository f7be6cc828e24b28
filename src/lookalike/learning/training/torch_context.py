"""Randomness of our own for torch: seeded, resumable, and without touching the caller's."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from lookalike.models.forks import check_not_forked


class Randomness:
    """Inside `with randomness:` torch draws from this seed, going on where the last `with` ended.

    Dropout and initial weights take no generator as an argument; this gives them one all the same.

    >>> mine = Randomness(seed=0)
    >>> with mine: a = torch.rand(1)
    >>> with mine: b = torch.rand(1)
    >>> with Randomness(seed=0): both = torch.rand(1), torch.rand(1)
    >>> (a, b) == both
    True

    Raises: ForkedError, where a parent of this process trained before the fork.
    """

    def __init__(self, seed: int):
        check_not_forked("torch")  # all that trains draws from here
        self.state = torch.Generator().manual_seed(seed).get_state()

    def __enter__(self) -> None:
        self.callers = torch.get_rng_state()
        torch.set_rng_state(self.state)

    def __exit__(self, *_: object) -> None:
        self.state = torch.get_rng_state()
        torch.set_rng_state(self.callers)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Inside, torch computes with so many threads; afterwards with as many as the caller had.

    >>> with threads(1):
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
