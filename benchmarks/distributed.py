"""What it costs to work beyond one machine, each time beside something else in the same run.

    pip install -c constraints.txt '.[remote,ray,bench]'
    python benchmarks/distributed.py scaling embed get lens plan

scaling: workers of Ray that wait 10 ms a picture; the rate of 2, 4 and 8 of them to that of one, by the clock, so it
says something only where they are not kept waiting for a processor.
embed: processor time a picture: one process from a bucket, one from a folder, Ray with one worker from the bucket.
get: processor time of a get from a bucket: obstore, as pictures are read, and boto3.
lens: processor time a row of filling a lens of 256 dimensions, to that of embedding a picture.
plan: bytes a file that are held while the names of ten million files are compared with a table.
The bucket is of a real S3 server (seaweedfs) on this machine. Processor times are of the user and the system together,
of all threads; the ways take turns, and the median of their ratios is printed. Ends with 1 where a ratio is not
reached.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ |= {"OMP_NUM_THREADS": "1", "LANCE_CPU_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"}

import numpy as np
import s3_server
from PIL import Image

from lookalike.distributed.backfill import ColumnFiller
from lookalike.distributed.embed import DistributedEmbedder
from lookalike.distributed.engine import Build, LocalEngine, Outcome
from lookalike.distributed.object_store import Location
from lookalike.distributed.pictures import BucketPictures
from lookalike.distributed.ray_engine import RayEngine, start_ray
from lookalike.images.picture_source import FolderPictures, PictureSource
from lookalike.index.embed_files import EmbeddingWork, IndexOptions, embed_files
from lookalike.index.file_keys import KnownKeys, keys_of
from lookalike.index.table import ImageRow, Table
from lookalike.models.backbone import Backbone
from lookalike.models.lens import Lens
from lookalike.progress import SILENT

WAIT_S = 0.01  # a picture
SHARD = 50
SIZE = (640, 480)
Parts = list[tuple[str, float, float, bool]]  # what, ratio, asked, whether at most


class Waiting:
    """Makes workers that wait; a shard is a number of pictures."""

    def __call__(self) -> Callable[[int], int]:
        return self.work

    def work(self, pictures: int) -> int:
        for _ in range(pictures):
            time.sleep(WAIT_S)
        return pictures


def scaling(shards: int, turns: int) -> Parts:
    """Of each number of workers the best rate of some turns: what was kept waiting for a processor is left out."""
    import ray

    start_ray(ray, None, 8)
    rates: dict[int, list[float]] = {1: [], 2: [], 4: [], 8: []}
    for _ in range(turns):
        for workers, found in rates.items():
            waiting = deque([SHARD] * (shards * workers))
            times = [time.perf_counter() for _ in RayEngine(workers=workers).run(Waiting(), waiting)]
            first, last = 4 * workers, len(times) - 2 * workers  # all have started, none is idle yet
            found.append((last - first) * SHARD / (times[last] - times[first]))
    ray.shutdown()
    for workers, found in rates.items():
        print(f"{workers} workers: {', '.join(f'{rate:.0f}' for rate in found)} pictures a second")
    best = {workers: max(found) for workers, found in rates.items()}
    asked = {2: 1.9, 4: 3.7, 8: 7.0}
    return [(f"rate of {n} workers / one", best[n] / best[1], least, False) for n, least in asked.items()]


@dataclass(frozen=True)
class Timed:
    """Makes workers that say how much processor time a shard took, with what opens them left out."""

    build: Build[Any, Any]

    def __call__(self) -> Callable[[Any], tuple[Any, float]]:
        work = self.build()

        def timed(shard: Any) -> tuple[Any, float]:
            before = time.process_time()
            value = work(shard)
            return value, time.process_time() - before

        return timed


class TimedEngine:
    """An engine whose workers are timed.

    Attributes:
        cpu_s: of the workers, of all shards but each worker's first one, in which a network warms up.
        pictures: in these.
    """

    def __init__(self, engine: Any):
        self.engine, self.workers, self.elsewhere = engine, engine.workers, engine.elsewhere
        self.cpu_s, self.pictures = 0.0, 0

    def run(self, build: Build[Any, Any], waiting: deque[Any]) -> Generator[Outcome[Any, Any]]:
        with closing(self.engine.run(Timed(build), waiting)) as outcomes:
            for n, outcome in enumerate(outcomes):
                if outcome.error is not None:
                    raise outcome.error
                value, cpu_s = outcome.value
                if n >= self.engine.workers:
                    self.cpu_s, self.pictures = self.cpu_s + cpu_s, self.pictures + len(outcome.shard.files)
                yield Outcome(outcome.shard, value)


def embed(work: Path, client: Any, pictures: int, turns: int) -> tuple[Parts, float]:
    """Ratios, and the processor seconds a picture of one process from the bucket."""
    import ray

    folder, rng = work / "photos", np.random.default_rng(0)
    folder.mkdir()
    for i in range(pictures):
        noise = Image.fromarray(rng.integers(0, 256, (SIZE[1] // 8, SIZE[0] // 8, 3), dtype=np.uint8))
        path = folder / f"{i}.jpg"
        noise.resize(SIZE, Image.Resampling.BICUBIC).save(path, quality=90)
        client.put_object(Bucket=s3_server.BUCKET, Key=f"photos/{i}.jpg", Body=path.read_bytes())
    bucket = BucketPictures(Location("s3", s3_server.BUCKET, "photos"), work / "fetched")
    backbone = Backbone(threads=1)
    start_ray(ray, None, 1)
    took: dict[str, list[float]] = {"folder": [], "bucket": [], "ray": []}
    alone(FolderPictures(folder), backbone, work / "warm.lance", pictures // 4)
    for turn in range(turns):
        took["folder"].append(alone(FolderPictures(folder), backbone, work / f"{turn}f.lance", pictures))
        took["bucket"].append(alone(bucket, backbone, work / f"{turn}b.lance", pictures))
        engine = TimedEngine(RayEngine(workers=1))
        table = Table(work / f"{turn}r.lance")
        job = _job(bucket, backbone, table, pictures)
        before = time.process_time()
        for batch in DistributedEmbedder(engine, shard=max(8, pictures // 8))(job, SILENT):
            table.append_fragments(batch.fragments)
        driver = (time.process_time() - before) / pictures
        took["ray"].append(engine.cpu_s / engine.pictures + driver)
        assert len(table.features()[0]) == pictures
    ray.shutdown()
    for way, times in took.items():
        print(f"{way:8} {1000 * statistics.median(times):.2f} ms of processor time a picture")
    return [
        ("Ray with 1 worker / one process, from the bucket", _ratio(took["ray"], took["bucket"]), 1.10, True),
        ("from the bucket / from a folder, one process", _ratio(took["bucket"], took["folder"]), 1.15, True),
    ], statistics.median(took["bucket"])


def _job(source: PictureSource, backbone: Backbone, table: Table, pictures: int) -> EmbeddingWork:
    files = sorted(source.scan().files, key=lambda one: one.file)[:pictures]
    return EmbeddingWork(files, backbone, set(), set(), table, [], IndexOptions(pictures=source))


def alone(source: PictureSource, backbone: Backbone, place: Path, pictures: int) -> float:
    """Processor seconds a picture of one process that reads, embeds and commits."""
    table = Table(place)
    table.create(backbone.length)
    job = _job(source, backbone, table, pictures)
    before = time.process_time()
    for batch in embed_files(job.files, backbone, set(), job.options):
        table.append(batch.rows)
    return (time.process_time() - before) / len(job.files)


def get(client: Any, gets: int, turns: int) -> Parts:
    """Objects of 100 kB, one after the other."""
    body, names = os.urandom(100_000), [f"{i}" for i in range(50)]
    for name in names:
        client.put_object(Bucket=s3_server.BUCKET, Key=f"gets/{name}", Body=body)
    place = Location("s3", s3_server.BUCKET, "gets")

    def by_obstore(name: str) -> bytes:
        return place.read(name)[0]

    def by_boto3(name: str) -> bytes:
        return bytes(client.get_object(Bucket=s3_server.BUCKET, Key=f"gets/{name}")["Body"].read())

    took: dict[str, list[float]] = {"obstore": [], "boto3": []}
    for turn in range(turns + 1):
        for way, read in (("obstore", by_obstore), ("boto3", by_boto3)):
            before = time.process_time()
            for i in range(gets):
                assert len(read(names[i % len(names)])) == len(body)
            if turn:  # the first one connects
                took[way].append((time.process_time() - before) / gets)
    for way, times in took.items():
        print(f"{way:8} {1000 * statistics.median(times):.3f} ms of processor time a get")
    return [("a get, obstore / boto3", _ratio(took["obstore"], took["boto3"]), 0.2, True)]


def lens(work: Path, rows: int, picture_s: float) -> Parts:
    """A column of 256 dimensions over features as long as the default backbone's."""
    length, rng, table = Backbone().length, np.random.default_rng(0), Table(work / "lens.lance")
    table.create(length)
    for start in range(0, rows, 4096):
        some = rng.standard_normal((min(4096, rows - start), length), np.float32)
        table.append_fragments(
            table.write_fragment(
                [
                    ImageRow(f"{start + i}.jpg", (start + i).to_bytes(16, "big"), 1, 1, 4, 3, one)
                    for i, one in enumerate(some)
                ]
            )
        )
    turn = Lens("turn", np.zeros(length), rng.standard_normal((length, 256)))
    before = time.process_time()
    ColumnFiller(LocalEngine())(table, turn)
    row_s = (time.process_time() - before) / rows
    assert len(table.features(column="lens:turn")[0]) == rows
    print(f"{1e6 * row_s:.1f} us of processor time a row of {length:,} values")
    return [("a row of a lens / a picture embedded", row_s / picture_s, 0.005, True)]


def plan(files: int) -> Parts:
    """Files come in blocks, as a listing gives them and as the table is read; those of a block have the names of the
    other blocks, and their dates tell them apart.
    """
    names = [f"00000/picture {i:08d}.jpg" for i in range(4096)]

    def blocks() -> Iterator[np.ndarray]:
        for start in range(0, files, len(names)):
            dates = range(start, min(start + len(names), files))
            yield keys_of(names[: len(dates)], dates, dates)

    tracemalloc.start()
    known = KnownKeys(blocks())
    building = tracemalloc.get_traced_memory()[1]
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    unknown = sum(int((~known.is_known(keys)).sum()) for keys in blocks())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (unknown, known.listed) == (0, files)
    listed = sys.getsizeof(names[0]) + 8
    print(f"{files:,} files: {held / files:.1f} bytes a file held, at most {peak / files:.1f} while they are compared,")
    print(f"{building / files:.1f} while the table is read; a list of the names alone would take {listed}")
    return [("bytes a file", max(building, peak) / files, 16, True)]


def _ratio(first: list[float], second: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(first, second, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sections", nargs="+", choices=["scaling", "embed", "get", "lens", "plan"])
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--shards", type=int, default=24, help="a worker, of 0.5 s")
    parser.add_argument("--gets", type=int, default=500)
    parser.add_argument("--rows", type=int, default=40_960)
    parser.add_argument("--files", type=int, default=10_000_000)
    asked = parser.parse_args()
    parts: Parts = []
    if "scaling" in asked.sections:
        parts += scaling(asked.shards, asked.turns)
    if {"embed", "get", "lens"} & set(asked.sections):
        with tempfile.TemporaryDirectory(prefix="lookalike-", ignore_cleanup_errors=True) as name:
            work = Path(name)
            with s3_server.running(work) as client:
                if "get" in asked.sections:
                    parts += get(client, asked.gets, asked.turns)
                if {"embed", "lens"} & set(asked.sections):
                    found, picture_s = embed(work, client, asked.pictures, asked.turns)
                    parts += found
                    if "lens" in asked.sections:
                        parts += lens(work, asked.rows, picture_s)
    if "plan" in asked.sections:
        parts += plan(asked.files)
    print(f"\n| load {os.getloadavg()[0]:.0f} | ratio | asked |\n| --- | ---: | ---: |")
    for what, ratio, limit, at_most in parts:
        print(f"| {what} | {ratio:.3g} | {'<=' if at_most else '>='} {limit:g} |")
    sys.exit(any((ratio > limit) if at_most else (ratio < limit) for _, ratio, limit, at_most in parts))


if __name__ == "__main__":
    main()
