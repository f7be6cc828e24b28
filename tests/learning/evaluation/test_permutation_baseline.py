"""Closed forms of many labellings at once are the closed forms of each, and shuffles keep what they must keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from lookalike.learning import whiten
from lookalike.learning.evaluation.evaluator import SMALL_RIDGE
from lookalike.learning.evaluation.permutation_baseline import LabelAssignment, PermutedClosedForms

NO_PAIRS = np.zeros((0, 2), int)


def drawn(n=40, f=12, groups=8, seed=0):
    rng = np.random.default_rng(seed)
    group = rng.integers(-1, groups, n)
    return (rng.standard_normal((groups + 1, f))[group] + 0.5 * rng.standard_normal((n, f))).astype(np.float32), group


def similarities(x, labelling, labellings, ridge=1.0):
    y = (x - x.mean(axis=0)).astype(np.float64 if ridge < SMALL_RIDGE else np.float32)
    forms = PermutedClosedForms(y @ y.T, labellings, x.shape[1], ridge)
    everyone = np.arange(len(x))
    return forms.similarities(labelling, everyone, everyone)


@pytest.mark.parametrize("f", [6, 12, 90])
@pytest.mark.parametrize("ridge", [0.01, 0.3, 1.0])
def test_of_one_labelling_it_is_whiten(f, ridge):
    x, group = drawn(f=f)
    embedding = whiten(x, group, ridge=ridge).apply(x)
    one = LabelAssignment(group, NO_PAIRS)
    assert_allclose(similarities(x, 0, [one], ridge), embedding @ embedding.T, atol=5e-4)


def test_with_pairs_and_groups_it_is_whiten_too():
    x, group = drawn()
    group[:10] = -1
    pairs = np.array([[0, 1], [2, 3], [0, 5], [9, 20]])
    triplets = np.column_stack([pairs, np.full(4, 7)])
    embedding = whiten(x, group, triplets=triplets).apply(x)
    assert_allclose(similarities(x, 0, [LabelAssignment(group, pairs)]), embedding @ embedding.T, atol=5e-4)


def test_of_pairs_alone_it_is_whiten():
    x, _ = drawn()
    alone, pairs = np.full(40, -1), np.array([[0, 1], [2, 3], [4, 5]])
    embedding = whiten(x, alone, triplets=np.column_stack([pairs, [9, 9, 9]])).apply(x)
    assert_allclose(similarities(x, 0, [LabelAssignment(alone, pairs)]), embedding @ embedding.T, atol=5e-4)


def test_all_share_the_ridge_of_the_least_scatter_whichever_is_real():
    """Each closed form's ridge is that of the labelling with the least scatter within, so order decides nothing."""
    x, group = drawn()
    real = LabelAssignment(group, NO_PAIRS)
    others = [real.permuted(np.zeros(40, int), np.random.default_rng(seed)) for seed in range(4)]
    first = similarities(x, 0, [real, *others])
    assert_allclose(similarities(x, 4, [*others, real]), first, atol=1e-5)
    scatter = [within(x, one.labels) for one in (real, *others)]
    assert scatter[0] == min(scatter)  # where labels mean something it is that of the real ones
    ridge = min(scatter) / scatter[2]  # for whiten, which takes it relative to its own scatter
    embedding = whiten(x, others[1].labels, ridge=ridge).apply(x)
    assert_allclose(similarities(x, 2, [real, *others]), embedding @ embedding.T, atol=5e-4)


def within(x, groups):
    members = [x[groups == one] for one in np.unique(groups[groups >= 0])]
    return sum(float(np.square(one - one.mean(axis=0)).sum()) for one in members)


def test_only_the_queries_and_the_gallery_asked_for_are_answered():
    x, group = drawn()
    y = x - x.mean(axis=0)
    forms = PermutedClosedForms(y @ y.T, [LabelAssignment(group, NO_PAIRS)], 12)
    everyone = np.arange(40)
    whole = forms.similarities(0, everyone, everyone)
    asked, gallery = np.array([7, 3, 7]), np.array([1, 30, 2, 9])
    assert_allclose(forms.similarities(0, asked, gallery), whole[np.ix_(asked, gallery)], atol=1e-5)


def test_equal_pictures_in_each_group_leave_centring_alone():
    x = np.repeat(np.random.default_rng(0).standard_normal((6, 4)), 2, axis=0).astype(np.float32)
    group = np.repeat(np.arange(6), 2)
    y = x - x.mean(axis=0)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    assert_allclose(similarities(x, 0, [LabelAssignment(group, NO_PAIRS)]), y @ y.T, atol=1e-5)


@given(seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_a_shuffle_keeps_sizes_sides_and_who_has_a_label(seed):
    rng = np.random.default_rng(seed)
    groups, sides = rng.integers(-1, 6, 30), rng.integers(-1, 2, 30)
    pairs = np.unique(np.sort(rng.choice(30, (5, 2), replace=False), axis=1), axis=0)
    mixed = LabelAssignment(groups, pairs).permuted(sides, rng)
    assert_array_equal(mixed.labels < 0, groups < 0)
    for side in (-1, 0, 1):
        assert_array_equal(np.sort(mixed.labels[sides == side]), np.sort(groups[sides == side]))
    assert_array_equal(np.unique(mixed.pairs), np.unique(pairs))
    assert_array_equal(np.sort(sides[mixed.pairs], axis=1), np.sort(sides[pairs], axis=1))


def test_every_order_of_labels_is_as_likely():
    """Three pictures, labels 0, 0, 1: the lonely label falls on each a third of the time, +- 4.5 deviations."""
    rng = np.random.default_rng(0)
    one = LabelAssignment(np.array([0, 0, 1]), NO_PAIRS)
    at = [int(np.argmax(one.permuted(np.zeros(3, int), rng).labels)) for _ in range(3000)]
    assert_allclose(np.bincount(at) / 3000, 1 / 3, atol=4.5 * np.sqrt(2 / 9 / 3000))
