"""How long learning takes once the features are there: closed form, correction, proof; and what memory it needs.

    LOOKALIKE_DATA=... python benchmarks/lens_speed.py [--rounds N] [--memory]

3,000 emoji (750 signs in four designs) x 3,488 features. The ratios are to one pass of embedding the same pictures and
to the closed form, all of one run: medians of N rounds (3), embedding and proof of one. CPU seconds stand beside the
wall's, as the machine may be busy. --memory: peak memory of a process that holds 100,000 x 3,488 float16 features
(563 MB of it) and learns a lens with its correction from them.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from held_out import corrected, learn, weighted

from lookalike import Backbone
from lookalike.images.scan import scan_folder
from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.evaluation.prove import prove_labelled
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.learning.training import LowRankTrainer

LARGE, F = 100_000, 3488


def timed(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds by the wall and of CPU."""
    found = []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        found.append((time.perf_counter() - wall, time.process_time() - cpu))
    wall_s, cpu_s = np.median(found, axis=0)
    return float(wall_s), float(cpu_s)


def main() -> None:
    if not os.environ.get("LOOKALIKE_DATA"):
        print("Set LOOKALIKE_DATA to the folder of the real pictures.")
        sys.exit(0)
    rounds = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else 3
    found = scan_folder(Path(os.environ["LOOKALIKE_DATA"]) / "emoji").files
    sign = np.unique([Path(one.file).stem for one in found], return_inverse=True)[1]
    paths, group = [one.path for one, at in zip(found, sign, strict=True) if at < 750], sign[sign < 750]
    side = np.unique([path.parent.name for path in paths], return_inverse=True)[1]
    backbone = Backbone()
    backbone.embed(paths[:64])
    kept: list[np.ndarray] = []
    embedding = timed(lambda: kept.append(backbone.embed(paths)), 1)
    x = kept[0]
    closed, both = ClosedFormTrainer(), corrected()
    data = weighted(LabelledFeatures.create(x, group, domains=side))
    cases = {
        "closed form": lambda: closed.fit(data),
        "with the correction, first in a process": lambda: both.fit(data),
        "with the correction": lambda: both.fit(data),
        "the same and its proof": lambda: (
            prove_labelled(data, closed, LowRankTrainer()),
            both.fit(data),
        ),
    }
    print(f"{len(x):,} x {x.shape[1]:,} {x.dtype}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    print(f"{'':42}{'wall s':>8}{'CPU s':>8}{'of embedding':>14}{'of closed form':>16}")
    print(f"{'one pass of embedding':42}{embedding[0]:8.2f}{embedding[1]:8.2f}{1:14.2f}")
    base = (0.0, 0.0)
    for name, work in cases.items():
        wall, cpu = timed(work, 1 if "first" in name or "proof" in name else rounds)
        base = (wall, cpu) if name == "closed form" else base
        print(f"{name:42}{wall:8.2f}{cpu:8.2f}{wall / embedding[0]:14.2f}{wall / base[0]:16.1f}", flush=True)
    print(f"load {os.getloadavg()[0]:.1f}")


def large() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(LARGE // 4), 4)
    x = np.empty((LARGE, F), np.float16)
    for at in range(0, LARGE, 2000):
        middle = np.repeat(rng.standard_normal((500, F), np.float32), 4, axis=0)
        x[at : at + 2000] = (middle + rng.standard_normal((2000, F), np.float32)) / 75
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    wall, cpu = timed(lambda: learn(corrected(), x, group), 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{LARGE:,} pictures: {wall:.1f} s ({cpu:.1f} of CPU); peak memory {peak:.2f} GB, {before:.2f} before learning"
    )


if __name__ == "__main__":
    if "--memory-here" in sys.argv:
        large()
    elif "--memory" in sys.argv:
        subprocess.run([sys.executable, __file__, "--memory-here"], check=True)
    else:
        main()
