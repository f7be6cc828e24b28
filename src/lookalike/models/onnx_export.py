"""Backbone and lens as one ONNX model: pictures in, embedding out, for programs that do not have lookalike."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lookalike.errors import BundleError
from lookalike.models.bundle import Bundle, StageOutput
from lookalike.models.lens import Lens
from lookalike.models.onnx_file import onnx_errors, read_onnx

OPSET = 13  # from here on ReduceSum takes its axes as an input
OUTPUT = "embedding"
INPUT_NOTE = "uint8 RGB pictures, resized whole (squashed, bicubic) to the square"


def onnx_model(bundle: Bundle, lens: Lens | None) -> bytes:
    """One graph: the bundle's, its stages combined into features, and the lens, all in float32.

    Args:
        bundle: the backbone.
        lens: learned on its features; None gives the features themselves.
    Returns: an ONNX file: pictures (n, side, side, 3) uint8 in, `embedding` (n, d) float32 out, rows of length 1. What
        the pictures must look like stands in its metadata.
    Raises: BundleError, for a graph that is damaged, has loops or branches, or is too old to be joined.
    """
    import onnx
    from onnx import TensorProto, helper

    model = read_onnx(bundle.model)
    opset = next((one.version for one in model.opset_import if one.domain == ""), 0)
    if opset < OPSET:
        raise BundleError(f"{bundle.model}: opset {opset}; a lens can be joined to {OPSET} and newer. Export it anew.")
    graph = model.graph
    add = _Nodes(graph)
    parts = [add.scaled(add.unit(add.raised(stage)), stage.weight) for stage in bundle.depths]
    features = add.unit(add.node("Concat", parts, axis=1))
    length, out = bundle.length, features
    if lens is not None:
        centred = add.node("Sub", [features, add.constant(lens.mean)])
        length, out = lens.dims, add.unit(add.node("MatMul", [centred, add.constant(lens.matrix)]))
    graph.node.append(helper.make_node("Identity", [out], [OUTPUT], name=OUTPUT))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", length]))
    shape = ["n", bundle.side_px, bundle.side_px, 3]
    graph.input[0].CopyFrom(helper.make_tensor_value_info(graph.input[0].name, TensorProto.UINT8, shape))
    helper.set_model_props(
        model,
        {
            "input": INPUT_NOTE,
            "side_px": str(bundle.side_px),
            "backbone": bundle.id,
            "backbone_name": bundle.name,
            "lens": "plain" if lens is None else lens.name,
        },
    )
    with onnx_errors(bundle.model):
        onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


class _Nodes:
    """Nodes and constants added to a graph, each under a name of its own."""

    def __init__(self, graph: Any):
        self.graph, self.count = graph, 0

    def node(self, kind: str, inputs: list[str], **attributes: int | float | str | Sequence[int]) -> str:
        """A node, and the name of its output."""
        from onnx import helper

        self.count += 1
        name = f"lookalike.{self.count}.{kind}"
        self.graph.node.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def constant(self, value: Any) -> str:
        """A float32 tensor, and its name."""
        from onnx import numpy_helper

        self.count += 1
        name = f"lookalike.{self.count}.constant"
        self.graph.initializer.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def raised(self, depth: StageOutput) -> str:
        """sign(x) ((|x| + e)^power - e^power), where e is `soft` times the mean of |x|, as `combine_stages` does it."""
        size, power = self.node("Abs", [depth.name]), self.constant(depth.power)
        e = self.scaled(self.node("ReduceSum", [size, self._axis()], keepdims=1), depth.soft / depth.length)
        powers = [self.node("Pow", [x, power]) for x in (self.node("Add", [size, e]), e)]
        return self.node("Mul", [self.node("Sign", [depth.name]), self.node("Sub", powers)])

    def unit(self, x: str) -> str:
        """Rows brought to length 1."""
        square = self.node("ReduceSum", [self.node("Mul", [x, x]), self._axis()], keepdims=1)
        length = self.node("Max", [self.node("Sqrt", [square]), self.constant(1e-12)])
        return self.node("Div", [x, length])

    def scaled(self, x: str, weight: float) -> str:
        """Every value times a weight."""
        return self.node("Mul", [x, self.constant(weight)])

    def _axis(self) -> str:
        from onnx import numpy_helper

        self.count += 1
        name = f"lookalike.{self.count}.axis"
        self.graph.initializer.append(numpy_helper.from_array(np.array([1], np.int64), name))
        return name
