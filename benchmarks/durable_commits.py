"""What forcing commits to the disk costs: pairs in one run, with os.fsync and with it left out, as a ratio.

    python benchmarks/durable_commits.py

Commits are of random features of the true size. `index` is a whole process, from the start of Python on, that embeds
made-up pictures of a few dozen bytes with the default backbone, so the share of the disk is larger than with
photographs. Let TMPDIR be on the disk to measure, not in memory.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from storage import tiny

from lookalike.index.table import ImageRow, Table

LENGTH = 3488  # features of the default backbone


@contextmanager
def forcing(on: bool) -> Iterator[None]:
    """Within it, os.fsync does what it does, or nothing."""
    fsync = os.fsync
    if not on:
        os.fsync = lambda handle: None
    try:
        yield
    finally:
        os.fsync = fsync


def seconds(call: Callable[[], object], on: bool) -> float:
    with forcing(on):
        started = time.perf_counter()
        call()
        return time.perf_counter() - started


def report(label: str, pairs: list[tuple[float, float]]) -> None:
    """Median times of (with, without), and the quartiles of the ratio within a pair."""
    forced, plain = (statistics.median(times) for times in zip(*pairs, strict=True))
    low, middle, high = statistics.quantiles([one / other for one, other in pairs], n=4)
    print(
        f"| {label} | {len(pairs)} | {1000 * forced:,.0f} ms | {1000 * plain:,.0f} ms "
        f"| {middle:.2f} ({low:.2f} to {high:.2f}) |",
        flush=True,
    )


def commits(work: Path, rows: int, pairs: int) -> None:
    rng = np.random.default_rng(0)
    features = rng.random((rows, LENGTH), np.float32)

    def batch(number: int) -> list[ImageRow]:
        return [
            ImageRow(f"{number}/{i}.png", rng.bytes(16), 1000, 1, 40, 30, vector) for i, vector in enumerate(features)
        ]

    tables = {on: Table(work / f"{rows} {on}") for on in (True, False)}
    for table in tables.values():
        table.append(batch(0))
    times = []
    for number in range(1, pairs + 1):
        added, taken = batch(number), {}
        for on in (True, False) if number % 2 else (False, True):
            taken[on] = seconds(lambda table=tables[on], added=added: table.append(added), on)
        times.append((taken[True], taken[False]))
    report(f"a commit of {rows:,} rows", times)


def index(folder: Path, at: Path, on: bool) -> float:
    """The seconds of a whole `lookalike index`."""
    words = ["index", str(folder), "--at", str(at)]
    without = "" if on else "import os; os.fsync = lambda handle: None; "
    started = time.perf_counter()
    command = [sys.executable, "-c", f"{without}from lookalike.cli.main import main; main({words!r})"]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def whole(work: Path, pictures: int, pairs: int) -> None:
    folder = work / "pictures"
    folder.mkdir()
    for i in range(pictures):
        (folder / f"{i}.png").write_bytes(tiny(i))
    index(folder, work / "warm", True)
    times = []
    for number in range(pairs):
        taken = {}
        for on in (True, False) if number % 2 else (False, True):
            at = work / f"{number} {on}"
            taken[on] = index(folder, at, on)
            shutil.rmtree(at)
        times.append((taken[True], taken[False]))
    report(f"`index` of {pictures:,} pictures", times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=20, help="of commits")
    parser.add_argument("--index-pairs", type=int, default=9)
    parser.add_argument("--pictures", type=int, default=512)
    asked = parser.parse_args()
    print("| | pairs | forced | not forced | ratio, median (quartiles) |\n| --- | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(prefix="lookalike-") as work:
        for rows in (64, 256, 1024):
            commits(Path(work), rows, asked.pairs)
        whole(Path(work), asked.pictures, asked.index_pairs)


if __name__ == "__main__":
    main()
