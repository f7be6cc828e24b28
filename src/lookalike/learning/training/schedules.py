"""What the learning rate is multiplied with as training goes on: functions of (step from 0, steps) -> 0 to 1."""

import math
from collections.abc import Callable

Schedule = Callable[[int, int], float]


def warm_up_then_cosine(step: int, steps: int, warm_up: int = 10) -> float:
    """Rises over the first steps, then falls to 0 along a cosine.

    >>> [round(warm_up_then_cosine(step, steps=100), 3) for step in (0, 9, 50, 99)]
    [0.1, 0.98, 0.5, 0.0]
    """
    return min(1.0, (step + 1) / warm_up) * 0.5 * (1 + math.cos(math.pi * step / steps))


def constant(step: int, steps: int) -> float:
    """The learning rate as it is, from the first step to the last."""
    return 1.0
