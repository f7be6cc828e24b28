"""Backbones that learn: plain search, the lens, and the lens learned anew on the tuned backbone, on held-out queries.

    LOOKALIKE_DATA=... python benchmarks/deep.py --only "grocery, known" --layer blocks.15 [--seeds 3]

The tasks are those of nine_tasks.py, split by the same seeds; blocks.15 is the fast setting (the last block), blocks.12
the thorough one (the last four). recall@1 in percent. "Kept" counts the pictures alone that asked nothing while
settings were chosen. --development chooses: other seeds, and only the first half of the pictures asks.
--set NAME=VALUE overrides a setting. --speed compares the cache with none instead.
"""

import argparse
import resource
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

import nine_tasks
import numpy as np
from lens_quality import kept_back, plain
from nine_tasks import NINE, Pictures, Split, recall

from lookalike import Backbone
from lookalike.learn.recipe import recipe
from lookalike.siamese import DeepSettings, Unfreezing, correct


def lens_on(features: np.ndarray, p: Pictures, split: Split, seed: int) -> np.ndarray:
    side = None if p.side is None else p.side[split.learned]
    learn = recipe(partial(correct, seed=seed))
    return learn(features[split.learned], p.group[split.learned], side, None).apply(features, p.side)


def tuned(p: Pictures, split: Split, layer: str, settings: DeepSettings, seed: int) -> tuple[np.ndarray, str]:
    """The features of all pictures by the tuned backbone, and what it took."""
    folder = Path(mkdtemp(prefix="lookalike-deep-"))
    try:
        started = time.perf_counter()
        unfreezing = Unfreezing(
            Backbone().bundle,
            [p.paths[i] for i in split.learned],
            p.group[split.learned],
            side=None if p.side is None else p.side[split.learned],
            layer=layer,
            run=folder / "run",
            settings=settings,
            seed=seed,
        )
        for _ in unfreezing.cache():
            pass
        cached = time.perf_counter()
        reports = list(unfreezing.steps())
        learned = time.perf_counter()
        bundle = unfreezing.bundle(folder / "tuned")
        written = time.perf_counter()
        features = Backbone(bundle).embed(p.paths)
        embedded = time.perf_counter()
    finally:
        shutil.rmtree(folder)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return features, (
        f"caching {cached - started:.0f} s and {unfreezing.activations.mb:.0f} MB, {len(reports)} steps "
        f"{learned - cached:.0f} s ({reports[-1].rate:.0f} pictures a second), writing {written - learned:.0f} s, "
        f"embedding {len(p.paths)} anew {embedded - written:.0f} s; {memory:.0f} MB of memory at most"
    )


def splits(p: Pictures, task: nine_tasks.Task, development: bool, seeds: int) -> Iterator[tuple[int, Split]]:
    if development:
        yield from enumerate(nine_tasks.development_splits(p, task, nine_tasks.DEVELOPMENT[:seeds]))
    else:
        for seed in nine_tasks.REPORTED[:seeds]:
            yield seed, task.split(p, seed)


def setting(text: str) -> tuple[str, object]:
    name, _, value = text.partition("=")
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            pass
    return name, {"True": True, "False": False, "None": None}.get(value, value)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", default="", help="tasks whose name holds this")
    arguments.add_argument("--layer", default="blocks.15")
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--development", action="store_true")
    arguments.add_argument("--set", action="append", default=[])
    asked = arguments.parse_args()
    settings = replace(DeepSettings(), **dict(map(setting, asked.set)))
    for task in NINE:
        if asked.only not in task.name:
            continue
        p = Pictures(task.pictures)
        found: dict[str, list[float]] = {"plain": [], "lens": [], "tuned": [], "deep": [], "lens, kept": [], "kept": []}
        for seed, split in splits(p, task, asked.development, asked.seeds):
            features, took = tuned(p, split, asked.layer, settings, seed)
            lens, deep = lens_on(p.features, p, split, seed), lens_on(features, p, split, seed)
            found["plain"].append(recall(plain(p, split, seed), p.group, split))
            found["lens"].append(recall(lens, p.group, split))
            found["tuned"].append(recall(features, p.group, split))
            found["deep"].append(recall(deep, p.group, split))
            if not asked.development:
                found["lens, kept"].append(recall(lens, p.group, kept_back(p, split)))
                found["kept"].append(recall(deep, p.group, kept_back(p, split)))
            now = ", ".join(f"{name} {100 * values[-1]:.1f}" for name, values in found.items() if values)
            print(f"{task.name}, {asked.layer}, seed {seed}: {now}; {took}", flush=True)
        means = ", ".join(f"{k} {100 * np.mean(v):.1f} ± {100 * np.std(v):.1f}" for k, v in found.items() if v)
        print(f"{task.name}, {asked.layer} {' '.join(asked.set)}: {means}", flush=True)


if __name__ == "__main__":
    main()
