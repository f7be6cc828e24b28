"""What held-out queries are shown, by hand: places, marks, and for how many pictures each hit stands."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lookalike.learning.evaluation.folds import Fold
from lookalike.learning.evaluation.judged_hits import DEPTH, JudgedHits, judge_hits
from lookalike.learning.labelled_features import LabelledFeatures

# Rows 0 to 5 are learned from (groups 0 and 1), 6 to 9 held out (6, 7 and 8 of group 2; 9 has no label).
LABELS = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, -1])
OTHERS = 8  # pictures without a label, rows 10 to 17


def fold_of(queries, train=range(6)):
    queries = np.array(queries)
    none = np.zeros((len(queries), 1), bool)
    return Fold(np.array(train), np.zeros((0, 3), int), queries, queries, queries, np.array([0]), none, none)


def data_of(labels=LABELS, **more):
    return LabelledFeatures.create(np.eye(len(labels), 4), labels, **more)


def shown_to(query, order, *, of_kinds=False, train=range(6), unit=None, **more):
    """The hits of one query to which rows are like in this order: similarities 1, .9, ...; others far behind."""
    similarities = np.full((1, len(LABELS) + OTHERS), -0.5, np.float32)
    similarities[0, order] = 1 - np.arange(len(order)) / 10
    fold = fold_of([query], train)
    return judge_hits(similarities, fold, data_of(**more), of_kinds=of_kinds, unit=unit)[:, :, 0]


def test_places_marks_and_weights_where_whole_groups_are_held_out():
    """Rows 7 and 8 are right, row 3 was learned, row 10 has no label and row 9 of the examples neither."""
    similarity, right, weight, instead = shown_to(6, [10, 7, 3, 9, 8])
    assert_allclose(similarity[:5], [1, 0.9, 0.8, 0.7, 0.6])
    assert right[:5].tolist() == [0, 1, 0, 0, 1]
    assert weight[:5].tolist() == [-1, 1, 1, 0, 1]
    assert not instead[:5].any()
    assert similarity.shape == (DEPTH,)


def test_a_wrong_one_that_was_held_out_stands_for_unlabelled_ones():
    """Query 3 of a fold in which groups 1 and 2 are held out: seven rows, for which there are eight without a label."""
    _, right, weight, instead = shown_to(3, [7, 0, 4], train=range(3))
    assert right[:3].tolist() == [0, 0, 1]
    assert weight[:3].tolist() == [1, 1, 1]
    assert_allclose(instead[:3], [8 / 7, 0, 0])


def test_what_is_held_out_with_the_query_whatever_the_fold_stands_for_fewer():
    """Row 7 is nearly equal to query 3, and row 8 is not: 8 unlabelled for 10 labelled ones, and 8 / 7 as above."""
    unit = np.array([0, 1, 2, 3, 4, 5, 6, 3, 8, 9])
    assert_allclose(shown_to(3, [7, 8, 4], train=range(3), unit=unit)[3, :3], [8 / 10, 8 / 7, 0])
    of_its_kind = np.array([0, 1, 2, 3, 4, 5, 6, 7, 7, 9])
    _, right, weight, _ = shown_to(8, [7, 6], of_kinds=True, train=[0, 1, 3, 4], unit=of_its_kind)
    assert right[:2].tolist() == [1, 1]
    assert_allclose(weight[:2], [1 + 8 / 10, (3 * (8 + 6) / 6 - 1) / 2])


def test_held_out_ones_stand_for_as_many_as_are_hit_where_all_are_wrong():
    """1,000 pictures in any order: 38 held out with the query, the others without a label."""
    rng, found = np.random.default_rng(0), []
    data = LabelledFeatures.create(rng.standard_normal((41, 2)), np.array([0, *range(1, 41)]))
    none = np.zeros((1, 1), bool)
    fold = Fold(np.arange(1, 3), np.zeros((0, 3), int), *(np.array([0]),) * 4, none, none)
    for _ in range(4000):
        similarities = rng.random((1, 1000)).astype(np.float32)
        similarities[0, 1:3] = -1  # what was learned is far away
        found.append(judge_hits(similarities, fold, data, of_kinds=False)[2:, :, 0])
    weight, instead = np.stack(found, axis=1)
    assert instead.sum() == pytest.approx((weight < 0).sum(), rel=0.05)


def test_unlabelled_pictures_that_are_hit_too_often_are_of_the_same_things():
    """Six are hit where one is expected: each counts a sixth as wrong. Where as many are expected, each counts."""
    shown = np.zeros((4, 4, 2), np.float32)
    shown[2] = [[-1, -1], [-1, -1], [-1, -1], [1, 0]]
    shown[3, 3] = [1, 0]
    of_same = JudgedHits.of_folds(shown, np.array([0, 1]), np.array([0, 1]))
    assert_allclose(of_same.weight, [[1 / 6, 1 / 6, 1 / 6, 1], [1 / 6, 1 / 6, 1 / 6, 0]])
    assert not of_same.right.any()
    shown[3, 3] = [9, 0]
    assert JudgedHits.of_folds(shown, np.array([0, 1]), np.array([0, 1])).weight.tolist() == [
        [1, 1, 1, 1],
        [1, 1, 1, 0],
    ]


def test_where_pictures_within_groups_are_held_out_right_ones_stand_for_unlabelled_ones_too():
    """Rows 2 and 5 to 9 are held out, and the query is row 8: two others of its group stand for three but itself."""
    train = [0, 1, 3, 4]
    _, right, weight, _ = shown_to(8, [7, 2, 0], of_kinds=True, train=train)
    as_many = (8 + 6) / 6
    assert right[:3].tolist() == [1, 0, 0]
    assert_allclose(weight[:3], [(3 * as_many - 1) / 2, as_many, 1])


def test_a_query_that_is_alone_of_its_group_is_stood_for_by_those_that_were_learned():
    """Row 5 is the only one of group 1 that is held out: rows 3 and 4 share what it would stand for."""
    train = [0, 1, 2, 3, 4, 6, 7, 8]
    _, right, weight, _ = shown_to(5, [3, 0], of_kinds=True, train=train)
    assert right[:2].tolist() == [1, 0]
    assert_allclose(weight[:2], [1 + (8 / 2) / 2, 1])


def test_the_query_its_copies_and_what_is_never_found_have_no_place():
    content = np.array([0, 1, 2, 3, 4, 5, 6, 6, 8, 9])  # row 7 is a copy of row 6
    gallery = np.ones(10, bool)
    gallery[3] = False
    similarity, right, *_ = shown_to(6, [6, 7, 3, 8], content=content, gallery_mask=gallery)
    assert_allclose(similarity[:2], [0.7, -0.5])
    assert right[0] == 1


def test_folds_become_rows_of_queries():
    shown = np.stack([shown_to(6, [7, 3]), shown_to(7, [6, 3])], axis=-1)
    hits = JudgedHits.of_folds(shown, np.array([2, 2]), np.array([0, 1]))
    assert hits.similarities.shape == (2, DEPTH)
    assert hits.right[:, :2].tolist() == [[True, False], [True, False]]
    assert hits.queries == 2
    assert hits.subset(np.array([False, True])).asked.tolist() == [1]
