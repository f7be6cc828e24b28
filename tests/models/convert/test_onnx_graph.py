"""Nodes of an ONNX graph run by torch, beside onnxruntime and by hand."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

torch = pytest.importorskip("torch")

from lookalike.models.convert.onnx_graph import KINDS, steps_of  # noqa: E402  (torch first: it may be missing)

RNG = np.random.default_rng(0)


def run(kind: str, inputs: list[np.ndarray], **how: object) -> tuple[np.ndarray, np.ndarray]:
    """One node on its inputs, all but the first of them constants: by us, and by onnxruntime."""
    ort = pytest.importorskip("onnxruntime")
    names = [f"i{place}" for place in range(len(inputs))]
    constants = [numpy_helper.from_array(value, name) for name, value in zip(names[1:], inputs[1:], strict=True)]
    graph = helper.make_graph(
        [helper.make_node(kind, names, ["y"], **how)],
        "one",
        [helper.make_tensor_value_info("i0", helper.np_dtype_to_tensor_dtype(inputs[0].dtype), inputs[0].shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    (step,) = steps_of(graph, dict(zip(names, inputs, strict=True)))
    ours = KINDS[step.kind]([torch.from_numpy(value) for value in inputs], step.how)
    (theirs,) = ort.InferenceSession(model.SerializeToString()).run(None, {"i0": inputs[0]})
    return ours.numpy(), theirs


def rows(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("side", [7, 8])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("padding", [{"auto_pad": "SAME_UPPER"}, {"pads": [1, 0, 2, 1]}, {}])
def test_a_convolution_pads_as_onnx_says(side: int, stride: int, kernel: int, padding):
    ours, theirs = run(
        "Conv", [rows(2, 4, side, side), rows(6, 2, kernel, kernel), rows(6)],
        strides=[stride, stride], kernel_shape=[kernel, kernel], group=2, **padding,
    )  # fmt: skip
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "inputs", "how"),
    [
        ("Clip", [rows(3, 4), np.array(-0.5, np.float32), np.array(0.5, np.float32)], {}),
        ("Transpose", [rows(2, 3, 4)], {"perm": [2, 0, 1]}),
        ("Cast", [np.arange(6, dtype=np.uint8)], {"to": TensorProto.FLOAT}),
        ("Relu", [rows(3, 4)], {}),
        ("Sub", [rows(3, 4), rows(4)], {}),
        ("Div", [rows(3, 4), rows(4)], {}),
        ("Mul", [rows(3, 4), rows(4)], {}),
        ("Add", [rows(3, 4), rows(4)], {}),
        ("GlobalAveragePool", [rows(2, 3, 4, 5)], {}),
        ("Flatten", [rows(2, 3, 4)], {"axis": 1}),
    ],
)
def test_every_other_kind_computes_what_onnx_says(kind, inputs, how):
    ours, theirs = run(kind, inputs, **how)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_every_kind_is_tested():
    assert set(KINDS) == {
        "Conv", "Clip", "Transpose", "Cast", "Relu", "Sub", "Div", "Mul", "Add", "GlobalAveragePool", "Flatten",
    }  # fmt: skip
