"""A torch network as an ONNX file: it computes the same, and its layers are all listed."""

import numpy as np
import pytest
from support.cosines import cosines
from support.elsewhere import pictures, witness

from lookalike.models.convert import network
from lookalike.models.openvino_runtime import openvino

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.mark.parametrize("batch", [1, 8])
def test_every_depth_agrees_with_torch(converted, batch: int):
    """Asked: cosine above 0.9999. transformers answers with its own hidden states, normalised in numpy."""
    kind, folder, bundle = converted
    core = openvino().Core()
    compiled = core.compile_model(core.read_model(bundle.model), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    asked = pictures(bundle.side_px)[:batch]
    answers, truth = compiled(asked), witness(kind, folder, asked)
    assert [depth.name for depth in bundle.depths] == list(truth)
    for depth in bundle.depths:
        assert answers[depth.name].shape == truth[depth.name].shape == (batch, depth.length)
        assert cosines(answers[depth.name], truth[depth.name]).min() > 0.99999
        np.testing.assert_allclose(answers[depth.name], truth[depth.name], atol=2e-4)


def test_the_table_of_layers_counts_every_weight(converted):
    kind, _, bundle = converted
    tower = network(bundle).tower
    by_name = {layer["name"]: layer for layer in bundle.layers}
    outside = sum(p.numel() for name, p in tower.named_parameters() if name.rpartition(".")[0] not in by_name)
    assert sum(layer["parameters"] for layer in bundle.layers) + outside == sum(p.numel() for p in tower.parameters())
    if kind == "resnet":
        assert by_name["encoder.stages.3.layers.0.layer.1.convolution"] == {
            "name": "encoder.stages.3.layers.0.layer.1.convolution",
            "kind": "Conv2d",
            "shape": [10, 2, 2],
            "parameters": 10 * 10 * 9,
        }
