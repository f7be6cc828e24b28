"""A graph of convolutions in torch: the bundle's function wherever it is cut, learned, and written back."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from support import drawn_convolutions, drawn_network
from support.cosines import cosines

from lookalike import Backbone
from lookalike.errors import BundleError
from lookalike.learning.finetuning.load_network import load_network
from lookalike.learning.finetuning.split_network import SplitNetwork
from lookalike.models.bundle import read, write
from lookalike.models.features import combine_stages
from lookalike.models.pooling import place_weights
from lookalike.models.registry import resolve_bundle


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return drawn_convolutions.write_bundle(tmp_path_factory.mktemp("drawn") / "bundle")


def depths_of(network: SplitNetwork, pixels):
    with torch.no_grad():
        return [one.numpy() for one in network(torch.from_numpy(pixels))]


def test_the_drawn_networks_stem_worked_by_hand(drawn):
    """Every pixel 127 is 0 after normalisation, so the stem gives its bias, the negative ones cut off at 0."""
    network = load_network(drawn)
    early = depths_of(network, np.full((1, 16, 16, 3), 127, np.uint8))[1]
    bias = network.weights["stem/b"].detach().numpy()
    assert np.allclose(early[0], np.maximum(bias, 0), atol=1e-6)


def test_a_drawn_twin_agrees_with_openvino_on_odd_sides_too(drawn):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    ours = depths_of(load_network(drawn), pixels)
    features = combine_stages({one.name: x for one, x in zip(drawn.depths, ours, strict=True)}, drawn)
    assert cosines(features, Backbone(drawn, precision="f32").embed(list(pixels))).min() > 0.9999


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


def test_a_graph_without_convolutions_says_that_it_cannot_learn(tmp_path):
    with pytest.raises(BundleError, match="cannot learn, its graph has no convolution"):
        load_network(read(drawn_network.write_bundle(tmp_path / "bundle")))


def test_a_step_of_an_unknown_kind_is_named(drawn, tmp_path):
    model = onnx.load(drawn.model)
    next(node for node in model.graph.node if node.op_type == "Add").op_type = "Max"
    other = write(replace(drawn, path=tmp_path / "other"), model.SerializeToString())
    with pytest.raises(BundleError, match="cannot learn, its graph has Max, and its bundle no weights"):
        load_network(other)


def test_learned_weights_are_written_into_the_graph_and_nothing_else_changes(drawn, tmp_path):
    network = load_network(drawn)
    network.unfreeze("head")
    with torch.no_grad():
        network.weights["head/w"].mul_(2)
        network.weights["head/b"].mul_(2)
    model, also = network.files(drawn)
    written = write(replace(drawn, path=tmp_path / "written"), model, also)
    pixels = np.random.default_rng(2).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    before, after = (depths_of(load_network(one), pixels) for one in (drawn, read(written.path)))
    # A convolution twice as large before a ReLU6: 6 where it was 3 or more, else twice; the early stage stays.
    assert np.array_equal(before[1], after[1])
    assert np.all(after[0] >= before[0])
    assert np.all(after[0] <= 2 * before[0] + 1e-5)
    assert after[0].sum() > 1.2 * before[0].sum()


@pytest.mark.parametrize(("layer", "expected"), [("stem", 0), ("blocks.0.deep", 1), ("head", 2)])
def test_the_cut_lies_as_late_as_the_learning_weights_allow(drawn, layer, expected):
    """The block's sum needs what went in, so there is no cut within it: its own weights share one."""
    network = load_network(drawn)
    places = [network.unfreeze(one) for one in ("stem", "blocks.0.deep", "blocks.0.project", "head")]
    assert places == sorted(places)
    assert places[1] == places[2]
    assert sorted(set(places)).index(network.unfreeze(layer)) == expected


def test_the_last_feature_map_is_what_the_head_pools(drawn):
    network = load_network(drawn)
    pixels = torch.from_numpy(np.random.default_rng(3).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8))
    at = network.unfreeze("head")
    with torch.no_grad():
        activation, pooled = network.forward_frozen(pixels, at)
        found = network.last_feature_map(activation, at)
        expected = network.forward_trainable(activation, pooled, at)[0]
    assert found.shape == (2, 12, 8, 8)
    assert torch.allclose(found.mean((2, 3)), expected)


def test_places_count_as_they_shall_in_pictures_of_another_side():
    """96 px instead of 224: the last map has 3 x 3 places."""
    bundle = replace(resolve_bundle("efficientnet-lite0"), side_px=96)
    network = load_network(bundle)
    pixels = np.random.default_rng(3).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)
    with torch.no_grad():
        last = network.last_feature_map(torch.from_numpy(pixels), 0).numpy()
    depths = depths_of(network, pixels)
    assert last.shape == (2, 1280, 3, 3)
    np.testing.assert_allclose(depths[0], (last * place_weights("centre", 3)).sum((2, 3)), rtol=1e-4, atol=1e-4)
    _, ran, _ = network.runner(network.unfreeze("blocks.15"))(pixels)
    for one, other in zip(ran, depths, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def test_blocks_are_counted_from_the_last_one_on():
    network = load_network(resolve_bundle("efficientnet-lite0"))
    found = {network.layer_of(name): network.blocks_after(name) for name, _ in network.named_parameters()}
    names = ("conv_head", "blocks.15._project_conv", "blocks.14._expand_conv", "blocks.0._depthwise_conv", "conv_stem")
    assert [found[name] for name in names] == [0, 0, 1, 15, 16]
