"""The tutorial's network learning: triplets a second of its own step in Keras, against ours in an epoch with the cache.

    python -m venv /tmp/keras && /tmp/keras/bin/pip install tensorflow-cpu
    OMP_NUM_THREADS=1 python benchmarks/keras_siamese.py /tmp/keras/bin/python [ROUNDS]

ResNet50 without top, with random weights that Keras drew, pictures of 200 px, Flatten, Dense 512, BatchNorm, Dense 256,
BatchNorm, Dense 256, trainable from conv5_block1_out on, Adam 1e-4, 32 triplets a step. Keras runs in a process of its
own: its step is a compiled function over three batches of 32 pictures that are in memory already, in float32, as the
example's is. Ours is `--recipe keras-siamese` on the same weights, read from the file that Keras saved: a step asks 64
pictures, because the negative is one of the other pairs of the batch, and their activations come from the cache. Both
take turns, each with OMP_NUM_THREADS threads; a ratio is that of one round. Caching is timed before. Where other
programs want the processor too, compare its seconds, not those of the wall.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

PAIRS = 100  # of which 80 are learned from: two steps an epoch
THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))


def keras_side(file: str) -> None:
    """Runs under Keras' own Python: saves the network, then answers each line with the seconds of so many steps."""
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(0)
    base = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(200, 200, 3))
    base.save(file)
    places = [layer.name for layer in base.layers]
    for place, layer in enumerate(base.layers):
        layer.trainable = place >= places.index("conv5_block1_out")
    x = keras.layers.Flatten()(base.output)
    for width in (512, 256):
        x = keras.layers.BatchNormalization()(keras.layers.Dense(width, activation="relu")(x))
    network = keras.Model(base.input, keras.layers.Dense(256)(x))
    adam = keras.optimizers.Adam(1e-4)

    @tf.function
    def step(batch: Any) -> Any:
        with tf.GradientTape() as tape:
            anchor, positive, negative = (network(one) for one in batch)
            near = tf.reduce_sum(tf.square(anchor - positive), axis=1)
            far = tf.reduce_sum(tf.square(anchor - negative), axis=1)
            loss = tf.reduce_mean(tf.nn.relu(near - far + 0.5))
        adam.apply(tape.gradient(loss, network.trainable_weights), network.trainable_weights)
        return loss

    rng = np.random.default_rng(0)
    batch = [tf.constant(rng.integers(0, 256, (32, 200, 200, 3)).astype(np.float32) - 110) for _ in range(3)]
    step(batch)
    learned = sum(int(np.prod(one.shape)) for one in network.trainable_weights)
    print(json.dumps({"tensorflow": tf.__version__, "keras": keras.__version__, "learned": learned}), flush=True)
    for line in sys.stdin:
        began = seconds()
        for _ in range(int(line)):
            step(batch).numpy()
        print(json.dumps((seconds() - began).tolist()), flush=True)


def main(python: str, rounds: int) -> None:
    """Measure in turns, and print."""
    import torch

    from lookalike.learning.finetuning import KerasSiameseConfig, KerasSiameseFineTuner
    from lookalike.learning.training import TrainingLabels
    from lookalike.models.convert import convert

    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        theirs = subprocess.Popen(
            [python, __file__, "--keras", str(folder / "resnet50.h5")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": "", "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": str(THREADS)},
        )
        assert theirs.stdin is not None
        assert theirs.stdout is not None
        about = json.loads(theirs.stdout.readline())
        print(f"Keras {about['keras']}, TensorFlow {about['tensorflow']}, {about['learned']:,} weights that learn")
        bundle = convert(folder / "resnet50.h5", folder / "kept")
        pictures = drawn(PAIRS)
        group = np.repeat(np.arange(PAIRS), 2)
        recipe = KerasSiameseFineTuner(
            bundle, pictures, TrainingLabels.create(group), KerasSiameseConfig(), folder / "run"
        )
        print(f"ours: {recipe.cost()}")
        began = seconds()
        for _ in recipe.fill_cache():
            pass
        caching = seconds() - began
        size = sum(file.stat().st_size for file in (folder / "run").rglob("*") if file.is_file())
        print(
            f"caching {2 * PAIRS} pictures: {caching[0]:.1f} s ({caching[1]:.1f} CPU s), {size / 1e6:.0f} MB",
            flush=True,
        )
        steps = recipe.steps()
        for _ in range(recipe.per_epoch):  # torch's own start
            next(steps)
        rows = []
        for _ in range(rounds):
            print(1, file=theirs.stdin, flush=True)
            keras = 32 / np.array(json.loads(theirs.stdout.readline()))
            began = seconds()
            for _ in range(recipe.per_epoch - 1):
                next(steps)
            ours = 32 * (recipe.per_epoch - 1) / (seconds() - began)
            next(steps)  # the last one of an epoch, with the validation loss and a copy of what was learned
            epoch = 32 * recipe.per_epoch / (seconds() - began)
            rows.append((*keras, *ours, *(ours / keras), *epoch, *(epoch / keras)))
            print(f"  {LINE.format(*rows[-1])}", flush=True)
        theirs.stdin.close()
        theirs.wait()
        print("triplets a second, in brackets a CPU second; the median of each, and the range of the ratios:")
        print(f"  {LINE.format(*np.median(rows, axis=0))}")
        low, high = np.min(rows, axis=0), np.max(rows, axis=0)
        print(f"  {low[4]:.1f} to {high[4]:.1f} ({low[5]:.1f} to {high[5]:.1f})")
        keras, ours = np.median(rows, axis=0)[[1, 3]]
        print(f"caching is paid back after {caching[1] / (1 / keras - 1 / ours):.0f} triplets")
        print(f"{time.strftime('%Y-%m-%d')}, {THREADS} threads, load {os.getloadavg()[0]:.1f}")


LINE = (
    "Keras {:.2f} ({:.2f}), ours {:.2f} ({:.2f}): {:.1f} times ({:.1f}); "
    "whole epochs {:.2f} ({:.2f}): {:.1f} times ({:.1f})"
)


def seconds() -> np.ndarray:
    """By the wall, and of the processor's time that this process took."""
    return np.array([time.perf_counter(), time.process_time()])


def drawn(pairs: int) -> list[np.ndarray]:
    """Pictures of blocks, (200, 200, 3) uint8; those of a pair have half of their colour in common."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (pairs, 10, 10, 3), dtype=np.uint8).repeat(2, 0)
    fine = rng.integers(0, 256, coarse.shape, dtype=np.uint8)
    return list((coarse // 2 + fine // 2).repeat(20, 1).repeat(20, 2))


if __name__ == "__main__":
    if sys.argv[1] == "--keras":
        keras_side(sys.argv[2])
    else:
        main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5)
