"""The rows that a gallery ranks, by place: features, the column of a lens, or what the lens makes of the features."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import CollectionError
from lookalike.index.catalog import Places
from lookalike.index.kept_codes import SHARE
from lookalike.index.snapshot import LENS, Piece, Snapshot
from lookalike.index.vector_column import not_numbers
from lookalike.models.lens import Lens

FEATURES = "features"
Halves = NDArray[np.float16]


class RankedRows:
    """The rows of a column by place.

    They are fetched from the table while few are needed, then the whole column is read. In a table that is larger than
    memory they are always fetched.

    Args:
        snapshot: the version.
        lens: whose embedding is ranked; None for the features. Where its column is missing, not whole, or made with
            other weights, the embedding is computed from the features.
        order: (n,), the number of the row of each place; None where places are these numbers: nothing is held then.

    Attributes:
        column: what is read.
        is_unusable: (n,) of those that were read so far, which hold a value that is no number: zeros stand for them.
    """

    def __init__(self, snapshot: Snapshot, lens: Lens | None, order: Places | None):
        self._snapshot, self._lens, self._order = snapshot, lens, order
        self.column = FEATURES if lens is None or not self._is_current(lens) else LENS + lens.name
        self._memory: Halves | None = None
        self._fetched = 0
        n = len(snapshot) if order is None else len(order)
        self.is_unusable = np.zeros(n, np.bool_)
        self.shape = (n, lens.dims if lens is not None else snapshot.features)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, indices: Any) -> Halves:
        places = np.arange(len(self))[indices] if isinstance(indices, slice) else np.asarray(indices, np.int64)
        self._fetched += places.size
        if self._order is None or (self._memory is None and self._fetched * SHARE < len(self)):
            rows, back = np.unique(places if self._order is None else self._order[places], return_inverse=True)
            if not len(rows):
                return np.empty((0, self.shape[1]), np.float16)
            taken = np.empty(len(rows), np.int64)
            taken[back] = places
            return np.asarray(self._through(self._snapshot.take(rows, self.column), taken)[back], np.float16)
        return np.asarray(self.whole()[places], np.float16)

    def whole(self) -> Halves:
        """All rows, in memory from now on.

        Raises: CollectionError, where they are more than memory is meant to hold.
        """
        if self._order is None:
            n, d = self.shape
            raise CollectionError(
                f"{n:,} pictures x {d:,} values: more than is read into memory at once. Index a subfolder as a "
                "collection of its own, with --at.",
                code="collection.large",
            )
        if self._memory is None:
            memory = np.empty(self.shape, np.float16)
            for places, block in self.blocks():
                memory[places] = block
            self._memory = memory
        return self._memory

    def blocks(self) -> Iterator[tuple[Places, Halves]]:
        """All rows, (b, d) at a time as they lie in the table, with their places (b,)."""
        places = np.arange(len(self))
        if self._order is not None:
            places[self._order] = np.arange(len(self))
        start = 0
        for block in self._snapshot.blocks(self.column):
            at = places[start : start + len(block)]
            yield at, self._through(block, at)
            start += len(block)

    def blocks_of(self, piece: Piece) -> Iterator[tuple[Places, Halves]]:
        """The rows of a piece, (b, d) at a time, with their numbers (b,) in it."""
        start = done = self._starts[piece.fragment]
        for block in self._snapshot.blocks(self.column, piece):
            places = np.arange(done, done + len(block))
            yield places - start, self._through(block, places)
            done += len(block)

    def _through(self, rows: Halves, places: Places) -> Halves:
        """Rows as they are ranked, where they are read from the table as it is."""
        if self._lens is not None and self.column != FEATURES:
            rows, missing = self._with_numbers(rows, places), np.flatnonzero(~rows.any(axis=1))
            if self._order is not None or not len(missing):
                return rows
            # These were added while the lens could not be read; the next index fills them.
            rows = np.array(rows)
            rows[missing] = self._computed(self._snapshot.take(places[missing], FEATURES), places[missing])
            return rows
        return self._computed(rows, places)

    def _computed(self, features: Halves, places: Places) -> Halves:
        rows = self._with_numbers(features, places)
        if self._lens is None:
            return rows
        found = self._lens.apply(rows).astype(np.float16)
        found[self.is_unusable[places]] = 0
        return found

    def _with_numbers(self, rows: Halves, places: Places) -> Halves:
        """Zeros in the place of rows that hold what is no number; their places are kept."""
        unusable = not_numbers(rows)
        self.is_unusable[places] |= unusable
        return np.where(unusable[:, None], np.float16(0), rows) if unusable.any() else rows

    @cached_property
    def _starts(self) -> dict[int, int]:
        """The number of the first row of each fragment."""
        pieces = self._snapshot.pieces(self.column)
        starts = np.cumsum([0, *(piece.rows for piece in pieces)]).tolist()
        return {piece.fragment: start for piece, start in zip(pieces, starts, strict=False)}

    def _is_current(self, lens: Lens) -> bool:
        """Whether the column of a lens can be ranked, as it is or with few rows computed."""
        there = lens.name in self._snapshot.lenses() and self._snapshot.weights(lens.name) == lens.fingerprint
        return there and (self._order is None or not self._snapshot.unfilled(lens.name))
