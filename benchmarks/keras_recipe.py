"""The Keras example's recipe on emoji pairs: both losses of each epoch, and what it is worth beside plain and a lens.

    LOOKALIKE_DATA=... OMP_NUM_THREADS=1 python benchmarks/keras_recipe.py [EPOCHS] [FOLDER]

1,000 signs in two designs, noto and twemoji: pairs, as the tutorial has them. 250 signs are held out (seed 0): they never
meet the recipe, and either design of theirs asks the other one. From the other 750 pairs the recipe learns with its own
80/20 split, on the default backbone, the only one whose pretrained weights come without a download; the lens learns
from the same 750. The folder keeps activations and the checkpoint, from which a second run goes on.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from held_out import HeldOut, emoji

from lookalike import Backbone
from lookalike.finding import walk
from lookalike.learn.recipe import recipe
from lookalike.lens import unit
from lookalike.siamese import KerasSiamese, RecipeSettings, correct


DESIGNS = ("noto", "twemoji")


def pairs(split: HeldOut, designs: set[Path], files: list[Path]) -> HeldOut:
    """The same split of two of the designs."""
    there = np.array([file.parent in designs for file in files])
    asked = [(queries, gallery) for queries, gallery in split.asked if there[queries].all() and there[gallery].all()]
    return HeldOut(split.features, split.group, split.side, split.learned[there[split.learned]], asked)


def main(epochs: int, folder: Path) -> None:
    """Learn, and print."""
    files = [one.path for one in walk(Path(os.environ["LOOKALIKE_DATA"]) / "emoji").found]
    split = pairs(emoji(range(1))[0], {files[0].parents[1] / name for name in DESIGNS}, files)
    learned = [files[row] for row in split.learned]
    _, group, side = split.examples()
    mine = KerasSiamese(
        Backbone().bundle, learned, group, side=side, run=folder / "run", settings=RecipeSettings(epochs=epochs)
    )
    print(mine.cost(), flush=True)
    began = time.perf_counter()
    for done, of in mine.cache():
        if done == of:
            print(f"cached in {time.perf_counter() - began:.0f} s", flush=True)
    began = time.perf_counter()
    for one in mine.epochs():
        print(
            f"epoch {one.epoch:2}: loss {one.loss:.4f}, validation {one.validation:.4f}, {one.rate:.0f} pictures a "
            f"second, {one.remaining_s:.0f} s left",
            flush=True,
        )
    print(f"learned in {time.perf_counter() - began:.0f} s")
    tuned = Backbone(mine.bundle(Path(tempfile.mkdtemp(dir=folder)) / "bundle"))
    x, of_whom, side = split.examples()
    lens = correct(recipe()(x, of_whom, side, None), x, of_whom, side=side)
    print(f"{len(group) // 2} pairs learned from, {len(split.asked)} directions of {len(split.asked[0][0])} queries each")
    ways = {"plain": unit(split.features), "lens": lens.apply(split.features), "recipe": tuned.embed(files)}
    for name, embedding in ways.items():
        print(f"{name:7} recall@1 {split.recall(embedding):.4f}")
    print(f"{time.strftime('%Y-%m-%d')}, seed 0, {os.environ.get('OMP_NUM_THREADS')} threads, load {os.getloadavg()[0]}")


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 40,
        Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.mkdtemp()),
    )
