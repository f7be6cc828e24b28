"""Is one search better than another: bounds and p by hand, by scipy, by how often they err; and a fair choice."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lookalike.learning.evaluation.significance import (
    FEW,
    bootstrap,
    cross_fitted_choice,
    fewest,
    is_better,
    level_of,
    paired_test,
    permutations_of,
    score,
    sign_flips,
)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_sign_flips_of_three_by_hand():
    """Of the 8 sums +-1 +-1 +-2 one reaches 4 and two more reach 2."""
    assert sign_flips(np.array([1.0, 1.0, 2.0]), rng()) == 1 / 8
    assert sign_flips(np.array([-1.0, 1.0, 2.0]), rng()) == 3 / 8


@pytest.mark.parametrize("seed", range(5))
def test_sign_flips_count_every_outcome(seed):
    sums = np.round(rng(seed).normal(0.5, 1, 9), 1)
    outcomes = [np.dot(signs, sums) for signs in itertools.product([1, -1], repeat=9)]
    assert sign_flips(sums, rng()) == pytest.approx(np.mean([one >= sums.sum() - 1e-9 for one in outcomes]))


def test_sign_flips_of_many_are_drawn_and_agree_with_scipy():
    sums = rng(1).normal(0.3, 1, 40)
    mean = lambda x, axis: x.mean(axis=axis)  # noqa: E731
    witness = stats.permutation_test(
        (sums,), mean, permutation_type="samples", alternative="greater", n_resamples=20_000, rng=rng(2)
    )
    assert sign_flips(sums, rng()) == pytest.approx(witness.pvalue, abs=0.01)


def test_a_unit_without_gain_changes_no_p():
    assert sign_flips(np.array([1.0, 0, 2.0, 0]), rng()) == sign_flips(np.array([1.0, 2.0]), rng())


def test_no_gain_at_all_is_no_evidence():
    found = paired_test(np.zeros(30), np.arange(30), rng())
    assert found.difference == found.lower == found.upper == 0 and found.p_value == 1 and not found.better
    assert sign_flips(np.zeros(10), rng()) == 1


def test_bootstrap_bounds_are_those_of_scipy():
    gains = rng(3).normal(0.2, 1, 60)
    found = paired_test(gains, np.arange(60), rng())
    witness = stats.bootstrap(
        (gains,), np.mean, confidence_level=0.98, method="percentile", n_resamples=10_000, rng=rng(4)
    )
    assert (found.lower, found.upper) == pytest.approx(tuple(witness.confidence_interval), abs=0.03)


def test_units_are_drawn_whole_and_weigh_by_their_queries():
    """Unit 0 has three queries that gain 1, unit 1 has one that gains 0: means of two draws are 1, 3/4 or 0."""
    means = bootstrap(np.array([3.0, 0.0]), np.array([3, 1]), rng(), draws=4000)
    values, counts = np.unique(means, return_counts=True)
    assert values.tolist() == [0, 0.75, 1]
    assert counts / 4000 == pytest.approx([1 / 4, 1 / 2, 1 / 4], abs=0.04)


def test_queries_of_one_unit_repeated_do_not_convince():
    """A thousand queries of five units are five."""
    assert paired_test(np.ones(1000), np.arange(1000) % 5, rng()).method == "none"


@pytest.mark.parametrize(("units", "test"), [(6, "none"), (7, "sign flips"), (19, "sign flips"), (20, "bootstrap")])
def test_the_test_follows_the_number_of_units(units, test):
    assert (fewest(), FEW) == (7, 20)
    found = paired_test(np.ones(units), np.arange(units), rng())
    assert found.method == test
    assert found.better == (test != "none")


def test_seven_units_convince_only_all_together():
    """All seven gain: p = 1/128 = 0.0078. One of them loses as much: p = 8/128."""
    assert paired_test(np.ones(7), np.arange(7), rng()).p_value == 1 / 128
    one_lost = paired_test(np.array([1.0] * 6 + [-1]), np.arange(7), rng())
    assert one_lost.p_value == 8 / 128 and not one_lost.better


def test_a_later_attempt_needs_more_units_and_a_smaller_chance():
    """Eight units that all gain: p = 1/256 = 0.0039 is below 1% / 2, but no outcome of eight is below 1% / 3."""
    second, third = (paired_test(np.ones(8), np.arange(8), rng(), level=level_of(k)) for k in (2, 3))
    assert (second.p_value, second.level, second.better) == (1 / 256, 0.005, True)
    assert (third.method, third.better) == ("none", False)
    assert [fewest(level_of(k)) for k in (1, 2, 3, 5, 20)] == [7, 8, 9, 9, 11]
    assert all(2.0 ** -fewest(level_of(k)) < level_of(k) <= 2.0 ** (1 - fewest(level_of(k))) for k in range(1, 1001))


@pytest.mark.parametrize("attempt", [50, 200, 1000])
@pytest.mark.parametrize(("units", "method"), [(18, "sign flips"), (40, "bootstrap")])
def test_what_is_surely_better_passes_at_any_attempt(units, method, attempt):
    """Chance is drawn often enough to tell that it is below the level."""
    test = paired_test(np.ones(units), np.arange(units), rng(), level=level_of(attempt))
    assert test.method == method and test.better


def test_the_same_gains_pass_as_a_first_attempt_and_not_as_a_twentieth():
    gains = np.tile([1.0, 1, 1, -1, 0, 0, 0, 0], 8)  # 64 units, of which 24 gain and 8 lose: p is about 0.002
    first, twentieth = (paired_test(gains, np.arange(64), rng(), level=level_of(k)) for k in (1, 20))
    assert first.p_value == twentieth.p_value and level_of(20) < first.p_value < level_of(1)
    assert first.better and not twentieth.better
    assert (first.lower, first.upper) == (twentieth.lower, twentieth.upper)


def test_levels_of_all_attempts_add_up_slowly():
    assert sum(level_of(k) for k in range(1, 21)) == pytest.approx(0.036, abs=1e-4)
    assert level_of(10**9) == level_of(1000)


def test_a_later_attempt_has_more_shuffled_labels_to_beat():
    """Best of 20 k by chance in 1 of 20 k."""
    assert [permutations_of(k) for k in (1, 2, 5, 10, 11, 10**6)] == [19, 39, 99, 199, 199, 199]


def test_a_lens_that_loses_is_never_better():
    assert not paired_test(np.full(40, -0.5), np.arange(40), rng()).better


@pytest.mark.parametrize("units", [12, 30])
def test_where_there_is_no_difference_it_is_rarely_called_better(units):
    """Level 1%; in 600 comparisons at most 2.5% (30 units: a percentile bootstrap is a little too sure)."""
    passed = 0
    for seed in range(600):
        draws = rng(seed)
        unit = np.repeat(np.arange(units), 4)
        gains = draws.choice([-1.0, 0, 0, 1], units)[unit] * draws.integers(0, 2, 4 * units)
        passed += paired_test(gains, unit, draws).better
    assert passed / 600 < 0.025


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
    draws = np.random.default_rng(seed)
    reported, luckier = [], []
    for _ in range(1000):
        simple, other = draws.integers(1, 3, (2, 50))
        taken, _ = cross_fitted_choice(simple, other, np.arange(50), draws)
        reported.append((np.where(taken, other, simple) == 1).mean())
        luckier.append(max((simple == 1).mean(), (other == 1).mean()))
    assert abs(np.mean(reported) - 0.5) < 0.01
    assert np.mean(luckier) > 0.53


def test_a_way_that_is_truly_better_is_chosen_everywhere():
    draws = rng()
    simple, other = 2 - (draws.random(200) < 0.4), 2 - (draws.random(200) < 0.7)
    taken, serves = cross_fitted_choice(simple, other, np.arange(200) // 4, draws)
    assert taken.all() and serves
