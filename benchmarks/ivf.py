"""The approximate index of a collection: how much it finds, how fast it answers, and what building it costs.

    python benchmarks/larger_than_memory.py make DIR --pictures 1000000 --values 256
    python benchmarks/ivf.py DIR [--cosine ROWS]

Makes the index where there is none (seconds of the processor, bytes a row, the recall that was measured and kept), then
asks with 100 queries near to stored rows: recall@10 against brute force by a full pass, and the median times in turns
with the exact scan of the mapped codes. With --cosine, an index of so many rows is made twice: as Lance makes it by
itself (its own training, cosine), and as we do (our centroids, products of rows of length 1).
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from lookalike import Collection
from lookalike.index.exact_knn import ExactKNN
from lookalike.index.gallery import Gallery
from lookalike.index.ivf import ApproximateIndex, kmeans, partitions_for, similarity_of_kth
from lookalike.index.lance_runtime import load_lance
from lookalike.models.vectors import as_float32, normalize_rows
from lookalike.progress import Reporter

ASKED, K = 100, 10
TURNS = 20


class Told(Reporter):
    """Prints what work says."""

    def message(self, line: str) -> None:
        """A line."""
        print(line, flush=True)


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cosine", type=int, metavar="ROWS")
    asked = parser.parse_args()
    photos = Collection(asked.folder / "photos")
    if asked.cosine:
        compare_building(photos, asked.cosine)
        return
    build(photos)
    ask(photos)


def load() -> str:
    return f"load {os.getloadavg()[0]:.0f}"


def build(photos: Collection) -> None:
    """The index, where there is none."""
    snapshot = photos.table.snapshot()
    assert snapshot is not None
    if ApproximateIndex.of(snapshot, "features") is None:
        began, worked = time.perf_counter(), time.process_time()
        photos.table.update_index("features", Told())
        took, used = time.perf_counter() - began, time.process_time() - worked
        folder = Path(photos.table.uri, "_indices")
        size = sum(file.stat().st_size for file in folder.rglob("*.idx"))
        each, bytes_each = 1e6 * used / len(snapshot), size / len(snapshot)
        print(f"{len(snapshot):,} rows indexed and measured in {took:.0f} s, processor {used:.0f} s; {load()}")
        print(f"{each:.0f} microseconds of the processor and {bytes_each:.0f} bytes a row")


def ask(photos: Collection) -> None:
    """Recall, and times in turns with the exact scan."""
    snapshot = photos.table.snapshot()
    assert snapshot is not None
    index = ApproximateIndex.of(snapshot, "features")
    assert index is not None
    print(f"kept: {index.settings}")
    rng = np.random.default_rng(3)
    stored = as_float32(snapshot.take(np.sort(rng.choice(len(snapshot), ASKED, replace=False)), "features"))
    noise = rng.standard_normal(stored.shape).astype(np.float32)
    queries = normalize_rows(stored + noise * np.float32(0.2 / stored.shape[1] ** 0.5))
    worst = similarity_of_kth(snapshot, "features", queries, K)
    found, times = 0, []
    index.search(queries[0], K)
    for query, least in zip(queries, worst, strict=True):
        found += int((index.search(query, K)[1] >= least).sum())
    print(f"recall@{K} {found / (ASKED * K):.4f} on {ASKED} queries beside stored rows")
    gallery = Gallery(snapshot, None, photos.home.cache / "codes", most=0)
    exact: ExactKNN = gallery.knn
    exact.search(queries[0], K)
    for query in queries[:TURNS]:
        for way in (exact.search, index.search):
            began, worked = time.perf_counter(), time.process_time()
            way(query, K)
            times.append((time.perf_counter() - began, time.process_time() - worked))
    clock = [[1e3 * took for took, _ in times[start::2]] for start in (0, 1)]
    processor = [1e3 * statistics.median(used for _, used in times[start::2]) for start in (0, 1)]
    ratios = statistics.median(a / b for a, b in zip(*clock, strict=True))
    for what, took, used in (("exact scan", clock[0], processor[0]), ("index", clock[1], processor[1])):
        print(f"{what}: {statistics.median(took):.1f} ms (least {min(took):.1f}), processor {used:.1f} ms; {load()}")
    print(f"the scan takes {ratios:.0f} times as long, of the processor {processor[0] / processor[1]:.0f} times")


def compare_building(photos: Collection, rows: int) -> None:
    """Processor time of an index of some rows, as Lance makes it and as we do."""
    lance = load_lance()
    source = lance.dataset(photos.table.uri)
    partitions = partitions_for(rows)
    with tempfile.TemporaryDirectory() as folder:
        table = lance.write_dataset(
            source.to_table(columns=["features"], limit=rows), folder, data_storage_version="2.1"
        )
        common = {"column": "features", "index_type": "IVF_RQ", "num_bits": 5, "num_partitions": partitions}
        worked = time.process_time()
        table.create_index(**common, metric="cosine", replace=True)
        theirs = time.process_time() - worked
        worked = time.process_time()
        sample = table.sample(64 * partitions, columns=["features"]).column(0).combine_chunks()
        flat = sample.flatten().to_numpy().reshape(len(sample), -1)
        centroids = kmeans(normalize_rows(as_float32(flat)), partitions)
        table.create_index(**common, metric="dot", ivf_centroids=centroids, replace=True)
        ours = time.process_time() - worked
    print(f"{rows:,} rows, {partitions} partitions: as Lance makes it {theirs:.0f} s of the processor, ours {ours:.0f}")
    print(f"{theirs / ours:.1f} times; {load()}")


if __name__ == "__main__":
    main()
