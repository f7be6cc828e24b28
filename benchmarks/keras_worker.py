"""Keras' side of keras_features.py: reads "MODEL FOLDER" lines, answers each with the seconds that `predict` took,
by the clock and of the processor.

Runs in an environment of its own, which needs tensorflow-cpu and nothing of ours. Files are fed as its guides say:
tf.data, decoded and resized in parallel, batches of 32, prefetched. Weights are random: none can be fetched here, and
speed does not ask for them.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import tensorflow as tf

SIDE, BATCH = 224, 32


def model(name: str) -> tuple[Any, Any]:
    """A network without top, its average pooled, and the preprocessing that belongs to it."""
    kind, _, precision = name.partition("/")
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16" if precision == "bf16" else "float32")
    applications = tf.keras.applications
    module = {
        "EfficientNetB0": applications.efficientnet,
        "MobileNetV2": applications.mobilenet_v2,
        "ResNet50": applications.resnet50,
    }[kind]
    network = getattr(module, kind)(weights=None, include_top=False, pooling="avg", input_shape=(SIDE, SIDE, 3))
    return network, module.preprocess_input


def feed(files: list[str], preprocess: Any) -> Any:
    """Files -> batches of pictures, decoded while the network works."""

    def read(file: Any) -> Any:
        picture = tf.io.decode_jpeg(tf.io.read_file(file), channels=3)
        return preprocess(tf.image.resize(picture, (SIDE, SIDE)))

    files = tf.data.Dataset.from_tensor_slices(files)
    return files.map(read, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH).prefetch(tf.data.AUTOTUNE)


def main() -> None:
    """Answer until there is nothing more to read."""
    networks: dict[str, tuple[Any, Any]] = {}
    print(json.dumps({"tensorflow": tf.__version__, "keras": tf.keras.__version__}), flush=True)
    for line in sys.stdin:
        name, folder = line.rstrip("\n").split(" ", 1)
        files = [str(file) for file in sorted(Path(folder).iterdir())]
        if name not in networks:
            networks[name] = model(name)
            networks[name][0].predict(feed(files[:BATCH], networks[name][1]), verbose=0)  # traced and compiled once
        network, preprocess = networks[name]
        began, used = time.perf_counter(), time.process_time()
        features = network.predict(feed(files, preprocess), verbose=0)
        answer = {"seconds": time.perf_counter() - began, "processor_seconds": time.process_time() - used}
        print(json.dumps(answer | {"shape": list(features.shape)}), flush=True)


if __name__ == "__main__":
    main()
