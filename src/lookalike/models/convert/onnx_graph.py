"""A graph of plain convolutions as steps that torch runs one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn.functional import conv2d, pad


@dataclass(frozen=True)
class Step:
    """One node of the graph: what it reads, what it makes, how."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    how: dict[str, Any]


def steps_of(graph: Any, tensors: Mapping[str, Any]) -> list[Step]:
    """The nodes of an ONNX graph, in order; `tensors` are its constants by name."""
    from onnx.helper import get_attribute_value

    steps = [
        Step(
            node.op_type,
            tuple(node.input),
            node.output[0],
            {one.name: get_attribute_value(one) for one in node.attribute},
        )
        for node in graph.node
    ]
    for step in steps:
        if step.kind == "Clip":  # plain numbers, so that torch can export the network
            step.how.update(low=float(tensors[step.inputs[1]]), high=float(tensors[step.inputs[2]]))
    return steps


def _convolved(given: list[Tensor], how: dict[str, Any]) -> Tensor:
    x, weight = given[0], given[1]
    bias = given[2] if len(given) > 2 else None
    stride, groups = how.get("strides", [1, 1]), how.get("group", 1)
    before, after = [0, 0], [0, 0]  # rows, columns
    if how.get("auto_pad", b"NOTSET") == b"SAME_UPPER":  # TensorFlow's padding: the odd pixel below and to the right
        for i in range(2):
            side, kernel = x.shape[2 + i], weight.shape[2 + i]
            whole = max((-(-side // stride[i]) - 1) * stride[i] + kernel - side, 0)
            before[i], after[i] = whole // 2, whole - whole // 2
    elif "pads" in how:
        before, after = list(how["pads"][:2]), list(how["pads"][2:])
    if before != after:
        x, before = pad(x, (before[1], after[1], before[0], after[0])), [0, 0]
    return conv2d(x, weight, bias, stride, before, how.get("dilations", 1), groups)


def _clipped(given: list[Tensor], how: dict[str, Any]) -> Tensor:
    return given[0].clamp(how["low"], how["high"])


KINDS: dict[str, Any] = {
    "Cast": lambda given, how: given[0].float(),
    "Transpose": lambda given, how: given[0].permute(*how["perm"]),
    "Sub": lambda given, how: given[0] - given[1],
    "Div": lambda given, how: given[0] / given[1],
    "Mul": lambda given, how: given[0] * given[1],
    "Add": lambda given, how: given[0] + given[1],
    "Relu": lambda given, how: given[0].relu(),
    "Clip": _clipped,
    "Conv": _convolved,
    "GlobalAveragePool": lambda given, how: given[0].mean((2, 3), keepdim=True),
    "Flatten": lambda given, how: given[0].flatten(how.get("axis", 1)),
}
