"""The table of layers: by hand, of the default backbone beside its weights, of networks from elsewhere beside torch."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from support import drawn_convolutions
from support.pictures import draw

from lookalike import Collection
from lookalike.cli.console import console, layer_lines, layers
from lookalike.cli.main import main
from lookalike.errors import BundleError
from lookalike.models.bundle import Bundle
from lookalike.models.layers import Layer, layer_index, layers_of, totals
from lookalike.models.registry import resolve_bundle

ROWS = (
    {"name": "stem", "kind": "convolution", "shape": [8, 16, 16], "parameters": 224},
    {"name": "blocks.0.wide", "kind": "convolution", "shape": [16, 16, 16], "parameters": 144},
    {"name": "blocks.0.narrow", "kind": "convolution", "parameters": 136},
    {"name": "head", "kind": "Linear", "shape": [40], "parameters": 360},
)
BUNDLE = Bundle(path=Path(), name="drawn", id="0", side_px=32, depths=(), layers=ROWS)


def test_a_table_worked_by_hand():
    """From blocks.0 on: 144 + 136 + 360 = 640 learn, 224 do not, 864 in all."""
    found = layers_of(BUNDLE, "blocks.0")
    assert found[1] == Layer(1, "blocks.0.wide", "convolution", (16, 16, 16), 144, True)
    assert [layer.trainable for layer in found] == [False, True, True, True]
    assert list(totals(found)) == [
        "4 layers, 864 parameters",
        "3 trainable layers, 640 parameters",
        "1 frozen layer, 224 parameters",
    ]


@pytest.mark.parametrize(
    ("unfreeze", "learn"), [(None, 0), ("head", 1), ("3", 1), (-1, 1), ("blocks.0.narrow", 2), (0, 4), ("stem", 4)]
)
def test_everything_learns_from_the_named_layer_on(unfreeze, learn):
    assert sum(layer.trainable for layer in layers_of(BUNDLE, unfreeze)) == learn


@pytest.mark.parametrize("unfreeze", ["blocks.1", "blocks.", "heads", "4", "-5", ""])
def test_a_layer_that_is_not_there_is_one_line(unfreeze):
    with pytest.raises(BundleError, match=r"drawn: has no layer .*\."):
        layers_of(BUNDLE, unfreeze)


def test_the_default_backbone_has_its_shapes_and_all_its_parameters():
    """EfficientNet-Lite0 without its classifier: 224 halves five times to 7; 3,348,640 weights and biases, folded."""
    import onnx

    bundle = resolve_bundle("efficientnet-lite0")
    rows = {layer.name: layer for layer in layers_of(bundle)}
    assert rows["conv_stem"].shape == (32, 112, 112)
    assert rows["blocks.15._depthwise_conv"].shape == (1152, 7, 7)
    assert rows["conv_head"].shape == (1280, 7, 7)
    assert rows["conv_stem"].parameters == 3 * 3 * 3 * 32 + 32
    tensors = onnx.load(bundle.model).graph.initializer
    counted = sum(int(math.prod(one.dims)) for one in tensors if one.name.endswith((".w", ".b")))
    assert sum(layer.parameters for layer in rows.values()) == counted


def test_the_shapes_are_those_that_the_graph_computes():
    """Asked of the graph itself: every layer's output, by ONNX's own shape inference."""
    import onnx

    bundle = resolve_bundle("efficientnet-lite0")
    model = onnx.load(bundle.model)
    sizes = model.graph.input[0].type.tensor_type.shape.dim
    for size, value in zip(sizes, (1, 224, 224, 3), strict=True):
        size.ClearField("dim_param")
        size.dim_value = value
    inferred = onnx.shape_inference.infer_shapes(model).graph.value_info
    shapes = {one.name: tuple(size.dim_value for size in one.type.tensor_type.shape.dim[1:]) for one in inferred}
    for layer in layers_of(bundle):
        assert layer.shape == shapes[f"_{layer.name}.y"], layer


# Further families; that every weight of dinov2 is counted is in convert/test_torch_to_onnx.py.
FURTHER = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("vit", "siglip")]


@pytest.mark.parametrize("kind", ["resnet", *FURTHER])
def test_a_network_from_elsewhere_lists_every_weight_once(from_transformers, kind: str):
    """Beside torch: all parameters but those that nothing asks (a classifier's pooler, a text tower)."""
    from lookalike.models.convert import network

    _, bundle = from_transformers(kind)
    rows = layers_of(bundle)
    tower = network(bundle).tower
    unused = {name for name, _ in tower.named_parameters() if "pooler." in name or "mask_token" in name}
    weights = sum(one.numel() for name, one in tower.named_parameters() if name not in unused)
    assert sum(row.parameters for row in rows) == weights
    assert len({row.name for row in rows}) == len(rows)
    assert all(row.shape for row in rows if row.parameters)


def test_the_command_prints_tabs_json_and_totals_without_torch_or_openvino(photos: Path):
    draw(photos / "a.png", 1)
    Collection(photos).index()
    ran = CliRunner().invoke(main, ["layers", str(photos), "--unfreeze", "blocks.15"])
    lines = ran.stdout.splitlines()
    assert lines[0] == "0\tconv_stem\tconvolution\t32x112x112\t896\tfrozen"
    assert lines[-1].split("\t")[1:4] == ["conv_head", "convolution", "1280x7x7"]
    assert [line.split("\t")[-1] for line in lines].count("trainable") == 4
    assert "4 trainable layers, 1," in ran.stderr
    last = json.loads(CliRunner().invoke(main, ["layers", str(photos), "--json"]).stdout.splitlines()[-1])
    assert (last["name"], last["shape"], last["trainable"]) == ("conv_head", [1280, 7, 7], False)
    check = "import sys, lookalike; lookalike.Collection(sys.argv[1]).layers('-1');"
    check += "print(sorted({'torch', 'openvino'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", check, str(photos)], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal_and_cuts_no_name(width: int):
    rows = layers_of(resolve_bundle("efficientnet-lite0"), "blocks.15")
    terminal = console()
    terminal.width = width
    with terminal.capture() as captured:
        terminal.print(layers(rows))
    drawn = captured.get().splitlines()
    assert max(map(len, drawn)) <= width
    assert len([line for line in drawn if line.strip()]) == len(rows) + 2  # a line each, the head and its rule
    for line, row in zip(drawn[-len(rows) - 1 :], rows, strict=False):
        assert row.name in line
        assert ("trainable" if row.trainable else "frozen") in line
    assert len(list(layer_lines(rows))) == len(rows)


def test_a_layer_is_named_whole_by_its_beginning_or_by_its_place(tmp_path):
    drawn = drawn_convolutions.write_bundle(tmp_path / "drawn")
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
