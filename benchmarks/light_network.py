"""A network of one matrix: indexing with it costs what it costs without inference."""

import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def light_network(folder: Path, values: int, side_px: int) -> Path:
    """Write a bundle that gives so many features of a picture's mean colour, from a square input of so many pixels."""
    matrix = np.random.default_rng(0).random((3, values), np.float32)
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["mean", "matrix"], ["features"]),
    ]
    graph = helper.make_graph(
        nodes,
        "light",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", side_px, side_px, 3])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", values])],
        [numpy_helper.from_array(matrix, "matrix")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    depth = {"name": "features", "length": values, "weight": 1.0, "power": 1.0}
    about = {"name": "light", "id": f"light{values:027d}", "side_px": side_px, "depths": [depth]}
    (folder / "backbone.json").write_text(json.dumps(about), encoding="utf-8")
    return folder
