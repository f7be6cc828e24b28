"""FaceNet's triplet loss as the correction's loss, beside the softmax: recall@1 on groups that were held out.

    LOOKALIKE_DATA=... python benchmarks/losses.py

Every loss corrects the same closed forms, with the defaults of `Settings` but for its name. emoji: 250 held-out signs,
mean of 12 directions; omniglot: two of ten alphabets held out. What is printed last is the difference to the softmax,
mean and standard error over five splits.
"""

import numpy as np
import torch
from held_out import emoji, omniglot

from lookalike.learning import whiten
from lookalike.learning.training import LowRankConfig, TrainConfig, correct

LOSSES = ("softmax", "triplet", "soft-margin")


def main() -> None:
    for make in (emoji, omniglot):
        splits = make(range(5))
        found: dict[str, list[float]] = {}
        for seed, split in enumerate(splits):
            x, group, side = split.examples()
            lens = whiten(x, group)
            lenses = {"closed form": lens}
            for loss in LOSSES:
                config = LowRankConfig(TrainConfig(loss=loss))
                lenses[loss] = correct(lens, x, group, domains=side, config=config, seed=seed)
            for name, one in lenses.items():
                found.setdefault(name, []).append(split.recall(one.apply(split.features)))
        print(f"{make.__name__}, {len(splits)} splits, {torch.get_num_threads()} threads")
        for name, values in found.items():
            less = np.array(values) - found["softmax"]
            error = less.std(ddof=1) / np.sqrt(len(less))
            print(
                f"  {name:12} {np.mean(values):.4f} (spread {np.std(values, ddof=1):.4f}); "
                f"to the softmax {less.mean():+.4f}, standard error {error:.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
