"""Batches: every group once an epoch, sides mixed, triplets beside groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import ExamplesError, ShapeError
from lookalike.learning.training.batch_sampler import batches, steps_per_epoch


def epoch(group, rows=256, per_group=4, seed=0, **more):
    """The batches of one epoch."""
    stream = batches(np.asarray(group), np.random.default_rng(seed), rows=rows, per_label=per_group, **more)
    return [next(stream) for _ in range(steps_per_epoch(np.asarray(group), rows=rows, per_label=per_group))]


@settings(deadline=None, max_examples=60)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=40),
    rows=st.integers(2, 64),
    per_group=st.integers(2, 6),
    seed=st.integers(0, 99),
)
def test_every_group_of_two_or_more_comes_once_an_epoch_whole_or_cut(sizes, rows, per_group, seed):
    group = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    large = [g for g, size in enumerate(sizes) if size > 1]
    if len(large) < 2:
        return
    seen = []
    for batch in epoch(group, rows, per_group, seed):
        assert (batch.labels == group[batch.rows]).all()
        assert len(np.unique(batch.rows)) == len(batch.rows)
        names, counts = np.unique(batch.labels, return_counts=True)
        assert len(names) >= 2, "with one group alone there is nothing to tell it from"
        assert [min(sizes[g], per_group) for g in names] == counts.tolist()
        seen.extend(names.tolist())
    assert sorted(seen) == large


def test_the_next_epoch_comes_in_another_order():
    group = np.repeat(np.arange(64), 2)
    stream = batches(group, np.random.default_rng(0), rows=32)
    first, second = ([next(stream).labels.tolist() for _ in range(4)] for _ in range(2))
    assert sorted(np.concatenate(first)) == sorted(np.concatenate(second)) == group.tolist()
    assert np.concatenate(first).tolist() != np.concatenate(second).tolist()


def test_batches_have_about_the_rows_asked_for():
    lengths = [len(batch.rows) for batch in epoch(np.repeat(np.arange(300), 3), rows=256)]
    assert sum(lengths) == 900
    assert max(lengths) - min(lengths) <= 3
    assert abs(np.mean(lengths) - 256) < 60


def test_a_large_group_is_cut_to_another_few_each_time():
    group = np.repeat([0, 1], 50)
    taken = [set(batch.rows.tolist()) for seed in range(3) for batch in epoch(group, per_group=4, seed=seed)]
    assert all(len(rows) == 8 for rows in taken)
    assert taken[0] != taken[1] != taken[2]


def test_sides_are_mixed_before_any_is_taken_twice():
    """Groups of 6, 5 of them on side 0 and one on side 1: two are taken, always one of each side."""
    group, side = np.repeat(np.arange(10), 6), np.tile([0, 0, 0, 0, 0, 1], 10)
    for batch in epoch(group, per_group=2, domains=side):
        for g in np.unique(batch.labels):
            assert sorted(side[batch.rows[batch.labels == g]].tolist()) == [0, 1]


def test_rows_of_no_group_and_groups_of_one_are_left_out():
    group = np.array([-1, 3, 3, -1, 5, 8, 8, -2])
    (batch,) = epoch(group)
    assert batch.rows.tolist() == [1, 2, 5, 6]


def test_triplets_alone_come_each_once_an_epoch():
    triplets = np.random.default_rng(0).permutation(60).reshape(20, 3)
    stream = batches(np.full(60, -1), np.random.default_rng(1), triplets=triplets, rows=15)
    seen = []
    for _ in range(4):
        batch = next(stream)
        assert (batch.labels == -1).all()
        seen.extend(map(tuple, batch.rows[batch.triplets].tolist()))
    assert sorted(seen) == sorted(map(tuple, triplets.tolist()))


def test_groups_and_triplets_share_a_batch_half_and_half():
    group = np.repeat(np.arange(100), 4)
    triplets = np.arange(400 - 1).reshape(-1, 3)
    batch = next(batches(group, np.random.default_rng(0), triplets=triplets, rows=120))
    assert len(batch.triplets) == pytest.approx(20, abs=2)
    assert 100 <= len(batch.rows) <= 130
    assert set(map(tuple, batch.rows[batch.triplets].tolist())) <= set(map(tuple, triplets.tolist()))


def test_one_group_only_is_refused_in_one_line():
    with pytest.raises(ExamplesError, match=r"1 groups, 1 of them with two pictures or more: nothing to tell apart"):
        next(batches(np.zeros(5, int), np.random.default_rng(0)))


def test_no_group_of_two_is_refused_in_one_line():
    with pytest.raises(ExamplesError, match="5 groups, 0 of them"):
        next(batches(np.arange(5), np.random.default_rng(0)))


def test_one_group_with_triplets_learns_from_the_triplets():
    batch = next(batches(np.array([0, 0, -1]), np.random.default_rng(0), triplets=np.array([[0, 1, 2]])))
    assert batch.rows[batch.triplets].tolist() == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"domains": np.zeros(3, int)}, "one number for each image"),
        ({"triplets": np.zeros((2, 2), int)}, r"give \(t, 3\)"),
        ({"triplets": np.array([[0, 1, 4]])}, "count from 0"),
        ({"rows": 1}, "Make both 2 or more"),
        ({"per_label": 1}, "Make both 2 or more"),
    ],
)
def test_what_does_not_fit_gets_one_line(more, said):
    with pytest.raises(ShapeError, match=said):
        next(batches(np.array([0, 0, 1, 1]), np.random.default_rng(0), **more))


def test_steps_of_an_epoch_count_triplets_where_they_take_longer():
    group, triplets = np.repeat(np.arange(10), 2), np.tile([0, 1, 2], (90, 1))
    assert steps_per_epoch(group, rows=60) == 1
    assert steps_per_epoch(group, triplets=triplets, rows=60) == 9, "90 triplets, 10 of them in half of 60 rows"
