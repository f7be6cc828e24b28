"""What stays on one side of a split, and what is held out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from lookalike.learning.evaluation.splits import assign_folds, sample, split_groups

APART = np.eye(8, dtype=np.float32)


def like(*pairs, n=8, similarity=0.99):
    matrix = np.eye(n, dtype=np.float32)
    for a, b in pairs:
        matrix[a, b] = matrix[b, a] = similarity
    return matrix


def test_near_duplicates_join_whole_groups_where_groups_are_held_out():
    group = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    of = split_groups(group, like((1, 2)), "groups")
    assert of.of.tolist() == [0, 0, 0, 0, 4, 4, 6, 6]
    assert of.near == 2 and of.threshold == 0.98 and of.note == ""


def test_where_pictures_are_held_out_only_near_duplicates_stay_together():
    group = np.zeros(8, int)
    assert split_groups(group, like((1, 2)), "pictures").of.tolist() == [0, 1, 1, 3, 4, 5, 6, 7]


def test_equal_content_stays_together_however_unlike():
    content = [b"a", b"b", b"c", b"a", b"d", b"e", b"f", b"g"]
    found = split_groups(np.arange(8), APART, "pictures", content=content)
    assert found.of.tolist() == [0, 1, 2, 0, 4, 5, 6, 7] and found.near == 2


def test_the_similarity_from_which_on_pictures_are_one_can_be_chosen():
    close = like((1, 2), similarity=0.9)
    assert split_groups(np.arange(8), close, "pictures").of.tolist() == list(range(8))
    assert split_groups(np.arange(8), close, "pictures", same=0.85).of.tolist() == [0, 1, 1, 3, 4, 5, 6, 7]


def test_where_near_duplicates_chain_through_most_pictures_the_threshold_is_raised_and_said():
    """Drawings: each is 0.983 like the next. At 0.985 nothing chains any more, but for one pair of 0.995."""
    chained = like(*((i, i + 1) for i in range(29)), n=30, similarity=0.983)
    chained[3, 4] = chained[4, 3] = 0.995
    found = split_groups(np.arange(30), chained, "pictures")
    assert found.threshold == 0.985 and "0.985" in found.note
    assert len(np.unique(found.of)) == 29 and found.of[4] == 3


def test_pictures_all_alike_are_kept_together_only_where_they_are_equal_to_the_byte():
    content = [bytes([i // 2]) for i in range(30)]
    found = split_groups(np.arange(30), np.ones((30, 30), np.float32), "pictures", content=content)
    assert found.threshold == 1 and "byte" in found.note
    assert_array_equal(found.of, np.arange(30) // 2 * 2)


@given(seed=st.integers(0, 500), n=st.integers(2, 80), count=st.integers(2, 5))
@settings(max_examples=60, deadline=None)
def test_folds_keep_units_whole_and_even(seed, n, count):
    rng = np.random.default_rng(seed)
    unit, stratum = rng.integers(0, max(1, n // 3), n), np.zeros(n, int)
    fold = assign_folds(unit, stratum, count, rng)
    assert all(len(np.unique(fold[unit == one])) == 1 for one in unit)
    loads = np.bincount(fold, minlength=count)
    assert loads.max() - loads.min() <= np.bincount(unit).max()


def test_folds_take_from_every_stratum():
    """Ten kinds of ten pictures: every fold of five holds two of each kind."""
    stratum = np.repeat(np.arange(10), 10)
    fold = assign_folds(np.arange(100), stratum, 5, np.random.default_rng(0))
    assert (np.bincount(stratum * 5 + fold, minlength=50) == 2).all()


def test_folds_differ_from_draw_to_draw():
    rng = np.random.default_rng(0)
    one, other = (assign_folds(np.arange(50), np.zeros(50, int), 5, rng) for _ in range(2))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("groups", [2, 30, 400])
def test_a_sample_has_whole_groups_or_a_like_part_of_each(groups):
    rng = np.random.default_rng(0)
    group = rng.permutation(np.r_[np.repeat(np.arange(groups), 1200 // groups), np.full(300, -1)])
    rows = sample(group, 400, rng)
    assert 300 < len(rows) <= 400 and (np.diff(rows) > 0).all() and (group[rows] >= 0).all()
    sizes = np.bincount(group[rows])
    assert np.sum(sizes[sizes > 0] < min(4, 1200 // groups)) <= 1  # only the last may be cut


def test_few_enough_rows_are_all_taken():
    assert sample(np.array([-1, 0, 0]), 3, np.random.default_rng(0)).tolist() == [0, 1, 2]
