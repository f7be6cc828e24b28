"""How many neighbours a map keeps, how long its layout takes, and how much memory: printed as a row a collection.

    python benchmarks/map_layout.py FOLDER... [--lens NAME] [--png DIR]

FOLDERs are indexed first where they are not. Kept is the share of the ten nearest neighbours, by similarity, that are
among the ten nearest on the map. Seconds are of the layout alone, made anew; the memory is the process's peak before
and after, with the rows in it.
"""

import argparse
import resource
import shutil
import time
from pathlib import Path

import numpy as np

from lookalike import Collection
from lookalike.learning.closed_form.neighbor_layout import nearest
from lookalike.learning.closed_form.pca import principal_plane

K = 10


def neighbours(rows: np.ndarray) -> np.ndarray:
    return nearest(rows, rows, K, lambda _: None)[0]


def kept(truth: np.ndarray, points: np.ndarray) -> float:
    found = neighbours(points)
    return float(np.mean([len(np.intersect1d(one, other)) for one, other in zip(truth, found, strict=True)]) / K)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--lens", default="plain")
    parser.add_argument("--png", type=Path)
    given = parser.parse_args()
    print("| pictures | n | plane keeps | layout keeps | s | processor s | peak MB before | after |")
    for folder in given.folders:
        collection = Collection(folder)
        collection.index()
        shutil.rmtree(collection.home.cache / "layouts", ignore_errors=True)
        before, start, worked = peak_mb(), time.perf_counter(), time.process_time()
        files, points = collection.layout(lens=given.lens)
        took, work, after = time.perf_counter() - start, time.process_time() - worked, peak_mb()
        rows = np.stack(collection.to_pandas(given.lens)["features"].to_list()).astype(np.float32)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        truth = neighbours(rows)
        plane = kept(truth, principal_plane(rows))
        print(
            f"| {folder.name} | {len(files):,} | {plane:.3f} | {kept(truth, points):.3f} | {took:.1f} | {work:.1f} "
            f"| {before:.0f} | {after:.0f} |",
            flush=True,
        )
        if given.png:
            collection.map(given.png / f"{folder.name}-{given.lens}.png", lens=given.lens)


if __name__ == "__main__":
    main()
