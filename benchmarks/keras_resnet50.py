"""Keras' ResNet50 against the bundle that is made of its weights file: the same numbers, and the same table of layers.

    python -m venv /tmp/keras && /tmp/keras/bin/pip install tensorflow-cpu
    python benchmarks/keras_resnet50.py /tmp/keras/bin/python

Keras makes a ResNet50 with random weights (kernels as it draws them, everything else drawn by us, seed 0), saves it in
the three layouts that it knows, and answers for eight pictures through its own preprocessing. The bundle, run in
float32, answers for the same. Prints, for each layout, the smallest cosine and the largest difference of each depth,
and whether names, shapes and parameters of all 175 layers are Keras'.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

STAGES = {"stage1": "conv2_block3_out", "stage2": "conv3_block4_out", "stage3": "conv4_block6_out"}
ENDS = STAGES | {"features": "conv5_block3_out"}


def keras_side(folder: Path) -> None:
    """Runs under Keras' own Python: weights, pictures' answers and the table of layers into a folder."""
    import h5py
    import keras
    from keras.applications.resnet50 import preprocess_input
    from keras.src.legacy.saving import legacy_h5_format

    rng = np.random.default_rng(0)
    model = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(224, 224, 3))
    for layer in model.layers:
        shapes = [one.shape for one in layer.get_weights()]
        if len(shapes) == 2:
            layer.set_weights([layer.get_weights()[0], rng.normal(0, 0.1, shapes[1])])
        if len(shapes) == 4:
            spread = [(0.5, 1.5), (-0.3, 0.3), (-0.3, 0.3), (0.5, 1.5)]  # gamma, beta, mean, variance
            layer.set_weights([rng.uniform(*ends, shape) for ends, shape in zip(spread, shapes, strict=True)])
    with h5py.File(folder / "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    model.save(folder / "whole.h5")
    model.save_weights(folder / "new.weights.h5")
    inside = keras.Model(model.input, [model.get_layer(name).output for name in ENDS.values()])
    maps = inside.predict(preprocess_input(np.load(folder / "pictures.npy").astype(np.float32)), verbose=0)
    pooled = {name: one.mean((1, 2)) for name, one in zip(ENDS, maps, strict=True)}
    middle = maps[list(ENDS).index("stage3")]  # (n, 14, 14, 1024)
    bell = np.exp(-((np.arange(14) - 6.5) ** 2) / 2 / 3.5**2)
    pooled["stage3.centre"] = np.einsum("nijc,i,j->nc", middle, bell, bell) / bell.sum() ** 2
    pooled["stage3.fall"] = middle[:, :7].mean((1, 2)) - middle[:, 7:].mean((1, 2))
    np.savez(folder / "answers.npz", **pooled)
    table = [
        {
            "name": one.name,
            "kind": type(one).__name__,
            "shape": list(one.output.shape[1:]),
            "parameters": one.count_params(),
        }
        for one in model.layers
    ]
    (folder / "layers.json").write_text(json.dumps(table))


def main(python: str) -> None:
    """Ask both and compare."""
    from lookalike.models.convert import convert
    from lookalike.models.openvino_runtime import openvino

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asked = np.random.default_rng(1).integers(0, 256, (8, 7, 7, 3), dtype=np.uint8).repeat(32, 1).repeat(32, 2)
        np.save(folder / "pictures.npy", asked)
        subprocess.run([python, __file__, "--keras", name], check=True, capture_output=True)
        truth = np.load(folder / "answers.npz")
        for file in ("resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", "whole.h5", "new.weights.h5"):
            started = time.perf_counter()
            bundle = convert(folder / file, folder / "kept")
            print(f"{file}: {bundle.length} features, converted in {time.perf_counter() - started:.1f} s")
            core = openvino().Core()
            model = core.compile_model(core.read_model(bundle.model), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
            answers = model(asked)
            for depth in bundle.depths:
                ours, theirs = answers[depth.name], truth[depth.name]
                cosine = (ours * theirs).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
                worst = np.abs(ours - theirs).max() / np.abs(theirs).max()
                print(
                    f"  {depth.name:13} cosine {cosine.min():.8f}, largest difference {worst:.1e} of the largest value"
                )
        theirs = json.loads((folder / "layers.json").read_text())
        ours = [{key: layer[key] for key in ("name", "shape", "parameters")} for layer in bundle.layers]
        kinds = [layer["kind"] for layer in theirs] == [layer["kind"] for layer in bundle.layers]
        same = ours == [{key: layer[key] for key in ("name", "shape", "parameters")} for layer in theirs]
        print(
            f"{len(ours)} layers, 154 is {ours[154]['name']}; names, shapes, parameters equal: {same}; kinds: {kinds}"
        )
        if not same:
            print(next((pair for pair in zip(ours, theirs, strict=False) if pair[0] != pair[1]), None))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print("Name the python of an environment with tensorflow-cpu.")
    elif sys.argv[1] == "--keras":
        keras_side(Path(sys.argv[2]))
    else:
        main(sys.argv[1])
