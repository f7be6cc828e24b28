"""An approximate index of a column, for more rows than a scan answers soon: made once, kept current, measured, asked.

It is Lance's IVF_RQ: rows in partitions around centroids, each with 5 bits a value (RaBitQ: Gao and Long,
arXiv:2405.12497). A query looks into the partitions nearest to it, and what it finds there is ranked again by the rows
as they are stored. Rows have length 1, so the index goes by products: on float16 rows they cost a fifth of cosines.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import DamagedTableError
from lookalike.files import atomic_write, sync_tree
from lookalike.index.damage import is_local
from lookalike.index.exact_knn import cosines
from lookalike.index.lance_io import LanceTable
from lookalike.index.quantization import Floats
from lookalike.index.snapshot import Snapshot
from lookalike.index.vector_column import as_matrix, not_numbers
from lookalike.models.vectors import as_float32, normalize_rows
from lookalike.progress import SILENT, Reporter, Timer

Places = NDArray[np.int64]

BITS = 5
MULTIPLE_OF = 8  # a vector has so many values, or a multiple
ROWS_A_PARTITION = 64  # of the sample that centroids are learned from
SAMPLE_BYTES = 1 << 28
RUN = 512  # rows beside each other that a sample takes: they are read together
ROUNDS = 8
NPROBES, REFINE = 32, 5  # partitions looked into; times k rows that are ranked again
ENOUGH = 0.98  # recall; below it, both are doubled
MOST_REFINE = 80
ASKED, K = 200, 10  # of the measured recall
DELTAS = 10  # parts with what was added later, before they become one
GROWN = 2  # times the rows that it was made of: then it is made anew
FILE = "approximate.json"  # in the table's folder


@dataclass(frozen=True)
class Settings:
    """How an index is asked, and what is known of it.

    Attributes:
        nprobes, refine: partitions looked into, and times k rows ranked again.
        recall: of the first K, 0 to 1, on so many `queries` of its own rows, themselves left out.
        rows: that it was made of.
    """

    nprobes: int
    refine: int
    recall: float
    queries: int
    rows: int


class ApproximateIndex:
    """The index of a column of one version of a table.

    Args:
        snapshot: the version.
        column: features, or lens:NAME.
        settings: how it is asked.
    """

    def __init__(self, snapshot: Snapshot, column: str, settings: Settings):
        self.snapshot, self.column, self.settings = snapshot, column, settings

    @classmethod
    def of(cls, snapshot: Snapshot, column: str) -> "ApproximateIndex | None":
        """None, where there is none."""
        settings = _kept(snapshot.uri).get(column)
        return None if settings is None or not snapshot.has_index(column) else cls(snapshot, column, settings)

    @property
    def note(self) -> str:
        """What people should know of its answers."""
        made = self.settings
        return f"approximate: recall@{K} {made.recall:.3f} on {made.queries} of its own rows"

    def search(self, query: Floats, k: int, where: str | None = None, share: float = 1) -> tuple[Places, Floats]:
        """About the first k for a query (d,), the most similar first: the numbers of rows, and exact similarities.

        Rows that were added since the index was made are looked through too. Fewer than k, where fewer are found.

        Args:
            query: of any length.
            k: 1 or more.
            where: an SQL condition, applied before ranking.
            share: of the rows that fulfil it, above 0: where they are few, more partitions are looked into.
        Raises: DamagedTableError, where the index cannot be read.
        """
        asked, made = as_float32(query[None]), self.settings
        effort = (min(int(made.nprobes / share), partitions_for(made.rows)), made.refine)
        found = self.snapshot.nearest(self.column, normalize_rows(asked)[0], k, effort, where)
        rows = as_matrix(found.column(self.column).combine_chunks())
        places, good = found.column("_rowoffset").to_numpy().astype(np.int64), ~not_numbers(rows)
        places, similarities = places[good], cosines(asked, as_float32(rows[good]))[0]
        order = np.lexsort((places, -similarities))[:k]
        return places[order], similarities[order]


def update_index(table: LanceTable, column: str, reporter: Reporter = SILENT) -> None:
    """Make the index of a column, or add what is new to it; call it under the collection's lock.

    It is made anew where its rows have doubled, or it does not answer. What is new becomes a part of its own, DELTAS of
    which become one.

    Nothing is made for vectors whose number of values is no multiple of 8.

    Args:
        table: whose column it is.
        column: features, or lens:NAME.
        reporter: told of "preparing", and in words where the index is made.
    Raises: DamagedTableError; what the reporter raises.
    """
    opened = table.open()
    if opened is None or not (n := opened.dataset.count_rows()):
        return
    snapshot = Snapshot(opened.dataset)
    if snapshot.width(column) % MULTIPLE_OF:
        return
    index = ApproximateIndex.of(snapshot, column)
    if index is not None and n < GROWN * index.settings.rows and _answers(index):
        parts, is_whole = snapshot.index_parts(column)
        if not is_whole:
            with _written(table) as dataset:
                dataset.optimize.optimize_indices(
                    num_indices_to_merge=parts if parts >= DELTAS else 0, index_names=[column]
                )
        return
    reporter.message(f"Making an approximate index of {n:,} pictures.")
    centroids = kmeans(_sample(snapshot, column, ROWS_A_PARTITION * partitions_for(n)), partitions_for(n))
    timer = Timer("preparing", n)

    def report(step: Any) -> None:
        if step.stage == "shuffle" and step.total:
            reporter.progress(timer.at(int(step.completed)))

    with _written(table) as dataset:
        dataset.create_index(
            column, "IVF_RQ", name=column, metric="dot", num_partitions=len(centroids), ivf_centroids=centroids,
            num_bits=BITS, replace=True, progress_callback=report,
        )  # fmt: skip
    again = table.open()
    assert again is not None
    settings = measured(Snapshot(again.dataset), column)
    kept = {name: asdict(one) for name, one in {**_kept(table.uri), column: settings}.items()}
    atomic_write(Path(table.uri, FILE), json.dumps(kept, indent=2).encode())


def measured(snapshot: Snapshot, column: str) -> Settings:
    """How an index is to be asked so that it finds ENOUGH of what a full pass finds, and what it finds then.

    Of ASKED of its own rows the first K are looked for, each row itself left out.
    """
    n = len(snapshot)
    numbers = np.sort(np.random.default_rng(0).choice(n, min(ASKED, n), replace=False))
    rows = snapshot.take(numbers, column)
    good = ~not_numbers(rows) & rows.any(axis=1)
    numbers, queries = numbers[good], normalize_rows(as_float32(rows[good]))
    worst = similarity_of_kth(snapshot, column, queries, min(K + 1, n))
    nprobes, refine = NPROBES, REFINE
    while True:
        settings = Settings(nprobes, refine, 0.0, len(queries), n)
        index, found = ApproximateIndex(snapshot, column, settings), 0
        for number, query, least in zip(numbers, queries, worst, strict=True):
            places, similarities = index.search(query, min(K + 1, n))
            found += int(((similarities >= least) & (places != number)).sum())
        recall = min(1.0, found / max(1, len(queries) * min(K, n - 1)))
        if recall >= ENOUGH or (nprobes >= partitions_for(n) and refine >= MOST_REFINE):
            return Settings(nprobes, refine, round(recall, 4), len(queries), n)
        nprobes, refine = 2 * nprobes, min(2 * refine, MOST_REFINE)


def partitions_for(n: int) -> int:
    """As many partitions as a power of two near to the root of n rows.

    >>> partitions_for(10_000_000), partitions_for(20_000)
    (4096, 128)
    """
    return int(2 ** max(0, round(np.log2(max(n, 1)) / 2)))


def kmeans(rows: Floats, k: int, rounds: int = ROUNDS, seed: int = 0) -> Floats:
    """Centroids of rows (m, d) of length 1, of length 1 too, (k, d): each row belongs to the most similar one.

    Spherical k-means (Dhillon and Modha, Machine Learning 42, 2001). A centroid to which no row belongs starts again
    from one of the rows.

    >>> sorted(kmeans(np.array([[1, 0], [1, 0], [0, 1]], np.float32), 2).round().tolist())
    [[0.0, 1.0], [1.0, 0.0]]
    """
    rng = np.random.default_rng(seed)
    distinct = rng.permutation(np.unique(rows, axis=0)) if len(rows) <= RUN else rows[rng.permutation(len(rows))]
    centroids = np.resize(distinct, (k, rows.shape[1])) if len(distinct) < k else distinct[:k]
    for _ in range(rounds):
        parts = np.array_split(rows, max(1, len(rows) * k >> 24))
        nearest = np.concatenate([(part @ centroids.T).argmax(axis=1) for part in parts])  # (b, d) @ (d, k)
        order = np.argsort(nearest, kind="stable")
        counts = np.bincount(nearest, minlength=k)
        filled = np.flatnonzero(counts)
        starts = (np.cumsum(counts) - counts)[filled]
        centroids = rows[rng.choice(len(rows), k)]
        centroids[filled] = np.add.reduceat(rows[order], starts)
        centroids = normalize_rows(centroids)
    return np.asarray(centroids, np.float32)


def _sample(snapshot: Snapshot, column: str, m: int) -> Floats:
    """About m rows of length 1, in runs from everywhere; those that hold no numbers are left out."""
    n, d = len(snapshot), snapshot.width(column)
    runs = max(1, min(m, SAMPLE_BYTES // (4 * d)) // RUN)
    starts = np.sort(np.random.default_rng(0).permutation(-(-n // RUN))[:runs]) * RUN
    numbers = (starts[:, None] + np.arange(RUN)).ravel()
    rows = snapshot.take(numbers[numbers < n], column)
    return normalize_rows(as_float32(rows[~not_numbers(rows) & rows.any(axis=1)]))


def similarity_of_kth(snapshot: Snapshot, column: str, queries: Floats, k: int) -> Floats:
    """The similarity of the k-th row to each query (q, d), by a full pass: (q,), less what rounding may lose."""
    best = np.full((len(queries), k), -2, np.float32)
    for rows in snapshot.blocks(column):
        usable = rows[~not_numbers(rows)]
        similarities = queries @ normalize_rows(as_float32(usable)).T  # (q, d) @ (d, b) -> (q, b)
        for j in np.flatnonzero((similarities > best[:, -1:]).any(axis=1)):
            some = np.concatenate([best[j], similarities[j][similarities[j] > best[j, -1]]])
            best[j] = -np.sort(-some)[:k]
    return best[:, -1] - np.float32(1e-6)


@contextmanager
def _written(table: LanceTable) -> Iterator[Any]:
    """The newest version, as `LanceTable.commit` gives it; an index that is made with it is on the disk before it."""
    folder = Path(table.uri, "_indices")
    before = set(folder.iterdir()) if folder.is_dir() else set()
    with table.commit() as dataset:
        yield dataset
        if is_local(table.uri):
            for new in sorted(set(folder.iterdir()) - before):
                sync_tree(new)


def _answers(index: ApproximateIndex) -> bool:
    """Whether it can be read: a power cut may have left a version without its files."""
    query = np.zeros(index.snapshot.width(index.column), np.float32)
    query[0] = 1
    try:
        index.search(query, 1)
    except DamagedTableError:
        return False
    return True


def _kept(uri: str) -> dict[str, Settings]:
    """The settings of all indices of a table."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        return {name: Settings(**one) for name, one in json.loads(Path(uri, FILE).read_bytes()).items()}
    return {}
