"""How many examples are enough: recall@1 on held-out kinds against the number of groups that were learned from.

    LOOKALIKE_DATA=... python benchmarks/how_many_examples.py [--seeds 3] [--quick] [--draw docs/how-many.png]

Four of the nine tasks (nine_tasks.py), whose queries are of groups that are never learned. A group is a sign in four
designs, a pair of look-alikes, a character in 20 drawings, a class of 15 photos. Each seed is another split and another
draw of groups; the groups of a smaller number are among those of a larger one. --quick: the closed form alone.
"""

import argparse
from pathlib import Path

import numpy as np
from held_out import corrected, learn
from nine_tasks import NINE, Pictures, Split, recall

from lookalike.drawing.line_chart import line_chart
from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.labelled_features import Trainer

SHOWN = {
    "emoji, new": "signs",
    "look-alikes": "look-alikes",
    "omniglot, new": "characters",
    "caltech101, new": "photos of things",
}
COUNTS = (5, 10, 20, 50, 100, 200, 400, 1000)


def fewer(p: Pictures, split: Split, count: int, seed: int) -> np.ndarray:
    """The rows of so many groups that may be learned from."""
    groups = np.random.default_rng(seed).permutation(np.unique(p.group[split.learned]))[:count]
    return split.learned[np.isin(p.group[split.learned], groups)]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--draw", type=Path, help="the picture of what is gained over plain")
    asked = arguments.parse_args()
    gained: dict[str, tuple[list[float], list[float]]] = {}
    print(f"{'recall@1 in %':18} {'groups':>7} {'pictures':>9} {'plain':>13} {'lens':>13} {'of plain':>9}")
    for task in NINE:
        if task.name not in SHOWN:
            continue
        p = Pictures(task.pictures)
        splits = [task.split(p, seed) for seed in range(asked.seeds)]
        plain = [recall(p.last, p.group, split) for split in splits]
        least = min(len(np.unique(p.group[split.learned])) for split in splits)
        for count in [*(n for n in COUNTS if n < least), least]:
            found, pictures = [], 0
            for seed, split in enumerate(splits):
                rows = fewer(p, split, count, seed)
                side = None if p.side is None else p.side[rows]
                lens = learn(way(asked.quick, seed), p.features[rows], p.group[rows], side)
                found.append(recall(lens.apply(p.features), p.group, split))
                pictures = len(rows)
            cells = (f"{100 * np.mean(v):7.1f} ±{100 * np.std(v):4.1f}" for v in (plain, found))
            ratio = np.mean(found) / np.mean(plain)
            across, up = gained.setdefault(SHOWN[task.name], ([], []))
            across.append(count)
            up.append(100 * float(np.mean(found) - np.mean(plain)))
            print(f"{task.name:18} {count:7} {pictures:9}", *cells, f"{ratio:9.2f}", flush=True)
    if asked.draw:
        title = "What more examples bring, in points of recall@1 above plain search"
        line_chart(gained, title=title, x="groups learned from", y="points", by_powers=True).save(asked.draw)


def way(quick: bool, seed: int) -> Trainer:
    return ClosedFormTrainer() if quick else corrected(seed)


if __name__ == "__main__":
    main()
