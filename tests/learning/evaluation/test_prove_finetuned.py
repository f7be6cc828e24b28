"""The comparison of a tuned backbone with an untouched one: what is held out, what a tie and a gain come to."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from lookalike.collection.lens_report import arms_of
from lookalike.errors import ExamplesError
from lookalike.learning.closed_form.default import ClosedFormTrainer, IdentityTrainer
from lookalike.learning.evaluation.evaluator import TrainedLenses
from lookalike.learning.evaluation.plan import plan_evaluation
from lookalike.learning.evaluation.prove_finetuned import compare_finetuned, hold_out_for_finetuning
from lookalike.learning.labelled_features import LabelledFeatures

GROUPS, SIZE, F = 60, 4, 24


def made(seed: int = 0):
    """Features of which a third tell the groups apart, beside others that do not."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(GROUPS), SIZE)
    x = rng.standard_normal((len(group), F))
    x[:, :8] = 0.8 * rng.standard_normal((GROUPS, 8))[group] + 0.5 * x[:, :8]
    return x.astype(np.float32), group


def held_out(x, group, seed: int = 0):
    return hold_out_for_finetuning(plan_evaluation(LabelledFeatures.create(x, group), seed=seed))


def compared(held, tuned):
    return compare_finetuned(held, tuned, TrainedLenses(ClosedFormTrainer()), TrainedLenses(ClosedFormTrainer()))


def told_apart(x: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The group's mean with a hundredth of what tells its members apart."""
    means = np.stack([x[group == one].mean(axis=0) for one in range(GROUPS)])
    return means[group] + 0.01 * (x - means[group])


def test_queries_are_of_groups_that_the_backbone_does_not_learn_from():
    x, group = made()
    held = held_out(x, group)
    queries = held.plan.rows[held.fold.queries]
    assert not set(group[held.train_rows]) & set(group[queries])
    assert len(held.train_rows) + len(queries) == len(x)


@pytest.mark.parametrize(("groups", "share"), [(300, 1 / 5), (60, 2 / 5), (30, 2 / 5)])
def test_as_little_is_held_out_as_can_convince(groups: int, share: float):
    """A fifth of 300 groups are 60; a fifth of 60 only 12, so two fifths are asked."""
    rng = np.random.default_rng(0)
    held = held_out(rng.standard_normal((2 * groups, 8)), np.repeat(np.arange(groups), 2))
    assert len(held.fold.queries) == pytest.approx(2 * groups * share, abs=2)


def test_the_split_is_decided_by_the_seed_before_anything_is_tuned():
    x, group = made()
    first, again, other = (
        held_out(x, group, seed=3),
        held_out(x, group, seed=3),
        held_out(x, group, seed=4),
    )
    assert_array_equal(first.train_rows, again.train_rows)
    assert not np.array_equal(first.train_rows, other.train_rows)


def test_a_backbone_that_changed_nothing_is_not_deeper():
    """The same features, so the same answers: a tie, and the untouched one serves."""
    x, group = made()
    found = compared(held_out(x, group), x)
    assert not found.finetuned_is_better
    assert found.proof.selected == "untouched backbone"
    assert found.proof.results["tuned backbone"].recall_at_1 == found.proof.results["untouched backbone"].recall_at_1
    right = round(found.proof.results["tuned backbone"].recall_at_1 * found.proof.protocol.queries)
    assert f"for {right} of {found.proof.protocol.queries} held-out queries" in found.words
    assert f"for {right} through one on the untouched" in found.words


def test_a_backbone_that_tells_every_group_apart_is_deeper_and_right_each_time():
    x, group = made()
    held = held_out(x, group)
    found = compared(held, told_apart(x, group))
    proof = found.proof
    assert found.finetuned_is_better
    assert (proof.selected, proof.verdict, proof.protocol.folds) == ("tuned backbone", "taught", 1)
    assert proof.results["tuned backbone"].recall_at_1 == proof.results["lens"].recall_at_1 == 1.0
    assert proof.results["plain"].recall_at_1 < proof.results["untouched backbone"].recall_at_1 < 1
    assert "beyond chance" in found.words
    assert proof.from_json(proof.to_json()) == proof  # what proof.json holds
    arms = [arm.name for arm in arms_of(proof, "mine")]
    assert arms == ["plain", "shuffled labels", "closed form", "lens, not tuned", "mine"]


def test_a_backbone_that_lost_everything_is_left_out_and_the_proof_is_the_lens_s():
    x, group = made()
    noise = np.random.default_rng(7).standard_normal(x.shape)
    found = compared(held_out(x, group), noise)
    assert not found.finetuned_is_better
    assert found.proof.results["lens"].recall_at_1 == found.proof.results["untouched backbone"].recall_at_1


def test_a_tuned_backbone_has_to_beat_the_closed_form_where_that_is_the_better_lens():
    """Fine-tuning that gained something, but less than a closed form does, beside one that its correction spoils.

    The correction here is the identity, so that lens is plain search.
    """
    x, group = made()
    held = held_out(x, group)
    spoilt = TrainedLenses(ClosedFormTrainer(), IdentityTrainer())
    halfway = x * np.repeat([1.25, 1.0], [8, F - 8])
    found = compare_finetuned(held, halfway, spoilt, TrainedLenses(IdentityTrainer()))
    recall = {name: one.recall_at_1 for name, one in found.proof.results.items()}
    assert recall["plain"] < recall["tuned backbone"] < recall["untouched backbone"]
    assert not found.finetuned_is_better
    other = compare_finetuned(held, halfway, TrainedLenses(IdentityTrainer()), TrainedLenses(IdentityTrainer()))
    assert other.finetuned_is_better


def test_on_the_tuned_backbone_too_the_better_of_two_lenses_serves():
    x, group = made()
    held, closed = held_out(x, group), TrainedLenses(ClosedFormTrainer())
    tuned = x * np.repeat([1.25, 1.0], [8, F - 8])
    worse = compare_finetuned(held, tuned, closed, TrainedLenses(ClosedFormTrainer(), IdentityTrainer()))
    better = compare_finetuned(held, tuned, closed, TrainedLenses(IdentityTrainer(), ClosedFormTrainer()))
    alone = compare_finetuned(held, tuned, closed, closed)
    assert (worse.tuned_lens, better.tuned_lens, alone.tuned_lens) == ("closed form", "correction", "closed form")
    recalls = {one.proof.results["tuned backbone"].recall_at_1 for one in (worse, better, alone)}
    assert len(recalls) == 1  # of the closed form each time


def test_with_nothing_to_hold_out_it_is_one_line():
    with pytest.raises(ExamplesError, match="too few examples"):
        held_out(np.eye(4), np.array([0, 0, -1, -1]))
