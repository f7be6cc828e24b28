"""Miners by value: against the slow obvious loop, and against PyTorch Metric Learning."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning import distances, miners
from pytorch_metric_learning.utils import loss_and_miner_utils

from lookalike.errors import TrainingError
from lookalike.learning.training.distances import squared_distances
from lookalike.learning.training.miners import (
    SemiHardWarmup,
    all_triplets,
    as_triplets,
    batch_hard,
    miner_by_name,
    random_negatives,
    semi_hard,
)

SQUARED = distances.LpDistance(normalize_embeddings=False, p=2, power=2)


@st.composite
def a_batch(draw):
    """Rows of length 1 and labels, some of them -1; coinciding rows happen."""
    b, d = draw(st.integers(1, 14)), draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    rows = rng.standard_normal((b, d)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    if draw(st.booleans()):
        rows = rows[rng.integers(0, b, b)]
    return torch.from_numpy(rows), torch.from_numpy(rng.integers(draw(st.sampled_from([-1, 0])), 4, b))


def loop(labels):
    """Every triplet (a, p, n), as one would say it."""
    at = range(len(labels))
    known = [int(x) for x in labels]
    return {
        (a, p, n)
        for a in at
        for p in at
        for n in at
        if a != p and known[a] == known[p] >= 0 and known[n] >= 0 and known[n] != known[a]
    }


def as_set(triplets):
    listed = list(zip(*(x.tolist() for x in triplets), strict=True))
    assert len(listed) == len(set(listed)), "no triplet comes twice"
    return set(listed)


@settings(deadline=None)
@given(batch=a_batch())
def test_all_triplets_are_those_of_the_loop(batch):
    rows, labels = batch
    assert as_set(all_triplets(rows, labels)) == loop(labels)


@settings(deadline=None)
@given(batch=a_batch(), margin=st.sampled_from([0.05, 0.2, 1.0]))
def test_semi_hard_are_those_of_the_loop(batch, margin):
    rows, labels = batch
    far = squared_distances(rows)
    expected = {(a, p, n) for a, p, n in loop(labels) if far[a, p] < far[a, n] < far[a, p] + margin}
    near_the_edge = {
        (a, p, n)
        for a, p, n in loop(labels)
        if min(abs(far[a, n] - far[a, p]), abs(far[a, n] - far[a, p] - margin)) < 1e-6
    }
    assert as_set(semi_hard(rows, labels, margin)) - near_the_edge == expected - near_the_edge


def test_semi_hard_worked_by_hand():
    """From east, |a - p|^2 is 2 - 2 cos 30 = 0.27; negatives at 20, 35 and 90 degrees lie at 0.12, 0.36 and 2: only
    the one at 35 lies beyond the positive and within 0.2 of it."""
    angles = torch.tensor([0.0, 30.0, 20.0, 35.0, 90.0]).deg2rad()
    rows = torch.stack([angles.cos(), angles.sin()], 1)
    mined = as_set(semi_hard(rows, torch.tensor([0, 0, 1, 2, 3]), margin=0.2))
    assert {triplet for triplet in mined if triplet[0] == 0} == {(0, 1, 3)}


@settings(deadline=None)
@given(batch=a_batch())
def test_batch_hard_takes_the_farthest_positive_and_the_nearest_negative(batch):
    rows, labels = batch
    far, every = squared_distances(rows), loop(labels)
    mined = as_set(batch_hard(rows, labels))
    assert {a for a, _, _ in mined} == {a for a, _, _ in every}
    assert mined <= every
    for a, p, n in mined:
        assert far[a, p] == max(far[a, q] for b, q, _ in every if b == a)
        assert far[a, n] == min(far[a, m] for b, _, m in every if b == a)


@settings(deadline=None)
@given(batch=a_batch(), seed=st.integers(0, 99))
def test_random_negatives_ask_every_pair_once_and_are_never_of_the_own_group(batch, seed):
    rows, labels = batch
    mined = as_set(random_negatives(rows, labels, np.random.default_rng(seed)))
    assert mined <= loop(labels)
    pairs = sorted((a, p) for a, p, _ in mined)
    assert pairs == sorted({(a, p) for a, p, _ in loop(labels)})


def test_random_negatives_draw_each_negative_alike():
    """4 negatives of one pair, 4,000 draws: 1,000 each, give or take four standard deviations of 27."""
    rng, labels = np.random.default_rng(0), torch.tensor([0, 1, 0, 2, 3, 1])
    drawn = [int(random_negatives(torch.zeros(6, 2), labels, rng)[2][0]) for _ in range(4000)]
    counts = np.bincount(drawn, minlength=6)
    assert counts[[0, 2]].tolist() == [0, 0]
    assert np.abs(counts[[1, 3, 4, 5]] - 1000).max() < 110


def real_batch(seed, b=24, groups=6):
    rng = np.random.default_rng(seed)
    rows = torch.nn.functional.normalize(torch.from_numpy(rng.standard_normal((b, 8)).astype(np.float32)))
    return rows, torch.from_numpy(rng.integers(0, groups, b))


@pytest.mark.parametrize("seed", range(5))
def test_all_triplets_agree_with_pytorch_metric_learning(seed):
    rows, labels = real_batch(seed)
    assert as_set(all_triplets(rows, labels)) == as_set(loss_and_miner_utils.get_all_triplets_indices(labels))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("margin", [0.1, 0.3, 1.0])
def test_semi_hard_agrees_with_pytorch_metric_learning(seed, margin):
    rows, labels = real_batch(seed)
    theirs = miners.TripletMarginMiner(margin, type_of_triplets="semihard", distance=SQUARED)
    assert as_set(semi_hard(rows, labels, margin)) == as_set(theirs(rows, labels))


@pytest.mark.parametrize("seed", range(5))
def test_batch_hard_agrees_with_pytorch_metric_learning(seed):
    rows, labels = real_batch(seed)
    assert as_set(batch_hard(rows, labels)) == as_set(miners.BatchHardMiner(distance=SQUARED)(rows, labels))


def test_pairs_become_every_triplet_of_one_anchor():
    rows, labels = real_batch(0)
    pairs = loss_and_miner_utils.get_all_pairs_indices(labels)
    assert as_set(as_triplets(pairs)) == loop(labels)
    assert as_set(as_triplets(all_triplets(rows, labels))) == loop(labels)


def test_batch_hard_by_name_warms_up_with_semi_hard_for_a_quarter():
    rows, labels = real_batch(1)
    miner = miner_by_name("batch-hard", 0.2, 8, np.random.default_rng(0))
    assert isinstance(miner, SemiHardWarmup)
    mined = [as_set(miner(rows, labels)) for _ in range(4)]
    assert mined[:2] == [as_set(semi_hard(rows, labels, 0.2))] * 2
    assert mined[2:] == [as_set(batch_hard(rows, labels))] * 2 != mined[:2]


@pytest.mark.parametrize(
    ("name", "same_as"),
    [("all", all_triplets), ("semi-hard", lambda rows, labels: semi_hard(rows, labels, 0.4))],
)
def test_miners_by_name(name, same_as):
    rows, labels = real_batch(2)
    miner = miner_by_name(name, 0.4, 8, np.random.default_rng(0))
    assert as_set(miner(rows, labels)) == as_set(same_as(rows, labels))


def test_an_unknown_miner_gets_the_names_that_there_are():
    with pytest.raises(TrainingError, match=r"'hardest'.*all, semi-hard, batch-hard, random"):
        miner_by_name("hardest", 0.2, 8, np.random.default_rng(0))


@pytest.mark.parametrize("miner", [all_triplets, semi_hard, batch_hard])
def test_one_group_gives_no_triplets(miner):
    assert [len(x) for x in miner(torch.eye(3), torch.zeros(3, dtype=torch.int64))] == [0, 0, 0]


def test_one_group_gives_no_random_negatives():
    rng = np.random.default_rng(0)
    assert [len(x) for x in random_negatives(torch.eye(3), torch.zeros(3, dtype=torch.int64), rng)] == [0, 0, 0]
