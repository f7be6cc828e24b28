"""Keras' own ResNet weights (HDF5) -> a folder in transformers' format: the same function, other names.

Keras' ResNet50 is the first version of the paper's (arXiv:1512.03385): a block's first convolution takes the stride.
Its convolutions have biases, its BatchNorm an epsilon of 1.001e-5, and it wants BGR with the mean subtracted. All
three fold away: a bias into the mean that follows it, the epsilon into the variance, BGR into the first kernel.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import BundleError
from lookalike.models.convert.hdf5_arrays import Parts, float_arrays
from lookalike.models.convert.model_files import CONFIG, PREPROCESSOR, WEIGHTS, ModelFiles, digest_of_files

EPSILON, TORCH_EPSILON = 1.001e-5, 1e-5
MEAN_RGB = (123.68, 116.779, 103.939)  # 'caffe' preprocessing, of pixels 0 to 255
SIDE_PX = 224
MOST_BLOCKS = 64  # a stage; ResNet152 has 36
DEPTHS = {53: (3, 4, 6, 3), 104: (3, 4, 23, 3), 155: (3, 8, 36, 3)}  # blocks a stage, by number of convolutions

KINDS = {
    "pad": "ZeroPadding2D",
    "conv": "Conv2D",
    "bn": "BatchNormalization",
    "relu": "Activation",
    "pool": "MaxPooling2D",
    "add": "Add",
    "out": "Activation",
}

Weights = dict[tuple[str, str], NDArray[np.float32]]  # (layer, kernel | bias | gamma | beta | mean | variance)


def as_source(file: Path, folder: Path) -> ModelFiles:
    """Write a file of Keras' weights into a folder as transformers would have saved the same network.

    Args:
        file: saved by Keras: ResNet50, 101 or 152 without their top.
        folder: empty.
    Raises: BundleError, when the file is not that; MissingExtraError.
    """
    from safetensors.numpy import save_file

    weights = _read(file)
    depths = _depths(file, weights)
    for layer in _order(depths):
        for what in _WHAT.get(layer.rsplit("_", 1)[-1], ()):
            if (layer, what) not in weights:
                raise BundleError(f"{file}: no {what} of {layer} in it. Save a whole ResNet without its top.")
    try:
        tensors = _tensors(weights, depths)
    except ValueError as error:
        raise BundleError(f"{file}: not the weights of a ResNet ({error}). Save them again with Keras.") from error
    config = {
        "model_type": "resnet",
        "embedding_size": weights["conv1_conv", "kernel"].shape[3],
        "hidden_sizes": [weights[f"conv{stage}_block1_3_conv", "kernel"].shape[3] for stage in range(2, 6)],
        "depths": list(depths),
        "layer_type": "bottleneck",
        "downsample_in_bottleneck": True,
    }
    preprocessor = {"size": SIDE_PX, "do_rescale": False, "image_mean": MEAN_RGB, "image_std": (1.0, 1.0, 1.0)}
    save_file(tensors, folder / WEIGHTS)
    (folder / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    (folder / PREPROCESSOR).write_text(json.dumps(preprocessor), encoding="utf-8")
    table = layers(SIDE_PX, config["embedding_size"], config["hidden_sizes"], depths)
    return ModelFiles(str(file), file.name, folder, digest_of_files([file]), "unknown", str(file.resolve()), table)


def layers(
    side_px: int = SIDE_PX,
    first: int = 64,
    sizes: "tuple[int, ...] | list[int]" = (256, 512, 1024, 2048),
    depths: tuple[int, ...] = (3, 4, 6, 3),
) -> tuple[dict[str, Any], ...]:
    """Keras' table of layers: a layer's place in it is its index in Keras; `module` is its name in torch.

    Args:
        side_px: of the pictures.
        first: channels after the first convolution.
        sizes: channels after each stage.
        depths: blocks a stage.
    Returns: name, kind, shape (height, width, channels), parameters, module of each, in Keras' order.

    >>> layers()[154]["name"], layers()[154]["module"]
    ('conv5_block1_out', 'encoder.stages.3.layers.0')
    """
    table: list[dict[str, Any]] = []
    side, channels = side_px, 3
    entrance, shape = channels, (side, side, channels)
    for name in ("input_layer", *_order(depths)):
        kind = name.rsplit("_", 1)[-1]
        place = re.fullmatch(r"conv(\d)_block(\d+)_(?:(\d)_)?\w+", name)
        parameters = 0
        if place and int(place[1]) > 1:
            stage, block, turn = int(place[1]) - 2, int(place[2]), place[3]
            out = sizes[stage]
            if name.endswith("block1_1_conv") or name.endswith("_1_conv"):
                entrance, into = shape[2], shape[0]
                side = into if block > 1 or stage == 0 else (into - 1) // 2 + 1
            channels = out if turn in {"0", "3", None} else out // 4
            if kind == "conv":
                inside = {"1": entrance, "2": out // 4, "3": out // 4, "0": entrance}[turn]
                parameters = inside * channels * (9 if turn == "2" else 1) + channels
        elif kind == "conv":
            side, channels, parameters = (side - 7) // 2 + 1, first, 3 * first * 49 + first
        elif kind == "pad":
            side += 6 if name == "conv1_pad" else 2
        elif kind == "pool":
            side = (side - 3) // 2 + 1
        if kind == "bn":
            parameters = 4 * channels
        shape = (side, side, channels)
        row = {"name": name, "kind": KINDS.get(kind, "InputLayer"), "shape": list(shape), "parameters": parameters}
        if module := _module(name):
            row["module"] = module
        table.append(row)
    return tuple(table)


_WHAT = {"conv": ("kernel", "bias"), "bn": ("gamma", "beta", "mean", "variance")}
_ORDER_OF_VARIABLES = {"conv2d": _WHAT["conv"], "batch_normalization": _WHAT["bn"]}


def _order(depths: tuple[int, ...]) -> Iterator[str]:
    """The names of the layers after the input, in Keras' order."""
    yield from ("conv1_pad", "conv1_conv", "conv1_bn", "conv1_relu", "pool1_pad", "pool1_pool")
    for stage, blocks in enumerate(depths, start=2):
        for block in range(1, blocks + 1):
            first = block == 1  # it has a shortcut of its own
            parts = ["1_conv", "1_bn", "1_relu", "2_conv", "2_bn", "2_relu"]
            parts += ["0_conv", "3_conv", "0_bn", "3_bn"] if first else ["3_conv", "3_bn"]
            yield from (f"conv{stage}_block{block}_{part}" for part in [*parts, "add", "out"])


def _module(layer: str) -> str | None:
    """What a layer of Keras' is called in transformers' network; None where nothing of that name is there."""
    inside = {"conv": "convolution", "bn": "normalization", "relu": "activation"}
    if layer in {"conv1_conv", "conv1_bn", "conv1_relu"}:
        return f"embedder.embedder.{inside[layer.removeprefix('conv1_')]}"
    if layer == "pool1_pool":
        return "embedder.pooler"
    place = re.fullmatch(r"conv(\d)_block(\d+)_(?:(\d)_)?(conv|bn|relu|out)", layer)
    if place is None:
        return None
    block = f"encoder.stages.{int(place[1]) - 2}.layers.{int(place[2]) - 1}"
    if place[4] == "out":
        return block
    branch = "shortcut" if place[3] == "0" else f"layer.{int(place[3]) - 1}"
    return f"{block}.{branch}.{inside[place[4]]}"


def _tensors(weights: Weights, depths: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    for layer in _order(depths):
        if not layer.endswith("_conv"):
            continue
        norm = f"{layer.removesuffix('_conv')}_bn"
        kernel = weights[layer, "kernel"].transpose(3, 2, 0, 1)  # (h, w, in, out) -> (out, in, h, w)
        if layer == "conv1_conv":
            kernel = kernel[:, ::-1]  # it was learned on BGR, and gets RGB
        convolution, normalization = _module(layer), _module(norm)
        found[f"{convolution}.weight"] = np.ascontiguousarray(kernel)
        found[f"{normalization}.weight"] = weights[norm, "gamma"]
        found[f"{normalization}.bias"] = weights[norm, "beta"]
        found[f"{normalization}.running_mean"] = weights[norm, "mean"] - weights[layer, "bias"]
        found[f"{normalization}.running_var"] = weights[norm, "variance"] + np.float32(EPSILON - TORCH_EPSILON)
        found[f"{normalization}.num_batches_tracked"] = np.zeros((), np.int64)
    return found


def _read(file: Path) -> Weights:
    """All weights of a file under the names that Keras uses today, whichever of its layouts the file has."""
    arrays = float_arrays(file)
    numbered = sum(len(parts) == 4 and parts[0] == "layers" and parts[1].startswith("conv2d") for parts in arrays) // 2
    names = _numbered(DEPTHS.get(numbered, (1, 1, 1, 1)))
    return {key: array for parts, array in arrays.items() if (key := _key(parts, names))}


def _key(parts: Parts, numbered: dict[str, str]) -> tuple[str, str] | None:
    """conv1_conv/conv1_conv/kernel:0, layers/conv2d/vars/0 or res2a_branch2a/.. -> (layer, what)."""
    if parts[0] == "model_weights" and len(parts) > 1:  # model.save("x.h5")
        parts = parts[1:]
    if parts[0] == "layers" and len(parts) == 4:  # model.save_weights("x.weights.h5")
        what = _ORDER_OF_VARIABLES.get(re.sub(r"_\d+$", "", parts[1]), ())
        turn = int(parts[3]) if parts[3].isdigit() else len(what)
        return (numbered[parts[1]], what[turn]) if parts[1] in numbered and turn < len(what) else None
    what_, words = parts[-1].split(":")[0], ("kernel", "bias", "gamma", "beta", "mean", "variance")
    what_ = what_.replace("_std", "_variance")  # what the oldest files call it
    return next(((_today(parts[0]), word) for word in words if what_.endswith(word)), None)


def _today(layer: str) -> str:
    """The name of a layer in Keras since 2019; before, conv5_block1_1_bn was bn5a_branch2a."""
    if layer in {"conv1", "bn_conv1"}:
        return {"conv1": "conv1_conv", "bn_conv1": "conv1_bn"}[layer]
    if old := re.fullmatch(r"(res|bn)(\d)([a-z])_branch(1|2[abc])", layer):
        turn = "0" if old[4] == "1" else str("abc".index(old[4][1]) + 1)
        kind = "conv" if old[1] == "res" else "bn"
        return f"conv{old[2]}_block{ord(old[3]) - ord('a') + 1}_{turn}_{kind}"
    return layer


def _numbered(depths: tuple[int, ...]) -> dict[str, str]:
    """conv2d, conv2d_1 .. and batch_normalization, batch_normalization_1 .. -> the names of the layers."""
    names: dict[str, str] = {}
    for kind, called in (("conv", "conv2d"), ("bn", "batch_normalization")):
        for place, layer in enumerate(layer for layer in _order(depths) if layer.endswith(f"_{kind}")):
            names[called if place == 0 else f"{called}_{place}"] = layer
    return names


def _depths(file: Path, weights: Weights) -> tuple[int, ...]:
    """The number of blocks of each stage."""
    places = [re.match(r"conv(\d)_block(\d{1,4})_1_conv", layer) for layer, _ in weights]
    found = [(int(place[1]), int(place[2])) for place in places if place]
    depths = tuple(max((block for at, block in found if at == stage), default=0) for stage in range(2, 6))
    if ("conv1_conv", "kernel") not in weights or not all(0 < blocks <= MOST_BLOCKS for blocks in depths):
        raise BundleError(
            f"{file}: HDF5, but not the weights of Keras' ResNet50, 101 or 152. Others are not known; "
            "name a folder in transformers' format."
        )
    return depths
