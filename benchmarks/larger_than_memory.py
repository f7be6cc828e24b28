"""Collections larger than memory is meant to hold: how fast they open and answer, and what a process holds of its own.

    python benchmarks/larger_than_memory.py make DIR --pictures 10000000 --values 256
    python benchmarks/larger_than_memory.py prepare DIR
    python benchmarks/larger_than_memory.py answer DIR

make: a collection of made-up features (one picture is really there): rows of 1,024 values or fewer lie around 100,000
centres, themselves around 500; longer ones are positive, as networks give them, with most of their spread in 64
directions. Needs 2 bytes a value on the disk, and half of that for the codes.
prepare: what `index` does at its end: names and codes, kept in files; seconds and the peak of its own memory.
answer: a process of its own that opens the collection, and asks with 20 stored rows and as many from outside; printed
are the seconds until the first answer, the median of the others by the clock and of the processor, in turns with a scan
of as many bytes by numpy (max), and what the kernel says of its memory: RssAnon is its own, RssFile the file cache that
it looks into. Every answer is compared with brute force over the rows as stored (`truth`, made once, a full pass).
"""

import argparse
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from light_network import light_network
from numpy.typing import NDArray

from lookalike import Collection, similarity
from lookalike.index.vector_column import as_matrix
from lookalike.progress import Reporter

BLOCK = 1 << 16
A_FILE = 1 << 20  # rows of a fragment
ASKED = 20
K = 10


def main() -> None:
    """Run the part that is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["make", "prepare", "answer", "answering"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=10_000_000)
    parser.add_argument("--values", type=int, default=256)
    asked = parser.parse_args()
    if asked.what == "make":
        make(asked.folder, asked.pictures, asked.values)
    else:
        globals()[asked.what](asked.folder)


# --- make


def rows_of(values: int, seed: int = 0) -> Iterator[NDArray[np.float16]]:
    """Rows of length 1, BLOCK at a time, for ever; noise comes from a pool that is turned."""
    rng = np.random.default_rng(seed)
    pool = rng.standard_normal((BLOCK // 4, values), np.float32)
    if values <= 1024:
        top = rng.standard_normal((500, values), np.float32)
        centres = top[rng.integers(0, 500, 100_000)] + 0.7 * rng.standard_normal((100_000, values), np.float32)
    else:
        directions = rng.standard_normal((64, values), np.float32) / 8
    for turn in range(1 << 30):
        noise = np.roll(pool[rng.integers(0, len(pool), BLOCK)], turn * 7 % values, axis=1)
        if values <= 1024:
            rows = centres[rng.integers(0, len(centres), BLOCK)] + np.float32(0.8) * noise
        else:
            rows = rng.standard_normal((BLOCK, 64), np.float32) @ directions
            rows += np.float32(0.2) * noise
            np.abs(rows + 1, out=rows)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        yield rows.astype(np.float16)


def make(folder: Path, pictures: int, values: int) -> None:
    """The collection, written into its table as it comes."""
    import lance
    import pyarrow as pa
    from PIL import Image

    photos = folder / "photos"
    photos.mkdir(parents=True)
    Image.fromarray(np.full((32, 32, 3), 99, np.uint8)).save(photos / "picture.png")
    collection = Collection(photos, backbone=light_network(folder / "network", values, side_px=32))
    collection.index(own=False)
    table = lance.dataset(collection.table.uri)
    rng = np.random.default_rng(1)

    def batches() -> Iterator[Any]:
        made = rows_of(values)
        for start in range(0, pictures - 1, BLOCK):
            n = min(BLOCK, pictures - 1 - start)
            numbers = (np.arange(start, start + n) * 7919) % (pictures - 1)  # not in the order of their names
            content = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), n, [None, pa.py_buffer(rng.bytes(16 * n))])
            features = pa.FixedSizeListArray.from_arrays(pa.array(next(made)[:n].ravel()), values)
            columns = {
                "file": pa.array([f"shop/{one // 10_000:04d}/{one:08d}.jpg" for one in numbers.tolist()]),
                "content": content,
                "bytes": pa.array(np.full(n, 9000)),
                "mtime_ns": pa.array(np.arange(start, start + n) * 10**9),
                "width": pa.array(np.full(n, 640, np.int32) + (numbers % 2).astype(np.int32)),
                "height": pa.array(np.full(n, 480, np.int32)),
                "features": features,
            }
            yield from pa.table(columns).cast(table.schema).to_batches()
            print(f"\r{start + n:,}", end="", file=sys.stderr, flush=True)

    reader = pa.RecordBatchReader.from_batches(table.schema, batches())
    lance.write_dataset(reader, table, mode="append", max_rows_per_file=A_FILE)
    print(f"\nmade {pictures:,} x {values:,}")


# --- prepare and answer


class Told(Reporter):
    """Prints what work says."""

    def message(self, line: str) -> None:
        """A line."""
        print(line, flush=True)


def own_mb() -> dict[str, float]:
    """What the kernel says of this process's memory, in MB."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return {name: int(lines[name].split()[0]) / 1e3 for name in ("RssAnon", "RssFile")}


def watched() -> list[float]:
    """A list that grows by the own memory of this process, in MB, every 20 ms."""
    seen = [own_mb()["RssAnon"]]

    def watch() -> None:
        while True:
            seen.append(own_mb()["RssAnon"])
            time.sleep(0.02)

    threading.Thread(target=watch, daemon=True).start()
    return seen


def load() -> str:
    return f"load {os.getloadavg()[0]:.0f}"


def prepare(folder: Path) -> None:
    """What a search needs, made now."""
    seen, began, worked = watched(), time.perf_counter(), time.process_time()
    photos = Collection(folder / "photos")
    searcher = photos._searcher
    state = searcher.state()
    assert state.snapshot is not None
    searcher.prepare(state.config, state.backbone, Told())
    took, used = time.perf_counter() - began, time.process_time() - worked
    size = sum(file.stat().st_size for file in photos.home.cache.rglob("*.npy")) / 1e6
    print(f"{len(state.snapshot):,} pictures prepared in {took:.0f} s, processor {used:.0f} s, own memory at most "
          f"{max(seen):,.0f} MB, {size:,.0f} MB in files; {load()}")  # fmt: skip


def answer(folder: Path) -> None:
    """In a process of its own."""
    queries_of(folder)
    subprocess.run([sys.executable, __file__, "answering", str(folder)], check=True)


def queries_of(folder: Path) -> tuple[NDArray[np.float32], list[list[str]]]:
    """Queries near stored rows, and the files of their first K by brute force; made once."""
    kept = folder / "truth.npz"
    if not kept.is_file():
        snapshot = Collection(folder / "photos").table.snapshot()
        assert snapshot is not None
        rng = np.random.default_rng(2)
        stored = snapshot.take(np.sort(rng.choice(len(snapshot), ASKED, replace=False)), "features").astype(np.float32)
        noise = rng.standard_normal(stored.shape).astype(np.float32)
        asked = stored + noise * (0.1 * np.linalg.norm(stored, axis=1, keepdims=True) / stored.shape[1] ** 0.5)
        best, names = np.empty((ASKED, 0), np.float32), np.empty((ASKED, 0), "U40")
        for batch in snapshot.batches("features", "file", rows=1 << 14):
            found = similarity(as_matrix(batch.column(0)), asked).T
            some = np.argpartition(-found, min(K, found.shape[1] - 1), axis=1)[:, :K]
            files = np.array(batch.column(1).to_pylist())
            best = np.concatenate([best, np.take_along_axis(found, some, 1)], axis=1)
            names = np.concatenate([names, files[some]], axis=1)
            order = np.array([np.lexsort((names[j], -best[j]))[:K] for j in range(ASKED)])
            best, names = np.take_along_axis(best, order, 1), np.take_along_axis(names, order, 1)
        np.savez(kept, asked=asked, names=names)
    held = np.load(kept)
    return held["asked"], held["names"].tolist()


def answering(folder: Path) -> None:
    """Open, ask, and say what it took."""
    asked, right = queries_of(folder)
    bare, seen = own_mb()["RssAnon"], watched()
    began, worked = time.perf_counter(), time.process_time()
    photos = Collection(folder / "photos")
    gallery = photos._searcher.gallery(photos._searcher.state())
    gallery.row_of("none")
    opened = time.perf_counter() - began, time.process_time() - worked
    photos.search(asked[0], K)
    first = time.perf_counter() - began, time.process_time() - worked
    for what, took in (("opened", opened), ("and the first answer", first)):
        print(f"{what} after {took[0]:.2f} s, processor {took[1]:.2f} s; {load()}", flush=True)
    codes = max((file for file in photos.home.cache.rglob("values.npy")), key=lambda file: file.stat().st_size)
    flat = np.load(codes, mmap_mode="r").reshape(-1)
    times: dict[str, list[tuple[float, float]]] = {"ours": [], "numpy reads the codes": []}
    same = 0
    for query, names in zip(asked, right, strict=True):
        for what in times:
            began, worked = time.perf_counter(), time.process_time()
            if what == "ours":
                same += [hit.file for hit in photos.search(query, K)] == names
            else:
                flat.max()
            times[what].append((time.perf_counter() - began, time.process_time() - worked))
    for what, took in times.items():
        clock, processor = (1e3 * statistics.median(column) for column in zip(*took, strict=True))
        least = 1e3 * min(clock for clock, _ in took)
        print(f"{what}: {clock:.0f} ms (least {least:.0f}), processor {processor:.0f} ms; {load()}")
    stored = [one.file for one in photos.pictures().page(len(photos) // 2, ASKED).pictures]
    for how, ask in {
        "by a name of the collection": lambda file: photos.search(file, K),
        "with a condition": lambda file: photos.search(asked[0], K, where="width > 640"),
    }.items():
        began = time.perf_counter()
        for file in stored[:5]:
            ask(file)
        print(f"{how}: {(time.perf_counter() - began) / 5 * 1e3:.0f} ms; {load()}")
    now = own_mb()
    print(f"{same} of {len(asked)} answers are those of brute force, names and order")
    print(f"own memory {now['RssAnon']:,.0f} MB, at most {max(seen):,.0f} ({bare:,.0f} before it was opened); "
          f"file cache looked into {now['RssFile']:,.0f} MB; codes {codes.stat().st_size / 1e6:,.0f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
