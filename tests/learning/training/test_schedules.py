"""How the learning rate changes."""

import numpy as np
from pytest import approx

from lookalike.learning.training.schedules import warm_up_then_cosine


def test_the_rate_warms_up_and_falls_along_a_cosine():
    rates = [warm_up_then_cosine(step, 100) for step in range(100)]
    assert rates[:3] == approx([0.1, 0.2, 0.3], rel=1e-2)
    assert np.argmax(rates) == 9
    assert rates[50] == approx(0.5)
    assert 0 < rates[99] < 1e-3
