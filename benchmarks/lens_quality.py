"""How good lenses are: plain search, the tutorial's head, the closed form and the whole recipe on the nine tasks.

    LOOKALIKE_DATA=... python benchmarks/lens_quality.py [--quick] [--seeds 5] [--only WORD] [--no-tutorial]

recall@1 of held-out queries in percent, mean and standard deviation over seeds (folds, where a task has five). A task
with one split, grocery's known classes, repeats only what is learned by chance. --quick leaves out what needs torch.
"To closed form" is the difference of the last column to it, seed by seed.
"Kept for the report" counts the pictures alone that asked nothing while settings were chosen (nine_tasks.py).
Features are kept in a folder, LOOKALIKE_BENCH, so that a second run embeds nothing.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

import nine_tasks
import numpy as np
from held_out import weighted
from nine_tasks import NINE, Asked, Pictures, Split, recall

from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.models.lens import Lens

EPOCHS = 10  # of the public example
Embedding = np.ndarray


def tutorial(p: Pictures, split: Split, seed: int) -> Embedding:
    """The tutorial's head and settings on the same features, after the public example's ten epochs."""
    import torch

    from lookalike.learning.training import KERAS_EXAMPLE, TrainingLabels, keras_example_head, train

    head = keras_example_head(p.features.shape[1], seed=seed)
    steps = EPOCHS * max(1, len(split.learned) // (KERAS_EXAMPLE.rows or 32))
    labels, config = TrainingLabels.create(p.group[split.learned]), replace(KERAS_EXAMPLE, steps=steps)
    for _ in train(head, p.features[split.learned], labels, config, seed=seed):
        pass
    with torch.no_grad():
        return torch.nn.functional.normalize(head(torch.from_numpy(p.features))).numpy()


def closed(p: Pictures, split: Split, seed: int) -> Embedding:
    return _asked(p, split, _closed_form(p, split)[1])


def whole(p: Pictures, split: Split, seed: int) -> Embedding:
    """The correction goes on from the closed form that was learned for the column before."""
    from lookalike.learning.training import LowRankTrainer

    data, lens = _closed_form(p, split)
    return _asked(p, split, LowRankTrainer(seed=seed).fit(data, lens))


_last: list[tuple[str, bytes, LabelledFeatures, Lens]] = []  # a task with one split learns it once


def _closed_form(p: Pictures, split: Split) -> tuple[LabelledFeatures, Lens]:
    key = p.name, split.learned.tobytes()
    if not _last or _last[0][:2] != key:
        at, side = split.learned, None if p.side is None else p.side[split.learned]
        data = weighted(LabelledFeatures.create(p.features[at], p.group[at], domains=side))
        _last[:] = [(*key, data, ClosedFormTrainer().fit(data))]
    return _last[0][2:]


def _asked(p: Pictures, split: Split, lens: Lens) -> Embedding:
    """The embedding of what asks and answers; the other rows are 0 and must not be asked."""
    rows = np.unique(np.concatenate([part for one in split.asked for part in (one.queries, one.gallery)]))
    if p.name == "totally_looks_like":  # is asked among all as well
        rows = np.arange(len(p.features))
    found = np.zeros((len(p.features), lens.dims), np.float32)
    found[rows] = lens.apply(p.features[rows])
    return found


def plain(p: Pictures, split: Split, seed: int) -> Embedding:
    return p.last


def stored(p: Pictures, split: Split, seed: int) -> Embedding:
    return p.features


def kept_back(p: Pictures, split: Split) -> Split:
    return Split(split.learned, [Asked(one.queries[~p.development[one.queries]], one.gallery) for one in split.asked])


def shown(values: list[float]) -> str:
    return f"{100 * np.mean(values):6.1f} ±{100 * np.std(values):4.1f}"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--only", default="", help="tasks whose name holds this")
    arguments.add_argument("--no-tutorial", action="store_true")
    asked = arguments.parse_args()

    ways: dict[str, Callable[[Pictures, Split, int], Embedding]] = {"plain": plain, "as stored": stored}
    if not (asked.quick or asked.no_tutorial):
        ways["tutorial head"] = tutorial
    ways["closed form"] = closed
    if not asked.quick:
        ways["recipe"] = whole
    print(f"{'':20}", *(f"{name:>13}" for name in ways), "   of plain  kept for the report  to closed form", flush=True)
    ratios = defaultdict(list)
    extra: list[str] = []
    sets: dict[str, Pictures] = {}
    seconds: dict[str, list[float]] = defaultdict(list)
    for task in NINE:
        if asked.only not in task.name:
            continue
        p = sets.setdefault(task.pictures, Pictures(task.pictures))
        found, back = defaultdict(list), []
        at_10, among_all = defaultdict(list), defaultdict(list)
        for seed in nine_tasks.REPORTED[: asked.seeds]:
            split = task.split(p, seed)
            for name, way in ways.items():
                started = time.perf_counter()
                embedding = way(p, split, seed)
                seconds[name].append(time.perf_counter() - started)
                found[name].append(recall(embedding, p.group, split))
                if name == list(ways)[-1]:
                    back.append(recall(embedding, p.group, kept_back(p, split)))
                if task.name == "look-alikes":
                    at_10[name].append(recall(embedding, p.group, split, k=10))
                    everyone = nine_tasks.look_alikes_among_all(p, seed)
                    among_all[name].append(recall(embedding, p.group, everyone))
        means = {name: float(np.mean(values)) for name, values in found.items()}
        for name in ways:
            ratios[name].append(means[name] / means["plain"])
        last = list(ways)[-1]
        cells = (f"{shown(found[name]):>13}" for name in ways)
        gain = [b - a for a, b in zip(found["closed form"], found[last], strict=True)]
        about = f"{means[last] / means['plain']:11.3f} {shown(back):>20} {shown(gain):>16}"
        print(f"{task.name:20}", *cells, about, flush=True)
        for word, values in (("recall@10", at_10), ("among all 1,200", among_all)):
            if values:
                extra.append(f"{'  ' + word:20} " + " ".join(f"{shown(values[name]):>13}" for name in ways))
    print(f"{'of plain, mean':20}", *(f"{np.mean(ratios[name]):13.3f}" for name in ways), flush=True)
    print("\nlook-alikes", *extra, sep="\n")

    print("\nseconds a split, median:", ", ".join(f"{name} {np.median(v):.1f}" for name, v in seconds.items()))


if __name__ == "__main__":
    main()
