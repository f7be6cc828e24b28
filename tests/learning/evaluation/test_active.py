"""Which pictures are asked about: the farthest from what was judged, by a slow loop too; and their candidates."""

import numpy as np
import pytest

from lookalike.learning.evaluation.active import choose_candidates, farthest_first

EAST, NORTH_EAST, NORTH, WEST = [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [-1.0, 0.0]
NONE = np.zeros(0, np.int64)


def test_the_farthest_comes_first_and_then_the_farthest_from_both():
    rows = np.array([EAST, NORTH_EAST, NORTH, WEST])
    assert farthest_first(rows, np.array([0]), 3).tolist() == [3, 2, 1]


def test_with_nothing_judged_the_most_typical_comes_first():
    """The mean of the four, (0.43, 0.68) once they have length 1, points between north-east and north."""
    rows = np.array([EAST, NORTH_EAST, NORTH, WEST])
    assert farthest_first(rows, NONE, 1).tolist() == [1]
    assert farthest_first(rows, NONE, 2).tolist() == [1, 3]


def test_copies_of_what_was_judged_are_not_asked_about():
    rows = np.array([EAST, EAST, [2.0, 0.0], NORTH, NORTH])
    assert farthest_first(rows, np.array([0]), 5).tolist() == [3]
    assert farthest_first(rows, np.array([0, 4]), 5).tolist() == []


@pytest.mark.parametrize("judged", [[], [3], [3, 17, 40]])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_it_is_the_slow_obvious_loop(judged, dtype):
    rows = np.random.default_rng(0).standard_normal((50, 8)).astype(dtype)
    found = farthest_first(rows, np.array(judged, np.int64), 12, rows_at_once=7).tolist()
    unit = rows.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    known = list(judged)
    for place, row in enumerate(found):
        if known:
            nearest = (unit @ unit[known].T).max(axis=1)
            nearest[known] = np.inf
            assert row == int(np.argmin(nearest))
        else:
            assert row == int(np.argmax(unit @ unit.mean(axis=0)))
        known.append(row)
        assert place < 12
    assert len(set(known)) == len(judged) + 12


def test_twelve_candidates_are_the_first_ten_and_two_of_ranks_13_to_60():
    found = [choose_candidates(np.arange(1, 101), np.random.default_rng(seed)) for seed in range(200)]
    assert all(one[:10].tolist() == list(range(1, 11)) and len(one) == 12 for one in found)
    others = np.concatenate([one[10:] for one in found])
    assert (others.min(), others.max()) == (13, 60)
    assert all(one[10] < one[11] for one in found)


def test_of_few_hits_all_are_candidates():
    assert choose_candidates(np.arange(12), np.random.default_rng(0)).tolist() == list(range(12))
    assert choose_candidates(np.arange(13), np.random.default_rng(0)).tolist() == [*range(10), 12]
    assert choose_candidates(NONE, np.random.default_rng(0)).tolist() == []
