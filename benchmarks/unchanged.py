"""How long `index` takes over a folder in which nothing changed, beside a bare walk with os.scandir that asks for the
size and date of every file.

    python benchmarks/unchanged.py FOLDER [FILES] [RUNS]

FOLDER is made, with FILES (100,000) small files in folders of a thousand and a table that knows them, of random rows as
long as the default backbone's; it is used again where it is there. The ways take turns, a process each for the command,
and the median is printed, by the clock and of the processor, with its ratio to the walk.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lookalike import Collection
from lookalike.images.scan import scan_folder
from lookalike.index.table import ImageRow

STEP = 4096  # rows a commit


def make(folder: Path, files: int) -> None:
    """The files, and a collection that knows them."""
    done = folder.parent / f"{folder.name}-{files}.made"
    if done.is_file():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    photos = Collection(folder)
    photos.index()
    rng, table, length, dated = np.random.default_rng(1), photos.table, photos.backbone.length, 1_000_000_000
    for start in range(0, files, STEP):
        rows = []
        for i in range(start, min(start + STEP, files)):
            name = f"{i // 1000:04d}/picture {i:07d}.jpg"
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"%d" % i)
            os.utime(path, (dated, dated))
            features = rng.standard_normal(length, np.float32)
            status = path.stat()
            rows.append(ImageRow(name, i.to_bytes(16, "big"), status.st_size, status.st_mtime_ns, 64, 48, features))
        table.append(rows)
    photos.index(own=False)
    done.touch()


def walk(folder: Path) -> int:
    """Size and date of every file, as bare as Python can."""
    count, folders = 0, [str(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.name[0] == ".":
                    continue
                if entry.is_dir():
                    folders.append(entry.path)
                else:
                    entry.stat()
                    count += 1
    return count


def command(folder: Path) -> None:
    words = [sys.executable, "-m", "lookalike", "index", str(folder), "--no-own"]
    subprocess.run(words, check=True, stderr=subprocess.DEVNULL)


def seconds(way: Callable[[], object]) -> tuple[float, float]:
    """The wall time and the processor time of one run, and of processes that it starts."""
    before, started = processor_s(), time.perf_counter()
    way()
    return time.perf_counter() - started, processor_s() - before


def processor_s() -> float:
    return sum(os.times()[:4])


def main(folder: Path, files: int, runs: int) -> None:
    make(folder, files)
    photos = Collection(folder)
    photos.index(own=False)
    ways: dict[str, Callable[[], object]] = {
        "os.scandir": lambda: walk(folder),
        "scan_folder": lambda: scan_folder(folder, ordered=False),
        "Collection.index": lambda: photos.index(own=False),
        "lookalike index": lambda: command(folder),
    }
    assert walk(folder) == files
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(runs):
        for way, run in ways.items():
            times[way].append(seconds(run))
    base = [statistics.median(one) for one in zip(*times["os.scandir"], strict=True)]
    print(f"{f'{files:,} files':20}{'median s':>10}{'to the walk':>13}{'processor s':>13}{'to the walk':>13}")
    for way, took in times.items():
        clock, processor = (statistics.median(one) for one in zip(*took, strict=True))
        print(f"{way:20}{clock:10.2f}{clock / base[0]:13.1f}{processor:13.2f}{processor / base[1]:13.1f}")
    if hasattr(os, "getloadavg"):
        print(f"load {os.getloadavg()[0]:.0f}")


if __name__ == "__main__":
    words = sys.argv[2:]
    main(Path(sys.argv[1]), int(words[0]) if words else 100_000, int(words[1]) if len(words) > 1 else 5)
