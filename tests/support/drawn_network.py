"""A tiny network as a bundle, drawn by hand, for tests that need one of their own."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

TABLE: dict[str, Any] = {
    "name": "drawn",
    "id": "0123456789abcdef",
    "side_px": 8,
    "depths": [{"name": "mean", "length": 3, "weight": 1.0, "power": 1.0}],
}


def write_bundle(folder: Path, pooled: bool = True, side: int | str = 8, kind: int = TensorProto.UINT8) -> Path:
    """A bundle whose only depth is the mean colour, 0 to 1; with `pooled` false it stays (n, 3, 1, 1)."""
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["channels_first"], perm=[0, 3, 1, 2]),
        helper.make_node("Div", ["channels_first", "white"], ["shares"]),
        helper.make_node("GlobalAveragePool", ["shares"], ["pooled" if pooled else "mean"]),
    ]
    if pooled:
        nodes.append(helper.make_node("Flatten", ["pooled"], ["mean"], axis=1))
    graph = helper.make_graph(
        nodes,
        "drawn",
        [helper.make_tensor_value_info("image", kind, ["n", side, side, 3])],
        [helper.make_tensor_value_info("mean", TensorProto.FLOAT, ["n", 3] if pooled else ["n", 3, 1, 1])],
        [numpy_helper.from_array(np.array(255, np.float32), "white")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    write_table(folder)
    return folder


def write_pixels(folder: Path) -> Path:
    """A bundle whose only depth is the pixels of a picture of 8 x 8 themselves, 0 to 1: 192 features."""
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["float", "white"], ["shares"]),
        helper.make_node("Flatten", ["shares"], ["pixels"], axis=1),
    ]
    inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", 8, 8, 3])]
    outputs = [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 192])]
    white = numpy_helper.from_array(np.array(255, np.float32), "white")
    model = helper.make_model(
        helper.make_graph(nodes, "pixels", inputs, outputs, [white]), opset_imports=[helper.make_opsetid("", 13)]
    )
    model.ir_version = 8
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    write_table(folder, name="pixels", id="c" * 32, depths=[{**TABLE["depths"][0], "name": "pixels", "length": 192}])
    return folder


def write_table(folder: Path, **other: Any) -> None:
    """Its backbone.json, with other values; None leaves a key out."""
    table = {key: value for key, value in (TABLE | other).items() if value is not None}
    (folder / "backbone.json").write_text(json.dumps(table), encoding="utf-8")


FIRST, SECOND = "a" * 32, "b" * 32


def write_pair(folder: Path) -> tuple[Path, Path]:
    """Two backbones, first and second: the mean colour as it is, and its square root."""
    for name, id, power in [("first", FIRST, 1.0), ("second", SECOND, 0.5)]:
        write_bundle(folder / name)
        write_table(folder / name, name=name, id=id, depths=[{**TABLE["depths"][0], "power": power}])
    return folder / "first", folder / "second"
