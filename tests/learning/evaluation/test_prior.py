"""What the pictures alone say beside the labels: the share is chosen on held-out examples, and is none that costs."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.closed_form.whitening import WhitenTrainer, spread_scale
from lookalike.learning.evaluation.folds import HoldOut
from lookalike.learning.evaluation.prior import OF_SMALL, SHARES, PriorTrainer, _Forms, choose_share
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.models.lens import Lens

LOUD, TOLD = 12, 40  # directions in which all pictures differ much, and in which those of different groups do


def pictures(groups: int, rng: np.random.Generator, loud: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Pairs that agree in what is told; both are turned, so that no feature is one of these directions."""
    labels = np.repeat(np.arange(groups), 2)
    told = rng.standard_normal((groups, TOLD))[labels] + 0.5 * rng.standard_normal((len(labels), TOLD))
    turn = np.linalg.qr(np.random.default_rng(99).standard_normal((LOUD + TOLD, LOUD + TOLD)))[0]
    return (np.hstack([loud * rng.standard_normal((len(labels), LOUD)), told]) @ turn).astype(np.float32), labels


def test_the_forms_are_those_that_the_trainer_learns():
    """Pairs are not re-weighted between classes, so both are the same formula; scales are those of all the rows."""
    rng = np.random.default_rng(0)
    x, labels = pictures(12, rng)
    spread = pictures(30, rng)[0]
    data = LabelledFeatures.create(x, labels)
    (fold, *_) = HoldOut(data, np.eye(len(x), dtype=np.float32)).folds(rng)
    for share, similarities in _Forms(data, spread).similarities(fold, SHARES).items():
        train = data.subset(fold.train)
        lens = _with_scale_of(data, train, spread, share)
        y = (x - x.mean(axis=0)) @ lens.matrix  # the forms are centred on all rows
        y /= np.linalg.norm(y, axis=1, keepdims=True)
        assert_allclose(similarities, y[fold.queries] @ y[fold.gallery].T, atol=2e-3)


def _with_scale_of(data: LabelledFeatures, train: LabelledFeatures, spread: np.ndarray, share: float) -> Lens:
    return WhitenTrainer(1.0, spread_scale(data.features), None, spread, share).fit(train)


def test_few_examples_are_helped_by_what_the_pictures_say():
    """Four pairs cannot show twelve directions that mean nothing; two hundred pictures can."""
    rng = np.random.default_rng(1)
    data = LabelledFeatures.create(*pictures(4, rng))
    spread, (asked, of) = pictures(100, rng)[0], pictures(60, rng)

    def first(lens: Lens) -> float:
        similarity = lens.apply(asked) @ lens.apply(asked).T
        np.fill_diagonal(similarity, -1)
        return float((of[similarity.argmax(axis=1)] == of).mean())

    alone, mixed = (trainer.fit(data) for trainer in (ClosedFormTrainer(), PriorTrainer(spread)))
    assert mixed.settings["prior_share"] > 0
    assert first(mixed) > first(alone) + 0.05


def test_where_the_spread_costs_it_is_left_out():
    """Pictures of few kinds spread most where the kinds differ, which many examples of them tell."""
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(8), 25)
    kinds = 3 * rng.standard_normal((8, 6))
    x = np.hstack([kinds[labels] + rng.standard_normal((200, 6)), rng.standard_normal((200, 40))]).astype(np.float32)
    data = LabelledFeatures.create(x, labels)
    assert choose_share(data, x) == 0
    lens = PriorTrainer(x).fit(data)
    assert_array_equal(lens.matrix, ClosedFormTrainer().fit(data).matrix)  # to the bit what it was without


def test_examples_that_say_less_than_no_labels_give_the_lens_without_labels():
    """The lens without labels knows what is told, the pairs hardly, and the spread of other pictures nothing."""
    rng = np.random.default_rng(3)
    x, labels = pictures(20, rng)
    turn = np.linalg.qr(np.random.default_rng(99).standard_normal((LOUD + TOLD, LOUD + TOLD)))[0]
    own = Lens("own", np.zeros(LOUD + TOLD), turn.T[:, LOUD:])
    lens = PriorTrainer(rng.standard_normal(x.shape).astype(np.float32), own).fit(LabelledFeatures.create(x, labels))
    assert lens.settings["prior_share"] == 1
    assert_array_equal(lens.matrix, own.matrix)


def test_what_is_learned_last_has_the_share_of_most_that_were_proved():
    """Three lenses of four chose .2: the last one has it too, whatever its own examples say."""
    rng = np.random.default_rng(4)
    data, spread = LabelledFeatures.create(*pictures(20, rng)), pictures(30, rng)[0]
    trainer = PriorTrainer(spread)
    assert trainer.settled() is trainer
    lens = PriorTrainer(spread, chosen=[0.8, 0.2, 0.2, 0.2]).settled().fit(data)
    assert lens.settings["prior_share"] == 0.2
    assert_array_equal(lens.matrix, ClosedFormTrainer(prior=spread, prior_share=0.2).fit(data).matrix)
    share = trainer.fit(data).settings["prior_share"]
    assert trainer.chosen == [share] and trainer.settled().share == share


@pytest.mark.parametrize("labels, share", [([0, 0], OF_SMALL), ([0, 0, 0, 0, 0], 0.0), ([-1, 0, 0], OF_SMALL)])
def test_where_nothing_can_be_held_out_the_usual_share_is_taken(labels: list[int], share: float):
    x = np.random.default_rng(0).standard_normal((len(labels), 6)).astype(np.float32)
    x[1:] = x[1]  # copies stay on one side
    assert choose_share(LabelledFeatures.create(x, labels), x) == share
