"""Answers to held-out queries: ranks against a loop, several folds joined, folds that leave nothing passed."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.drawn_labels import LOUD, QUIET, Fixed, only, world

from lookalike.errors import ExamplesError
from lookalike.learning.closed_form.whitening import WhitenTrainer, spread_scale
from lookalike.learning.evaluation.evaluator import Answers, Evaluator, TrainedLenses, concatenate
from lookalike.learning.evaluation.plan import plan_evaluation
from lookalike.learning.labelled_features import LabelledFeatures


@pytest.fixture(scope="module")
def plan():
    return plan_evaluation(LabelledFeatures.create(*world()))


def test_ranks_are_those_of_a_loop(plan):
    lens = only(QUIET)
    fold = next(plan.hold_out.folds(plan.generator()))
    found = Evaluator(plan).run_fold(fold, TrainedLenses(Fixed(lens)), plan.generator())
    embedding, labels = lens.apply(plan.data.features), plan.data.labels
    answers = found.lenses["closed form"]
    for at, query in enumerate(fold.queries):
        for gallery, rank in ((fold.gallery, answers.ranks[at]), (np.arange(160), answers.full_ranks[at])):
            others = gallery[gallery != query]
            similarity = embedding[others] @ embedding[query]
            right = labels[others] == labels[query]
            assert rank == 1 + (similarity[~right] >= similarity[right].max()).sum()
        others = fold.gallery[fold.gallery != query]
        similarity, right = embedding[others] @ embedding[query], labels[others] == labels[query]
        assert answers.relevant[at] == pytest.approx(similarity[right].max(), abs=1e-6)
        assert answers.irrelevant[at] == pytest.approx(similarity[~right].max(), abs=1e-6)


def test_the_closed_form_on_the_real_labels_answers_as_the_lens_itself(plan):
    """It is whitening of evened features about the mean of what is learned from."""
    fold = next(plan.hold_out.folds(plan.generator()))
    found = Evaluator(plan, permutations=2).run_fold(fold, TrainedLenses(WhitenTrainer()), plan.generator())
    train = plan.data.subset(fold.train)
    lens = WhitenTrainer(scale=spread_scale(plan.data.features)).fit(train)
    embedding = lens.apply(plan.data.features)
    expected = fold.ranks(embedding[fold.queries] @ embedding[fold.gallery].T)
    assert found.permuted_ranks.shape == (3, len(fold.queries))
    assert (found.permuted_ranks[0] == expected).mean() > 0.9  # the last bits decide the others
    assert (found.permuted_ranks[1] == expected).mean() < 0.9


def test_answers_of_folds_stand_one_after_the_other(plan):
    folds = list(plan.hold_out.folds(plan.generator()))
    lenses = TrainedLenses(Fixed(only(QUIET)), Fixed(only(LOUD)))
    evaluator = Evaluator(plan, permutations=1)
    every = evaluator.run(folds, lenses, np.random.default_rng(0))
    rng = np.random.default_rng(0)
    single = [evaluator.run_fold(fold, lenses, rng) for fold in folds]
    assert list(every.lenses) == ["closed form", "correction"]
    assert_array_equal(every.query, np.concatenate([fold.queries for fold in folds]))
    assert_array_equal(every.cluster, np.concatenate([fold.cluster for fold in folds]))
    assert_array_equal(every.permuted_ranks, np.hstack([one.permuted_ranks for one in single]))
    assert_array_equal(
        every.lenses["correction"].first, np.concatenate([one.lenses["correction"].first for one in single], axis=2)
    )
    assert every.plain.first.shape == (3, 5, len(every.query))


def test_a_fold_that_leaves_nothing_to_learn_from_is_passed(plan):
    class Once:
        def __init__(self):
            self.asked = 0

        def fit(self, data, start=None, reporter=None):
            self.asked += 1
            if self.asked != 2:
                raise ExamplesError("nothing belongs together.")
            return only(QUIET)

    folds = list(plan.hold_out.folds(plan.generator()))
    lenses = TrainedLenses(Once())
    found = Evaluator(plan).run(folds, lenses, plan.generator())
    assert_array_equal(found.query, folds[1].queries)
    assert lenses.learned == 1
    assert Evaluator(plan).run(folds[:1], TrainedLenses(Once()), plan.generator()) is None


def test_lenses_learn_from_the_rows_of_the_fold_alone(plan):
    fold = next(plan.hold_out.folds(plan.generator()))
    first, second = Fixed(only(LOUD)), Fixed(only(QUIET))
    embeddings = TrainedLenses(first, second).embed(plan.data, fold)
    for trainer in (first, second):
        assert_array_equal(trainer.data[0].features, plan.data.features[fold.train])
    assert first.starts == [None] and second.starts == [first.lens]
    assert_allclose(embeddings["closed form"], only(LOUD).apply(plan.data.features))
    assert_allclose(embeddings["correction"], only(QUIET).apply(plan.data.features))


def answers(start):
    q = np.arange(start, start + 3)
    return Answers(
        q,
        q + 10,
        q.astype(np.float32),
        q.astype(np.float32),
        np.tile(q.astype(float), (3, 5, 1)),
        np.tile(q.astype(np.float32), (3, 9, 1)),
    )


def test_answers_are_taken_from_another_where_it_is_said():
    mixed = answers(0).where(np.array([False, True, False]), answers(100))
    assert mixed.ranks.tolist() == [0, 101, 2] and mixed.full_ranks.tolist() == [10, 111, 12]
    assert mixed.first[2, 4].tolist() == [0, 101, 2]


def test_dataclasses_and_dictionaries_are_joined_field_by_field():
    joined = concatenate([{"a": answers(0)}, {"a": answers(3)}])["a"]
    assert joined.ranks.tolist() == [0, 1, 2, 3, 4, 5] and joined.first.shape == (3, 5, 6)
