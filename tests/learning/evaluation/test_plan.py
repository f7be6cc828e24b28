"""What is evaluated: all rows or a sample of them, with the triplets among it, and the same draws at each call."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.drawn_labels import world

from lookalike.errors import ShapeError
from lookalike.learning.evaluation.plan import plan_evaluation
from lookalike.learning.evaluation.prove import prove_labelled
from lookalike.learning.labelled_features import LabelledFeatures, PartWeights
from lookalike.models.vectors import normalize_rows


def test_few_enough_rows_are_all_taken_with_labels_numbered():
    x, labels = world()
    plan = plan_evaluation(LabelledFeatures.create(x.astype(np.float64), labels * 3 + 5))
    assert_array_equal(plan.rows, np.arange(160))
    assert_array_equal(plan.data.labels, labels)
    assert plan.data.features.dtype == np.float32 and plan.notes == ()
    assert_allclose(plan.similarity, normalize_rows(x) @ normalize_rows(x).T, atol=1e-6)


def test_plain_search_can_compare_other_features():
    x, labels = world()
    plan = plan_evaluation(LabelledFeatures.create(x, labels), plain=x[:, 8:])
    quiet = normalize_rows(x[:, 8:].copy())
    assert_allclose(plan.similarity, quiet @ quiet.T, atol=1e-6)
    with pytest.raises(ShapeError, match="plain has 159 rows"):
        plan_evaluation(LabelledFeatures.create(x, labels), plain=x[1:])


def test_many_pictures_are_proved_on_a_sample_and_it_is_said():
    x, labels = world(groups=300, each=4)
    data = LabelledFeatures.create(x, labels)
    plan = plan_evaluation(data, most=400)
    assert 390 <= len(plan.rows) <= 400 and "of 1,200 pictures" in plan.notes[0]
    assert_array_equal(plan.data.features, x[plan.rows])
    assert_array_equal(
        np.unique(plan.data.labels, return_inverse=True)[1], np.unique(labels[plan.rows], return_inverse=True)[1]
    )
    proof = prove_labelled(data, plan=plan)
    assert proof.protocol.images == len(plan.rows) and proof.notes[0] == plan.notes[0]
    assert {one.query for one in proof.queries.best} <= set(plan.rows.tolist())


def test_the_sample_keeps_triplets_whose_pictures_are_in_it():
    x, _ = world(groups=300, each=3)
    triplets = np.arange(900).reshape(300, 3)
    plan = plan_evaluation(LabelledFeatures.create(x, np.full(900, -1), triplets=triplets), most=300)
    assert len(plan.rows) == 300 and len(plan.data.triplets) == 100
    found = plan.rows[plan.data.triplets]
    assert_array_equal(found, triplets[found[:, 0] // 3])


def test_the_generator_is_the_same_at_each_call_and_goes_on_from_the_sample():
    data = LabelledFeatures.create(*world(groups=300, each=4))
    plan = plan_evaluation(data, seed=3, most=400)
    first, again = plan.generator(), plan.generator()
    drawn = first.random(5)
    assert_array_equal(drawn, again.random(5))
    assert not np.array_equal(drawn, np.random.default_rng(3).random(5))
    whole = plan_evaluation(data, seed=3)  # draws nothing
    assert_array_equal(whole.generator().random(5), np.random.default_rng(3).random(5))


def test_the_seed_decides_the_sample():
    data = LabelledFeatures.create(*world(groups=300, each=4))
    one, same, other = (plan_evaluation(data, seed=seed, most=400).rows for seed in (1, 1, 2))
    assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(("threshold", "components"), [(0.98, 8), (0.85, 7)])
def test_the_similarity_from_which_on_pictures_count_as_one_can_be_chosen(threshold, components):
    """Rows 1 and 2 are 0.9 alike, all others not at all."""
    x = np.eye(8)
    x[2] = 0.9 * x[1] + np.sqrt(1 - 0.9**2) * x[2]
    data = LabelledFeatures.create(x, np.arange(8))
    plan = plan_evaluation(data, "pictures", duplicate_threshold=threshold)
    of_backbone = plan_evaluation(replace(data, parts=PartWeights(np.ones(8), np.ones(8), threshold)), "pictures")
    assert len(np.unique(plan.hold_out.groups.of)) == len(np.unique(of_backbone.hold_out.groups.of)) == components


def test_how_to_hold_out_can_be_chosen():
    data = LabelledFeatures.create(*world())
    assert plan_evaluation(data).hold_out.kind == "groups"
    assert plan_evaluation(data, "pictures").hold_out.kind == "pictures"
