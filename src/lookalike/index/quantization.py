"""Rows as one byte a value, which estimate every similarity at the speed of memory and know how wrong they may be."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numkong
import numpy as np
import numpy.typing as npt

from lookalike.errors import CollectionError, ShapeError
from lookalike.files import replace_folder
from lookalike.index.products import Products
from lookalike.models.vectors import as_float32

Arrays = Mapping[str, npt.NDArray[Any]]

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]

ROUNDING = (
    4e-6  # more than what float32 can lose in an estimate: every value stays below 2, every step loses 6e-8 of it
)

LONGEST = 2**31 // 127**2  # dot products of codes are summed in int32
BLOCK_BYTES = 1 << 24  # of float32 rows in the works at once
CHECKED_WORDS = 1 << 17  # of 8 bytes: a checksum for each MiB
SCAN_BYTES = 1 << 22  # of codes that a thread scans at once: enough to be worth a thread
GATHER_BYTES = 1 << 18  # of codes that are copied together at once
SCAN_VALUES = 1 << 17  # estimates that a thread makes at once: still in its cache when they are scaled


class Rows(Protocol):
    """A matrix in memory or on disk: what ranking asks of it."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, indices: Any, /) -> npt.NDArray[Any]: ...


@dataclass(frozen=True)
class Int8Codes:
    """Each row as whole numbers from -127 to 127, and what that lost.

    Writing u for a row of length 1, its code is c = scale * values and error_norm = |u - c|. For a query v of length 1
    with code w, <u, v> = <c, w> + <u - c, v> + <c, v - w>. By Cauchy and Schwarz, and because |v| = 1 and
    |c| <= 1 + |u - c|, the estimate <c, w> is off by at most |u - c| + (1 + |u - c|) |v - w|.

    values: (n, d) int8, in memory or memory-mapped. scale, error_norm: (n,) float32. A row of zeros is all zeros.
    """

    values: npt.NDArray[np.int8]
    scale: Floats
    error_norm: Floats

    @classmethod
    def build(cls, rows: Rows) -> "Int8Codes":
        """The codes of rows (n, d) of any length, read in blocks: n * d bytes and little more.

        Raises: ShapeError, where a value is no number or infinite, or rows are too long to be summed in int32.
        """
        n, d = rows.shape
        return cls.gather((n, d), row_blocks(rows))

    @classmethod
    def gather(
        cls,
        shape: tuple[int, int],
        blocks: Iterable[tuple[Indices, npt.NDArray[Any]]],
        into: "Int8Codes | None" = None,
    ) -> "Int8Codes":
        """The codes of rows that come a block at a time, in any order: n * d bytes and one block in memory.

        Args:
            shape: n and d.
            blocks: places (b,), each of 0 to n - 1 once in all, and the rows (b, d) that belong there.
            into: arrays of these shapes that take the codes, as of files; None for new ones in memory.
        Raises: as `build` does, naming the row's place.
        """
        n, d = shape
        if d > LONGEST:
            raise ShapeError(f"rows of {d:,} values: at most {LONGEST:,} can be ranked. Shorten them with a lens.")
        codes = into or cls(np.empty((n, d), np.int8), np.empty(n, np.float32), np.empty(n, np.float32))
        for places, rows in blocks:

            def encode_part(start: int, stop: int, places: Indices = places, rows: npt.NDArray[Any] = rows) -> None:
                at = places[start:stop]
                codes.values[at], codes.scale[at], codes.error_norm[at] = encode(as_float32(rows[start:stop]), at)

            in_blocks(encode_part, len(rows), max(1, -(-len(rows) // 2)))
        return codes

    def at(self, rows: Indices | slice) -> "Int8Codes":
        """The codes of some of the rows, in this order."""
        return Int8Codes(self.values[rows], self.scale[rows], self.error_norm[rows])

    def estimate(self, queries: Floats) -> tuple[Floats, Floats]:
        """Similarities of queries (q, d) to every row, (n, q), and a bound (q,) on their error beside the rows' own.

        Returns: estimates (n, q), error_bound (q,), float32:
        |estimate[i, j] - similarity(row i, query j)| <= error_norm[i] + error_bound[j], rounding included.
        """
        values, scale, error_norm = encode(queries)
        estimates = np.empty((len(self.values), len(queries)), np.float32)
        products = Products(values)

        def scan(start: int, stop: int) -> None:
            dots, out = products.of(self.values[start:stop]), estimates[start:stop]
            np.multiply(dots, self.scale[start:stop, None], out=out, dtype=np.float32, casting="unsafe")
            np.multiply(out, scale, out=out)

        n, d = self.values.shape
        in_blocks(scan, n, max(1, min(SCAN_BYTES // d, SCAN_VALUES // len(queries))))
        return estimates, error_norm * (1 + self.error_norm.max(initial=0)) + np.float32(ROUNDING)

    def estimate_some(self, query: Floats, rows: Indices) -> tuple[Floats, Floats]:
        """Similarities of a query (1, d) to some rows (m,), and how far off each is at most: (m,) float32 each."""
        values, scale, error_norm = encode(query)
        dots = some_dots(self.values, values, rows)
        lost = self.error_norm[rows]
        return dots * self.scale[rows] * scale, lost + error_norm * (1 + lost.max(initial=0)) + np.float32(ROUNDING)

    def save(self, folder: Path, keys: npt.NDArray[np.uint64] | None = None) -> None:
        """Write the codes as a folder of npy files, whole or not at all; `keys` tell which rows they are of."""
        save_arrays(folder, vars(self), {} if keys is None else {"keys": keys})

    @classmethod
    def load(cls, folder: Path) -> "Int8Codes":
        """The codes that `save` wrote, checked against their checksums; values are memory-mapped.

        Raises: CollectionError, when the folder is missing or damaged.
        """
        try:
            values = np.load(folder / "values.npy", mmap_mode="r")
            scale, error_norm = np.load(folder / "scale.npy"), np.load(folder / "error_norm.npy")
            expected = np.load(folder / "checksums.npy")
        except (OSError, ValueError, EOFError) as error:
            raise CollectionError(
                f"{folder}: ranking codes that cannot be read. Delete it: they are made again."
            ) from error
        if values.ndim != 2 or values.dtype != np.int8 or not scale.shape == error_norm.shape == values.shape[:1]:
            raise CollectionError(f"{folder}: ranking codes that do not fit together. Delete it: they are made again.")
        codes = cls(values, scale, error_norm)
        if not np.array_equal(checksums_of(vars(codes)), expected):
            raise CollectionError(f"{folder}: damaged ranking codes. Delete it: they are made again.")
        return codes


def save_arrays(folder: Path, arrays: Arrays, unchecked: Arrays) -> None:
    """Write arrays and their checksums as a folder of npy files, whole or not at all; `unchecked` ones have none."""

    def write(new: Path) -> None:
        for name, array in {**arrays, **unchecked}.items():
            np.save(new / f"{name}.npy", array)
        np.save(new / "checksums.npy", checksums_of(arrays))

    replace_folder(folder, write)


def checksums_of(arrays: Arrays) -> npt.NDArray[np.uint64]:
    """`checksums` of all of them, one after the other."""
    return np.concatenate([checksums(np.asarray(array)) for array in arrays.values()])


def checksums(array: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """The sum of every MiB of an array's bytes in words of 8, modulo 2^64: at the speed of memory, it notices damage.

    >>> checksums(np.arange(3, dtype=np.uint64))
    array([3, 0], dtype=uint64)
    """
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    words = flat[: len(flat) // 8 * 8].view(np.uint64)
    starts = range(0, len(words), CHECKED_WORDS)
    sums = [np.add.reduce(words[start : start + CHECKED_WORDS]) for start in starts]
    return np.array([*sums, flat[len(words) * 8 :].sum(dtype=np.uint64)], np.uint64)


def encode(rows: Floats, places: Indices | None = None) -> tuple[npt.NDArray[np.int8], Floats, Floats]:
    """Rows (n, d) of any length -> values (n, d), scale (n,), error_norm (n,) of the rows of length 1.

    Raises: ShapeError, naming the row (by `places`, where they are given), where a value is no number or infinite.

    >>> values, scale, error_norm = encode(np.array([[3.0, 4.0]], np.float32))
    >>> values, np.round(scale * values, 3)
    (array([[ 95, 127]], dtype=int8), array([[0.598, 0.8  ]], dtype=float32))
    """
    length = lengths(rows, places)
    peak = np.maximum(rows.max(1, initial=0), -rows.min(1, initial=0))
    # Divided by the peak first: no row is too short or too long for float32.
    exact: Floats = rows / (peak + (peak == 0))[:, None]
    exact *= 127
    values = np.rint(exact)
    exact -= values
    scale = np.divide(peak, 127 * length, out=np.zeros(len(rows), np.float32), where=length > 0)
    return values.astype(np.int8), scale.astype(np.float32), (scale * lengths(exact)).astype(np.float32)


def lengths(rows: Floats, places: Indices | None = None, what: str = "row") -> npt.NDArray[np.float64]:
    """Length of each row (n, d), (n,), summed in float64, where float32 values neither overflow nor vanish.

    Raises: ShapeError, naming the row (by `places`, where they are given) or what it is, where a value is no number or
        infinite.

    >>> lengths(np.array([[3e30, 4e30]], np.float32)).round(-29)
    array([5.e+30])
    """
    if not rows.size:
        return np.zeros(len(rows))
    squares = np.asarray(numkong.dot(rows, rows))
    if not np.isfinite(squares).all():
        row = int(np.flatnonzero(~np.isfinite(squares))[0])
        row = row if places is None else int(places[row])
        raise ShapeError(f"{what} {row}: a value that is no number or infinite. Leave it out or compute it again.")
    found: npt.NDArray[np.float64] = np.sqrt(squares)
    return found


def read(rows: Rows, indices: Indices) -> Floats:
    """Some rows, (m, d) float32 and contiguous, whatever they are stored as."""
    return as_float32(rows[indices])


def some_dots(values: npt.NDArray[np.int8], query: npt.NDArray[np.int8], rows: Indices) -> Floats:
    """Products of some rows (m,) of codes (n, d) with a query's (1, d): (m,) float32."""
    dots, products = np.empty(len(rows), np.float32), Products(query)

    def scan(start: int, stop: int) -> None:
        # Into memory that is at hand: a copy of all of them at once would cost as much as their products.
        block = np.empty((stop - start, values.shape[1]), np.int8)
        np.take(values, rows[start:stop], axis=0, out=block, mode="clip")
        dots[start:stop] = products.of(block)[:, 0]

    in_blocks(scan, len(rows), max(1, GATHER_BYTES // values.shape[1]))
    return dots


def row_blocks(rows: Rows) -> Iterator[tuple[Indices, npt.NDArray[Any]]]:
    """All rows (n, d) in blocks of BLOCK_BYTES as float32: their places, and the rows as they are stored."""
    n, d = rows.shape
    step = max(1, BLOCK_BYTES // (4 * d))
    for start in range(0, n, step):
        places = np.arange(start, min(start + step, n))
        yield places, rows[places]


def in_blocks(work: Callable[[int, int], None], n: int, most: int, threads: int | None = None) -> None:
    """Call work(start, stop) over 0 to n in even blocks of at most `most`, shared by the cores.

    The caller takes blocks like every other thread, so a core that is busy elsewhere is not waited for.
    """
    threads = threads or os.cpu_count() or 1
    blocks = -(-n // most)
    edges = [n * block // max(1, blocks) for block in range(blocks + 1)]
    todo = iter(list(pairwise(edges)))

    def take() -> None:
        for start, stop in todo:
            work(start, stop)

    helpers = [helping_threads(os.getpid()).submit(take) for _ in range(min(threads, blocks) - 1)]
    try:
        take()
    finally:
        for helper in helpers:
            if not helper.cancel():
                helper.result()


@cache
def helping_threads(process: int) -> ThreadPoolExecutor:
    """One for each core but the caller's; started when first needed, kept for the next query of this process."""
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1), "lookalike-ranking")
