"""Rows turned so that most of their length lies in a few values: one short scan says what each can reach at most."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numkong
import numpy as np
import numpy.typing as npt

from lookalike.errors import CollectionError
from lookalike.index.products import Products
from lookalike.index.quantization import (
    ROUNDING,
    SCAN_BYTES,
    SCAN_VALUES,
    Floats,
    Indices,
    Rows,
    checksums_of,
    encode,
    in_blocks,
    lengths,
    row_blocks,
    save_arrays,
    some_dots,
)
from lookalike.models.vectors import as_float32

Blocks = Iterable[tuple[Indices, npt.NDArray[Any]]]

VALUES = 256  # of a turned row that a scan reads; as many again are kept for the rows that it leaves
PAYS_ROWS, PAYS_VALUES = 10_000, 1024  # with fewer rows or shorter ones, a scan of all codes is about as fast
LEFT = 8  # where more than one row in LEFT is left, the scan of all codes is the better way
HALF = LEFT // 2  # the second part is short: it is asked of up to half of the rows
SAMPLE_BYTES = 1 << 26  # of float32 rows that a turn is learned from: 4,810 rows of 3,488
PASSES = 4
# The directions are orthonormal up to their rounding to float32, at most 2^-24 of each value: with 513 of them, 1 long,
# |turn turn' - 1| <= 2 * 2^-24 * sqrt(513) = 2.7e-6.
TILT = 3e-6


@dataclass(frozen=True)
class PrefixCodes:
    """The first values of each turned row as int8, and the length of the rest.

    The directions of `turn` are orthonormal. A row u of length 1 has the coordinates p in them, and the length r of
    what lies outside: <u, v> <= <p_u, p_v> + r_u r_v, by Cauchy and Schwarz. The first coordinate lies along the rows'
    mean. It is so much larger than the others that it is kept by itself; their codes would be coarser with it. The
    others are kept in two parts of m: a scan of the first part bounds all rows, the second those that it leaves.

    Attributes:
        turn: (1 + 2 m, d) float32, a direction a row. None at all, (0, d), for rows of which it leaves too many.
        values: (2, n, m) int8, in memory or memory-mapped, and `scale` (2, n) float32: the codes c of both parts.
        sides: (5, n) float32: the first coordinate; |p - c| in the first part, and r outside it; both of the second.
    """

    turn: Floats
    values: npt.NDArray[np.int8]
    scale: Floats
    sides: Floats

    @classmethod
    def build(cls, rows: Rows, blocks: Callable[[], Blocks] | None = None) -> "PrefixCodes":
        """The codes of rows (n, d) of any length, in directions that are learned from a sample of them.

        Args:
            rows: their shape is asked for, and all of them, a block at a time, where no blocks are given.
            blocks: gives all rows as `Int8Codes.gather` takes them; called twice.
        Raises: ShapeError, where a value is no number or infinite.
        """
        n, d = rows.shape
        blocks = blocks or (lambda: row_blocks(rows))
        sample = unit_sample((n, d), blocks())
        return cls.gather(learn_turn(sample), n, blocks())

    @classmethod
    def gather(cls, turn: Floats, n: int, blocks: Blocks, into: "PrefixCodes | None" = None) -> "PrefixCodes":
        """The codes of n rows that come a block at a time, in any order: n * m bytes and one block in memory.

        Args: into: arrays of the right shapes that take the codes, as of files; None for new ones in memory.
        Raises: ShapeError, where a value is no number or infinite.
        """
        n, m = (n, len(turn) // 2) if len(turn) else (0, 0)
        new = (np.empty((2, n, m), np.int8), np.empty((2, n), np.float32), np.empty((5, n), np.float32))
        made = into or cls(turn, *new)
        for places, rows in blocks if n else ():

            def encode_part(start: int, stop: int, places: Indices = places, rows: npt.NDArray[Any] = rows) -> None:
                at = places[start:stop]
                found = made.project(as_float32(rows[start:stop]), at)
                made.values[:, at], made.scale[:, at], made.sides[:, at] = found.values, found.scale, found.sides

            in_blocks(encode_part, len(rows), max(1, -(-len(rows) // 2)))
        return made

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows there are, and how many values each has: (n, d)."""
        return self.scale.shape[1], self.turn.shape[1]

    @property
    def is_worth_it(self) -> bool:
        """Whether the rows have directions that tell them apart."""
        return len(self.turn) > 0

    def bounds(self, queries: Floats) -> "Bounds":
        """What the similarity of queries (q, d) to every row is at most, rounding included, by the first part."""
        asked = self.project(queries)
        # <p_u, p_v> = u1 v1 + <c_u, c_v> + <p_u - c_u, p_v> + <c_u, p_v - c_v>, and |c_u| <= 1 + |p_u - c_u|.
        first, error_norm, rest = asked.sides[:3]
        weights = np.stack([first, asked.size[0] + error_norm, rest], axis=1)  # (q, 3)
        slack, scale = (error_norm + np.float32(ROUNDING + TILT))[:, None], asked.scale[0, :, None]
        products = Products(asked.values[0])
        _, n, m = self.values.shape
        most = np.empty((len(queries), n), np.float32)

        def scan(start: int, stop: int) -> None:
            part = slice(start, stop)
            dots = products.of(self.values[0, part])
            out = dots.T.astype(np.float32, order="C")  # a query's bounds beside each other, for what reads them next
            out *= scale
            out *= self.scale[0, part]
            out += weights @ self.sides[:3, part]
            np.add(out, slack, out=most[:, part])

        in_blocks(scan, n, max(1, min(SCAN_BYTES // m, SCAN_VALUES // len(queries))))
        return Bounds(self, asked, most)

    def extended(self, places: Indices, new: Rows) -> "PrefixCodes":
        """Codes of the rows that stood at `places` (n,) here; where that is below 0, of the next one of `new`.

        Raises: ShapeError, where a value of the new ones is no number or infinite.
        """
        if not self.is_worth_it:
            return self
        fresh, at = self.gather(self.turn, len(new), row_blocks(new)), np.flatnonzero(places < 0)
        made = PrefixCodes(self.turn, self.values[:, places], self.scale[:, places], self.sides[:, places])
        made.values[:, at], made.scale[:, at], made.sides[:, at] = fresh.values, fresh.scale, fresh.sides
        return made

    def save(self, folder: Path) -> None:
        """Write turn and codes as a folder of npy files, whole or not at all."""
        save_arrays(folder, vars(self), {})

    @classmethod
    def load(cls, folder: Path) -> "PrefixCodes":
        """What `save` wrote, checked against its checksums; values are memory-mapped.

        Raises: CollectionError, when the folder is missing or damaged.
        """
        try:
            turn, scale, sides, expected = (
                np.load(folder / f"{name}.npy") for name in ("turn", "scale", "sides", "checksums")
            )
            values = np.load(folder / "values.npy", mmap_mode="r" if scale.size else None)
        except (OSError, ValueError, EOFError) as error:
            raise CollectionError(
                f"{folder}: prefix codes that cannot be read. Delete it: they are made again."
            ) from error
        (_, n), m = scale.shape if scale.ndim == 2 else (0, -1), len(turn) // 2
        if turn.ndim != 2 or values.dtype != np.int8 or values.shape != (2, n, m) or sides.shape != (5, n):
            raise CollectionError(f"{folder}: prefix codes that do not fit together. Delete it: they are made again.")
        found = cls(turn, values, scale, sides)
        if not np.array_equal(checksums_of(vars(found)), expected):
            raise CollectionError(f"{folder}: damaged prefix codes. Delete it: they are made again.")
        return found

    def project(self, rows: Floats, places: Indices | None = None) -> "Projected":
        """Rows (b, d) of any length in the directions of the turn.

        Raises: ShapeError, naming the row (by `places`, where they are given), where a value is no number or infinite.
        """
        length, m = lengths(rows, places)[:, None], len(self.turn) // 2
        one, other = (self.turn, rows) if len(rows) == 1 else (rows, self.turn)
        turned = np.asarray(numkong.cdist(one, other, "dot")).reshape(len(rows), -1)  # (b, 1 + 2 m), summed in float64
        turned = np.divide(turned, length, out=np.zeros(turned.shape), where=length > 0)
        outside = (length[:, 0] > 0) - np.square(turned[:, 0])
        codes, sides = [], [turned[:, 0]]
        for part in np.split(turned[:, 1:].astype(np.float32), [m], axis=1):
            size = lengths(part)
            values, scale, error_norm = encode(part)
            outside -= np.square(size)
            codes.append((values, scale * size, size))
            sides += [error_norm * size, np.sqrt(np.maximum(outside, 0) + TILT)]
        values, scale, size = (np.stack(arrays) for arrays in zip(*codes, strict=True))
        return Projected(values, scale.astype(np.float32), np.stack(sides).astype(np.float32), size.astype(np.float32))


@dataclass(frozen=True)
class Projected:
    """Some rows or queries, as `PrefixCodes` keeps them, and `size` (2, b) float32, the length of each part."""

    values: npt.NDArray[np.int8]
    scale: Floats
    sides: Floats
    size: Floats


@dataclass(frozen=True)
class Bounds:
    """What similarities are at most: `most` (q, n) float32, which may be changed to leave rows out."""

    codes: PrefixCodes
    queries: Projected
    most: Floats

    def reaching(self, j: int, least: np.float32) -> Indices | None:
        """The rows that may have a similarity of `least` to query j, ascending; None where too many are left.

        The second part says of those that the first leaves how much of what lay outside it counts.
        """
        rows = np.flatnonzero(self.most[j] >= least)
        if len(rows) * LEFT > HALF * self.most.shape[1]:
            return None
        values, queries = self.codes.values[1], self.queries
        before, error_norm, rest = queries.sides[2:, j]
        dots = some_dots(values, queries.values[1, j : j + 1], rows)
        _, _, outside, lost, left = self.codes.sides[:, rows]
        weight, slack = queries.size[1, j] + error_norm, error_norm + np.float32(ROUNDING)
        inside = dots * self.codes.scale[1, rows] * queries.scale[1, j] + lost * weight + slack
        may = self.most[j, rows] - outside * before + inside + left * rest >= least
        return np.asarray(rows[may]) if may.sum() * LEFT <= len(self.most[j]) else None


def learn_turn(sample: Floats) -> Floats:
    """The directions of a sample (b, d) of rows of length 1; none, (0, d), where they leave too many rows."""
    turn = main_directions(sample, VALUES)
    return turn if tells_apart(turn, sample) else turn[:0]


def unit_sample(shape: tuple[int, int], blocks: Blocks, seed: int = 0) -> Floats:
    """Some of n rows of d values, as many as SAMPLE_BYTES hold, made 1 long: (b, d); zeros stay zeros.

    Raises: ShapeError, where a value is no number or infinite.
    """
    n, d = shape
    chosen = np.zeros(n, np.bool_)
    chosen[np.random.default_rng(seed).choice(n, min(n, max(1, SAMPLE_BYTES // (4 * d))), replace=False)] = True
    parts = [np.empty((0, d), np.float32)]
    for places, rows in blocks:
        at = chosen[places]
        part = as_float32(rows[at])
        length = lengths(part, places[at])[:, None]
        parts.append(np.divide(part, length, out=np.zeros_like(part), where=length > 0, casting="unsafe"))
    return np.concatenate(parts)


def main_directions(sample: Floats, values: int, seed: int = 0) -> Floats:
    """Orthonormal directions in which rows (b, d) of length 1 have most of their length: (1 + 2 values, d) float32.

    The first lies along their mean. The others span about the main directions of what is left, the first half of them
    those that hold most (subspace iteration: Halko, Martinsson and Tropp, arXiv:0909.4061, section 4.5). Within each
    half they are turned at random, so that no value is much larger than the others, which would make the codes coarse:
    the error is half as long.

    Returns: (0, d), where rows are no longer than so many directions.
    """
    d, rng = sample.shape[1], np.random.default_rng(seed)
    if d <= 2 * values:
        return np.empty((0, d), np.float32)
    mean = sample.mean(axis=0, dtype=np.float64)
    mean /= np.linalg.norm(mean) or 1
    spread = sample - np.outer(sample @ mean, mean).astype(np.float32)
    found = rng.standard_normal((d, 2 * values))
    for _ in range(PASSES):
        found = np.linalg.qr((spread.T @ (spread @ found.astype(np.float32))).astype(np.float64))[0]
    found = np.linalg.qr(np.column_stack([mean, found]))[0]
    mixed = [np.linalg.qr(rng.standard_normal((values, values)))[0] for _ in range(2)]
    halves = np.split(found, [1, 1 + values], axis=1)
    turned = np.concatenate([halves[0], halves[1] @ mixed[0], halves[2] @ mixed[1]], axis=1)  # (d, 1 + 2 values)
    return np.ascontiguousarray(turned.T, np.float32)


def tells_apart(turn: Floats, sample: Floats, k: int = 10, queries: int = 32) -> bool:
    """Whether few enough rows of a sample (b, d) may be among the first k of some of them, by a turn's bounds.

    Of a larger collection a smaller share is left: twice the share that makes a search scan all codes is let through.
    """
    if not len(turn) or len(sample) <= k:
        return False
    asked = sample[:: -(-len(sample) // queries)]
    codes = PrefixCodes.gather(turn, len(sample), row_blocks(sample))
    bounds = codes.bounds(asked).most
    similarities = asked @ sample.T  # (q, d) @ (d, b) -> (q, b)
    least = np.partition(similarities, -k, axis=1)[:, -k, None]
    return bool((bounds >= least).mean() < 2 / LEFT)
