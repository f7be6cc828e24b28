"""What a search through a lens costs beside one without, in turns, in processor time.

    LOOKALIKE_DATA=... OMP_NUM_THREADS=1 python benchmarks/lens_search.py [--pictures 300] [--rounds 30]

Asks with pictures of the collection, so that no network runs. "reading the lens" is what each search would add if the
lens were read from its files every time.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from server import real_pictures

from lookalike import Collection
from lookalike.models.lens import Lens


def spent_ms(act: Callable[[], object]) -> float:
    started = time.process_time()
    act()
    return 1000 * (time.process_time() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = real_pictures(Path(name) / "photos", asked.pictures)
        # The lens from the pictures alone is learned by the way.
        subprocess.run([sys.executable, "-m", "lookalike", "index", str(folder)], check=True, capture_output=True)
        photos = Collection(folder)
        lens = photos.lenses()[0]["name"]
        files = [one.file for one in photos.pictures().page(limit=asked.rounds).pictures]
        acts: dict[str, Callable[[str], object]] = {
            "without a lens": lambda file: photos.search(file, 60, lens="plain"),
            "through a lens": lambda file: photos.search(file, 60, lens=lens),
            "reading the lens": lambda _: Lens.load(photos.home.lens(lens)).fingerprint,
        }
        for act in acts.values():
            act(files[0])
        found = {what: [] for what in acts}
        for file in files:
            for what, act in acts.items():
                found[what].append(spent_ms(lambda act=act, file=file: act(file)))
        plain = np.median(found["without a lens"])
        for what, times in found.items():
            low, high = np.quantile(times, [0.25, 0.75])
            middle = np.median(times)
            print(f"{what}: {middle:.1f} ms ({low:.1f} to {high:.1f}), {middle / plain:.2f} of a search without one")


if __name__ == "__main__":
    main()
