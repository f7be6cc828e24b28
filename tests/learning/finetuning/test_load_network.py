"""Which network a bundle has in torch, and that the default backbone's agrees with OpenVINO."""

import numpy as np
import torch
from support import drawn_convolutions
from support.cosines import cosines

from lookalike import Backbone
from lookalike.learning.finetuning.load_network import load_network
from lookalike.learning.finetuning.onnx_network import OnnxNetwork
from lookalike.learning.finetuning.split_network import SplitNetwork
from lookalike.learning.finetuning.transformers_network import TransformersNetwork
from lookalike.models.features import combine_stages


def depths_of(network: SplitNetwork, pixels):
    with torch.no_grad():
        return [one.numpy() for one in network(torch.from_numpy(pixels))]


def test_the_default_backbones_twin_agrees_with_openvino_at_every_depth():
    backbone = Backbone(precision="f32")
    pixels = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    ours = depths_of(load_network(backbone.bundle), pixels)
    theirs = backbone.engine.compiled(8)({0: np.concatenate([pixels] * 4)})
    for depth, found in zip(backbone.bundle.depths, ours, strict=True):
        assert cosines(found, theirs[depth.name][:2]).min() > 0.9999
    features = combine_stages(
        {one.name: x for one, x in zip(backbone.bundle.depths, ours, strict=True)}, backbone.bundle
    )
    assert cosines(features, backbone.embed(list(pixels))).min() > 0.9999


def test_the_bundles_files_say_which_network_it_is(from_transformers, tmp_path):
    drawn = drawn_convolutions.write_bundle(tmp_path / "drawn")
    _, converted = from_transformers("resnet")
    for bundle, kind in [(drawn, OnnxNetwork), (converted, TransformersNetwork)]:
        network = load_network(bundle)
        assert isinstance(network, kind)
        assert network.trainable() == {}
        assert not network.training
