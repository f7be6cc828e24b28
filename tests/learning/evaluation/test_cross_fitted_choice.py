"""A choice between two ways of searching: by value, and that its report does not gain by it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.learning.evaluation.significance import cross_fitted_choice, is_better, score


@given(ranks=st.lists(st.integers(1, 50), min_size=1, max_size=40), seed=st.integers(0, 100))
def test_a_score_does_not_depend_on_the_order_of_queries(ranks, seed):
    """To the bit: a closed form that answers alike must tie, not win by rounding."""
    ranks = np.array(ranks)
    turned = np.random.default_rng(seed).permutation(ranks)
    assert score(turned) == score(ranks)
    assert not is_better(turned, ranks)
    assert score(ranks)[0] == (ranks == 1).sum()
    assert np.isclose(score(ranks)[1], (1 / ranks).sum())


def test_first_places_count_more_than_ranks():
    """One first place and a 100 beat two second places, though 1.01 > 1.0 is close: (1, 1.01) against (0, 1.0)."""
    assert is_better(np.array([1, 100]), np.array([2, 2]))
    assert is_better(np.array([1, 2]), np.array([1, 3]))
    assert not is_better(np.array([1, 3]), np.array([1, 2]))


def test_each_part_is_answered_by_what_was_better_on_the_others():
    """Only unit 0 gains by the other way, twice; the parts without it choose by it, its own part does not."""
    simple, other = np.full(6, 2), np.array([1, 1, 3, 3, 3, 3])
    taken, serves = cross_fitted_choice(simple, other, np.array([0, 0, 1, 2, 3, 4]), np.random.default_rng(0))
    assert taken.tolist() == [False, False, True, True, True, True]
    assert serves


def test_a_tie_and_a_single_unit_choose_the_simple_way():
    same = np.array([1, 2, 3])
    taken, serves = cross_fitted_choice(same, same, np.arange(3), np.random.default_rng(0))
    assert not taken.any() and not serves
    taken, serves = cross_fitted_choice(np.array([2, 2]), np.array([1, 1]), np.zeros(2, int), np.random.default_rng(0))
    assert not taken.any() and serves


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_choice_between_equals_adds_nothing_to_what_is_reported(seed):
    """Two ways that find a right one first by the same coin: 0.5 is reported, where the luckier of both has 0.54.

    A thousand proofs of 50 queries: the standard error of the mean is 0.5 / sqrt(50,000) = 0.0022; 4.5 of them.
    """
    rng = np.random.default_rng(seed)
    reported, luckier = [], []
    for _ in range(1000):
        simple, other = rng.integers(1, 3, (2, 50))
        taken, _ = cross_fitted_choice(simple, other, np.arange(50), rng)
        reported.append((np.where(taken, other, simple) == 1).mean())
        luckier.append(max((simple == 1).mean(), (other == 1).mean()))
    assert abs(np.mean(reported) - 0.5) < 0.01
    assert np.mean(luckier) > 0.53


def test_a_way_that_is_truly_better_is_chosen_everywhere():
    rng = np.random.default_rng(0)
    simple, other = 2 - (rng.random(200) < 0.4), 2 - (rng.random(200) < 0.7)
    taken, serves = cross_fitted_choice(simple, other, np.arange(200) // 4, rng)
    assert taken.all() and serves
