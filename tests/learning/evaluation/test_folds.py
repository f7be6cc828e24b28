"""Examples held out as questions: nothing that asks was learned from, and what is right is what the examples say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from lookalike.learning.evaluation.folds import HoldOut
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.models.vectors import normalize_rows


def labelled(group, side=None, triplets=None, f=6, seed=0):
    n = len(group)
    x = np.random.default_rng(seed).standard_normal((n, f)).astype(np.float32)
    return LabelledFeatures.create(x, group, domains=side, triplets=triplets)


def split(examples, hold_out=None, **more):
    x = normalize_rows(examples.features)
    return HoldOut(examples, x @ x.T, hold_out, **more)


def tasks(examples, hold_out=None, seed=0, **more):
    return list(split(examples, hold_out, **more).folds(np.random.default_rng(seed)))


GROUPS = np.repeat(np.arange(25), 4)
CLASSES = np.repeat(np.arange(5), 20)


def test_what_is_held_out_is_decided_by_the_examples():
    """20 groups: groups. Fewer, with three members: pictures. Pairs however few: groups. No groups: triplets."""
    assert split(labelled(GROUPS)).kind == "groups"
    assert split(labelled(CLASSES)).kind == "pictures"
    assert split(labelled(np.repeat(np.arange(6), 2))).kind == "groups"
    assert split(labelled([-1, -1, -1], triplets=[[0, 1, 2]])).kind == "triplets"
    assert split(labelled(GROUPS), "pictures").kind == "pictures"


def test_many_triplets_beside_a_group_or_two_are_what_is_proved():
    """One group of two can be asked twice; forty anchors forty times."""
    triplets = np.arange(120).reshape(40, 3)
    group = np.full(130, -1)
    group[[120, 121]] = 0
    assert split(labelled(group, triplets=triplets)).kind == "triplets"
    assert split(labelled(np.arange(130) // 4, triplets=triplets)).kind == "groups"


@given(seed=st.integers(0, 200), hold_out=st.sampled_from(["groups", "pictures"]), sided=st.booleans())
@settings(max_examples=40, deadline=None)
def test_nothing_that_asks_was_learned_from_and_every_answer_is_right(seed, hold_out, sided):
    rng = np.random.default_rng(seed)
    group, side = rng.integers(-1, 22, 90), rng.integers(0, 2, 90)
    examples = labelled(group, side if sided else None, seed=seed)
    for task in tasks(examples, hold_out, seed):
        assert not np.intersect1d(task.queries, task.train).size
        if hold_out == "groups":  # new kinds: nothing of their groups was learned from, and they answer one another
            assert not np.intersect1d(group[task.queries], group[task.train]).size
            assert not np.intersect1d(task.gallery, task.train).size
        else:  # new pictures of known kinds
            assert_array_equal(task.gallery, task.train)
        for i, query in enumerate(task.queries):
            for j, row in enumerate(task.gallery):
                assert task.relevant[i, j] == (group[query] == group[row] >= 0)
                assert task.excluded[i, j] == (query == row or (sided and side[query] == side[row]))
        assert (task.relevant & ~task.excluded).any(axis=1).all()


@pytest.mark.parametrize("hold_out", ["groups", "pictures"])
def test_every_picture_asks_once_in_five_folds(hold_out):
    asked = np.concatenate([task.queries for task in tasks(labelled(GROUPS), hold_out)])
    assert_array_equal(np.sort(asked), np.arange(100))


def test_few_queries_are_asked_three_times_in_other_folds():
    asked = np.concatenate([task.queries for task in tasks(labelled(np.repeat(np.arange(10), 3)))])
    assert_array_equal(np.bincount(asked), 3)


def test_many_queries_are_asked_once():
    """3,000 pictures in 1,000 groups: a fifth of them are 600, of 200 groups, and nothing more is learned."""
    examples = labelled(np.repeat(np.arange(1000), 3))
    assert len(tasks(examples)) == 1


def test_near_duplicates_lie_on_one_side():
    examples = labelled(np.arange(100) // 4)
    x = examples.features.copy()
    x[40:44] = x[0:4] + 1e-4  # group 10 is group 0 once more
    for task in tasks(replace(examples, features=x)):
        assert len({0, 40} & set(task.train)) != 1


def test_a_query_finds_neither_itself_nor_its_copies():
    examples = replace(labelled([0, 0, 0, 1]), content=np.array([5, 5, 6, 7]))
    right, out = examples.relevance(np.array([0]), np.arange(4))
    assert right.tolist() == [[True, True, True, False]]
    assert out.tolist() == [[True, True, False, False]]


def test_triplets_ask_which_of_two_is_more_alike():
    triplets = np.array([[3 * i, 3 * i + 1, 3 * i + 2] for i in range(20)])
    examples = labelled(np.full(60, -1), triplets=triplets)
    for task in tasks(examples):
        assert not np.intersect1d(task.train, triplets[task.query_id]).size
        assert not np.isin(task.triplets, triplets[task.query_id]).any()
        for i, key in enumerate(task.query_id):
            answers = task.gallery[~task.excluded[i]]
            assert_array_equal(np.sort(answers), triplets[key, 1:])
            assert task.gallery[task.relevant[i]].tolist() == [triplets[key, 1]]


def test_a_triplet_is_right_where_the_positive_is_more_similar_and_equal_is_not():
    triplets = np.array([[3 * i, 3 * i + 1, 3 * i + 2] for i in range(20)])
    task = tasks(labelled(np.full(60, -1), triplets=triplets))[0]
    values = np.zeros(task.relevant.shape, np.float32)
    assert (task.ranks(values) == 2).all()
    assert (task.ranks(values + task.relevant) == 1).all()
    assert (task.ranks(values - task.relevant) == 2).all()


def test_anchors_that_share_pictures_are_one_draw_of_chance():
    triplets = np.array([[0, 1, 2], [0, 1, 3], [1, 4, 5], [6, 7, 8]])
    found = split(labelled(np.full(9, -1), triplets=triplets)).groups.of
    assert found[0] == found[1] == found[4] and found[6] == found[7] != found[0]


@pytest.mark.parametrize("group", [[0, 0], [0, 1, 2], [-1, -1]])
def test_where_nothing_can_be_held_out_there_is_no_task(group):
    assert tasks(labelled(group)) == []


def test_a_lens_is_learned_from_what_is_left_alone():
    examples = labelled(GROUPS, np.tile([0, 1], 50))
    task = tasks(examples)[0]
    data = examples.subset(task.train, task.triplets)
    assert_array_equal(data.features, examples.features[task.train])
    assert_array_equal(data.labels, GROUPS[task.train])
    assert_array_equal(data.domains, examples.domains[task.train])
    assert data.triplets.shape == (0, 3)


def test_triplets_left_to_learn_from_name_the_rows_that_are_left():
    triplets = np.array([[3 * i, 3 * i + 1, 3 * i + 2] for i in range(20)])
    examples = labelled(np.full(60, -1), triplets=triplets)
    task = tasks(examples)[0]
    data = examples.subset(task.train, task.triplets)
    assert_array_equal(data.features[data.triplets], examples.features[task.triplets])


def crowd(n: int, t: int, seed: int = 0) -> LabelledFeatures:
    """Triplets of a few pictures as a crowd gives them: consistent with the first of four features."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 4))
    triplets = []
    while len(triplets) < t:
        a, b, c = rng.choice(n, 3, replace=False)
        triplets.append((a, b, c) if abs(x[a, 0] - x[b, 0]) < abs(x[a, 0] - x[c, 0]) else (a, c, b))
    return LabelledFeatures.create(x, np.full(n, -1), triplets=triplets)


@pytest.mark.parametrize(("n", "t"), [(60, 400), (60, 1500), (100, 500)])
def test_triplets_that_chain_through_all_pictures_are_held_out_by_pictures(n: int, t: int):
    data = crowd(n, t)
    hold_out = HoldOut(data, np.eye(n, dtype=np.float32))
    assert hold_out.notes == [
        "anchors and positives chain through most pictures, so pictures were held out one by one."
    ]
    asked = set()
    for fold in hold_out.folds(np.random.default_rng(0)):
        pictures = set(data.triplets[fold.query_id].ravel().tolist())
        assert pictures.isdisjoint(fold.train.tolist())
        assert pictures.isdisjoint(fold.triplets.ravel().tolist())
        assert len(fold.triplets)
        asked.update(fold.query_id.tolist())
    assert len(asked) > t / 27  # a third of all pictures, thrice


def test_triplets_of_separate_pictures_keep_an_anchor_with_its_positives():
    triplets = [(3 * i, 3 * i + 1, 3 * i + 2) for i in range(30)]
    data = LabelledFeatures.create(
        np.random.default_rng(0).standard_normal((90, 4)), np.full(90, -1), triplets=triplets
    )
    hold_out = HoldOut(data, np.eye(90, dtype=np.float32))
    assert hold_out.notes == []
    assert all(hold_out.groups.of[3 * i] == hold_out.groups.of[3 * i + 1] for i in range(30))
