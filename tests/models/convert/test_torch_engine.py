"""A bundle's network on a device of torch: the features that OpenVINO gives, and what it cannot run or use."""

import numpy as np
import onnx
import pytest
from support import drawn_convolutions
from support.elsewhere import pictures

from lookalike import Backbone
from lookalike.errors import BundleError, TrainingError
from lookalike.models.convert.torch_engine import halve_on_oom


def test_the_default_backbone_by_torch_gives_the_features_that_openvino_gives():
    images = list(np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8))
    ours, theirs = Backbone(device="cpu").embed(images), Backbone(precision="f32").embed(images)
    assert (ours * theirs).sum(1).min() > 0.9999


def test_more_images_than_a_batch_keep_their_order(tmp_path):
    bundle = drawn_convolutions.write_bundle(tmp_path / "bundle")
    images = [*drawn_convolutions.pictures(4, 3)[0], np.zeros((40, 30, 3), np.uint8)]
    backbone = Backbone(bundle, device="cpu")
    backbone.engine.batch = 5
    assert np.allclose(backbone.embed(images), Backbone(bundle, precision="f32").embed(images), atol=1e-5)
    assert backbone.embed([]).shape == (0, 20)


def test_a_converted_network_by_torch_gives_the_features_that_openvino_gives(converted):
    _, _, bundle = converted
    images = list(pictures(bundle.side_px, 3))
    ours, theirs = Backbone(bundle, device="cpu").embed(images), Backbone(bundle, precision="f32").embed(images)
    assert (ours * theirs).sum(1).min() > 0.9999


def test_what_torch_cannot_run_or_use_is_one_line(tmp_path):
    convolutions = drawn_convolutions.write_bundle(tmp_path / "convolutions")
    with pytest.raises(BundleError, match="device 'nowhere': torch cannot use it"):
        Backbone(convolutions, device="nowhere")
    with pytest.raises(BundleError, match="bf16 is not known to device 'cpu'"):
        Backbone(convolutions, device="cpu", precision="bf16")
    model = onnx.load(convolutions.model)
    model.graph.node[-1].op_type = "Softmax"
    onnx.save(model, convolutions.model)
    with pytest.raises(BundleError, match="torch cannot run its graph, which has Softmax"):
        Backbone(convolutions, device="cpu")


def test_a_batch_is_halved_until_it_fits_and_one_image_that_does_not_is_an_error():
    """A device that holds 2 images: 7 are computed as 1, 2, 2, 2 in order."""
    import torch

    sizes = []

    def run(pixels):
        if len(pixels) > 2:
            raise torch.cuda.OutOfMemoryError
        sizes.append(len(pixels))
        return (torch.from_numpy(pixels[:, 0, 0, :1].astype(np.float32)),)

    pixels = np.arange(7, dtype=np.uint8).reshape(7, 1, 1, 1).repeat(3, axis=3)
    (rows,) = halve_on_oom(run, pixels)
    assert (rows[:, 0].tolist(), sizes) == ([0, 1, 2, 3, 4, 5, 6], [1, 2, 2, 2])

    def fails(pixels):
        raise torch.cuda.OutOfMemoryError

    with pytest.raises(TrainingError, match="too little memory for one picture"):
        halve_on_oom(fails, pixels)
