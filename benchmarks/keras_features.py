"""Files to features, pictures a second: lookalike against Keras' `predict`, the same files, in turns.

    python -m venv /tmp/keras && /tmp/keras/bin/pip install tensorflow-cpu
    LOOKALIKE_DATA=... python benchmarks/keras_features.py /tmp/keras/bin/python [--rounds 5]
    LOOKALIKE_BF16=0 ...                            f32, on a processor with bf16
    LOOKALIKE_BF16=0 ONEDNN_MAX_CPU_ISA=AVX2 ...    and without AVX-512, for both: an emulation

Small pictures are photos of grocery/ as they are (224 px). The 12-megapixel ones are four of them, enlarged, tiled to
4032 x 3024, with grain as a sensor gives it, saved anew at quality 90: no phone's pictures are in the data. Keras runs
in a process of its own (keras_worker.py). In every round each model is timed once; a ratio is the median over rounds
of Keras' seconds by ours in the same round, by the clock, and of processor time, which other programs change less.
ResNet50 is written here as a bundle with random weights, so that both run
the same network; beside Keras' default (float32) stands its own bf16 policy.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from lookalike.models.backbone import Backbone
from lookalike.models.bundle import Bundle, StageOutput, write

BESIDE = {
    "EfficientNetB0": "EfficientNet-Lite0",
    "MobileNetV2": "EfficientNet-Lite0",
    "ResNet50": "ResNet50",
    "ResNet50/bf16": "ResNet50",
}
Seconds = tuple[float, float]  # by the clock, of the processor


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", help="of an environment with tensorflow-cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--small", type=int, default=192, help="pictures of 224 px")
    parser.add_argument("--large", type=int, default=24, help="pictures of 12 megapixels")
    parser.add_argument("--only", nargs="+", default=list(BESIDE), choices=list(BESIDE))
    asked = parser.parse_args()
    if not os.environ.get("LOOKALIKE_DATA"):
        print("Set LOOKALIKE_DATA to the folder of the real pictures.")
        return
    with tempfile.TemporaryDirectory() as temporary:
        folders = draw(Path(temporary), asked.small, asked.large)
        ours = {"EfficientNet-Lite0": Backbone()}
        if "ResNet50" in {BESIDE[name] for name in asked.only}:
            ours["ResNet50"] = Backbone(resnet50(Path(temporary) / "resnet50"))
        print(machine(ours["EfficientNet-Lite0"].precision))
        times: dict[tuple[str, str], list[Seconds]] = {}
        with Keras(asked.python) as keras:
            print(f"Keras: {keras.versions}", flush=True)
            for turn in range(-1, asked.rounds):  # one to warm up
                for size, folder in folders.items():
                    files = sorted(folder.iterdir())
                    took = {name: seconds(backbone, files) for name, backbone in ours.items()}
                    took |= {name + ", Keras": keras.seconds(name, folder) for name in asked.only}
                    for name, one in took.items():
                        times.setdefault((size, name), []).extend([one] if turn >= 0 else [])
    show(times, {"224 px": asked.small, "12 megapixels": asked.large})


def seconds(backbone: Backbone, files: list[Path]) -> Seconds:
    """How long it takes to embed them."""
    began, used = time.perf_counter(), time.process_time()
    backbone.embed(files)
    return time.perf_counter() - began, time.process_time() - used


def show(times: dict[tuple[str, str], list[Seconds]], counts: dict[str, int]) -> None:
    """The table."""
    columns = f"{'pictures/s':>10} {'ms of CPU':>10} {'ratio':>7} {'range':>14} {'of CPU':>7} {'range':>14}"
    for size, count in counts.items():
        print(f"\n{size:26} {columns}")
        for (at, name), found in times.items():
            if at != size:
                continue
            clock, processor = np.median(found, axis=0)
            line = f"{name:26} {count / clock:10.1f} {1000 * processor / count:10.1f}"
            theirs, _, keras = name.partition(", ")
            if keras:
                for ratios in (np.array(found) / times[size, BESIDE[theirs]]).T:
                    span = f"{ratios.min():.1f} to {ratios.max():.1f}"
                    line += f" {np.median(ratios):7.2f} {span:>14}"
            print(line)


def machine(precision: str) -> str:
    """The processor and the flags that matter."""
    said = Path("/proc/cpuinfo").read_text()
    name = next(line.split(":")[1].strip() for line in said.splitlines() if line.startswith("model name"))
    flags = " ".join(flag for flag in ("avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16") if f" {flag}" in said)
    load, day = os.getloadavg()[0], time.strftime("%Y-%m-%d")
    return f"{name}, {os.cpu_count()} cores ({flags}), ours in {precision}, load {load:.1f}, {day}, seed 0"


class Keras:
    """The worker process, asked line by line."""

    def __init__(self, python: str):
        script = Path(__file__).with_name("keras_worker.py")
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "1"}
        self.process = subprocess.Popen(
            [python, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.versions = self._read()

    def __enter__(self) -> "Keras":
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def seconds(self, name: str, folder: Path) -> Seconds:
        """How long one `predict` over a folder's files took."""
        assert self.process.stdin is not None
        print(name, folder, file=self.process.stdin, flush=True)
        answer = self._read()
        return float(answer["seconds"]), float(answer["processor_seconds"])

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("Keras' process ended: run keras_worker.py by itself to see why.")
        return dict(json.loads(line))


def draw(temporary: Path, small: int, large: int) -> dict[str, Path]:
    """Two folders of JPEGs: photos of grocery/ as they are, and 12-megapixel ones made of them."""
    photos = sorted((Path(os.environ["LOOKALIKE_DATA"]) / "grocery").rglob("*.jpg"))
    rng = np.random.default_rng(0)
    photos = [photos[i] for i in rng.permutation(len(photos))]
    folders = {"224 px": temporary / "small", "12 megapixels": temporary / "large"}
    for folder in folders.values():
        folder.mkdir()
    for number, photo in enumerate(photos[:small]):
        (folders["224 px"] / f"{number:03d}.jpg").write_bytes(photo.read_bytes())
    for number in range(large):
        tiled = Image.new("RGB", (4032, 3024))
        for place, photo in enumerate(photos[4 * number : 4 * number + 4]):
            with Image.open(photo) as image:
                part = image.convert("RGB").resize((2016, 1512), Image.Resampling.BICUBIC)
            tiled.paste(part, (place % 2 * 2016, place // 2 * 1512))
        grain = rng.normal(0, 4, (3024, 4032, 1)).astype(np.float32)
        noisy = Image.fromarray((np.asarray(tiled) + grain).clip(0, 255).astype(np.uint8))
        noisy.save(folders["12 megapixels"] / f"{number:03d}.jpg", quality=90)
    return folders


@dataclass
class Graph:
    """An ONNX graph as it grows, and its random weights (He initialisation)."""

    nodes: list[Any] = field(default_factory=list)
    tensors: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Append a node; the name of its output."""
        output = f"{kind}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def tensor(self, value: Any) -> str:
        """Keep a constant; its name."""
        name = f"tensor.{len(self.tensors)}"
        self.tensors[name] = np.asarray(value, np.float32)
        return name

    def convolution(self, x: str, channels: tuple[int, int], side: int, stride: int = 1, relu: bool = True) -> str:
        """A convolution with its BatchNorm folded, from and to so many channels."""
        shape = (channels[1], channels[0], side, side)
        kernel = self.rng.standard_normal(shape, np.float32) * np.sqrt(2 / (channels[0] * side**2))
        bias = self.tensor(np.zeros(channels[1]))
        pads, strides = [side // 2] * 4, [stride, stride]
        y = self.add("Conv", x, self.tensor(kernel), bias, kernel_shape=[side, side], pads=pads, strides=strides)
        return self.add("Relu", y) if relu else y


def resnet50(path: Path) -> Bundle:
    """ResNet50 (arXiv:1512.03385, table 1) as a bundle: its last convolutions, pooled.

    As in Keras, the first convolution of a stage strides, not the second.
    """
    graph = Graph()
    x = graph.add("Transpose", graph.add("Cast", "image", to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
    x = graph.add("Sub", x, graph.tensor(np.reshape([123.68, 116.78, 103.94], (1, 3, 1, 1))))
    x = graph.add("Div", x, graph.tensor(58.0))
    x = graph.convolution(x, (3, 64), side=7, stride=2)
    x = graph.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for stage, (width, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            shortcut = x
            if block == 0:
                shortcut = graph.convolution(x, (channels, 4 * width), side=1, stride=stride, relu=False)
            y = graph.convolution(x, (channels, width), side=1, stride=stride)
            y = graph.convolution(y, (width, width), side=3)
            y = graph.convolution(y, (width, 4 * width), side=1, relu=False)
            x = graph.add("Relu", graph.add("Add", y, shortcut))
            channels = 4 * width
    graph.nodes.append(helper.make_node("GlobalAveragePool", [x], ["pooled"]))
    graph.nodes.append(helper.make_node("Flatten", ["pooled"], ["features"], axis=1))
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "resnet50",
            [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", "h", "w", 3])],
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 2048])],
            [numpy_helper.from_array(value, name) for name, value in graph.tensors.items()],
        ),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
    bundle = Bundle(path, "resnet50-random", "0" * 32, side_px=224, depths=(StageOutput("features", 2048, 1.0),))
    return write(bundle, model.SerializeToString())


if __name__ == "__main__":
    main()
