"""What a search ranks, in memory: the files of one table version, and their features or what a lens makes of them."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.files import digest
from lookalike.index.exact_knn import FEW, ExactKNN
from lookalike.index.inside import check_inside
from lookalike.index.kept_codes import SHARE, KeptCodes
from lookalike.index.snapshot import LENS, ROWS_AT_ONCE, Snapshot
from lookalike.index.vector_column import not_numbers
from lookalike.models.lens import Lens
from lookalike.models.vectors import as_float32, normalize_rows
from lookalike.names import NameIndex

MEAN_ROWS = 1 << 16  # that the mean of a large gallery is made of


class Gallery:
    """The pictures of one version of a table, in the order of their files, and the ranking of one column.

    Args:
        snapshot: the version.
        lens: whose embedding is ranked; None for the features. Where its column is missing, not whole, or made with
            other weights, the embedding is computed from the features.
        kept: the folder for ranking codes, which may vanish at any time; None keeps none.
        few: galleries of more rows than this are ranked by codes.

    Attributes:
        files: n names, sorted.
        contents: (n, 2) uint64, the hash of each file's bytes.
        rows: what is ranked, (n, d) float16; rows[indices] reads some of them. Zeros stand for a row that holds a value
            which is no number.
    Raises: CollectionError, when the table names files outside the folder.
    """

    def __init__(self, snapshot: Snapshot, lens: Lens | None = None, kept: Path | None = None, few: int = FEW):
        import pyarrow.compute as pc

        self.version = snapshot.version
        self.lens, self._snapshot, self._kept, self._few = lens, snapshot, kept, few
        read = snapshot.read("file", "content", "_rowid")
        order = pc.sort_indices(read.column("file"))
        self._order = order.to_numpy().astype(np.int64)  # place among the sorted files -> row of the table
        self._names = read.column("file").take(order).combine_chunks()
        check_inside(self._names, snapshot.name)
        self.files: list[str] = self._names.to_pylist()
        self._index = NameIndex(self.files)
        self.contents = as_contents(read.column("content").combine_chunks())[self._order]
        # A row's number in the table and its content: rows of equal keys are the same row, in any version.
        numbers = read.column("_rowid").to_numpy()[self._order]
        self._keys = np.column_stack([numbers, self.contents])
        self.rows = VectorColumn(snapshot, lens, self._order)
        self._ranking: ExactKNN | None = None

    def __len__(self) -> int:
        return len(self.files)

    def __contains__(self, file: object) -> bool:
        """Whether there is a file of exactly this name."""
        return isinstance(file, str) and self._index.find_exactly(file) is not None

    @property
    def knn(self) -> ExactKNN:
        """What finds the first k; its codes are read from where they were kept, or made and kept."""
        if self._ranking is None:
            self._ranking = ExactKNN(self.rows, *(self._codes().load() if len(self) > self._few else ()))
        return self._ranking

    def build_codes(self) -> None:
        """Make and keep the codes now, so that the first search need not."""
        if self._ranking is None and len(self) > self._few:
            self._codes().prepare()

    @cached_property
    def unusable(self) -> NDArray[np.int64]:
        """Where the pictures stand whose rows hold a value that is no number: nothing can be said of them."""
        if len(self) <= self._few:
            self.rows.whole()
        else:
            self.rows[np.flatnonzero(self.knn.codes.scale == 0)]
        return np.flatnonzero(self.rows.is_unusable)

    def find_unusable(self) -> list[str]:
        """The files of such pictures as far as they can be found without reading all rows of a large gallery."""
        if len(self) > self._few:
            try:
                scale = np.load((self._kept or Path()) / self.cache_name / "scale.npy")
            except (OSError, ValueError, EOFError):  # it was not ranked yet
                return []
            suspects = np.flatnonzero(scale == 0)
            self.rows[suspects[suspects < len(self)]]
            return [self.files[place] for place in np.flatnonzero(self.rows.is_unusable)]
        return [self.files[place] for place in self.unusable]

    def usable_rows(self) -> tuple[list[str], NDArray[np.float16]]:
        """All files and their rows, those that are unusable left out."""
        files, rows = np.array(self.files, object), self.rows.whole()
        return np.delete(files, self.unusable).tolist(), np.delete(rows, self.unusable, axis=0)

    def vector(self, place: int) -> NDArray[np.float16] | None:
        """The row of a picture; None when it is unusable."""
        row = self.rows[[place]][0]
        return None if self.rows.is_unusable[place] else row

    @cached_property
    def mean(self) -> NDArray[np.float32]:
        """The mean (d,) of the rows, each of length 1: of its codes in a large gallery, as many as MEAN_ROWS, spread
        evenly over the files. The same table version gives the same bits.
        """
        total, count = np.zeros(self.rows.shape[1]), 0
        places = np.arange(0, len(self), -(-len(self) // MEAN_ROWS) or 1)
        for part in np.array_split(places, -(-len(places) // ROWS_AT_ONCE) or 1):
            if len(self) > self._few:
                codes = self.knn.codes
                rows = codes.values[part] * codes.scale[part, None]
            else:
                rows = normalize_rows(as_float32(self.rows[part]))
            total += rows.sum(axis=0, dtype=np.float64)
            count += int(rows.any(axis=1).sum())  # a row of zeros is one that holds a value which is no number
        return np.asarray(total / max(count, 1), np.float32)

    @cached_property
    def plain_rows(self) -> "VectorColumn":
        """The features, (n, f) float16, as `rows` gives what is ranked."""
        return self.rows if self.lens is None else VectorColumn(self._snapshot, None, self._order)

    @property
    def sizes(self) -> NDArray[np.int32]:
        """Width and height of each picture, upright, in pixels: (n, 2)."""
        read = self._snapshot.read("width", "height")
        sizes = np.stack([read.column(name).to_numpy() for name in ("width", "height")], axis=1)
        return np.asarray(sizes[self._order], np.int32)

    @property
    def dates(self) -> NDArray[np.int64]:
        """When each picture's file was last changed, in ns since 1970: (n,)."""
        return np.asarray(self._snapshot.read("mtime_ns").column("mtime_ns").to_numpy()[self._order], np.int64)

    @property
    def cache_name(self) -> str:
        """What the cache calls what is made of exactly these rows: COLUMN@SOURCE-ROWS (docs/formats.md)."""
        weights = "" if self.lens is None else self.lens.fingerprint
        column = "plain" if self.lens is None else self.lens.name
        source = _digest(f"{self._snapshot.name} {weights}".encode())
        return f"{column}@{source}-{_digest(self._keys.tobytes())}"

    @property
    def features(self) -> int:
        """The number of features f that its vectors come from."""
        return self._snapshot.features

    def embed_query(self, features: NDArray[Any]) -> NDArray[np.floating[Any]]:
        """Features (f,) as this gallery's rows are: (d,), through its lens."""
        return features if self.lens is None else self.lens.apply(features[None])[0]

    def row_of(self, file: str) -> int | None:
        """Where a file stands, in whatever form of Unicode it is asked; None when it is not here.

        Raises: AmbiguousNameError, when several differ from it in their form alone.
        """
        return self._index.find(file)

    def copies_of(self, content: bytes | None) -> NDArray[np.int64]:
        """Where the pictures of this content stand."""
        if content is None:
            return np.empty(0, np.int64)
        return np.flatnonzero((self.contents == np.frombuffer(content, np.uint64)).all(axis=1))

    def filter(self, where: str) -> NDArray[np.bool_]:
        """Which pictures fulfil an SQL condition on file, width, height, bytes, mtime: (n,).

        Names are compared in one form of Unicode, those of the condition and those of the pictures.

        Raises: QueryError, when the condition cannot be understood.
        """
        import pyarrow.compute as pc

        matches = pc.is_in(self._names, value_set=self._snapshot.matching(where).combine_chunks())
        return np.asarray(matches.to_numpy(zero_copy_only=False), np.bool_)

    def _codes(self) -> KeptCodes:
        folder = None if self._kept is None else self._kept / self.cache_name
        return KeptCodes(self.rows, self._keys, folder)


class VectorColumn:
    """The rows of a column by place among the sorted files.

    They are fetched from the table while few are needed, then the whole column is read.

    Attributes:
        is_unusable: (n,) of those that were read so far, which hold a value that is no number: zeros stand for them.
    """

    def __init__(self, snapshot: Snapshot, lens: Lens | None, order: NDArray[np.int64]):
        self._snapshot, self._order = snapshot, order
        self._column = "features" if lens is None or not _is_current(snapshot, lens) else LENS + lens.name
        self._computed = lens if self._column == "features" else None
        self._memory: NDArray[np.float16] | None = None
        self._fetched = 0
        self.is_unusable = np.zeros(len(order), np.bool_)
        self.shape = (len(order), lens.dims if lens is not None else snapshot.features)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, indices: Any) -> NDArray[np.float16]:
        places = np.arange(len(self))[indices]
        self._fetched += places.size
        if self._memory is None and self._fetched * SHARE < len(self):
            rows, back = np.unique(self._order[places], return_inverse=True)
            taken = np.empty(len(rows), np.int64)
            taken[back] = places
            return np.asarray(self._through(self._snapshot.take(rows, self._column), taken)[back], np.float16)
        return np.asarray(self.whole()[places], np.float16)

    def whole(self) -> NDArray[np.float16]:
        """All rows, in memory from now on."""
        if self._memory is None:
            memory = np.empty(self.shape, np.float16)
            for places, block in self.blocks():
                memory[places] = block
            self._memory = memory
        return self._memory

    def blocks(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        """All rows, (b, d) at a time as they lie in the table, with their places (b,) among the sorted files."""
        places = np.empty(len(self), np.int64)
        places[self._order] = np.arange(len(self))
        start = 0
        for block in self._snapshot.blocks(self._column):
            at = places[start : start + len(block)]
            yield at, self._through(block, at)
            start += len(block)

    def _through(self, rows: NDArray[np.float16], places: NDArray[np.int64]) -> NDArray[np.float16]:
        unusable = not_numbers(rows)
        self.is_unusable[places] |= unusable
        if unusable.any():
            rows = np.where(unusable[:, None], np.float16(0), rows)
        if self._computed is None:
            return rows
        found = self._computed.apply(rows).astype(np.float16)
        found[unusable] = 0
        return found


def _is_current(snapshot: Snapshot, lens: Lens) -> bool:
    """Whether the column of a lens can be ranked as it is."""
    there = lens.name in snapshot.lenses() and snapshot.weights(lens.name) == lens.fingerprint
    return there and not snapshot.unfilled(lens.name)


def as_contents(hashes: Any) -> NDArray[np.uint64]:
    """A pyarrow array of binary(16) -> (n, 2) uint64."""
    return np.frombuffer(hashes.buffers()[1], np.uint64)[2 * hashes.offset :][: 2 * len(hashes)].reshape(-1, 2)


def _digest(content: bytes) -> str:
    return digest([content], 8).hex()
