"""One query and many against FAISS IndexFlatIP, every hit against brute force, and what must be in memory.

    pip install --no-deps --target /tmp/faiss faiss-cpu
    PYTHONPATH=/tmp/faiss python benchmarks/search.py [speed] [memory] [large] [avx2]
    PYTHONPATH=/tmp/faiss python benchmarks/search.py real ROWS.npy [avx2]      python ... exact FEATURES.npy

speed: ours and FAISS with 1 and with 2 threads take turns on the same queries, so that noise hits all alike. A turn is
one batch of many queries, or five single ones in a row: the first of them finds the processor's cache full of the other
program's rows, the median of the five is what people meet who search in one program. Printed are medians over rounds in
milliseconds, the median over rounds of FAISS / ours (FAISS with the number of threads that suits it best), the same by
processor time and for the first of the five alone, and the share of the machine's read bandwidth, measured just before,
at which ours reads its codes. FAISS holds the same rows as float32: it knows nothing smaller that is exact.
real: rows as pictures have them, from an npy of (n, f) features, or of what a lens makes of them: 256 pictures are kept
out as queries; the others, and for each as many views of it as make 58,180 rows: the picture and 0.1 to 0.4 times the
difference of two others, made 1 long (cosine 0.97 to the picture on average). Ours by prefix codes against a scan of
all codes, FAISS IndexFlatIP and IndexFlatIPPanorama (exact too, arXiv:2510.00566), with one thread for one query and
two for 64, all in turn. Printed are the least and the median times, and the ratios of both; every hit is that of the
scan of all codes. Rows of fewer than 1,024 values have no prefix codes.
avx2: FAISS and ours do without AVX-512 and AMX, as on a processor that has neither.
exact: every hit against float64 brute force over the rows as stored, on random, clustered, adversarial and, from an
npy of (n, f) features, real rows.
memory: a process of its own that makes and searches 1,000,000 x 256 in float16; its peak, and what it holds.
large: 1,000,000 x 3,488 on a disk (8.5 GB in a temporary folder), searched through memory-mapped codes.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numkong
import numpy as np
from numpy.typing import NDArray

from lookalike.index.exact_knn import ExactKNN
from lookalike.index.prefix_codes import PAYS_VALUES, PrefixCodes
from lookalike.index.quantization import Int8Codes, encode
from lookalike.models.vectors import as_float32, normalize_rows

# FAISS's threads would spin on for a while after their turn and take the core that the next turn needs.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

Floats = NDArray[np.float32]
Halves = NDArray[np.float16]

K = 10
REAL_ROWS = 58_180
IN_A_ROW = 5
# rows, values, queries at once, and how many times as fast as FAISS was asked for
ASKED = [
    (100_000, 256, 1, 2.0),
    (100_000, 1280, 1, 3.0),
    (1_000_000, 256, 1, 2.0),
    (100_000, 3488, 1, 3.0),
    (100_000, 256, 64, 4.0),
    (100_000, 3488, 64, 4.0),
]


def main() -> None:
    """Run the parts that are named."""
    parts: dict[str, Callable[[], None]] = {"speed": speed, "memory": memory, "large": large}
    named = sys.argv[1:] or list(parts)
    if named == ["held"]:
        held()
        return
    print(machine())
    if "avx2" in named:
        named.remove("avx2")
        leave_out_avx512()
    if named[0] in ("exact", "real"):
        {"exact": exact, "real": real}[named[0]](named[1:])
        return
    for part in named:
        print(f"\n{part}")
        parts[part]()


def leave_out_avx512() -> None:
    """From now on FAISS, which was not imported yet, and numkong work as on a processor with AVX2 alone."""
    os.environ |= {"FAISS_OPT_LEVEL": "AVX2", "OPENBLAS_CORETYPE": "Haswell"}
    for one in numkong.get_capabilities():
        if one not in ("serial", "haswell"):
            numkong.disable_capability(one)


def machine() -> str:
    """The processor, and how busy it is: what a number means without it is anyone's guess."""
    said = Path("/proc/cpuinfo").read_text().splitlines()
    name = next(line.split(":")[1].strip() for line in said if line.startswith("model name"))
    return f"{name}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {time.strftime('%Y-%m-%d')}, seed 0"


def blocks(n: int, d: int, seed: int) -> Iterator[tuple[slice, Halves]]:
    """Unit rows in all directions, the hardest for a bound: nothing sets the best apart. As stored, in float16."""
    rng = np.random.default_rng(seed)
    for start in range(0, n, 10_000):
        block = rng.standard_normal((min(10_000, n - start), d), dtype=np.float32)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
        yield slice(start, start + len(block)), block.astype(np.float16)


def random_rows(n: int, d: int, seed: int = 0) -> Halves:
    """All blocks as one matrix."""
    rows = np.empty((n, d), np.float16)
    for part, block in blocks(n, d, seed):
        rows[part] = block
    return rows


# --- speed


def speed() -> None:
    """The table of ratios."""
    import faiss

    most = bandwidth()
    print(f"FAISS {faiss.__version__} ({faiss.get_compile_options().strip()}); memory is read at {most:.1f} GB/s")
    print(f"{'rows':>19} {'queries':>7} {'ours ms':>8} {'FAISS ms, 1 and 2 threads':>25}", end="")
    print(f" {'ratio':>6} {'processor':>9} {'first':>6} {'asked':>5} {'bandwidth':>9}")
    for n, d, q, asked in ASKED:
        rows = random_rows(n, d)
        ranking, flat = ExactKNN(rows, Int8Codes.build(rows)), faiss.IndexFlatIP(d)
        for start in range(0, n, 10_000):
            flat.add(rows[start : start + 10_000].astype(np.float32))
        queries = random_rows(8 * 64, d, seed=1).astype(np.float32)
        each, processor = take_turns(ways(ranking, flat), queries, q, rounds=41 if q == 1 else 7)
        times, first = np.median(each, axis=2), each[:, :, 0]
        best = 1 + int(np.argmin(np.median(times[:, 1:], axis=0)))
        found = (times, first, processor.mean(axis=2))
        ratio, cold, work = (np.median(one[:, best] / one[:, 0]) for one in found)
        ours, one, two = 1e3 * np.median(times, axis=0)
        share = f"{n * d / np.median(times[:, 0]) / 1e9 / most:9.0%}" if q == 1 else ""
        line = f"{n:>11,} x {d:>5,} {q:>7} {ours:8.2f} {one:12.2f} and {two:8.2f}"
        print(f"{line} {ratio:6.2f} {work:9.2f} {cold:6.2f} {asked:5.1f} {share:>9}", flush=True)


def ways(ranking: ExactKNN, flat: Any) -> list[Callable[[Floats], Any]]:
    """Ours, FAISS with one thread, FAISS with two."""
    return [lambda asked: ranking.search(asked, K), faiss_way(flat, 1), faiss_way(flat, 2)]


def faiss_way(index: Any, threads: int) -> Callable[[Floats], Any]:
    """An index of FAISS, asked with some threads."""
    import faiss

    def search(queries: Floats) -> Any:
        faiss.omp_set_num_threads(threads)
        return index.search(queries, K)

    return search


def take_turns(ways: list[Callable[[Floats], Any]], queries: Floats, q: int, rounds: int) -> NDArray[np.float64]:
    """Seconds by the clock and of the processor, of each way in each round: (2, rounds, ways, in a row).

    All are asked the same, another one first each time.

    One query at a time is asked for IN_A_ROW times in a turn, each time another one; a batch of many once.
    """
    in_a_row = IN_A_ROW if q == 1 else 1
    times = np.empty((2, rounds, len(ways), in_a_row))
    for turn in range(-1, rounds):  # one to warm up
        first = (turn + 1) * q * in_a_row
        for i in range(len(ways)):
            way = (i + turn) % len(ways)
            for j in range(in_a_row):
                start = (first + j * q) % (len(queries) - q + 1)
                began, worked = time.perf_counter(), time.process_time()
                ways[way](queries[start : start + q])
                times[:, turn, way, j] = time.perf_counter() - began, time.process_time() - worked
    return times


# --- real


def real(named: list[str]) -> None:
    """One query and 64 in rows that have main directions."""
    import faiss

    rows, queries = views(np.load(named[0]))
    (n, d), began = rows.shape, time.process_time()
    codes = Int8Codes.build(rows)
    coded = time.process_time()
    prefix = PrefixCodes.build(rows) if d >= PAYS_VALUES else None
    turned = time.process_time()
    print(f"{n:,} x {d:,}: codes {coded - began:.1f} s, prefix codes {turned - coded:.1f} s of processor time")
    ranking, scan = ExactKNN(rows, codes, prefix), ExactKNN(rows, codes)
    flat, panorama = faiss.IndexFlatIP(d), faiss.IndexFlatIPPanorama(d, 16)
    for start in range(0, n, 10_000):
        part = rows[start : start + 10_000].astype(np.float32)
        flat.add(part)
        panorama.add(part)
    for found, expected in zip(ranking.search(queries, K), scan.search(queries, K), strict=True):
        assert np.array_equal(found, expected), "not the answer of the scan of all codes"
    for q, rounds, threads in ((1, 15, 1), (64, 3, 2)):
        compared: dict[str, Callable[[Floats], Any]] = {
            "ours": lambda asked: ranking.search(asked, K),
            "all codes": lambda asked: scan.search(asked, K),
            "flat": faiss_way(flat, threads),
            "Panorama": faiss_way(panorama, threads),
        }
        clock, processor = take_turns(list(compared.values()), queries, q, rounds)
        for name, times in (("clock", clock), ("processor", processor)):
            least, median = 1e3 * times.min(axis=(0, 2)), 1e3 * np.median(times, axis=(0, 2))
            said = "  ".join(f"{way} {a:.2f} ({b:.2f})" for way, a, b in zip(compared, least, median, strict=True))
            print(f"{q} at once, {name} ms, least (median): {said}")
            ratio, usual = (found[2:].min() / found[0] for found in (least, median))
            print(f"  better of FAISS / ours: {ratio:.2f} ({usual:.2f})", flush=True)


def views(features: Halves) -> tuple[Halves, Floats]:
    """REAL_ROWS rows and 256 queries, both from features (n, f) of pictures."""
    rng = np.random.default_rng(0)
    own = normalize_rows(as_float32(features))[rng.permutation(len(features))]
    queries, pictures = own[:256], own[256:]
    rows = np.empty((REAL_ROWS, own.shape[1]), np.float16)
    for start in range(0, REAL_ROWS, len(pictures)):
        one, other = (pictures[rng.permutation(len(pictures))] for _ in range(2))
        share = rng.uniform(0.1, 0.4, (len(pictures), 1)).astype(np.float32) if start else np.float32(0)
        rows[start : start + len(pictures)] = normalize_rows(pictures + share * (one - other))[: REAL_ROWS - start]
    return rows, queries


def bandwidth() -> float:
    """GB/s at which 256 MB can be read, with one thread or two: the best of ten searches for their largest number."""
    memory = np.ones(1 << 25, np.int64)
    best = 0.0
    with ThreadPoolExecutor(2) as pool:
        for threads in (1, 2):
            parts = np.array_split(memory, threads)
            for _ in range(10):
                began = time.perf_counter()
                list(pool.map(np.max, parts))
                best = max(best, memory.nbytes / (time.perf_counter() - began) / 1e9)
    return best


# --- exact


def exact(files: list[str]) -> None:
    """How far below the true k-th the worst hit of each kind of rows lies: 1e-6 at most was asked for."""
    print(f"\n{'rows':26} {'shape':>16} {'queries':>7} {'worst hit below the k-th':>25} {'same hits':>10}")
    for name, rows in kinds(files):
        rng = np.random.default_rng(2)
        some = rows[rng.integers(0, len(rows), 12)].astype(np.float32)
        noise = rng.standard_normal(some.shape).astype(np.float32) * np.abs(some).mean(1, keepdims=True)
        queries = np.concatenate([some, some + noise, noise, -some])
        indices, _ = ExactKNN(rows).search(queries, K)
        worst, same = 0.0, 0
        for query, found in zip(queries.astype(np.float64), indices, strict=True):
            truth = true_similarities(rows, query)
            best = np.sort(truth)[-K:]
            worst = max(worst, best[0] - truth[found].min())
            same += bool(np.allclose(np.sort(truth[found]), best, atol=1e-7, rtol=0))
        print(f"{name:26} {rows.shape!s:>16} {len(queries):>7} {worst:25.1e} {same / len(queries):10.0%}", flush=True)


def true_similarities(rows: Halves, query: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosines (n,) in float64, a block of rows at a time; a row of zeros is like nothing."""
    parts = []
    for start in range(0, len(rows), 5000):
        block = rows[start : start + 5000].astype(np.float64)
        size = np.linalg.norm(block, axis=1) * np.linalg.norm(query)
        parts.append(np.divide(block @ query, size, out=np.zeros(len(block)), where=size > 0))
    return np.concatenate(parts)


def kinds(files: list[str]) -> Iterator[tuple[str, Halves]]:
    """Rows that are easy, real, and made to break the bound."""
    n, d = 20_000, 256
    rng = np.random.default_rng(0)
    normal = rng.standard_normal((n, d), dtype=np.float32)
    yield "random", random_rows(n, d)
    yield "clustered", (normal[rng.integers(0, 50, n)] + 0.05 * normal).astype(np.float16)
    yield "near ties", (normal[:1] + 1e-3 * normal).astype(np.float16)
    # Half a step off everywhere: each value is rounded as far away as it can be, and all in one direction.
    values, scale, _ = encode(normal)
    yield "half a step off, one way", (scale[:, None] * (values + 0.49)).astype(np.float16)
    yield "half a step off, mixed", (scale[:, None] * (values + rng.choice([-0.49, 0.49], (n, d)))).astype(np.float16)
    peaked = normal * 0.49 / 127
    peaked[np.arange(n), rng.integers(0, d, n)] = 2
    yield "one peak, the rest lost", peaked.astype(np.float16)
    some = normal.copy()
    some[::500] = 0.49 / 127
    some[::500, 1] = 1
    yield "a few that codes can't hold", some.astype(np.float16)
    yield "lengths of 1e-3 to 1e3", (normal * 10 ** rng.uniform(-3, 3, (n, 1))).astype(np.float16)
    for file in files:
        rows = np.load(file)
        yield f"real features, {len(rows):,}", rows


# --- memory


def memory() -> None:
    """1,000,000 x 256 in a process of its own."""
    subprocess.run([sys.executable, __file__, "held"], check=True)


def held() -> None:
    """Make, encode and search; then what the kernel says of this process."""
    rows = random_rows(1_000_000, 256)
    ranking = ExactKNN(rows, Int8Codes.build(rows))
    for query in random_rows(20, 256, seed=1):
        ranking.search(query, K)
    ranking.search(random_rows(64, 256, seed=1), K)
    said = dict(line.split(":\t") for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    peak, now = (int(said[key].split()[0]) * 1024 / 1e9 for key in ("VmHWM", "VmRSS"))
    print(f"1,000,000 x 256 in float16: {now:.2f} GB resident, {peak:.2f} GB at the peak (1.5 asked)")


# --- large


def large() -> None:
    """1,000,000 x 3,488: rows stay on the disk, codes are memory-mapped."""
    n, d = 1_000_000, 3488
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.npy"
        rows = np.lib.format.open_memmap(file, mode="w+", dtype=np.float16, shape=(n, d))
        # Drawing 2.8 billion normals would take longer than all else: a block of them, its columns turned each time.
        block = random_rows(10_000, d)
        for start in range(0, n, len(block)):
            rows[start : start + len(block)] = np.roll(block, 17 * start // len(block), axis=1)
        began = time.perf_counter()
        codes = Int8Codes.build(rows)
        built = time.perf_counter() - began
        codes.save(Path(folder) / "codes")
        del codes, rows
        ranking = ExactKNN(np.load(file, mmap_mode="r"), Int8Codes.load(Path(folder) / "codes"))
        times = []
        for query in random_rows(8, d, seed=1):
            began = time.perf_counter()
            ranking.search(query, K)
            times.append(time.perf_counter() - began)
        print(f"1,000,000 x 3,488: codes made in {built:.0f} s (2.8 GB, which a fast answer needs resident;")
        print(f"the rows, 5.6 GB, stay on the disk); first query {times[0]:.2f} s, median {np.median(times):.2f} s")


if __name__ == "__main__":
    main()
