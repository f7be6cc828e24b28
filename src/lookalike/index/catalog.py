"""Which pictures a gallery holds, in memory: their names and contents by place, in the order of the names."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.files import digest
from lookalike.index.inside import check_inside
from lookalike.index.snapshot import Snapshot
from lookalike.names import NameIndex

Places = NDArray[np.int64]
DETAILS = ("file", "content", "width", "height", "mtime_ns")


class Catalog(Protocol):
    """What is known of the pictures of one version of a table, beside their vectors.

    Attributes:
        files: n names, by place.
        contents: (n, 2) uint64, the hash of each file's bytes.
        order: (n,), the number of the row of each place; None where places are these numbers.
        version: a digest of exactly these rows.
        is_in_one_form: whether all names are in the form of Unicode in which names are compared.
    """

    @property
    def files(self) -> Sequence[str]: ...
    @property
    def contents(self) -> NDArray[np.uint64]: ...
    @property
    def order(self) -> Places | None: ...
    @property
    def version(self) -> str: ...
    @property
    def is_in_one_form(self) -> bool: ...
    def __len__(self) -> int: ...
    def find(self, file: str) -> int | None:
        """Where a name stands, as `NameIndex.find`."""

    def find_all(self, files: Sequence[str]) -> list[int | None]:
        """Where some names stand, each as by `find`."""

    def find_exactly(self, file: str) -> int | None:
        """Where the name of these very code points stands."""

    def copies_of(self, content: bytes) -> Places:
        """Where the pictures of a content stand, in the order of their files."""

    def by_file(self, places: Places) -> Places:
        """Places in the order of their files."""

    def places_of(self, numbers: Places) -> Places:
        """The places of rows of the table."""

    def filter(self, where: str) -> NDArray[np.bool_]:
        """Which pictures fulfil a condition, (n,). Raises: QueryError."""

    def named(self, places: Sequence[int]) -> list[tuple[str, bytes]]:
        """Name and content of the pictures at some places, in this order."""

    def details(self, places: Sequence[int] | Places) -> list[dict[str, Any]]:
        """`DETAILS` of the pictures at some places, in this order."""

    def column(self, name: str) -> NDArray[Any]:
        """A column of numbers, (n,), by place."""

    def prepare(self) -> None:
        """Make now what is kept of it."""


class MemoryCatalog:
    """A catalog in memory, see `Catalog`. Raises: CollectionError, when the table names files outside the folder."""

    def __init__(self, snapshot: Snapshot):
        import pyarrow.compute as pc

        self._snapshot = snapshot
        read = snapshot.read("file", "content", "_rowid")
        order = pc.sort_indices(read.column("file"))
        self.order: Places = order.to_numpy().astype(np.int64)  # place among the sorted files -> row of the table
        self._names = read.column("file").take(order).combine_chunks()
        check_inside(self._names, snapshot.name)
        self.files: list[str] = self._names.to_pylist()
        self._index = NameIndex(self.files)
        self.contents = as_contents(read.column("content").combine_chunks())[self.order]
        # A row's number in the table and its content: rows of equal keys are the same row, in any version.
        numbers = read.column("_rowid").to_numpy()[self.order]
        self.keys = np.column_stack([numbers, self.contents])

    def __len__(self) -> int:
        return len(self.files)

    @property
    def version(self) -> str:
        """A digest of the keys."""
        return digest([self.keys.tobytes()], 8).hex()

    def find(self, file: str) -> int | None:
        """By bisection."""
        return self._index.find(file)

    def find_all(self, files: Sequence[str]) -> list[int | None]:
        """One by one."""
        return [self.find(file) for file in files]

    def find_exactly(self, file: str) -> int | None:
        """By bisection."""
        return self._index.find_exactly(file)

    def copies_of(self, content: bytes) -> Places:
        """By a pass over all."""
        return np.flatnonzero((self.contents == np.frombuffer(content, np.uint64)).all(axis=1))

    def by_file(self, places: Places) -> Places:
        """They are in that order."""
        return np.sort(places)

    def places_of(self, numbers: Places) -> Places:
        """By the order turned round."""
        return self._places[numbers]

    @property
    def is_in_one_form(self) -> bool:
        """As the table says."""
        return self._snapshot.is_in_one_form

    @cached_property
    def _places(self) -> Places:
        return np.argsort(self.order)

    def filter(self, where: str) -> NDArray[np.bool_]:
        """By the names of those that the table finds."""
        import pyarrow.compute as pc

        matches = pc.is_in(self._names, value_set=self._snapshot.matching(where).combine_chunks())
        return np.asarray(matches.to_numpy(zero_copy_only=False), np.bool_)

    def named(self, places: Sequence[int]) -> list[tuple[str, bytes]]:
        """From memory."""
        return [(self.files[place], self.contents[place].tobytes()) for place in places]

    def details(self, places: Sequence[int] | Places) -> list[dict[str, Any]]:
        """Read from the table."""
        found: list[dict[str, Any]] = self._snapshot.rows(self.order[np.asarray(places, int)], *DETAILS).to_pylist()
        return found

    def column(self, name: str) -> NDArray[Any]:
        """Read from the table."""
        return np.asarray(self._snapshot.read(name).column(name).to_numpy()[self.order])

    def prepare(self) -> None:
        """Nothing is kept of it."""


def as_contents(hashes: Any) -> NDArray[np.uint64]:
    """A pyarrow array of binary(16) -> (n, 2) uint64."""
    return np.frombuffer(hashes.buffers()[1], np.uint64)[2 * hashes.offset :][: 2 * len(hashes)].reshape(-1, 2)
