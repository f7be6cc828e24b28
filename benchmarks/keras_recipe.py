"""The Keras example's recipe on emoji pairs: the losses of each epoch, and its worth beside plain, a lens and deep.

    LOOKALIKE_DATA=... OMP_NUM_THREADS=1 python benchmarks/keras_recipe.py [--epochs 40] [--pairs 750] [--run FOLDER]

1,000 signs in two designs, noto and twemoji: pairs, as the tutorial has them. 250 signs are held out (seed 0): they
never meet the recipe, and either design of theirs asks the other one. From --pairs of the other 750 the recipe learns
with its own 80/20 split, on the default backbone, the only one whose pretrained weights come without a download; the
lens and the deep tier (`--unfreeze blocks.15` with its defaults) learn from the same pairs. The folder keeps
activations and checkpoints, from which a second run goes on.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from held_out import corrected, learn

from lookalike import Backbone
from lookalike.learning.evaluation.metrics import recall_at_k
from lookalike.learning.finetuning import FineTuneConfig, KerasSiameseConfig, KerasSiameseFineTuner, LayerFineTuner
from lookalike.learning.training import TrainingLabels

DESIGNS = ("noto", "twemoji")
HELD_OUT = 250


def main(epochs: int, pairs: int, folder: Path) -> None:
    """Learn, and print."""
    data = Path(os.environ["LOOKALIKE_DATA"]) / "emoji"
    names = sorted(file.stem for file in (data / DESIGNS[0]).iterdir())
    drawn = np.random.default_rng(0).permutation(len(names))[: HELD_OUT + pairs]
    files = [next((data / design).glob(f"{names[sign]}.*")) for sign in drawn for design in DESIGNS]
    sign, design = np.divmod(np.arange(len(files)), 2)
    held, told = sign < HELD_OUT, np.flatnonzero(sign >= HELD_OUT)
    plain = Backbone().embed(files)
    mine = KerasSiameseFineTuner(
        Backbone().bundle,
        [files[row] for row in told],
        TrainingLabels.create(sign[told], domains=design[told]),
        KerasSiameseConfig(epochs=epochs),
        folder / "run",
    )
    print(mine.cost(), flush=True)
    began = time.perf_counter(), time.process_time()
    for _ in mine.fill_cache():
        pass
    print(f"cached in {time.perf_counter() - began[0]:.0f} s, {time.process_time() - began[1]:.0f} CPU s", flush=True)
    began = time.perf_counter(), time.process_time()
    told_epochs = 0
    for _ in mine.steps():
        if len(mine.history) == told_epochs:
            continue
        told_epochs, one = len(mine.history), mine.history[-1]
        print(
            f"epoch {one.epoch:2}: loss {one.loss:.4f}, validation {one.validation:.4f}, {one.rate:.0f} pictures a "
            f"second, {one.remaining_s:.0f} s left",
            flush=True,
        )
    print(f"learned in {time.perf_counter() - began[0]:.0f} s, {time.process_time() - began[1]:.0f} CPU s", flush=True)
    tuned = Backbone(mine.export(Path(tempfile.mkdtemp(dir=folder)) / "bundle"))
    lens = learn(corrected(), plain[told], sign[told], design[told])
    deep = LayerFineTuner(
        Backbone().bundle,
        [files[row] for row in told],
        TrainingLabels.create(sign[told], domains=design[told]),
        FineTuneConfig(layer="blocks.15"),
        folder / "deep",
    )
    for _ in deep.steps():
        pass
    deeper = Backbone(deep.export(Path(tempfile.mkdtemp(dir=folder)) / "bundle")).embed(files)
    ways = {
        "plain": plain[held],
        "lens": lens.apply(plain[held]),
        "deep": learn(corrected(), deeper[told], sign[told], design[told]).apply(deeper[held]),
        "recipe": tuned.embed(np.array(files)[held].tolist()),
    }
    print(f"{len(told) // 2} pairs learned from; {HELD_OUT} held-out signs, either design asks the other")
    for name, rows in ways.items():
        sides = rows[::2], rows[1::2]
        label = np.arange(HELD_OUT)
        found = [recall_at_k(asks, answers, label, label) for asks, answers in (sides, sides[::-1])]
        print(f"{name:7} recall@1 {np.mean(found):.4f}")
    threads, load = os.environ.get("OMP_NUM_THREADS"), os.getloadavg()[0]
    print(f"{time.strftime('%Y-%m-%d')}, seed 0, {threads} threads, load {load:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--pairs", type=int, default=750)
    parser.add_argument("--run", type=Path, default=None)
    given = parser.parse_args()
    main(given.epochs, given.pairs, given.run or Path(tempfile.mkdtemp()))
