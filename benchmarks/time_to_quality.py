"""How much sooner a lens is as good as the tutorial's head at its best, learned from the same features and examples.

    LOOKALIKE_DATA=... OMP_NUM_THREADS=1 python benchmarks/time_to_quality.py [--rate 8.7] [emoji|grocery]

The head and its recipe (`tutorial_head`, `TUTORIAL`) learn 40 epochs from all 3,488 features; an epoch shows as many
pictures as there are. Its recall@1 on the held-out queries is looked at after every epoch, outside the clock, and its
best epoch is picked by that very recall, in its favour. Then the closed form and the correction are timed until they
pass it. The second ratio is to the tutorial itself, backbone and all: 40 epochs with a triplet for every two pictures,
at --rate triplets a second, what the Keras example's own step (ResNet50 from conv5_block1_out on, 200 px) was measured
at on a machine of this kind. emoji: 250 held-out signs, mean of 12 directions; grocery: val_* ask train_*. Seconds by
the wall, CPU seconds in brackets.
"""

import sys
import time
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from held_out import HeldOut, corrected, emoji, grocery, learn

from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.training import KERAS_EXAMPLE, TrainingLabels, Validation, keras_example_head, train

EPOCHS = 40


@dataclass
class Clock:
    """Wall and CPU seconds, but for what happens between `stop` and `go`."""

    spent: np.ndarray = field(default_factory=lambda: np.zeros(2))

    def go(self) -> None:
        self.since = np.array([time.perf_counter(), time.process_time()])

    def stop(self) -> np.ndarray:
        self.spent = self.spent + np.array([time.perf_counter(), time.process_time()]) - self.since
        return self.spent


def head(split: HeldOut) -> tuple[list[float], list[np.ndarray]]:
    """Recall before learning and after each epoch, and the seconds until then."""
    x, group, side = split.examples()
    network, clock, everyone = keras_example_head(x.shape[1]), Clock(), torch.from_numpy(split.features)
    recalls, seconds = [], []

    def validate(network: torch.nn.Module) -> float:
        seconds.append(clock.stop())
        recalls.append(split.recall(network(everyone).numpy()))
        clock.go()
        return recalls[-1]

    epoch = round(len(x) / (KERAS_EXAMPLE.rows or 32))
    data, config = TrainingLabels.create(group, domains=side), replace(KERAS_EXAMPLE, steps=EPOCHS * epoch)
    clock.go()
    for _ in train(network, x, data, config, validation=Validation(validate, epoch)):
        pass
    return recalls, seconds


def main() -> None:
    rate = float(sys.argv[sys.argv.index("--rate") + 1]) if "--rate" in sys.argv else 8.7
    print(f"{torch.get_num_threads()} threads")
    tasks = {"grocery": grocery, "emoji": lambda: emoji(range(1))[0]}
    for task in [name for name in sys.argv[1:] if name in tasks] or tasks:
        split = tasks[task]()
        x, group, side = split.examples()
        recalls, seconds = head(split)
        best = int(np.argmax(recalls))
        tutorial_s = EPOCHS * (len(x) // 2) / rate
        print(
            f"{task}: {len(x):,} pictures. Head: {recalls[0]:.3f} untaught, best {recalls[best]:.3f} after epoch "
            f"{best}, {seconds[best][0]:.1f} s ({seconds[best][1]:.1f}); all {EPOCHS}: {recalls[-1]:.3f}, "
            f"{seconds[-1][0]:.1f} s ({seconds[-1][1]:.1f}). The whole tutorial: {tutorial_s:,.0f} s"
        )
        for name, trainer in {"closed form": ClosedFormTrainer(), "with the correction": corrected()}.items():
            rounds = []
            for _ in range(3):
                clock = Clock()
                clock.go()
                lens = learn(trainer, x, group, side)
                rounds.append(clock.stop())
            wall, cpu = np.median(rounds, axis=0)
            reached = split.recall(lens.apply(split.features))
            passes = "passes" if reached > recalls[best] else "stays below"
            ratios = f"{seconds[best][0] / wall:.0f} times ({seconds[best][1] / cpu:.0f}) sooner than the head"
            print(
                f"  {name:20} {reached:.3f}, {wall:.2f} s ({cpu:.2f}): {passes}, {ratios}, "
                f"{tutorial_s / wall:,.0f} times ({tutorial_s / cpu:,.0f}) sooner than the tutorial",
                flush=True,
            )


if __name__ == "__main__":
    main()
