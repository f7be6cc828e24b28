"""Learning rates by family: which family a backbone is of, and how far the first step takes each of its blocks."""

from dataclasses import replace

import pytest
from support import drawn_convolutions

from lookalike.learning.finetuning import FineTuneConfig, LayerFineTuner
from lookalike.learning.finetuning.learning_rates import LEARNING_RATES, family_of, learning_rates_of
from lookalike.learning.training import TrainConfig, TrainingLabels
from lookalike.models.registry import resolve_bundle


def further(kind: str, *rates: float):
    return pytest.param(kind, *rates, marks=pytest.mark.slow)


def tuner(bundle, run, config):
    pictures, group = drawn_convolutions.pictures(6, 4)
    return LayerFineTuner(bundle, pictures, TrainingLabels.create(group), config, run)


def test_the_default_backbone_has_the_rates_that_were_measured():
    rates = learning_rates_of(resolve_bundle("efficientnet-lite0"))
    assert (rates.few, rates.many, rates.layer_decay, rates.head) == (1e-3, 4e-4, 1.0, None)
    assert all(one.source for one in LEARNING_RATES.values())


@pytest.mark.parametrize(
    ("kind", "rate", "decay"),
    [("resnet", 1e-4, 1.0), ("dinov2", 5e-5, 0.65), further("convnext", 5e-5, 0.8), further("clip", 5e-5, 0.65)],
)
def test_a_converted_backbone_has_those_of_its_family(kind, rate, decay, from_transformers):
    _, bundle = from_transformers(kind)
    rates = learning_rates_of(bundle)
    assert family_of(bundle).startswith(kind)
    assert (rates.few, rates.many, rates.layer_decay, rates.head) == (rate, rate, decay, 1e-3)


def test_one_rate_for_all_that_learns_of_the_default_family(tmp_path):
    drawn = drawn_convolutions.write_bundle(tmp_path / "bundle")
    one = tuner(drawn, tmp_path / "run", FineTuneConfig("blocks.0.project"))
    assert set(one.learning_rates().values()) == {1e-3}
    assert (one.config.layer_decay, one.config.head_rate) == (1.0, 1e-3)


def test_the_first_step_moves_each_block_of_a_transformer_by_its_own_rate(from_transformers, tmp_path):
    """Adam's first step is as long as the rate, which the warm-up begins with a tenth of."""
    _, bundle = from_transformers("dinov2")
    layers = [str(one["name"]) for one in bundle.layers if one["parameters"]]
    inside = [name for name in layers if name.startswith("encoder.layer.")]
    last = max(int(name.split(".")[2]) for name in inside)
    config = FineTuneConfig(f"encoder.layer.{last - 1}", TrainConfig(steps=1), weight_decay=0.0, views=1)
    one = tuner(bundle, tmp_path / "run", config)
    before = {name: weight.detach().clone() for name, weight in one.network.trainable().items()}
    list(one.steps())
    moved = dict.fromkeys((0, 1), 0.0)
    for name, weight in one.network.trainable().items():
        block = one.network.blocks_after(name)
        moved[block] = max(moved[block], float((weight.detach() - before[name]).abs().max()))
    assert moved[0] == pytest.approx(0.1 * 5e-5, rel=0.01)
    assert moved[1] == pytest.approx(0.1 * 5e-5 * 0.65, rel=0.01)
    start = one.start().head.state_dict()  # which is the same each time
    assert max(float((x - start[name]).abs().max()) for name, x in one.embedder.head.state_dict().items()) == (
        pytest.approx(0.1 * 1e-3, rel=0.01)
    )


def test_a_configurations_own_rates_come_first(from_transformers, tmp_path):
    _, bundle = from_transformers("dinov2")
    config = FineTuneConfig(-1, TrainConfig(learning_rate=3e-4), layer_decay=0.5, head_rate=2e-3)
    one = tuner(bundle, tmp_path / "run", config)
    assert (one.train.learning_rate, one.config.layer_decay, one.config.head_rate) == (3e-4, 0.5, 2e-3)
    assert set(one.learning_rates().values()) == {3e-4}
    other = tuner(bundle, tmp_path / "other", replace(config, layer_decay=None, head_rate=None))
    assert (other.config.layer_decay, other.config.head_rate) == (0.65, 1e-3)
