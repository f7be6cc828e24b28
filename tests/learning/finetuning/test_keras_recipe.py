"""The Keras example's recipe as it was meant: what is held out, which triplets, which loss."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import ExamplesError
from lookalike.learning.finetuning.config import KerasSiameseConfig
from lookalike.learning.finetuning.keras_recipe import (
    fixed_triplets,
    split_for_recipe,
    validation_loss,
    validation_rows,
)
from lookalike.learning.training import TrainingLabels
from lookalike.learning.training.miners import one_negative_per_pair


def split(group, seed=0, **more):
    """Labels of what is trained on, its triplets, the validation's triplets, and the steps of an epoch."""
    data = TrainingLabels.create(group, **more)
    found = split_for_recipe(data, KerasSiameseConfig(), np.random.default_rng(seed))
    return found.data.labels, found.data.triplets, found.validation, found.per_epoch


groups = st.lists(st.integers(-1, 40), min_size=1, max_size=200).map(np.array)


@given(group=groups, seed=st.integers(0, 9))
def test_no_picture_of_a_validation_pair_is_ever_learned_from(group, seed):
    """The public example reshuffles before take and skip; here what is learned and what is asked share no picture."""
    try:
        mine, _, asked, _ = split(group, seed)
    except ExamplesError:
        return
    learned = np.flatnonzero(mine >= 0)
    assert not np.isin(asked, learned).any()
    assert len(asked)


def test_one_group_in_five_is_held_out_whole():
    group = np.repeat(np.arange(100), 2)
    held = validation_rows(TrainingLabels.create(group), np.random.default_rng(0))
    assert held.sum() == 40
    assert set(group[held]).isdisjoint(group[~held])


def test_of_few_groups_one_picture_in_five_is_held_out():
    group = np.repeat(np.arange(4), 10)
    held = validation_rows(TrainingLabels.create(group), np.random.default_rng(0))
    assert np.bincount(group[held]).tolist() == [2, 2, 2, 2]


@given(seed=st.integers(0, 20))
def test_equal_content_stays_on_one_side(seed):
    """Group 0 and group 1 share a picture's bytes, so both are learned from or neither."""
    group = np.repeat(np.arange(30), 2)
    content = [bytes([row]) for row in range(60)]
    content[2] = content[0]
    held = validation_rows(TrainingLabels.create(group, content=content), np.random.default_rng(seed))
    assert len(set(held[:4])) == 1


@given(group=groups, seed=st.integers(0, 9))
def test_a_fixed_triplet_is_a_pair_and_a_stranger(group, seed):
    rows = np.random.default_rng(seed).permutation(len(group))[: len(group) // 2 + 1]
    found = fixed_triplets(group, np.sort(rows), np.random.default_rng(seed))
    anchor, positive, negative = found.T
    assert (group[anchor] == group[positive]).all()
    assert (anchor != positive).all()
    assert (group[anchor] != group[negative]).all()
    assert (group[found] >= 0).all()
    assert np.isin(found, rows).all()
    assert len(np.unique(found[:, :2])) == 2 * len(found)


@given(group=st.lists(st.integers(-1, 6), min_size=2, max_size=40).map(np.array), seed=st.integers(0, 9))
def test_each_pair_of_a_batch_comes_once_and_never_with_its_own_partner(group, seed):
    labels = torch.from_numpy(group)
    anchor, positive, negative = one_negative_per_pair(torch.zeros(len(group), 2), labels, np.random.default_rng(seed))
    pairs = {frozenset(pair) for pair in zip(anchor.tolist(), positive.tolist(), strict=True)}
    assert len(pairs) == len(anchor)
    assert (labels[anchor] == labels[positive]).all()
    assert (labels[anchor] != labels[negative]).all()
    known = group[group >= 0]
    there = {
        frozenset((i, j))
        for i in range(len(group))
        for j in range(i)
        if group[i] == group[j] >= 0 and len(set(known)) > 1
    }
    assert pairs == there


def test_either_one_of_a_pair_may_be_the_anchor():
    """200 pairs: about half the anchors are the first of their pair (5 standard deviations are 35)."""
    labels = torch.arange(200).repeat_interleave(2)
    anchor, _, _ = one_negative_per_pair(torch.zeros(400, 1), labels, np.random.default_rng(0))
    assert abs(int((anchor % 2 == 0).sum()) - 100) < 35


def test_the_loss_of_two_triplets_worked_by_hand():
    """Rows 0, 3, 1 on a line: (0-3)^2 - (0-1)^2 + 0.5 = 8.5; the other way (0-1)^2 - (0-3)^2 + 0.5 < 0; mean 4.25."""
    inputs = np.array([[0.0], [3.0], [1.0]])
    triplets = np.array([[0, 1, 2], [0, 2, 1]])
    assert validation_loss(torch.nn.Identity(), inputs, triplets, margin=0.5) == 4.25


def test_an_epoch_shows_as_many_pictures_as_there_are():
    """160 pairs, a fifth of them held out: 256 pictures in steps of 64 are 4."""
    _, _, asked, length = split(np.repeat(np.arange(160), 2))
    assert (len(asked), length) == (32, 4)


def test_of_few_groups_a_step_has_a_pair_of_each():
    """4 groups of 10, 2 of each held out: 32 pictures in steps of 8."""
    _, _, asked, length = split(np.repeat(np.arange(4), 10))
    assert (len(asked), length) == (4, 4)


def test_explicit_triplets_alone_are_learned_and_held_out():
    triplets = np.arange(150).reshape(50, 3)
    group = np.full(150, -1)
    _, learned, asked, _ = split(group, triplets=triplets)
    assert len(asked) > 0
    assert len(learned) > 25
    assert not np.isin(asked, learned).any()


def test_too_few_pairs_are_refused_in_one_line():
    with pytest.raises(ExamplesError, match="2 groups of two or more: too few") as told:
        split(np.array([0, 0, 1, 1]))
    assert "\n" not in str(told.value)
