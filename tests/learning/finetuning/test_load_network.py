"""Networks in torch: the same function as the bundle, wherever it is cut, and from a layer on they learn."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support import drawn_convolutions, elsewhere

from lookalike import Backbone
from lookalike.errors import BundleError
from lookalike.learning.finetuning.layer_finetuner import features_of
from lookalike.learning.finetuning.load_network import load_network
from lookalike.learning.finetuning.split_network import SplitNetwork
from lookalike.models.bundle import Bundle, StageOutput, read
from lookalike.models.convert import convert
from lookalike.models.features import combine_stages
from lookalike.models.layers import layer_index


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return drawn_convolutions.write_bundle(tmp_path_factory.mktemp("drawn") / "bundle")


def cosine(a, b):
    return (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))


def depths_of(network: SplitNetwork, pixels):
    with torch.no_grad():
        return [one.numpy() for one in network(torch.from_numpy(pixels))]


def test_the_drawn_networks_stem_worked_by_hand(drawn):
    """Every pixel 127 is 0 after normalisation, so the stem gives its bias, the negative ones cut off at 0."""
    network = load_network(drawn)
    early = depths_of(network, np.full((1, 16, 16, 3), 127, np.uint8))[1]
    bias = network.weights["stem/b"].detach().numpy()
    assert np.allclose(early[0], np.maximum(bias, 0), atol=1e-6)


def test_the_default_backbones_twin_agrees_with_openvino_at_every_depth():
    backbone = Backbone(precision="f32")
    pixels = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    ours = depths_of(load_network(backbone.bundle), pixels)
    theirs = backbone.engine.compiled(8)({0: np.concatenate([pixels] * 4)})
    for depth, found in zip(backbone.bundle.depths, ours, strict=True):
        assert cosine(found, theirs[depth.name][:2]).min() > 0.9999
    features = combine_stages(
        {one.name: x for one, x in zip(backbone.bundle.depths, ours, strict=True)}, backbone.bundle
    )
    assert cosine(features, backbone.embed(list(pixels))).min() > 0.9999


def test_a_drawn_twin_agrees_with_openvino_on_odd_sides_too(drawn):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    ours = depths_of(load_network(drawn), pixels)
    features = combine_stages({one.name: x for one, x in zip(drawn.depths, ours, strict=True)}, drawn)
    assert cosine(features, Backbone(drawn, precision="f32").embed(list(pixels))).min() > 0.9999


@pytest.mark.parametrize("layer", ["stem", "blocks.0", "blocks.0.project", "head"])
def test_a_cut_graph_computes_what_the_whole_one_does(drawn, layer):
    pixels = np.random.default_rng(1).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    network = load_network(drawn)
    at = network.unfreeze(layer)
    with torch.no_grad():
        activation, pooled = network.forward_frozen(torch.from_numpy(pixels), at)
        found = network.forward_trainable(activation, pooled, at)
    for one, other in zip(found, depths_of(network, pixels), strict=True):
        assert np.array_equal(one.numpy(), other)
    ran, depths, before = network.runner(at)(pixels)
    assert np.allclose(ran, activation.numpy(), atol=1e-4)
    assert all(np.allclose(x, y, atol=1e-4) for x, y in zip(depths, found, strict=True))
    assert [one.shape for one in before] == [tuple(one.shape) for one in pooled]


@pytest.mark.parametrize("kind", ["resnet", "clip"])
def test_a_converted_network_computes_the_same_wherever_it_is_cut(kind, tmp_path):
    bundle = convert(elsewhere.save(kind, tmp_path / kind), tmp_path / "kept")
    pixels = elsewhere.pictures(bundle.side_px, 2)
    network = load_network(bundle)
    whole = depths_of(network, pixels)
    features = combine_stages({one.name: x for one, x in zip(bundle.depths, whole, strict=True)}, bundle)
    assert cosine(features, Backbone(bundle, precision="f32").embed(list(pixels))).min() > 0.9999
    cuts = set()
    for layer in [one["name"] for one in bundle.layers if one["parameters"]]:
        at = network.unfreeze(layer)
        cuts.add(at)
        with torch.no_grad():
            activation, pooled = network.forward_frozen(torch.from_numpy(pixels), at)
            found = network.forward_trainable(activation, pooled, at)
        assert all(np.array_equal(one.numpy(), other) for one, other in zip(found, whole, strict=True)), layer
    assert len(cuts) > 3


def test_unfreezing_lets_a_layer_and_all_after_it_learn_and_no_other(drawn):
    network = load_network(drawn)
    network.unfreeze("blocks.0.project")
    names = {"blocks/0/project/w", "blocks/0/project/b", "head/w", "head/b"}
    assert set(network.trainable()) == {f"weights.{name}" for name in names}
    network.unfreeze(-1)
    assert set(network.trainable()) == {"weights.head/w", "weights.head/b"}


def test_a_layer_is_named_whole_by_its_beginning_or_by_its_place(drawn):
    assert [layer_index(drawn, one) for one in ("stem", "blocks.0", "blocks.0.project", 2, -1, "-4")] == [
        0,
        1,
        2,
        2,
        3,
        0,
    ]
    with pytest.raises(BundleError, match=r"no layer 'blocks.1'. The nearest is 'blocks.0.deep', of 4 layers"):
        layer_index(drawn, "blocks.1")
    with pytest.raises(BundleError, match=r"no layer 4\. Its 4 layers count from 0"):
        layer_index(drawn, 4)


def test_a_graph_without_convolutions_says_that_it_cannot_learn(tmp_path):
    from support import drawn_network

    with pytest.raises(BundleError, match="cannot learn, its graph has no convolution"):
        load_network(read(drawn_network.write_bundle(tmp_path / "bundle")))


def test_batch_norm_never_moves_and_nothing_is_dropped_while_a_network_learns(tmp_path):
    network = load_network(convert(elsewhere.save("resnet", tmp_path / "resnet"), tmp_path / "kept"))
    network.train()
    assert not any(module.training for module in network.modules())


def test_features_in_torch_are_those_of_the_backbone_and_have_a_slope_at_zero():
    how = (StageOutput("a", 5, 1.0, 0.5, 0.3), StageOutput("b", 4, 0.5, 1.0), StageOutput("c", 3, 2.0, 0.5))
    rng = np.random.default_rng(0)
    depths = [rng.standard_normal((6, one.length)).astype(np.float32) for one in how]
    bundle = Bundle(Path(), "drawn", "0", 8, how)
    expected = combine_stages({one.name: x for one, x in zip(how, depths, strict=True)}, bundle)
    assert cosine(features_of([torch.from_numpy(x) for x in depths], how).numpy(), expected).min() > 0.9999
    zeros = [torch.zeros(2, one.length, requires_grad=True) for one in how]
    features_of(zeros, how).sum().backward()
    assert all(bool(x.grad.isfinite().all()) for x in zeros)
