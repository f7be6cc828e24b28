"""Features to a proved lens: in order, on one plan, and stopped where people stop it."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.noisy_features import world

from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.config import ClosedForm, LearnConfig, LowRank
from lookalike.learning.evaluation.prove import prove_labelled
from lookalike.learning.feature_set import FeatureSet
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.learning.pipeline import LearnedBefore, LowRankRefiner, describe_plan, learn_lens, plan_learning
from lookalike.progress import SILENT, as_reporter

NAMES = [f"{row}.png" for row in range(160)]


@pytest.fixture(scope="module")
def features() -> FeatureSet:
    data = LabelledFeatures.create(*world())
    content = tuple(row.to_bytes(2, "big") for row in range(160))
    return FeatureSet(data, tuple(map(Path, NAMES)), content, ("a note",))


def test_the_closed_form_is_that_of_all_rows_with_a_proof_of_the_plan(features):
    config = LearnConfig(ClosedForm(), seed=2)
    plan = plan_learning(features, config)
    result = learn_lens(features, config, plan)
    assert_array_equal(result.lens.matrix, ClosedFormTrainer().fit(features.data).matrix)
    assert result.proof.protocol.seed == 2 and result.proof.protocol.images == len(plan.rows) == 160
    assert result.history == () and result.notes == ("a note",)


def test_the_benchmark_of_honesty_proves_the_lens_that_is_proved_here(monkeypatch):
    """Its proofs and the truth that they are compared with are of one trainer, which must be that of `learn`."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    trainer = import_module("proof_honesty").TRAINER
    x, labels = world(groups=20, each=8)  # groups of so many that every step of the closed form changes something
    features = FeatureSet(LabelledFeatures.create(x, labels), (), ())
    config = LearnConfig(ClosedForm(), seed=2)
    plan = plan_learning(features, config)
    result = learn_lens(features, config, plan)
    assert_array_equal(trainer.fit(features.data).matrix, result.lens.matrix)
    assert prove_labelled(features.data, trainer, plan=plan) == result.proof
    assert prove_labelled(features.data, plan=plan) != result.proof  # whitening alone is another lens


def test_the_kept_lens_is_named_and_says_how_it_came_about(features):
    config = LearnConfig(ClosedForm(), dims=8)
    result = learn_lens(features, config, plan_learning(features, config))
    lens = result.named("mine", NAMES, {"backbone": "b0"})
    assert (lens.name, lens.backbone, lens.dims) == ("mine", "b0", 8)
    assert lens.settings["config"] == {"method": {"name": "ClosedForm"}, "hold_out": None, "dims": 8, "seed": 0}
    assert lens.proof is not None and str(lens.proof.queries.best[0].query).endswith(".png")


def test_what_is_planned_is_told_before_anything_is_learned(features):
    lines = describe_plan(features, plan_learning(features, LearnConfig()))
    assert lines[0] == "160 pictures in 40 groups of 4" and lines[-1] == "a note"
    assert "held out: whole groups, 32 queries in the first of the splits" in lines
    few = FeatureSet(LabelledFeatures.create(np.eye(2), [0, 0]), (Path("a"), Path("b")), (b"a", b"b"))
    assert any("nothing can be held out" in line for line in describe_plan(few, plan_learning(few, LearnConfig())))


def test_the_correction_is_validated_then_proved_then_learned(features):
    pytest.importorskip("torch")
    seen = []
    config = LearnConfig(LowRank(epochs=2))
    result = learn_lens(features, config, plan_learning(features, config), as_reporter(seen.append))
    stages = list(dict.fromkeys(now.stage for now in seen))
    assert stages[:2] == ["validating", "proving"]
    assert ("learning" in stages) == (result.proof.selected == "correction")
    assert result.history and result.history[-1].validation is not None
    assert {"loss", "recall@1"} <= set(seen[len(result.history) - 1].metrics)


def test_ctrl_c_keeps_the_best_of_the_lens_that_will_serve(features):
    pytest.importorskip("torch")

    def stop(now):
        if now.done == 3:
            raise KeyboardInterrupt

    start = ClosedFormTrainer().fit(features.data)
    refiner = LowRankRefiner(LowRank(epochs=200), seed=0)
    lens, stopped = refiner.fit_until_stopped(features.data, start, as_reporter(stop))
    assert lens.settings["correction"]["step"] == 3
    assert "stopped after step 3 of 200" in stopped


def test_ctrl_c_while_it_is_proved_ends_everything(features):
    def stop(now):
        raise KeyboardInterrupt

    config = LearnConfig(ClosedForm())
    with pytest.raises(KeyboardInterrupt):
        learn_lens(features, config, plan_learning(features, config), as_reporter(stop))


def test_what_the_validation_learned_is_not_learned_again(features):
    pytest.importorskip("torch")
    asked = []

    class Counting(ClosedFormTrainer):
        def fit(self, data, start=None, reporter=SILENT):
            asked.append(len(data))
            return super().fit(data, start, reporter)

    data, lens = features.data, ClosedFormTrainer().fit(features.data)
    known = LearnedBefore(Counting(), data, lens)
    other = data.subset(np.arange(80))
    assert known.fit(other).settings["rows"] == 80 and asked == [80]
    assert known.fit(data.subset(np.arange(160))) is lens and asked == [80]
    assert known.fit(data) is not lens and asked == [80, 160]  # once only: a lens is large
    other_start = LearnedBefore(Counting(), data, lens, start=lens)
    assert other_start.fit(data) is not lens  # from another start it would be another lens


def test_the_proof_is_the_same_where_its_first_fold_was_validated(features):
    pytest.importorskip("torch")
    config = LearnConfig(LowRank(epochs=2))
    plan = plan_learning(features, config)
    refiner = LowRankRefiner(LowRank(epochs=2), config.seed)
    proof = prove_labelled(features.data, ClosedFormTrainer(), refiner, plan=plan)
    assert learn_lens(features, config, plan).proof == proof
