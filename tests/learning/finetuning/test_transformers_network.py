"""A converted tower in torch: transformers' own numbers wherever it is cut, and written back whole."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support import elsewhere
from support.cosines import cosines

from lookalike import Backbone
from lookalike.learning.finetuning.load_network import load_network
from lookalike.learning.finetuning.split_network import SplitNetwork
from lookalike.models.bundle import read, write
from lookalike.models.features import combine_stages


def further(kind: str):
    """A family whose network is like one that the quick tests have: of stages as resnet, of tokens as dinov2."""
    return pytest.param(kind, marks=pytest.mark.slow)


def depths_of(network: SplitNetwork, pixels):
    with torch.no_grad():
        return [one.numpy() for one in network(torch.from_numpy(pixels))]


@pytest.mark.parametrize("kind", ["resnet", "dinov2", further("clip")])
def test_a_converted_network_computes_the_same_wherever_it_is_cut(kind, from_transformers):
    _, bundle = from_transformers(kind)
    pixels = elsewhere.pictures(bundle.side_px, 2)
    network = load_network(bundle)
    whole = depths_of(network, pixels)
    features = combine_stages({one.name: x for one, x in zip(bundle.depths, whole, strict=True)}, bundle)
    assert cosines(features, Backbone(bundle, precision="f32").embed(list(pixels))).min() > 0.9999
    cuts = set()
    for layer in [one["name"] for one in bundle.layers if one["parameters"]]:
        at = network.unfreeze(layer)
        cuts.add(at)
        with torch.no_grad():
            activation, pooled = network.forward_frozen(torch.from_numpy(pixels), at)
            found = network.forward_trainable(activation, pooled, at)
        assert all(np.array_equal(one.numpy(), other) for one, other in zip(found, whole, strict=True)), layer
    assert len(cuts) > 3


def test_batch_norm_never_moves_and_nothing_is_dropped_while_a_network_learns(from_transformers):
    network = load_network(from_transformers("resnet")[1])
    network.train()
    assert not any(module.training for module in network.modules())


@pytest.mark.parametrize("kind", ["dinov2", further("convnext"), further("vit")])
def test_learned_weights_are_written_as_the_graph_and_as_weights(kind, from_transformers, tmp_path):
    """That of a ResNet is in test_layer_finetuner.py."""
    _, bundle = from_transformers(kind)
    pixels = elsewhere.pictures(bundle.side_px, 2)
    network = load_network(bundle)
    network.unfreeze(-1)
    with torch.no_grad():
        for weight in network.trainable().values():
            weight.add_(0.05)
    expected = depths_of(network, pixels)
    written = write(replace(bundle, path=tmp_path / "written"), *files_of(network, bundle))
    again = depths_of(load_network(read(written.path)), pixels)
    ran = Backbone(written, precision="f32").engine.compiled(8)({0: np.concatenate([pixels] * 4)})
    for stage, one, other in zip(written.depths, expected, again, strict=True):
        assert np.allclose(one, other, atol=1e-5)
        assert cosines(ran[stage.name][:2], one).min() > 0.9999
    assert not np.allclose(expected[0], depths_of(load_network(bundle), pixels)[0], atol=1e-3)


def files_of(network, bundle):
    model, also = network.files(bundle)
    return model, {"config.json": (bundle.path / "config.json").read_bytes(), **also}


@pytest.mark.parametrize("kind", ["dinov2", further("vit")])
def test_each_weight_belongs_to_the_longest_name_of_a_layer_that_it_begins_with(kind, from_transformers):
    network = load_network(from_transformers(kind)[1])
    modules = {str(one.get("module") or one["name"]) for one in network.bundle.layers if one["parameters"]}
    found = {name: network.layer_of(name) for name, _ in network.named_parameters()}
    assert set(found.values()) - {None} == modules
    for name, layer in found.items():
        longer = [one for one in modules if name.removeprefix("network.tower.").startswith(f"{one}.")]
        assert layer == (max(longer, key=len) if longer else None)
