"""What the newer version of the default backbone costs beside the earlier one, in pairs, in processor time.

    LOOKALIKE_DATA=... OMP_NUM_THREADS=1 python benchmarks/two_versions.py [--pairs 10] [--pictures 96]

Each pair embeds the same photos (grocery, decoded anew) with one version and then the other, in turns first. The ratio
is of the processor time of the whole process, decoding included. The smallest of each side is given too: what disturbs
only adds.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from nine_tasks import data

from lookalike import Backbone
from lookalike.images.scan import scan_folder
from lookalike.models.registry import DEFAULT, earlier_bundle


def seconds(backbone: Backbone, paths: list[Path]) -> float:
    started = time.process_time()
    backbone.embed(paths)
    return time.process_time() - started


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--pairs", type=int, default=10)
    arguments.add_argument("--pictures", type=int, default=96)
    asked = arguments.parse_args()
    paths = [one.path for one in scan_folder(data() / "grocery").files][: asked.pictures]
    for precision in ("f32", None):
        sides = [Backbone(bundle, precision=precision) for bundle in (earlier_bundle(DEFAULT), DEFAULT)]
        if precision is None and sides[0].precision == "f32":
            break
        for one in sides:
            one.embed(paths[:16])  # compiled, and warm
        found = []
        for pair in range(asked.pairs):
            order = (0, 1) if pair % 2 else (1, 0)
            took = {side: seconds(sides[side], paths) for side in order}
            found.append((took[0], took[1]))
        before, after = np.array(found).T
        print(
            f"{sides[0].precision}: {asked.pictures} pictures, {asked.pairs} pairs: newer / earlier "
            f"{np.median(after / before):.3f} (median; quartiles {np.quantile(after / before, 0.25):.3f} to "
            f"{np.quantile(after / before, 0.75):.3f}), of the smallest {after.min() / before.min():.3f}; "
            f"{1000 * before.min() / asked.pictures:.2f} and {1000 * after.min() / asked.pictures:.2f} ms a picture"
        )


if __name__ == "__main__":
    main()
