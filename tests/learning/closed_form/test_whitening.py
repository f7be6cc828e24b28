"""The closed form: worked by hand, against the formula written out, and safe where examples are few or odd."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from lookalike.errors import ExamplesError, ShapeError
from lookalike.learning import whiten
from lookalike.learning.closed_form import whitening
from lookalike.learning.closed_form.whitening import WhitenTrainer, inverse_root, matching_pairs
from lookalike.learning.labelled_features import LabelledFeatures


def formula(x, group, ridge=1.0, pairs=(), centre=None):
    """Cosine under (S + ridge tr(S)/f I)^-1 about the mean, in float64, S summed row by row."""
    x = np.asarray(x, np.float64)
    f = x.shape[1]
    y = x - (x.mean(axis=0) if centre is None else centre)
    within = np.zeros((f, f))
    for one in set(np.asarray(group)[np.asarray(group) >= 0].tolist()):
        members = y[np.asarray(group) == one]
        for row in members - members.mean(axis=0):
            within += np.outer(row, row)
    for a, b in pairs:
        within += np.outer(y[a] - y[b], y[a] - y[b]) / 2
    metric = np.linalg.inv(within / np.trace(within) * f + ridge * np.eye(f))
    products = y @ metric @ y.T
    length = np.sqrt(np.diag(products))
    return products / np.outer(length, length)


def similarities(lens, x):
    embedding = lens.apply(x)
    return embedding @ embedding.T


def drawn(n=60, f=12, groups=9, seed=0):
    rng = np.random.default_rng(seed)
    group = rng.integers(-1, groups, n)
    centres = rng.standard_normal((groups + 1, f))
    return (centres[group] + rng.standard_normal((n, f)) * np.linspace(0.1, 2, f) + 3).astype(np.float32), group


def test_worked_by_hand():
    """Groups {(0,3),(0,-3)} and {(4,3),(4,-3)}: mean (2, 0), S = diag(0, 36), tr(S)/f = 18.

    S / 18 + I = diag(1, 3). About the mean the first row is (-2, 3), the third (2, 3), so under diag(1, 1/3) their
    product is -4 + 3 = -1 and their squared lengths 4 + 3 = 7.
    """
    x = [[0, 3], [0, -3], [4, 3], [4, -3]]
    assert similarities(whiten(x, [0, 0, 1, 1]), x)[0, 2] == pytest.approx(-1 / 7, abs=1e-6)


@pytest.mark.parametrize("ridge", [1e-4, 0.3, 1.0, 10.0])
def test_it_is_the_formula_with_many_rows(ridge):
    x, group = drawn()
    assert_allclose(similarities(whiten(x, group, ridge=ridge), x), formula(x, group, ridge), atol=2e-4)


@pytest.mark.parametrize("ridge", [1e-2, 1.0, 10.0])
def test_it_is_the_formula_with_fewer_rows_than_features(ridge):
    x, group = drawn(n=20, f=90, groups=6)
    assert_allclose(similarities(whiten(x, group, ridge=ridge), x), formula(x, group, ridge), atol=2e-4)


def test_both_ways_to_compute_it_agree():
    x, group = drawn(n=30, f=40)
    blocks = list(whitening._differences(x, group, np.zeros((0, 2), int)))
    assert {one.dtype for one in blocks} == {np.dtype(np.float32)}
    scale = np.linspace(0.5, 2, 40)
    many, few = (way(iter(blocks), scale, 1.0, 0.0) for way in (whitening._from_many, whitening._from_few))
    assert_allclose(many @ many.T, few @ few.T, atol=1e-4)


def test_the_anchor_and_positive_of_a_triplet_count_as_a_group_of_two():
    """S of a group of two is half the square of its difference; the negative does not enter."""
    x, _ = drawn(n=12, f=5)
    alone = np.full(12, -1)
    pair = np.where(np.arange(12) == 3, 0, np.where(np.arange(12) == 7, 0, -1))
    by_triplet = similarities(whiten(x, alone, triplets=[[3, 7, 1], [7, 3, 2]]), x)  # the same pair, twice
    assert_allclose(by_triplet, similarities(whiten(x, pair), x), atol=1e-5)
    assert_allclose(by_triplet, formula(x, alone, pairs=[(3, 7)]), atol=1e-4)


def test_a_pair_that_a_group_knows_already_does_not_count_twice():
    x, group = drawn()
    a, b = np.flatnonzero(group == 1)[:2]
    assert_allclose(whiten(x, group, triplets=[[a, b, 0]]).matrix, whiten(x, group).matrix)


def test_a_triplet_of_one_picture_twice_adds_nothing():
    assert len(matching_pairs(np.array([-1, -1]), np.array([[0, 0, 1]]))) == 0


def test_a_group_of_one_and_a_row_of_none_only_move_the_mean():
    x, group = drawn()
    group[5], group[6] = 77, -1
    without = np.where(np.arange(60) == 5, -1, group)
    assert_allclose(whiten(x, group).matrix, whiten(x, without).matrix)
    assert_allclose(whiten(x, group).mean, x.mean(axis=0), rtol=1e-5)


@given(seed=st.integers(0, 500), scale=st.sampled_from([1e-6, 0.25, 1.0, 4096.0]))
@settings(max_examples=25, deadline=None)
def test_turning_moving_and_scaling_the_features_changes_no_similarity(seed, scale):
    x, group = drawn(seed=seed)
    turn = np.linalg.qr(np.random.default_rng(seed).standard_normal((12, 12)))[0]
    moved = ((x - 2) @ turn * scale).astype(np.float32)
    assert_allclose(similarities(whiten(moved, group), moved), similarities(whiten(x, group), x), atol=1e-3)


@given(seed=st.integers(0, 500))
@settings(max_examples=20, deadline=None)
def test_names_of_groups_and_order_of_rows_do_not_matter(seed):
    x, group = drawn(seed=seed)
    order = np.random.default_rng(seed).permutation(60)
    renamed = np.where(group >= 0, 1000 - 7 * group, -3)
    here, there = whiten(x, group), whiten(x[order], renamed[order])
    assert_allclose(similarities(there, x), similarities(here, x), atol=1e-3)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int64])
def test_any_kind_of_number_is_read(dtype):
    x = np.round(drawn()[0] * 8).astype(dtype)
    group = drawn()[1]
    assert_allclose(whiten(x, group).matrix, whiten(x.astype(np.float32), group).matrix, rtol=1e-4, atol=1e-5)


def test_many_rows_are_read_in_blocks_and_give_what_few_give():
    """Each row sixty times: one group is larger than a block of rows, the others fill several."""
    x = drawn(n=200)[0]
    group = np.concatenate([np.zeros(70, int), 1 + np.arange(130) // 10])
    many, groups = np.tile(x, (60, 1)), np.tile(group, 60)
    assert np.bincount(groups)[0] > whitening.ROWS_AT_ONCE and len(many) > 2 * whitening.ROWS_AT_ONCE
    assert_allclose(similarities(whiten(many, groups), x), formula(x, group), atol=2e-4)


def test_identical_pictures_in_every_group_leave_centring_alone():
    """S is 0: no direction varies more than another."""
    x = np.repeat(np.random.default_rng(0).standard_normal((5, 4)), 2, axis=0).astype(np.float32)
    centred = x - x.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    for features in (x, np.hstack([x, np.zeros((10, 60), np.float32)])):  # by either way to compute it
        assert_allclose(
            similarities(whiten(features, np.repeat(np.arange(5), 2)), features), centred @ centred.T, atol=1e-5
        )


@pytest.mark.parametrize(
    ("x", "group"),
    [
        (np.eye(3), [0, 0, 0]),  # one group
        (np.eye(2), [4, 4]),  # two pictures
        (np.vstack([np.eye(3), np.eye(3)]), [0, 1, 2, 0, 1, 2]),  # groups of equal pictures
        (np.eye(3)[[0, 0, 0, 1]], [0, 0, 1, 1]),
    ],
)
def test_odd_examples_give_finite_lenses(x, group):
    embedding = whiten(x, group).apply(x)
    assert np.isfinite(embedding).all()
    length = np.linalg.norm(embedding, axis=1)
    assert ((np.abs(length - 1) < 1e-5) | (length < 1e-5)).all()


def test_dims_keep_the_main_directions_of_the_whitened_rows():
    x, group = drawn(n=80, f=12)
    whole, cut = whiten(x, group), whiten(x, group, dims=5)
    y = (x - whole.mean) @ whole.matrix
    vectors = np.linalg.eigh(y.T @ y)[1]
    kept = y @ vectors[:, ::-1][:, :5]
    kept /= np.linalg.norm(kept, axis=1, keepdims=True)
    assert_allclose(similarities(cut, x), kept @ kept.T, atol=1e-3)
    assert cut.dims == 5 and whiten(x, group, dims=12).dims == whiten(x, group, dims=500).dims == 12


@given(n=st.integers(1, 300), seed=st.integers(0, 100))
@settings(max_examples=15, deadline=None)
def test_the_inverse_root_is_that_of_numpy(n, seed):
    rows = np.random.default_rng(seed).standard_normal((n, n + 5))
    square = rows @ rows.T + np.eye(n)
    assert_allclose(inverse_root(square), np.linalg.inv(np.linalg.cholesky(square)), atol=1e-8)


def test_rows_have_a_mean_squared_length_of_one_before_they_are_brought_to_it():
    x, group = drawn()
    lens = whiten(x, group)
    assert np.square((x - lens.mean) @ lens.matrix).sum(axis=1).mean() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("error", "says", "wrong"),
    [
        (ExamplesError, "belong together", lambda: whiten(np.eye(3), [0, 1, -1])),
        (ExamplesError, "same features", lambda: whiten(np.ones((4, 3)), [0, 0, 1, 1])),
        (ExamplesError, "same features", lambda: whiten(np.zeros((4, 3)), [0, 0, 1, 1])),
        (ShapeError, "not finite", lambda: whiten(np.diag([1, np.nan, 1]), [0, 0, 0])),
        (ShapeError, "too small or large", lambda: whiten(np.eye(3) * 1e30, [0, 0, 0])),
        (ShapeError, "labels", lambda: whiten(np.eye(3), [0, 0])),
        (ShapeError, "features", lambda: whiten(np.ones(3), [0, 0, 0])),
        (ShapeError, "features", lambda: whiten([["a"]], [0])),
        (ShapeError, "triplets", lambda: whiten(np.eye(3), [0, 0, 0], triplets=[[0, 1, 3]])),
        (ShapeError, "ridge", lambda: whiten(np.eye(3), [0, 0, 0], ridge=0)),
    ],
)
def test_what_cannot_be_learned_from_is_refused_in_one_line(error, says, wrong):
    with pytest.raises(error, match=says) as caught:
        wrong()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("n, f", [(60, 12), (12, 90)], ids=["many rows", "few rows"])
def test_a_prior_is_mixed_in_by_its_share_both_at_the_same_trace(n: int, f: int):
    x, group = drawn(n=n, f=f, groups=4)
    prior = (np.random.default_rng(7).standard_normal((15, f)) * np.linspace(3, 0.1, f)).astype(np.float32)
    y = x.astype(np.float64) - x.mean(axis=0)
    within = np.zeros((f, f))
    for one in range(4):
        members = y[group == one]
        within += (members - members.mean(axis=0)).T @ (members - members.mean(axis=0)) if len(members) else 0
    spread = np.cov(prior.T.astype(np.float64))
    mixed = 0.7 * within / np.trace(within) + 0.3 * spread / np.trace(spread)
    metric = np.linalg.inv(mixed * f + np.eye(f))
    products = y @ metric @ y.T
    length = np.sqrt(np.diag(products))
    lens = WhitenTrainer(1.0, prior=prior, prior_share=0.3).fit(LabelledFeatures.create(x, group))
    assert_allclose(similarities(lens, x), products / np.outer(length, length), atol=2e-4)


def test_a_prior_of_share_0_changes_nothing_to_the_bit():
    x, group = drawn()
    data = LabelledFeatures.create(x, group)
    assert_array_equal(WhitenTrainer(prior=x[:9]).fit(data).matrix, WhitenTrainer().fit(data).matrix)
