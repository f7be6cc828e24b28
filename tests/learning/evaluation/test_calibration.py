"""Worlds whose true probability is known: what is said of their hits must be as often right."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lookalike.learning.evaluation.calibration import (
    FEWEST_CLUSTERS,
    FEWEST_QUERIES,
    calibrate,
    calibration_error,
    logistic_weights,
    pool_adjacent_violators,
    reliability,
)
from lookalike.learning.evaluation.judged_hits import JudgedHits
from lookalike.models.likelihood import ReliabilityBin

HITS = 12


def logistic(odds):
    return 1 / (1 + np.exp(-odds))


def smooth(similarities):
    """The chance rises with the similarity, falls with the rank and with how alike the first ones are."""
    crowd = similarities[:, :12].mean(axis=1, keepdims=True)
    return logistic(9 * similarities - 6 * crowd - 0.6 * np.log(np.arange(1, HITS + 1)) - 2)


def stepped(similarities):
    """Two levels and nothing between them, which no logistic function can say."""
    return np.where(similarities > 0.6, 0.8, 0.3)


def world(truth, queries, seed=0, groups=None):
    """Hits of queries, and the true chance that each is right."""
    rng = np.random.default_rng(seed)
    level = rng.normal(0, 0.1, (queries, 1))  # some queries lie in a crowd
    similarities = -np.sort(-(rng.uniform(0.1, 0.9, (queries, HITS)) + level), axis=1)
    chance = truth(similarities)
    rows = np.arange(queries)
    cluster = rows if groups is None else rows % groups
    right = rng.random(chance.shape) < chance
    return JudgedHits(similarities, right, np.ones(chance.shape), cluster, rows), chance


def told_of(likelihood, hits, pictures=1000):
    return np.stack([likelihood.of(row, pictures) for row in hits.similarities])


@pytest.mark.parametrize(("truth", "method"), [(smooth, "platt"), (stepped, "isotonic")])
def test_what_is_said_is_as_often_right_on_queries_that_were_never_used(truth, method):
    hits, _ = world(truth, 600)
    likelihood, why = calibrate(hits, 1000, np.random.default_rng(0))
    assert (likelihood.method, why) == (method, "")
    others, chance = world(truth, 2000, seed=1)
    told = told_of(likelihood, others)
    assert calibration_error(reliability(told, others.right, np.ones(told.shape))) < 0.03
    assert np.abs(told - chance).mean() < 0.06
    assert abs(likelihood.error - 0.02) < 0.03  # what the proof reports is of the same size


def test_within_an_answer_it_never_rises_and_never_says_what_so_many_queries_cannot():
    hits, _ = world(smooth, 200)
    likelihood, _ = calibrate(hits, 1000, np.random.default_rng(0))
    told = told_of(likelihood, world(smooth, 300, seed=2)[0])
    assert (np.diff(told, axis=1) <= 0).all()
    assert told.min() >= 1 / 202 - 1e-6
    assert told.max() <= 201 / 202 + 1e-6


def test_hits_of_which_nobody_knows_take_a_place_and_count_neither_way():
    """All of them marked wrong with weight 0 teach the same as all of them marked right."""
    hits, _ = world(smooth, 300)
    unknown = np.random.default_rng(5).random(hits.right.shape) < 0.5
    weight = np.where(unknown, 0.0, 1.0)
    wrong = replace(hits, weight=weight, right=hits.right & ~unknown)
    right = replace(hits, weight=weight, right=hits.right | unknown)
    one, other = (calibrate(each, 1000, np.random.default_rng(0))[0] for each in (wrong, right))
    assert one == other
    whole = calibrate(hits, 1000, np.random.default_rng(0))[0]
    assert np.abs(told_of(one, hits) - told_of(whole, hits)).mean() < 0.05


def test_a_hit_that_stands_for_three_counts_three_times():
    hits, _ = world(smooth, 400)
    three = replace(hits, weight=np.where(hits.right, 1.0, 3.0))
    told = told_of(calibrate(three, 1000, np.random.default_rng(0))[0], hits)
    chance = smooth(hits.similarities)
    assert np.abs(told - chance / (chance + 3 * (1 - chance))).mean() < 0.06


@pytest.mark.parametrize(
    ("queries", "groups", "words"),
    [
        (FEWEST_QUERIES - 1, None, "too few queries"),
        (200, FEWEST_CLUSTERS - 1, "too few queries"),
    ],
)
def test_too_few_queries_are_refused_in_one_line(queries, groups, words):
    likelihood, why = calibrate(world(smooth, queries, groups=groups)[0], 1000, np.random.default_rng(0))
    assert likelihood is None
    assert words in why
    assert "\n" not in why


@pytest.mark.parametrize("right", [True, False])
def test_hits_that_are_all_right_or_all_wrong_teach_nothing(right):
    hits = replace(world(smooth, 100)[0], right=np.full((100, HITS), right))
    likelihood, why = calibrate(hits, 1000, np.random.default_rng(0))
    assert likelihood is None
    assert "all of them were" in why


def test_where_groups_differ_so_that_others_do_not_tell_of_them_nothing_is_said():
    """Ten groups, all hits of a group right or all wrong: what nine say of the tenth is off by half."""
    hits, _ = world(smooth, 300, groups=10)
    likelihood, why = calibrate(
        replace(hits, right=np.repeat(hits.cluster[:, None] < 5, HITS, axis=1)), 1000, np.random.default_rng(0)
    )
    assert likelihood is None
    assert "would be wrong by" in why


def test_the_rising_sequence_is_that_of_the_definition():
    """The largest over starts of the smallest over ends of the mean between: the min-max formula."""
    rng = np.random.default_rng(0)
    values, weight = rng.random(25), rng.random(25) + 0.1
    mean = [
        [np.average(values[a : b + 1], weights=weight[a : b + 1]) if b >= a else np.nan for b in range(25)]
        for a in range(25)
    ]
    expected = [max(min(mean[a][b] for b in range(i, 25)) for a in range(i + 1)) for i in range(25)]
    assert_allclose(pool_adjacent_violators(values, weight), expected)


def test_the_logistic_regression_finds_the_weights_of_the_world():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 2))
    y = (rng.random(20_000) < logistic(1.5 * x[:, 0] - 0.7 * x[:, 1] - 0.4)).astype(float)
    assert_allclose(logistic_weights(x, y, np.ones(20_000), (1, 0)), [1.5, -0.7, -0.4], atol=0.08)


def test_a_weight_of_the_wrong_sign_is_left_out():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 2))
    y = (rng.random(2000) < logistic(-2 * x[:, 0] + x[:, 1])).astype(float)
    weights = logistic_weights(x, y, np.ones(2000), (1, 0))
    assert weights[0] == 0
    assert weights[1] > 0.5


def test_hits_that_are_told_apart_without_fail_give_finite_weights():
    x = np.linspace(-1, 1, 50)[:, None]
    weights = logistic_weights(x, (x[:, 0] > 0).astype(float), np.ones(50), (1,))
    assert np.isfinite(weights).all()


def test_the_error_is_the_mean_gap_by_the_share_of_hits():
    """0.6 of the hits are off by 0.1, 0.4 by 0.05: 0.06 + 0.02."""
    bins = (ReliabilityBin(0.2, 0.3, 0.6), ReliabilityBin(0.9, 0.85, 0.4))
    assert calibration_error(bins) == pytest.approx(0.08)


def test_what_weighs_nothing_is_in_no_bin():
    bins = reliability(np.array([0.1, 0.9, 0.9]), np.array([False, True, False]), np.array([1.0, 1.0, 0.0]))
    assert [(one.said, one.right, one.share) for one in bins] == [(0.1, 0.0, 0.5), (0.9, 1.0, 0.5)]
