"""`--recipe keras-siamese`: the tutorial's network on a backbone, both losses of an epoch, the bundle it becomes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support import drawn_convolutions

from lookalike import Backbone
from lookalike.errors import ExamplesError, TrainingError
from lookalike.learning.finetuning import KerasSiameseConfig, KerasSiameseFineTuner
from lookalike.learning.finetuning.keras_siamese import keras_example_layer, side_px
from lookalike.learning.training import TrainingLabels
from lookalike.learning.training.history import epoch_metrics
from lookalike.models.bundle import read

SMALL = KerasSiameseConfig("stem", epochs=6, triplets=8, side_px=32, learning_rate=1e-3)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return drawn_convolutions.write_bundle(tmp_path_factory.mktemp("drawn") / "bundle")


def keras_siamese(drawn, run, config=SMALL):
    pictures, group = drawn_convolutions.pictures(30, 2)
    return KerasSiameseFineTuner(drawn, pictures, TrainingLabels.create(group), config, run)


@pytest.fixture(scope="module")
def learned(drawn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("learned")
    one = keras_siamese(drawn, folder / "run")
    epochs = epoch_metrics(one.steps(), one.per_epoch)
    return one, epochs, one.export(folder / "bundle")


def test_every_epoch_says_its_loss_on_what_is_learned_and_on_what_is_not(learned):
    one, epochs, _ = learned
    assert [(each.epoch, each.epochs) for each in epochs] == [(number, 6) for number in range(1, 7)]
    assert epochs[-1].loss < 0.7 * epochs[0].loss
    assert all(each.validation >= 0 for each in epochs)
    assert list(one.history) == epochs


def test_the_head_ends_in_256_values_after_the_layers_of_the_tutorial(learned):
    """Flatten gives as many values as the last map has; 512 ReLU, BatchNorm, 256 ReLU, BatchNorm, 256."""
    head = learned[0].network.head
    kinds = [type(each).__name__ for each in head]
    assert kinds == ["Linear", "ReLU", "BatchNorm1d", "Linear", "ReLU", "BatchNorm1d", "Linear"]
    assert [each.out_features for each in head if hasattr(each, "out_features")] == [512, 256, 256]


def test_the_heads_batchnorm_measures_and_normalises(learned):
    """The public example never passes its training flag, so its running means stay 0 and its variances 1."""
    norm = learned[0].network.head[2]
    assert norm.num_batches_tracked > 0
    assert norm.running_mean.abs().max() > 1e-3


def test_the_running_means_of_few_batches_are_their_plain_mean(learned):
    """18 batches at Keras' 0.99 would leave 83% of the zeros they start from."""
    one, _, _ = learned
    norm, first = one.network.head[2], one.network.head[:2]
    with torch.no_grad():
        rows = np.flatnonzero(one.examples.data.labels >= 0)
        last = one.split.feature_map(one.activations[rows][0].float())
        now = first(last.flatten(1)).mean(0)
    assert float(norm.running_mean @ now / norm.running_mean.norm() / now.norm()) > 0.9
    assert float(norm.running_mean.norm() / now.norm()) > 0.5


def test_the_last_epoch_is_what_the_bundle_holds(learned):
    one, epochs, bundle = learned
    assert one.best.step == bundle.tuning["step"] == len(epochs) * one.per_epoch


def test_the_bundle_gives_the_networks_values_brought_to_length_1(drawn, learned):
    """Search brings the raw 256 values to length 1 and takes no square root: the lens on them is the identity."""
    one, _, bundle = learned
    assert read(bundle.path) == bundle
    assert (bundle.length, bundle.parent) == (256, drawn.id)
    pictures, _ = drawn_convolutions.pictures(30, 2)
    found = Backbone(bundle, precision="f32").embed(pictures[:8])
    with torch.no_grad():
        raw = one.network(*(x.float() for x in one.activations[np.arange(8)])).numpy()
    expected = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    assert np.abs((found * expected).sum(1) - 1).max() < 1e-3  # activations are kept in float16


def test_a_resumed_run_has_the_losses_of_an_unbroken_one(drawn, learned, tmp_path):
    """Broken off in its fourth epoch, after the checkpoint that the first 25 steps have left."""
    settings = replace(SMALL, epochs=12)
    whole = keras_siamese(drawn, tmp_path / "whole", settings)
    list(whole.steps())
    broken = keras_siamese(drawn, tmp_path / "broken", settings)
    for step in broken.steps():
        if step.step == 30:
            break
    again = keras_siamese(drawn, tmp_path / "broken", settings)
    rest = list(again.steps())
    assert rest[0].step <= 30
    losses = [(each.loss, each.validation) for each in whole.history]
    assert [(each.loss, each.validation) for each in again.history] == losses


def test_what_it_costs_is_said_before(drawn, tmp_path):
    one = keras_siamese(drawn, tmp_path)
    cost = one.cost()
    assert (cost.images, cost.steps) == (60, 6 * one.per_epoch)
    assert cost.trainable == sum(weight.numel() for weight in one.start().parameters())
    assert not one.cached


def test_too_few_pairs_are_refused_before_anything_is_cached(drawn, tmp_path):
    pictures, group = drawn_convolutions.pictures(2, 2)
    with pytest.raises(ExamplesError, match="too few"):
        KerasSiameseFineTuner(drawn, pictures, TrainingLabels.create(group), SMALL, tmp_path)


def table(*names):
    return replace(Backbone().bundle, layers=tuple({"name": name, "parameters": 1} for name in names))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["conv4_block6_out", "conv5_block1_out", "conv5_block2_1_conv"], "conv5_block1_out"),
        ([f"encoder.stages.{i}.layers.{j}.conv" for i in range(4) for j in range(3)], "encoder.stages.3.layers.1"),
        ([f"encoder.stages.{i}.layers.0.conv" for i in range(4)], "encoder.stages.3.layers.0"),
        ([f"encoder.layer.{i}.attention" for i in range(12)], "encoder.layer.11"),
        ([f"vision_model.encoder.layers.{i}.mlp" for i in range(12)], "vision_model.encoder.layers.11"),
        (["conv_stem", *(f"blocks.{i}.project" for i in range(16)), "conv_head"], "blocks.15"),
    ],
)
def test_the_tutorials_place_is_found_in_other_networks(names, expected):
    """Layer 154 is the end of the first block of the last stage: what learns begins with the second."""
    assert keras_example_layer(table(*names)) == expected


def test_the_default_backbone_has_a_place():
    assert keras_example_layer(Backbone().bundle) == "blocks.15"
    assert side_px(Backbone().bundle, 200) == 200


def test_a_network_without_blocks_is_refused_in_one_line():
    with pytest.raises(TrainingError, match=r"--unfreeze LAYER\.$"):
        keras_example_layer(table("stem", "middle"))
