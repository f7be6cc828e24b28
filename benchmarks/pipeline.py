"""Files to features, against what decoding alone and inference alone would allow.

    LOOKALIKE_DATA=... python benchmarks/pipeline.py [--pictures 400] [--rounds 5] [--tune]

On cores that share both works the best possible rate is 1 / (1 / decoding + 1 / inference): every second of a core
goes to one or the other. Each round measures decoding alone (all threads), inference alone (pixels already decoded,
the same requests in flight), and the whole way, one right after the other; the share is the whole way over the best
possible one, median and range over rounds. Also: seconds from weights to a bundle (first use), and to the first
features. --tune measures batch sizes and requests in flight instead.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from lookalike.images.decode import DecodedImage, decode_square
from lookalike.models.backbone import Backbone, has_bf16
from lookalike.models.efficientnet import build_bundle


def rate(n: int, work: Callable[[], object]) -> float:
    """Pictures a second."""
    started = time.perf_counter()
    work()
    return n / (time.perf_counter() - started)


def measure(backbone: Backbone, contents: list[bytes], rounds: int) -> None:
    """One line: decoding, inference, the whole way, and its share of what is possible."""
    side = backbone.bundle.side_px

    def decode() -> list[DecodedImage]:
        with ThreadPoolExecutor(backbone.threads) as pool:
            return list(pool.map(lambda one: decode_square(one, side), contents))

    ready = decode()
    list(backbone.pipeline(ready[:40], lambda one: one))
    rows = []
    for _ in range(rounds):
        decoding = rate(len(contents), decode)
        inference = rate(len(contents), lambda: list(backbone.pipeline(ready, lambda one: one)))
        whole = rate(len(contents), lambda: list(backbone.pipeline(contents, lambda one: decode_square(one, side))))
        rows.append((decoding, inference, whole, whole * (1 / decoding + 1 / inference)))
    middle = [statistics.median(column) for column in zip(*rows, strict=True)]
    shares = sorted(row[3] for row in rows)
    print(
        f"batch {backbone.engine.batch:3} in flight {backbone.engine.in_flight}: "
        f"decoding {middle[0]:7.0f}/s  inference {middle[1]:6.0f}/s"
        f"  whole {middle[2]:6.0f}/s  share {middle[3]:.2f} ({shares[0]:.2f} to {shares[-1]:.2f})",
        flush=True,
    )


def tune(backbone: Backbone, contents: list[bytes], rounds: int) -> None:
    """A line for each batch size: processor time of a decoded picture, and its ratio to batches of 8."""
    ready = [decode_square(one, backbone.bundle.side_px) for one in contents]
    print(f"{backbone.name}, {backbone.precision}, load {os.getloadavg()[0]:.0f}")
    engine, sizes = backbone.engine, [1, 2, 4, 8, 16, 32]
    took: dict[int, list[float]] = {size: [] for size in sizes}
    for turn in range(-1, rounds):  # one to compile and warm up
        for engine.batch in sizes if turn % 2 else sizes[::-1]:
            started = time.process_time()
            list(backbone.pipeline(ready, lambda one: one))
            if turn >= 0:
                took[engine.batch].append((time.process_time() - started) / len(ready) * 1000)
    for size, milliseconds in took.items():
        ratios = np.quantile(np.array(milliseconds) / took[8], [0.25, 0.5, 0.75])
        print(
            f"batch {size:2}: {np.median(milliseconds):6.2f} ms, least {min(milliseconds):6.2f}, "
            f"ratio {ratios[1]:.3f} ({ratios[0]:.3f} to {ratios[2]:.3f})",
            flush=True,
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tune", action="store_true")
    asked = parser.parse_args()
    if not os.environ.get("LOOKALIKE_DATA"):
        print("Set LOOKALIKE_DATA to the folder of the real pictures.")
        return
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        build_bundle("efficientnet-lite0", Path(folder))
        print(f"from the package's weights to a bundle: {time.perf_counter() - started:.2f} s (bound 2)")
    photos = sorted((Path(os.environ["LOOKALIKE_DATA"]) / "grocery").rglob("*.jpg"))
    some = np.random.default_rng(0).permutation(len(photos))[: asked.pictures]
    contents = [photos[i].read_bytes() for i in some]
    if asked.tune:
        for precision in ("bf16", "f32") if has_bf16() else ("f32",):
            tune(Backbone(threads=1, precision=precision), contents, asked.rounds)
        return
    started = time.perf_counter()
    backbone = Backbone()
    backbone.embed(contents[:1])
    print(f"from the bundle to the first features: {time.perf_counter() - started:.2f} s")
    print(f"{backbone.name}, {backbone.precision}, {backbone.threads} threads, {len(contents)} photos of 224 px")
    measure(backbone, contents, asked.rounds)


if __name__ == "__main__":
    main()
