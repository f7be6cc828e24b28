"""A tiny convolutional network as a bundle, drawn by hand: what the default backbone is made of, in four layers."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from lookalike.models.bundle import Bundle, StageOutput, identify, write

SIDE = 16


# For the recipe keras-siamese, which reads 200 px: a map of 25 x 25 in place of 100 x 100, so that the first layer of
# its head, on the flattened map, has 4 million weights and not 61.
COARSE = {"side": 64, "stride": 8}


def write_bundle(folder: Path, seed: int = 0, side: int = SIDE, stride: int = 2) -> Bundle:
    """Stem (of this stride), a depthwise and a projection that are added to what went in, a head; two pooled depths."""
    rng = np.random.default_rng(seed)
    tensors = {
        "stem.w": rng.standard_normal((8, 3, 3, 3)) / 3,
        "stem.b": rng.uniform(-0.2, 0.2, 8),
        "blocks.0.deep.w": rng.standard_normal((8, 1, 3, 3)) / 2,
        "blocks.0.deep.b": rng.uniform(-0.2, 0.2, 8),
        "blocks.0.project.w": rng.standard_normal((8, 8, 1, 1)) / 3,
        "blocks.0.project.b": rng.uniform(-0.2, 0.2, 8),
        "head.w": rng.standard_normal((12, 8, 1, 1)) / 3,
        "head.b": rng.uniform(-0.2, 0.2, 12),
        "mean": np.array(127.0),
        "deviation": np.array(128.0),
        "zero": np.array(0.0),
        "six": np.array(6.0),
    }
    tensors = {name: np.asarray(x, np.float32) for name, x in tensors.items()}

    def convolution(x, name, stride=1, relu=True):
        out, inside, kernel, _ = tensors[f"{name}.w"].shape
        nodes.append(
            helper.make_node(
                "Conv",
                [x, f"{name}.w", f"{name}.b"],
                [f"{name}.y"],
                kernel_shape=[kernel, kernel],
                strides=[stride, stride],
                group=out if inside == 1 else 1,
                auto_pad="SAME_UPPER",
            )
        )
        if relu:
            nodes.append(helper.make_node("Clip", [f"{name}.y", "zero", "six"], [f"{name}.relu6"]))
        layers.append({"name": name, "kind": "convolution", "channels": out, "parameters": tensors[f"{name}.w"].size})
        return f"{name}.relu6" if relu else f"{name}.y"

    def pool(x, name):
        nodes.append(helper.make_node("GlobalAveragePool", [x], [f"{name}.pooled"]))
        nodes.append(helper.make_node("Flatten", [f"{name}.pooled"], [name], axis=1))

    layers: list[dict] = []
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["float"], ["channels_first"], perm=[0, 3, 1, 2]),
        helper.make_node("Sub", ["channels_first", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "deviation"], ["normalised"]),
    ]
    x = convolution("normalised", "stem", stride=stride)
    pool(x, "early")
    y = convolution(convolution(x, "blocks.0.deep"), "blocks.0.project", relu=False)
    nodes.append(helper.make_node("Add", [x, y], ["blocks.0.sum"]))
    pool(convolution("blocks.0.sum", "head"), "features")
    depths = (StageOutput("features", 12, 1.0, 0.5, 0.3), StageOutput("early", 8, 0.5))
    graph = helper.make_graph(
        nodes,
        "drawn",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", side, side, 3])],
        [helper.make_tensor_value_info(one.name, TensorProto.FLOAT, ["n", one.length]) for one in depths],
        [numpy_helper.from_array(value, name) for name, value in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    found = identify(tensors, {"side_px": side})
    bundle = Bundle(folder, "drawn-convolutions", found, side, depths, tuple(layers))
    return write(bundle, model.SerializeToString())


def pictures(groups: int = 12, size: int = 4, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """Stripes: those of a group have one width and slope, each its own colours and shift."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), size)
    width, slope = rng.uniform(0.4, 2.5, groups), rng.uniform(0, np.pi, groups)
    y, x = np.mgrid[:SIDE, :SIDE]
    found = []
    for one in group:
        along = np.cos(slope[one]) * x + np.sin(slope[one]) * y
        stripes = np.sin(width[one] * along + rng.uniform(0, 6))[..., None] > 0
        light, dark = rng.integers(90, 256, 3), rng.integers(0, 110, 3)
        found.append(np.where(stripes, light, dark).astype(np.uint8))
    return found, group
