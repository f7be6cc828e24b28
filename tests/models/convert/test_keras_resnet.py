"""Keras' own ResNet weights: every layout of the file, and the arithmetic of Keras written out."""

from pathlib import Path

import numpy as np
import pytest
from support.elsewhere import pictures, seen_by_place

from lookalike.errors import BundleError
from lookalike.models.convert import keras_resnet
from lookalike.models.openvino_runtime import openvino
from lookalike.models.registry import resolve_bundle

h5py = pytest.importorskip("h5py")
FIRST, SIZES = 8, (16, 24, 32, 40)


def weights(depths: tuple[int, ...]) -> keras_resnet.Weights:
    """Random ones, in the shapes of a narrow ResNet."""
    rng, found = np.random.default_rng(1), {}

    def put(layer: str, side: int, into: int, out: int) -> None:
        found[f"{layer}_conv", "kernel"] = rng.standard_normal((side, side, into, out)) / (side * into**0.5)
        found[f"{layer}_conv", "bias"] = rng.normal(0, 0.3, out)
        for what in ("gamma", "variance"):
            found[f"{layer}_bn", what] = rng.uniform(0.5, 1.5, out)
        for what in ("beta", "mean"):
            found[f"{layer}_bn", what] = rng.normal(0, 0.3, out)

    put("conv1", 7, 3, FIRST)
    into = FIRST
    for stage, (out, blocks) in enumerate(zip(SIZES, depths, strict=True), start=2):
        for block in range(1, blocks + 1):
            name = f"conv{stage}_block{block}"
            if block == 1:
                put(f"{name}_0", 1, into, out)
            put(f"{name}_1", 1, into, out // 4)
            put(f"{name}_2", 3, out // 4, out // 4)
            put(f"{name}_3", 1, out // 4, out)
            into = out
    return {key: value.astype(np.float32) for key, value in found.items()}


NAMES = {"mean": "moving_mean", "variance": "moving_variance"}


def as_keras(path: Path, table: keras_resnet.Weights, root: str = "") -> Path:
    """As model.save_weights("x.h5") has written it since 2019; with a root, as model.save("x.h5")."""
    with h5py.File(path, "w") as file:
        for (layer, what), value in table.items():
            file[f"{root}{layer}/{layer}/{NAMES.get(what, what)}:0"] = value
    return path


def as_old_keras(path: Path, table: keras_resnet.Weights) -> Path:
    """As in the files before 2019: res5a_branch2b and bn5a_branch2b."""
    with h5py.File(path, "w") as file:
        for (layer, what), value in table.items():
            head, kind = layer.rsplit("_", 1)
            if head == "conv1":
                old = "conv1" if kind == "conv" else "bn_conv1"
            else:
                stage, block, turn = head.split("_")
                branch = "1" if turn == "0" else "2" + "abc"[int(turn) - 1]
                old = f"{'res' if kind == 'conv' else 'bn'}{stage[4:]}{chr(96 + int(block[5:]))}_branch{branch}"
            last = {"mean": "running_mean", "variance": "running_std"}.get(what, what)
            file[f"{old}/{old}_{last}:0"] = value
    return path


def as_keras_3(path: Path, table: keras_resnet.Weights, depths: tuple[int, ...]) -> Path:
    """As model.save_weights("x.weights.h5"): numbered by kind, in the order of the layers."""
    order = ["conv1", *(name.removesuffix("_conv") for name in keras_order(depths) if name.endswith("_conv"))]
    with h5py.File(path, "w") as file:
        for turn, layer in enumerate(order):
            tail = f"_{turn}" if turn else ""
            for place, what in enumerate(("kernel", "bias")):
                file[f"layers/conv2d{tail}/vars/{place}"] = table[f"{layer}_conv", what]
            for place, what in enumerate(("gamma", "beta", "mean", "variance")):
                file[f"layers/batch_normalization{tail}/vars/{place}"] = table[f"{layer}_bn", what]
    return path


def keras_order(depths: tuple[int, ...]) -> list[str]:
    """Convolutions in Keras' order: the shortcut stands before the last of its block."""
    turns = {True: (1, 2, 0, 3), False: (1, 2, 3)}
    return [
        f"conv{stage}_block{block}_{turn}_conv"
        for stage, blocks in enumerate(depths, start=2)
        for block in range(1, blocks + 1)
        for turn in turns[block == 1]
    ]


def stages(table: keras_resnet.Weights, depths: tuple[int, ...], pixels):
    """Keras' ResNet written out: 'caffe' preprocessing, biases, its own epsilon, the stride in the first of a block."""
    torch = pytest.importorskip("torch")
    f, t = torch.nn.functional, {key: torch.from_numpy(value) for key, value in table.items()}

    def layer(x, name, stride=1, padding=0):
        x = f.conv2d(x, t[f"{name}_conv", "kernel"].permute(3, 2, 0, 1), t[f"{name}_conv", "bias"], stride, padding)
        bn = {what: t[f"{name}_bn", what] for what in ("mean", "variance", "gamma", "beta")}
        return f.batch_norm(x, bn["mean"], bn["variance"], bn["gamma"], bn["beta"], eps=1.001e-5)

    bgr = pixels[..., ::-1].astype(np.float32) - np.array([103.939, 116.779, 123.68], np.float32)
    x = torch.from_numpy(np.ascontiguousarray(bgr.transpose(0, 3, 1, 2)))
    x = layer(f.pad(x, (3, 3, 3, 3)), "conv1", stride=2).relu()
    x = f.max_pool2d(f.pad(x, (1, 1, 1, 1)), 3, 2)
    pooled = []
    for stage, blocks in enumerate(depths, start=2):
        for block in range(1, blocks + 1):
            name, stride = f"conv{stage}_block{block}", 2 if block == 1 and stage > 2 else 1
            shortcut = layer(x, f"{name}_0", stride) if block == 1 else x
            y = layer(x, f"{name}_1", stride).relu()
            y = layer(y, f"{name}_2", padding=1).relu()
            x = (layer(y, f"{name}_3") + shortcut).relu()
        pooled.append(x.numpy())
    first, second, third, last = pooled
    centre, fall = seen_by_place("stage3", third).values()
    return [first.mean((2, 3)), second.mean((2, 3)), centre, fall, last.mean((2, 3))]


def test_a_file_of_keras_gives_what_keras_computes(tmp_path: Path):
    pytest.importorskip("transformers")
    depths = (1, 2, 1, 1)
    bundle = resolve_bundle(as_keras(tmp_path / "narrow.h5", weights(depths)))
    asked = pictures(224, 2)
    core = openvino().Core()
    answers = core.compile_model(core.read_model(bundle.model), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(asked)
    truth = stages(weights(depths), depths, asked)
    for name, expected in zip(("stage1", "stage2", "stage3.centre", "stage3.fall", "features"), truth, strict=True):
        np.testing.assert_allclose(answers[name], expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
        alike = (answers[name] * expected).sum(1) / np.linalg.norm(answers[name], axis=1)
        assert (alike / np.linalg.norm(expected, axis=1)).min() > 0.99999
    assert [depth.name for depth in bundle.depths] == ["features", "stage3.centre", "stage3.fall", "stage2", "stage1"]
    assert bundle.name == "narrow.h5"
    last = bundle.layers[-1]
    assert (last["name"], last["module"]) == ("conv5_block1_out", "encoder.stages.3.layers.0")


def test_every_layout_of_the_file_gives_the_same_weights(tmp_path: Path):
    depths = (3, 4, 6, 3)
    table = weights(depths)
    files = [
        as_keras(tmp_path / "legacy.h5", table),
        as_keras(tmp_path / "whole.h5", table, root="model_weights/"),
        as_old_keras(tmp_path / "old.h5", table),
        as_keras_3(tmp_path / "new.weights.h5", table, depths),
    ]
    for file in files:
        found = keras_resnet._read(file)
        assert found.keys() == table.keys()
        assert all((found[key] == table[key]).all() for key in table)


def test_the_table_is_keras_own():
    """keras.applications.ResNet50: 175 layers, 23,587,712 parameters, index 154 the first block of conv5."""
    table = keras_resnet.layers()
    assert len(table) == 175
    assert sum(layer["parameters"] for layer in table) == 23_587_712
    named = {0: "input_layer", 7: "conv2_block1_1_conv", 13: "conv2_block1_0_conv", 18: "conv2_block1_out"}
    named |= {38: "conv2_block3_out", 80: "conv3_block4_out", 142: "conv4_block6_out"}
    named |= {143: "conv5_block1_1_conv", 154: "conv5_block1_out", 174: "conv5_block3_out"}
    assert {index: table[index]["name"] for index in named} == named
    assert table[154] == {
        "name": "conv5_block1_out",
        "kind": "Activation",
        "shape": [7, 7, 2048],
        "parameters": 0,
        "module": "encoder.stages.3.layers.0",
    }


def test_every_module_of_the_table_is_in_transformers_network():
    t = pytest.importorskip("transformers")
    small = {"embedding_size": 8, "hidden_sizes": list(SIZES), "depths": [3, 4, 6, 3]}
    modules = dict(t.ResNetModel(t.ResNetConfig(**small)).named_modules())
    named = [layer["module"] for layer in keras_resnet.layers() if "module" in layer]
    assert set(named) <= modules.keys()
    assert sum(hasattr(modules[name], "weight") for name in named) == 2 * 53


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda table: table.pop(("conv3_block1_2_bn", "mean")), "no mean of conv3_block1_2_bn in it"),
        (lambda table: table.pop(("conv1_conv", "kernel")), "not the weights of Keras' ResNet50, 101 or 152"),
        (lambda table: table.pop(("conv5_block1_1_conv", "kernel")), "not the weights of Keras' ResNet50|no kernel"),
        (lambda table: table.update({("conv1_conv", "bias"): np.zeros(3, np.float32)}), "not the weights of a ResNet"),
    ],
)
def test_a_file_that_lacks_something_is_one_line(tmp_path: Path, spoil, words: str):
    table = weights((1, 1, 1, 1))
    spoil(table)
    with pytest.raises(BundleError, match=words) as caught:
        resolve_bundle(as_keras(tmp_path / "spoilt.h5", table))
    assert "\n" not in str(caught.value)


def test_what_is_no_hdf5_is_one_line(tmp_path: Path):
    (tmp_path / "x.h5").write_bytes(b"\x80\x04cos\nsystem\n.")
    with pytest.raises(BundleError, match=r"x\.h5: neither a bundle nor weights that are known: not HDF5"):
        resolve_bundle(tmp_path / "x.h5")
