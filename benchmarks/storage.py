"""What collections cost: cold searches, unchanged folders, a new lens, a large index; recorded in docs/benchmarks.md.

Tables of 10,000 and 100,000 pictures are synthetic: true features of none, but of the true size (3,488 float16 values).

    python benchmarks/storage.py search --pictures 100000
    python benchmarks/storage.py lens --pictures 100000
    python benchmarks/storage.py unchanged --pictures 10000 [--light]
    python benchmarks/storage.py memory --pictures 100000 [--light]

`--light` reads the pictures by a network of one matrix in place of EfficientNet-Lite0, with as large an input and as
many features: indexing costs what it costs without inference, and holds all that it holds otherwise but the network.
"""

import argparse
import hashlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from light_network import light_network
from PIL import Image

from lookalike import Collection
from lookalike.collection.config import CollectionConfig
from lookalike.collection.folder import CollectionFolder
from lookalike.index.lens_column import update_lens_column
from lookalike.index.table import ImageRow, Table
from lookalike.models.backbone import Backbone
from lookalike.models.lens import Lens


def tiny(i: int) -> bytes:
    """A PNG of a few dozen bytes, different for every i."""
    import io

    buffer = io.BytesIO()
    pixels = np.frombuffer(hashlib.blake2b(str(i).encode(), digest_size=48).digest(), np.uint8)
    Image.fromarray(pixels.reshape(4, 4, 3)).save(buffer, "PNG")
    return buffer.getvalue()


def name(i: int) -> str:
    return f"{i // 1000:03d}/{i:06d}.png"


def synthetic(folder: Path, pictures: int) -> Collection:
    """A collection of made-up features, clustered as real ones are, with one file that is really there."""
    made = Backbone()
    home = CollectionFolder(folder)
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((max(2, pictures // 50), made.length)).astype(np.float32)
    home.save(CollectionConfig(str(folder), made.id, made.name, made.precision))
    table = Table(home.table(made.id))
    for start in range(0, pictures, 2000):
        rows = []
        for i in range(start, min(start + 2000, pictures)):
            features = np.abs(centres[i % len(centres)] + rng.standard_normal(made.length).astype(np.float32))
            features /= np.linalg.norm(features)
            content = hashlib.blake2b(str(i).encode(), digest_size=16).digest()
            rows.append(ImageRow(name(i), content, 100, i, 4 + i % 900, 4, features))
        table.append(rows)
    table.compact()
    return Collection(folder)


def a_lens(collection: Collection, d: int = 256) -> Lens:
    rng = np.random.default_rng(1)
    f = collection.backbone.length
    return Lens("bench", rng.random(f) / 99, rng.standard_normal((f, d)), {"backbone": collection.backbone.id})


Times = list[tuple[float, float]]  # seconds on the clock, and of the processor


def timed(words: list[str], repeats: int = 1) -> Times:
    """What `python -m lookalike ...` takes, the start of Python included."""
    times = []
    for _ in range(repeats):
        before, started = processor_s(), time.perf_counter()
        subprocess.run([sys.executable, "-m", "lookalike", *words], check=True, capture_output=True)
        times.append((time.perf_counter() - started, processor_s() - before))
    return times


def processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def say(what: str, times: Times) -> None:
    clock, processor = (sorted(column) for column in zip(*times, strict=True))
    spread = f"{clock[0]:.2f} to {clock[-1]:.2f}, {len(clock)} times"
    used = f"processor {statistics.median(processor):.2f} s"
    load = f"load {os.getloadavg()[0]:.0f}" if hasattr(os, "getloadavg") else ""
    print(f"{what:56} {statistics.median(clock):6.2f} s ({spread}); {used}; {load}", flush=True)


def search(folder: Path, pictures: int) -> None:
    """Cold `lookalike search`, with codes kept and after a change."""
    collection = synthetic(folder, pictures) if not folder.is_dir() else Collection(folder)
    outside = folder.parent / "outside.png"
    outside.write_bytes(tiny(-1))
    lens = a_lens(collection)
    lens.save(collection.home.lens("bench"))
    update_lens_column(collection.table, lens)
    shutil.rmtree(collection.home.cache, ignore_errors=True)
    timed(["search", str(folder), name(0), "--lens", "bench"])  # the network compiles once, into the user's cache
    shutil.rmtree(collection.home.cache, ignore_errors=True)
    for words in (["--help"], ["status", str(folder)]):
        say(f"lookalike {words[0]}", timed(words, 5))
    for through in ("plain", "bench"):
        ask = ["search", str(folder), str(outside), "--lens", through]
        held = ["search", str(folder), name(pictures // 2), "--lens", through]
        say(f"{pictures:,} {through}: the first search after a change", timed(ask))
        say(f"{pictures:,} {through}: a picture from outside", timed(ask, 7))
        say(f"{pictures:,} {through}: a picture of the collection", timed(held, 7))
        say(
            f"{pictures:,} {through}: the same with --where, --others",
            timed([*held, "--where", "width > 300", "--others"], 7),
        )


def lens(folder: Path, pictures: int) -> None:
    """A new lens over the whole table, as a column."""
    collection = synthetic(folder, pictures) if not folder.is_dir() else Collection(folder)
    for d in (256, 512, collection.backbone.length):
        made = a_lens(collection, d)
        times = []
        for _ in range(3):
            collection.table.drop_lens("bench")
            before, started = time.process_time(), time.perf_counter()
            update_lens_column(collection.table, made)
            times.append((time.perf_counter() - started, time.process_time() - before))
        say(f"a lens of {made.dims:,} dimensions over {pictures:,} pictures", times)
    print(f"peak memory {peak_mb():,.0f} MB", flush=True)


def peak_mb(who: int = resource.RUSAGE_SELF) -> float:
    return resource.getrusage(who).ru_maxrss / 1000


def files(folder: Path, pictures: int) -> None:
    for i in range(pictures):
        path = folder / name(i)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tiny(i))


def unchanged(folder: Path, pictures: int, backbone: Path | None = None) -> None:
    """Indexing a folder again in which nothing is new."""
    files(folder, pictures)
    by = [] if backbone is None else ["--backbone", str(backbone)]
    say(f"index {pictures:,} new small files", timed(["index", str(folder), *by]))
    say(f"index {pictures:,} unchanged files", timed(["index", str(folder), *by], 5))


def memory(folder: Path, pictures: int, backbone: Path | None = None) -> None:
    """Peak memory of indexing many small files, in a process of its own."""
    files(folder, pictures)
    by = [] if backbone is None else ["--backbone", str(backbone)]
    say(f"index {pictures:,} new small files", timed(["index", str(folder), *by]))
    print(f"peak memory {peak_mb(resource.RUSAGE_CHILDREN):,.0f} MB", flush=True)
    size = sum(file.stat().st_size for file in CollectionFolder(folder).at.rglob("*") if file.is_file())
    print(f"on disk {size / 1e6:,.0f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", default="search", choices=["search", "lens", "unchanged", "memory"])
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--light", action="store_true", help="index by a network that costs nearly nothing")
    parser.add_argument("--at", type=Path, help="work here and leave it there")
    asked = parser.parse_args()
    work = asked.at or Path(tempfile.mkdtemp(prefix="lookalike-"))
    work.mkdir(parents=True, exist_ok=True)
    try:
        more = (
            [light_network(work / "light", 3488, side_px=224)]
            if asked.light and asked.what in {"memory", "unchanged"}
            else []
        )
        globals()[asked.what](work / "photos", asked.pictures, *more)
    finally:
        if asked.at is None:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
