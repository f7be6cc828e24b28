"""What a search ranks: the pictures of one table version, and their features or what a lens makes of them."""

import tempfile
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import QueryError
from lookalike.files import digest
from lookalike.index.catalog import Catalog, MemoryCatalog, Places
from lookalike.index.damage import is_local
from lookalike.index.exact_knn import FEW, ExactKNN, first_of
from lookalike.index.ivf import MULTIPLE_OF, ApproximateIndex
from lookalike.index.kept_arrays import version_of
from lookalike.index.kept_codes import KeptCodes
from lookalike.index.mapped_catalog import MappedCatalog
from lookalike.index.mapped_codes import MappedCodes
from lookalike.index.quantization import Floats
from lookalike.index.ranked_rows import FEATURES, RankedRows
from lookalike.index.snapshot import ROWS_AT_ONCE, Snapshot
from lookalike.models.lens import Lens
from lookalike.models.vectors import as_float32, normalize_rows
from lookalike.progress import SILENT

MEAN_ROWS = 1 << 16  # that the mean of a large gallery is made of
IN_MEMORY_ROWS = 2_000_000  # with more, names stay in the table and codes in files
IN_MEMORY_BYTES = 1 << 31  # of codes, likewise
TIED = 8  # more than k are ranked on the disk, to see whether the last of them is like those that follow
MOST_TIED = 4096


class Gallery:
    """The pictures of one version of a table by place, and the ranking of one column.

    Places are in the order of the files. In a table that is larger than memory is meant to hold they are the numbers of
    its rows: nothing of a row is held then, names are read for those that are asked for, and codes lie in files.

    Args:
        snapshot: the version.
        lens: whose embedding is ranked; None for the features, see `RankedRows`.
        kept: the folder for ranking codes, which may vanish at any time; None keeps none.
        few: galleries of more rows than this are ranked by codes.
        most: galleries of more rows than this are larger than memory, as are those with IN_MEMORY_BYTES of codes.

    Attributes:
        is_mapped: whether it is larger than memory.
        few: as above.
        rows: what is ranked, (n, d) float16; rows[indices] reads some of them. Zeros stand for a row that holds a value
            which is no number.
        reporter: told where something is made that takes long.
    Raises: CollectionError, when the table names files outside the folder; of one on the disk when that is first read.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        lens: Lens | None = None,
        kept: Path | None = None,
        few: int = FEW,
        most: int = IN_MEMORY_ROWS,
    ):
        self.version, self.lens, self.reporter = snapshot.version, lens, SILENT
        self._snapshot, self._kept, self.few = snapshot, kept, few
        n, d = len(snapshot), snapshot.features if lens is None else lens.dims
        self.is_mapped = n > most or (n > few and n * d > IN_MEMORY_BYTES)
        self._memory = None if self.is_mapped else MemoryCatalog(snapshot)
        self.rows = RankedRows(snapshot, lens, self._order)
        self._ranking: ExactKNN | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, file: object) -> bool:
        """Whether there is a file of exactly this name."""
        return isinstance(file, str) and self.catalog.find_exactly(file) is not None

    @property
    def files(self) -> Sequence[str]:
        """The n names by place; in the table where that is larger than memory."""
        return self.catalog.files

    @property
    def contents(self) -> NDArray[np.uint64]:
        """The hash of each file's bytes, (n, 2)."""
        return self.catalog.contents

    @cached_property
    def catalog(self) -> Catalog:
        """Which pictures there are."""
        if self._memory is not None:
            return self._memory
        return MappedCatalog(self._snapshot, self._kept_at.parent / "catalog", self.reporter)

    @property
    def knn(self) -> ExactKNN:
        """What finds the first k; its codes are read from where they were kept, or made and kept."""
        if self._ranking is None:
            self._ranking = ExactKNN(self.rows, *(self._codes().load() if len(self) > self.few else ()))
        return self._ranking

    def rank(
        self, queries: Floats, k: int | None, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[Sequence[Places], Sequence[Floats]]:
        """The first k of those that are allowed for each query (q, d), equal ones in the order of their files.

        Where the gallery is larger than memory, of more than MOST_TIED equal ones at the end some may not be the first.

        Returns: places and similarities, a row a query.
        Raises: QueryError, when all pictures of a gallery larger than memory are asked for.
        """
        if not self.is_mapped:
            found, values = self.knn.search(queries, k, allowed)
            return list(found), list(values)
        if k is None:
            raise QueryError(f"all hits of {len(self):,} pictures: more than is ranked at once. Ask for some with -k.")
        found, values = self.knn.search(queries, k + TIED, allowed)
        ranked = []
        for j, (places, similarities) in enumerate(zip(found, values, strict=True)):
            asked = k + TIED
            while len(places) == asked < k + MOST_TIED and similarities[-1] == similarities[k - 1]:
                asked = k + 4 * (asked - k)
                places, similarities = self.knn.search(queries[j], asked, allowed)
            ranked.append(self._first_by_file(places, similarities, k))
        return [places for places, _ in ranked], [similarities for _, similarities in ranked]

    def rank_by_index(
        self, queries: Floats, k: int, where: str | None = None, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[Sequence[Places], Sequence[Floats]]:
        """About the first k for each query (q, d), by the approximate index, equal ones in the order of their files.

        Args:
            queries: as for `rank`.
            k: how many, 1 or more.
            where: an SQL condition.
            allowed: the pictures that fulfil it, (n,). Where they are few, all of them are compared.
        Raises: DamagedTableError, where the index cannot be read.
        """
        assert self.index is not None
        count = len(self) if allowed is None else int(allowed.sum())
        ranked = []
        for query in queries:
            if count <= max(self.few, k + TIED):
                places, similarities = ExactKNN(self.rows).search(query, k + TIED, allowed)
                usable = ~self.rows.is_unusable[places]
                places, similarities = places[usable], similarities[usable]
            else:
                numbers, similarities = self.index.search(query, k + TIED, where, count / len(self))
                places, similarities = first_of(len(numbers), [self.catalog.places_of(numbers)], [similarities])
            ranked.append(self._first_by_file(places, similarities, k))
        return [places for places, _ in ranked], [similarities for _, similarities in ranked]

    @property
    def is_whole_column(self) -> bool:
        """Whether what is ranked stands in the table: the features, or the column of the lens."""
        return self.lens is None or self.rows.column != FEATURES

    @property
    def can_be_indexed(self) -> bool:
        """Whether an approximate index can be made of what is ranked, in a table on this machine."""
        return self.is_whole_column and self.rows.shape[1] % MULTIPLE_OF == 0 and is_local(self._snapshot.uri)

    @cached_property
    def index(self) -> ApproximateIndex | None:
        """The approximate index of what is ranked; None where there is none."""
        return ApproximateIndex.of(self._snapshot, self.rows.column) if self.is_whole_column else None

    def _first_by_file(self, places: Places, similarities: Floats, k: int) -> tuple[Places, Floats]:
        """The first k of places by similarity, equal ones in the order of their files."""
        if not len(places):
            return places, similarities
        edges = np.flatnonzero(np.diff(similarities, prepend=np.nan, append=np.nan))
        for start, stop in pairwise(edges.tolist()):
            if stop - start > 1 and start < k:
                places[start:stop] = self.catalog.by_file(places[start:stop])
        return places[:k], similarities[:k]

    def details(self, places: Sequence[int] | Places) -> list[dict[str, Any]]:
        """Of the pictures at some places, in this order: file, content, width, height, mtime_ns."""
        return self.catalog.details(places)

    def build_codes(self) -> None:
        """Make and keep now what the first search would have to make."""
        self.catalog.prepare()
        if self._ranking is None and len(self) > self.few:
            self._codes().prepare()

    @cached_property
    def unusable(self) -> NDArray[np.int64]:
        """Where the pictures stand whose rows hold a value that is no number: nothing can be said of them."""
        if len(self) <= self.few:
            self.rows.whole()
        else:
            self.rows[np.flatnonzero(self.knn.codes.scale == 0)]
        return np.flatnonzero(self.rows.is_unusable)

    def find_unusable(self) -> list[str]:
        """The files of such pictures as far as they can be found without reading all rows of a large gallery."""
        if len(self) > self.few:
            try:
                scale = np.load((self._kept or Path()) / self.cache_name / "scale.npy", mmap_mode="r")
            except (OSError, ValueError, EOFError):  # it was not ranked yet
                return []
            suspects = np.flatnonzero(scale == 0)
            self.rows[suspects[suspects < len(self)]]
            return [one["file"] for one in self.details(np.flatnonzero(self.rows.is_unusable))]
        return [self.files[place] for place in self.unusable]

    def usable_rows(self) -> tuple[list[str], NDArray[np.float16]]:
        """All files and their rows, those that are unusable left out."""
        rows = self.rows.whole()
        files = np.array(self.files, object)
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
            if len(self) > self.few:
                codes = self.knn.codes
                rows = codes.values[part] * codes.scale[part, None]
            else:
                rows = normalize_rows(as_float32(self.rows[part]))
            total += rows.sum(axis=0, dtype=np.float64)
            count += int(rows.any(axis=1).sum())  # a row of zeros is one that holds a value which is no number
        return np.asarray(total / max(count, 1), np.float32)

    @cached_property
    def plain_rows(self) -> RankedRows:
        """The features, (n, f) float16, as `rows` gives what is ranked."""
        return self.rows if self.lens is None else RankedRows(self._snapshot, None, self._order)

    @property
    def sizes(self) -> NDArray[np.int32]:
        """Width and height of each picture, upright, in pixels: (n, 2)."""
        return np.stack([self.catalog.column(name) for name in ("width", "height")], axis=1).astype(np.int32)

    @property
    def dates(self) -> NDArray[np.int64]:
        """When each picture's file was last changed, in ns since 1970: (n,)."""
        return np.asarray(self.catalog.column("mtime_ns"), np.int64)

    @cached_property
    def cache_name(self) -> str:
        """What the cache calls what is made of exactly these rows: COLUMN@SOURCE-ROWS (docs/formats.md)."""
        weights = "" if self.lens is None else self.lens.fingerprint
        column = "plain" if self.lens is None else self.lens.name
        source = digest([f"{self._snapshot.name} {weights}".encode()], 8).hex()
        if self._memory is not None:
            return f"{column}@{source}-{self._memory.version}"
        return f"{column}@{source}-{version_of(self._snapshot.pieces(self.rows.column, 'content'))}"

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
        return self.catalog.find(file)

    def rows_of(self, files: Sequence[str]) -> list[int | None]:
        """Where some files stand, as `row_of`; those of a gallery larger than memory by one pass."""
        return self.catalog.find_all(files)

    def copies_of(self, content: bytes | None) -> Places:
        """Where the pictures of this content stand, in the order of their files."""
        return np.empty(0, np.int64) if content is None else self.catalog.copies_of(content)

    def filter(self, where: str) -> NDArray[np.bool_]:
        """Which pictures fulfil an SQL condition on file, width, height, bytes, mtime: (n,).

        Names are compared in one form of Unicode, those of the condition and those of the pictures.

        Raises: QueryError, when the condition cannot be understood.
        """
        return self.catalog.filter(where)

    @property
    def _order(self) -> Places | None:
        return None if self._memory is None else self._memory.order

    @cached_property
    def _kept_at(self) -> Path:
        """Where what is made is kept: without a place for it in a folder that goes with this gallery."""
        if self._kept is not None:
            return self._kept
        self._temporary = tempfile.TemporaryDirectory(prefix="lookalike-", ignore_cleanup_errors=True)
        return Path(self._temporary.name) / "codes"

    def _codes(self) -> KeptCodes | MappedCodes:
        if self._memory is not None:
            folder = None if self._kept is None else self._kept / self.cache_name
            return KeptCodes(self.rows, self._memory.keys, folder)
        return MappedCodes(self.rows, self._snapshot, self._kept_at / self.cache_name, self.reporter)
