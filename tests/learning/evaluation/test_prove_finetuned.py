"""The comparison of a tuned backbone with an untouched one: what is held out, what a tie and a gain come to."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from lookalike.collection.lens_report import arms_of
from lookalike.errors import ExamplesError
from lookalike.learning.closed_form.default import recipe
from lookalike.learning.evaluation.prove_finetuned import compare_finetuned, hold_out_for_finetuning

GROUPS, SIZE, F = 60, 4, 24


def made(seed: int = 0):
    """Features of which a third tell the groups apart, beside others that do not."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(GROUPS), SIZE)
    x = rng.standard_normal((len(group), F))
    x[:, :8] = 0.8 * rng.standard_normal((GROUPS, 8))[group] + 0.5 * x[:, :8]
    return x.astype(np.float32), group


def told_apart(x: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The group's mean with a hundredth of what tells its members apart."""
    means = np.stack([x[group == one].mean(axis=0) for one in range(GROUPS)])
    return means[group] + 0.01 * (x - means[group])


def test_queries_are_of_groups_that_the_backbone_does_not_learn_from():
    x, group = made()
    held = hold_out_for_finetuning(x, group)
    queries = held.plan.rows[held.fold.queries]
    assert not set(group[held.learned]) & set(group[queries])
    assert len(held.learned) + len(queries) == len(x)


@pytest.mark.parametrize(("groups", "share"), [(300, 1 / 5), (60, 2 / 5), (30, 2 / 5)])
def test_as_little_is_held_out_as_can_convince(groups: int, share: float):
    """A fifth of 300 groups are 60; a fifth of 60 only 12, so two fifths are asked."""
    rng = np.random.default_rng(0)
    held = hold_out_for_finetuning(rng.standard_normal((2 * groups, 8)), np.repeat(np.arange(groups), 2))
    assert len(held.fold.queries) == pytest.approx(2 * groups * share, abs=2)


def test_the_split_is_decided_by_the_seed_before_anything_is_tuned():
    x, group = made()
    first, again, other = (
        hold_out_for_finetuning(x, group, seed=3),
        hold_out_for_finetuning(x, group, seed=3),
        hold_out_for_finetuning(x, group, seed=4),
    )
    assert_array_equal(first.learned, again.learned)
    assert not np.array_equal(first.learned, other.learned)


def test_a_backbone_that_changed_nothing_is_not_deeper():
    """The same features, so the same answers: a tie, and the untouched one serves."""
    x, group = made()
    found = compare_finetuned(hold_out_for_finetuning(x, group), x, recipe())
    assert not found.finetuned_is_better
    assert found.proof.chosen == "untouched backbone"
    assert found.proof.ways["tuned"]["recall@1"] == found.proof.ways["untouched"]["recall@1"]
    right = round(found.proof.ways["tuned"]["recall@1"] * found.proof.queries)
    assert f"for {right} of {found.proof.queries} held-out queries" in found.words
    assert f"for {right} through one on the untouched" in found.words


def test_a_backbone_that_tells_every_group_apart_is_deeper_and_right_each_time():
    x, group = made()
    held = hold_out_for_finetuning(x, group)
    found = compare_finetuned(held, told_apart(x, group), recipe())
    proof = found.proof
    assert found.finetuned_is_better
    assert (proof.chosen, proof.verdict, proof.splits) == ("tuned backbone", "taught", 1)
    assert proof.ways["tuned"]["recall@1"] == proof.ways["lens"]["recall@1"] == 1.0
    assert proof.ways["plain"]["recall@1"] < proof.ways["untouched"]["recall@1"] < 1
    assert "beyond chance" in found.words
    assert proof.from_json(proof.to_json()) == proof  # what proof.json holds
    arms = [arm.name for arm in arms_of(proof, "mine")]
    assert arms == ["plain", "shuffled labels", "closed form", "lens, not tuned", "mine"]


def test_a_backbone_that_lost_everything_is_left_out_and_the_proof_is_the_lens_s():
    x, group = made()
    noise = np.random.default_rng(7).standard_normal(x.shape)
    found = compare_finetuned(hold_out_for_finetuning(x, group), noise, recipe())
    assert not found.finetuned_is_better
    assert found.proof.ways["lens"]["recall@1"] == found.proof.ways["untouched"]["recall@1"]


def test_with_nothing_to_hold_out_it_is_one_line():
    with pytest.raises(ExamplesError, match="too few examples"):
        hold_out_for_finetuning(np.eye(4), np.array([0, 0, -1, -1]))
