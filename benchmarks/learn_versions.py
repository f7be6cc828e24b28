"""What `learn` takes under two versions of the package: whole processes in turns, by the clock and of processor time.

    LOOKALIKE_DATA=... python benchmarks/learn_versions.py OLD/src src [--set grocery] [--rounds 3] [--options --quick]

The set is copied and indexed once, by the newer version. Each run learns from all of it, with its proof, in a copy of
the collection that has learned nothing yet. The order turns from round to round. The ratio is newer / older, the median
over the rounds; the least of each side is given too: what disturbs only adds.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from nine_tasks import data


def lookalike(source: Path, *words: str) -> tuple[float, float]:
    """Run the command under one version; seconds by the clock, and of processor time."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(source.resolve())}
    ran = subprocess.run([sys.executable, "-m", "lookalike", *words], env=environment, capture_output=True, text=True)
    if ran.returncode:
        sys.exit(f"lookalike {' '.join(words)} failed: {ran.stderr.strip().splitlines()[-1]}")
    clock, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", type=Path, nargs=2, help="folders to import lookalike from: the older, the newer")
    parser.add_argument("--set", default="grocery")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--options", nargs=argparse.REMAINDER, default=[], help="further words for learn; stands last")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pictures, state = Path(folder) / asked.set, Path(folder) / "learned-nothing"
        shutil.copytree(data() / asked.set, pictures)
        lookalike(asked.versions[1], "index", str(pictures))
        (pictures / ".lookalike").rename(state)
        found: list[list[tuple[float, float]]] = [[], []]
        for turn in range(asked.rounds):
            for side in (0, 1) if turn % 2 else (1, 0):
                shutil.rmtree(pictures / ".lookalike", ignore_errors=True)
                shutil.copytree(state, pictures / ".lookalike")
                took = lookalike(asked.versions[side], "learn", str(pictures), "--from", str(pictures), *asked.options)
                found[side].append(took)
                name = ("older", "newer")[side]
                print(f"{name}: {took[0]:.1f} s, {took[1]:.1f} s of processor time, load {os.getloadavg()[0]:.1f}")
                sys.stdout.flush()
    older, newer = np.array(found)
    for at, what in enumerate(("by the clock", "of processor time")):
        ratio = newer[:, at] / older[:, at]
        print(
            f"{what}: {np.median(newer[:, at]):.1f} s, before {np.median(older[:, at]):.1f} s; ratio "
            f"{np.median(ratio):.3f} ({ratio.min():.3f} to {ratio.max():.3f}), of the least "
            f"{newer[:, at].min() / older[:, at].min():.3f}"
        )


if __name__ == "__main__":
    main()
