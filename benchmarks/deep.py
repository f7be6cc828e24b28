"""Backbones that learn: plain search, lenses, and lenses learned anew on the tuned backbone, on held-out queries.

    LOOKALIKE_DATA=... python benchmarks/deep.py --only "grocery, known" --layer blocks.15 [--seeds 3]

The tasks are those of nine_tasks.py, split by the same seeds; blocks.15 is the fast setting (the last block), blocks.12
the thorough one (the last four). recall@1 in percent. "Kept" counts the pictures alone that asked nothing while
settings were chosen. --development chooses: other seeds, and only the first half of the pictures asks.
--set NAME=VALUE overrides a setting.
--speed compares the cache with none, --starts what the loss sees the features through.
"""

import argparse
import resource
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp

import nine_tasks
import numpy as np
import torch
from held_out import learn, weighted
from lens_quality import kept_back, plain
from nine_tasks import NINE, Pictures, Split, recall

from lookalike import Backbone
from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.closed_form.whitening import whiten
from lookalike.learning.finetuning import FineTuneConfig, LayerFineTuner, load_network
from lookalike.learning.finetuning.finetuner import ONE_BLOCK
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.learning.training import LowRankTrainer, TrainingLabels, batches, multi_positive_softmax


def lenses_on(features: np.ndarray, p: Pictures, split: Split, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """All pictures through the closed form, and through the corrected lens."""
    at, side = split.learned, None if p.side is None else p.side[split.learned]
    data = weighted(LabelledFeatures.create(features[at], p.group[at], domains=side))
    closed = ClosedFormTrainer().fit(data)
    return closed.apply(features), LowRankTrainer(seed=seed).fit(data, closed).apply(features)


def tuned(
    p: Pictures, split: Split, layer: str, config: FineTuneConfig, seed: int, keep: Path | None
) -> tuple[np.ndarray, str]:
    """The features of all pictures by the tuned backbone, and what it took."""
    folder = Path(mkdtemp(prefix="lookalike-deep-"))
    run = keep or folder / "run"
    (run / "checkpoint.safetensors").unlink(missing_ok=True)
    try:
        started = time.perf_counter()
        unfreezing = LayerFineTuner(
            Backbone().bundle,
            [p.paths[i] for i in split.learned],
            TrainingLabels.create(p.group[split.learned], domains=None if p.side is None else p.side[split.learned]),
            replace(config, layer=layer),
            run,
            seed,
        )
        for _ in unfreezing.fill_cache():
            pass
        cached = time.perf_counter()
        processor = time.process_time()
        reports = list(unfreezing.steps())
        learned, processor = time.perf_counter(), time.process_time() - processor
        bundle = unfreezing.export(folder / "tuned")
        written = time.perf_counter()
        features = Backbone(bundle).embed(p.paths)
        embedded = time.perf_counter()
    finally:
        shutil.rmtree(folder)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return features, (
        f"caching {cached - started:.0f} s and {unfreezing.activations.mb:.0f} MB, {len(reports)} steps "
        f"{learned - cached:.0f} s, {processor:.0f} of a processor ({reports[-1].rate:.0f} pictures a second), "
        f"writing {written - learned:.0f} s, "
        f"embedding {len(p.paths)} anew {embedded - written:.0f} s; {memory:.0f} MB of memory at most"
    )


def speed(layer: str, rows: int = 64, turns: int = 4) -> None:
    """Pictures a second of a processor's time that learn: by the cache, and with the front run anew each time."""
    network = load_network(Backbone().bundle)
    at = network.unfreeze(layer)
    bf16 = sum(x.numel() for x in network.trainable().values()) < ONE_BLOCK
    pixels = np.random.default_rng(0).integers(0, 256, (rows, 224, 224, 3), dtype=np.uint8)
    run = network.runner(at)
    activation, _, pooled = (np.asarray(x) if i == 0 else x for i, x in enumerate(run(pixels[:1])))
    given = torch.from_numpy(np.repeat(activation, rows, 0).astype(np.float16))
    depths = tuple(torch.from_numpy(np.repeat(np.asarray(x), rows, 0)) for x in pooled)

    def back(bf16: bool = bf16) -> None:
        x = given.float().contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            found = network.forward_trainable(x, depths, at)
        torch.autograd.backward([one.float().sum() for one in found if one.requires_grad])

    def by_openvino() -> None:
        for start in range(0, rows, 8):
            run(pixels[start : start + 8])
        back()

    def by_torch() -> None:
        with torch.no_grad():
            network.forward_frozen(torch.from_numpy(pixels), at)
        back()

    rates = {}
    ways = {
        "cache": back,
        f"cache in {'float32' if bf16 else 'bfloat16'}": lambda: back(not bf16),
        "front by OpenVINO": by_openvino,
        "front by torch": by_torch,
    }
    for name, way in ways.items():
        way()
        seconds = []
        for _ in range(turns):
            started = time.process_time()
            way()
            seconds.append(time.process_time() - started)
        rates[name] = rows / min(seconds)
    print(f"{layer}: " + ", ".join(f"{k} {v:.0f} ({rates['cache'] / v:.1f} times less)" for k, v in rates.items()))


def starts(name: str) -> None:
    """The loss before the first step, mean of six batches, by the closed form that it sees the features through."""
    p = Pictures(name)
    split = nine_tasks.grocery_known(p, 0) if name == "grocery" else nine_tasks.known_groups(p, 0)
    group = p.group[split.learned]
    per_group = 4 if name == "grocery" else 12
    for which, x in (("all depths", p.features[split.learned]), ("last depth", p.features[split.learned, :1280])):
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
        for how, lens in (("the lens's own", learn(ClosedFormTrainer(), x, group)), ("whitening", whiten(x, group))):
            z = torch.from_numpy(lens.apply(x))
            stream = batches(group, np.random.default_rng(0), rows=128, per_label=per_group)
            found = [
                float(multi_positive_softmax(z[one.rows], torch.from_numpy(one.labels), temperature=0.1))
                for one in islice(stream, 6)
            ]
            print(f"{name}, {which}, {how}: {np.mean(found):.2f}", flush=True)


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
    arguments.add_argument("--keep", type=Path, help="a folder in which activations are kept for the next run")
    arguments.add_argument("--set", action="append", default=[])
    arguments.add_argument("--starts", action="store_true", help="the loss before the first step, and nothing else")
    arguments.add_argument("--speed", action="store_true", help="the cache against no cache, and nothing else")
    asked = arguments.parse_args()
    if asked.speed:
        for layer in ("blocks.15", "blocks.12"):
            speed(layer)
        return
    if asked.starts:
        for name in ("grocery", "clothing"):
            starts(name)
        return
    settings = replace(FineTuneConfig(layer=asked.layer), **dict(map(setting, asked.set)))
    for task in NINE:
        if asked.only not in task.name:
            continue
        p = Pictures(task.pictures)
        found: defaultdict[str, list[float]] = defaultdict(list)
        for seed, split in splits(p, task, asked.development, asked.seeds):
            name = f"{task.name.replace(', ', '-')}-{asked.layer}-{seed}{'-development' if asked.development else ''}"
            keep = asked.keep / name if asked.keep else None
            features, took = tuned(p, split, asked.layer, settings, seed, keep)
            closed, lens = lenses_on(p.features, p, split, seed)
            deep_closed, deep = lenses_on(features, p, split, seed)
            ways = {"plain": plain(p, split, seed), "closed form": closed, "lens": lens, "tuned": features}
            for way, rows in (ways | {"deep, closed form": deep_closed, "deep": deep}).items():
                found[way].append(recall(rows, p.group, split))
            if not asked.development:
                found["lens, kept"].append(recall(lens, p.group, kept_back(p, split)))
                found["kept"].append(recall(deep, p.group, kept_back(p, split)))
            now = ", ".join(f"{name} {100 * values[-1]:.1f}" for name, values in found.items())
            print(f"{task.name}, {asked.layer}, seed {seed}: {now}; {took}", flush=True)
        means = ", ".join(f"{k} {100 * np.mean(v):.1f} ± {100 * np.std(v):.1f}" for k, v in found.items() if v)
        how = ", ".join([task.name, asked.layer, *asked.set])
        print(f"{how}: {means}", flush=True)


if __name__ == "__main__":
    main()
