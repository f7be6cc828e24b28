"""Rows turned so that most of their length lies in a few values: one short scan says what each can reach at most."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numkong
import numpy as np
import numpy.typing as npt

from lookalike.errors import CollectionError
from lookalike.files import replace_folder
from lookalike.index.quantization import (
    ROUNDING,
    SCAN_BYTES,
    SCAN_VALUES,
    Floats,
    Indices,
    Rows,
    checksums,
    encode,
    in_blocks,
    lengths,
    row_blocks,
)
from lookalike.models.vectors import as_float32

Blocks = Iterable[tuple[Indices, npt.NDArray[Any]]]

VALUES = 256  # of a turned row that are kept as codes
PAYS_ROWS, PAYS_VALUES = 10_000, 1024  # with fewer rows or shorter ones, a scan of all codes is about as fast
LEFT = 8  # where more than one row in LEFT is left, the scan of all codes is the better way
SAMPLE_BYTES = 1 << 26  # of float32 rows that a turn is learned from: 4,810 rows of 3,488
PASSES = 4
# The directions are orthonormal up to their rounding to float32, at most 2^-24 of each value: with 257 of them, 1 long,
# |turn turn' - 1| <= 2 * 2^-24 * sqrt(257) = 1.92e-6.
TILT = 2e-6


@dataclass(frozen=True)
class PrefixCodes:
    """The first values of each turned row as int8, and the length of the rest.

    The directions of `turn` are orthonormal. A row u of length 1 has the coordinates p in them, and the length r of
    what lies outside: <u, v> <= <p_u, p_v> + r_u r_v, by Cauchy and Schwarz. The first coordinate lies along the rows'
    mean. It is so much larger than the others that it is kept by itself; their codes would be coarser with it.

    Attributes:
        turn: (1 + m, d) float32, a direction a row. None at all, (0, d), for rows of which it leaves too many.
        values: (n, m) int8, in memory or memory-mapped, and `scale` (n,) float32: the codes c of p without its first.
        sides: (3, n) float32: the first coordinate, |p - c| of the others, and r.
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
        turn = main_directions(sample, VALUES)
        if not tells_apart(turn, sample):
            turn = turn[:0]
        return cls.gather(turn, n, blocks())

    @classmethod
    def gather(cls, turn: Floats, n: int, blocks: Blocks) -> "PrefixCodes":
        """The codes of n rows that come a block at a time, in any order: n * m bytes and one block in memory.

        Raises: ShapeError, where a value is no number or infinite.
        """
        n, m = (n, len(turn) - 1) if len(turn) else (0, 0)
        made = cls(turn, np.empty((n, m), np.int8), np.empty(n, np.float32), np.empty((3, n), np.float32))
        for places, rows in blocks if n else ():

            def encode_part(start: int, stop: int, places: Indices = places, rows: npt.NDArray[Any] = rows) -> None:
                at = places[start:stop]
                made.values[at], made.scale[at], made.sides[:, at], _ = made._project(as_float32(rows[start:stop]), at)

            in_blocks(encode_part, len(rows), max(1, -(-len(rows) // 2)))
        return made

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows there are, and how many values each has: (n, d)."""
        return len(self.values), self.turn.shape[1]

    @property
    def is_worth_it(self) -> bool:
        """Whether the rows have directions that tell them apart."""
        return len(self.turn) > 0

    def bounds(self, queries: Floats) -> Floats:
        """What the similarity of queries (q, d) to every row is at most, rounding included: (q, n) float32."""
        values, scale, (first, error_norm, rest), length = self._project(queries)
        # <p_u, p_v> = u1 v1 + <c_u, c_v> + <p_u - c_u, p_v> + <c_u, p_v - c_v>, and |c_u| <= 1 + |p_u - c_u|.
        weights = np.stack([first, length + error_norm, rest], axis=1)  # (q, 3)
        slack = (error_norm + np.float32(ROUNDING + TILT))[:, None]
        packed = numkong.dots_pack(values)
        n, m = self.values.shape
        bounds = np.empty((len(queries), n), np.float32)

        def scan(start: int, stop: int) -> None:
            part = slice(start, stop)
            dots = np.asarray(numkong.dots_packed(self.values[part], packed))
            out = dots.T.astype(np.float32, order="C")  # a query's bounds beside each other, for what reads them next
            out *= scale[:, None]
            out *= self.scale[part]
            out += weights @ self.sides[:, part]
            np.add(out, slack, out=bounds[:, part])

        in_blocks(scan, n, max(1, min(SCAN_BYTES // m, SCAN_VALUES // len(queries))))
        return bounds

    def extended(self, places: Indices, new: Rows) -> "PrefixCodes":
        """Codes of the rows that stood at `places` (n,) here; where that is below 0, of the next one of `new`.

        Raises: ShapeError, where a value of the new ones is no number or infinite.
        """
        if not self.is_worth_it:
            return self
        fresh, at = self.gather(self.turn, len(new), row_blocks(new)), np.flatnonzero(places < 0)
        made = PrefixCodes(self.turn, self.values[places], self.scale[places], self.sides[:, places])
        made.values[at], made.scale[at], made.sides[:, at] = fresh.values, fresh.scale, fresh.sides
        return made

    def save(self, folder: Path) -> None:
        """Write turn and codes as a folder of npy files, whole or not at all."""

        def write(new: Path) -> None:
            for name, array in vars(self).items():
                np.save(new / f"{name}.npy", array)
            np.save(new / "checksums.npy", self._checksums())

        replace_folder(folder, write)

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
        n, m = len(scale), max(len(turn) - 1, 0)
        if turn.ndim != 2 or values.dtype != np.int8 or values.shape != (n, m) or sides.shape != (3, n):
            raise CollectionError(f"{folder}: prefix codes that do not fit together. Delete it: they are made again.")
        found = cls(turn, values, scale, sides)
        if not np.array_equal(found._checksums(), expected):
            raise CollectionError(f"{folder}: damaged prefix codes. Delete it: they are made again.")
        return found

    def _project(
        self, rows: Floats, places: Indices | None = None
    ) -> tuple[npt.NDArray[np.int8], Floats, Floats, Floats]:
        """Rows (b, d) of any length -> values (b, m), scale (b,), sides (3, b), and |p| without its first (b,)."""
        length = lengths(rows, places)[:, None]
        one, other = (self.turn, rows) if len(rows) == 1 else (rows, self.turn)
        turned = np.asarray(numkong.cdist(one, other, "dot")).reshape(len(rows), -1)  # (b, 1 + m), summed in float64
        turned = np.divide(turned, length, out=np.zeros(turned.shape), where=length > 0)
        outside = np.maximum((length[:, 0] > 0) - np.square(turned).sum(axis=1), 0)
        others: Floats = turned[:, 1:].astype(np.float32)
        values, scale, error_norm = encode(others)
        size = lengths(others).astype(np.float32)
        sides = np.stack([turned[:, 0], error_norm * size, np.sqrt(outside + TILT)]).astype(np.float32)
        return values, scale * size, sides, size

    def _checksums(self) -> npt.NDArray[np.uint64]:
        return np.concatenate([checksums(np.asarray(array)) for array in vars(self).values()])


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
    """Orthonormal directions in which rows (b, d) of length 1 have most of their length: (1 + values, d) float32.

    The first lies along their mean. The others span about the main directions of what is left (subspace iteration:
    Halko, Martinsson and Tropp, arXiv:0909.4061, section 4.5). Within that space they are turned at random, so that no
    value is much larger than the others, which would make the codes coarse: the error is half as long.

    Returns: (0, d), where rows are no longer than so many directions.
    """
    d, rng = sample.shape[1], np.random.default_rng(seed)
    if d <= values:
        return np.empty((0, d), np.float32)
    mean = sample.mean(axis=0, dtype=np.float64)
    mean /= np.linalg.norm(mean) or 1
    spread = sample - np.outer(sample @ mean, mean).astype(np.float32)
    found = rng.standard_normal((d, values))
    for _ in range(PASSES):
        found = np.linalg.qr((spread.T @ (spread @ found.astype(np.float32))).astype(np.float64))[0]
    found = np.linalg.qr(np.column_stack([mean, found]))[0]
    mixed = np.linalg.qr(rng.standard_normal((values, values)))[0]
    turned = np.concatenate([found[:, :1], found[:, 1:] @ mixed], axis=1)  # (d, 1 + values)
    return np.ascontiguousarray(turned.T, np.float32)


def tells_apart(turn: Floats, sample: Floats, k: int = 10, queries: int = 32) -> bool:
    """Whether few enough rows of a sample (b, d) may be among the first k of some of them, by a turn's bounds.

    Of a larger collection a smaller share is left: twice the share that makes a search scan all codes is let through.
    """
    if not len(turn) or len(sample) <= k:
        return False
    asked = sample[:: -(-len(sample) // queries)]
    bounds = PrefixCodes.gather(turn, len(sample), row_blocks(sample)).bounds(asked)
    similarities = asked @ sample.T  # (q, d) @ (d, b) -> (q, b)
    least = np.partition(similarities, -k, axis=1)[:, -k, None]
    return bool((bounds >= least).mean() < 2 / LEFT)
