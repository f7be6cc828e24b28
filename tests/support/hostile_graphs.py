"""Graphs of strangers: the drawn network with nodes after its output that loop, branch, or make huge tensors."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from support.drawn_network import write_bundle


def _with_nodes(folder: Path, nodes, constants: dict[str, np.ndarray]) -> Path:
    """The drawn network, its output called raw, and nodes that make `mean` of it."""
    write_bundle(folder)
    model = onnx.load(folder / "model.onnx")
    model.graph.node[-1].output[0] = "raw"
    model.graph.initializer.extend(numpy_helper.from_array(np.array(value), key) for key, value in constants.items())
    model.graph.node.extend(nodes)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return folder


def _value(name: str, kind: int = TensorProto.FLOAT, shape=None):
    return helper.make_tensor_value_info(name, kind, shape)


def loop(folder: Path) -> Path:
    """2^60 turns."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["c2"]), helper.make_node("Add", ["v", "v"], ["v2"])],
        "body",
        [_value("i", TensorProto.INT64, []), _value("c", TensorProto.BOOL, []), _value("v")],
        [_value("c2", TensorProto.BOOL, []), _value("v2")],
    )
    node = helper.make_node("Loop", ["turns", "go", "raw"], ["mean"], body=body)
    return _with_nodes(folder, [node], {"turns": np.int64(2**60), "go": np.bool_(True)})


def branch(folder: Path) -> Path:
    """An If whose condition hangs on the picture."""
    parts = {
        f"{which}_branch": helper.make_graph(
            [helper.make_node(kind, ["raw"], [f"{which}_out"])], which, [], [_value(f"{which}_out", shape=["n", 3])]
        )
        for which, kind in (("then", "Identity"), ("else", "Neg"))
    }
    nodes = [
        helper.make_node("ReduceMax", ["raw"], ["most"], keepdims=0),
        helper.make_node("Greater", ["most", "half"], ["bright"]),
        helper.make_node("If", ["bright"], ["mean"], **parts),
    ]
    return _with_nodes(folder, nodes, {"half": np.float32(0.5)})


def scan(folder: Path) -> Path:
    """A Scan over the columns of the output."""
    body = helper.make_graph(
        [helper.make_node("Add", ["s", "x"], ["s2"]), helper.make_node("Identity", ["s2"], ["y"])],
        "body",
        [_value("s", shape=["n"]), _value("x", shape=["n"])],
        [_value("s2", shape=["n"]), _value("y", shape=["n"])],
    )
    nodes = [
        helper.make_node("ReduceSum", ["raw", "axis"], ["first"], keepdims=0),
        helper.make_node(
            "Scan",
            ["first", "raw"],
            ["last", "mean"],
            body=body,
            num_scan_inputs=1,
            scan_input_axes=[1],
            scan_output_axes=[1],
        ),
    ]
    return _with_nodes(folder, nodes, {"axis": np.array([1])})


def huge(folder: Path) -> Path:
    """A tensor of 10^12 values, of which the largest is added."""
    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["large"], value=one),
        helper.make_node("ReduceMax", ["large"], ["most"], keepdims=0),
        helper.make_node("Add", ["raw", "most"], ["mean"]),
    ]
    return _with_nodes(folder, nodes, {"size": np.array([10**12])})


def outside(folder: Path) -> Path:
    """Weights that lie beside the bundle's folder, not in it."""
    (folder.parent / "secret.bin").write_bytes(np.array([7.25, 8.5, 9.75], "<f4").tobytes())
    _with_nodes(folder, [helper.make_node("Add", ["raw", "w"], ["mean"])], {"w": np.zeros(3, np.float32)})
    model = onnx.load(folder / "model.onnx")
    tensor = next(one for one in model.graph.initializer if one.name == "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "../secret.bin"), ("length", "12")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return folder


def unknown(folder: Path) -> Path:
    """A node of a domain that nobody knows."""
    return _with_nodes(folder, [helper.make_node("Odd", ["raw"], ["mean"], domain="com.odd")], {})
