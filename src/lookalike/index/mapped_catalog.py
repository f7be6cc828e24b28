"""Which pictures a gallery holds, on the disk: names stay in the table, and are read for the few that are asked for."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from lookalike.files import digest, remove_folder
from lookalike.index.catalog import DETAILS, Places, as_contents
from lookalike.index.inside import check_inside
from lookalike.index.kept_arrays import Array, KeptArrays, Kind, row_slices, version_of
from lookalike.index.snapshot import CONDITION_COLUMNS, Piece, Snapshot
from lookalike.names import one_form, only_one
from lookalike.progress import SILENT, Reporter

KINDS = {"contents": Kind(np.uint64, (2,)), "names": Kind(np.uint64), "spelled": Kind(np.uint8)}
SCANNED_ROWS = 1 << 18  # compared at once
MIXED = np.uint64(0x9E3779B97F4A7C15)  # odd: 2^64 over the golden ratio
LONGEST = 1 << 12  # bytes of a name; a longer one goes on with the first weight
WEIGHTS = np.random.default_rng(0).integers(1, 1 << 63, LONGEST, np.uint64) | np.uint64(1)


class MappedCatalog:
    """A catalog whose places are the numbers of the rows in the table, see `Catalog`.

    In files beside the codes there are 25 bytes a picture: its content, a number made of its name in one form of
    Unicode, and whether that is how it is spelled. They are memory-mapped, and looked through at the speed of memory.

    Args:
        snapshot: the version.
        kept: the folder for what can be made again.
        reporter: told where making it takes long.
    Raises: CollectionError, when first asked: the table names files outside the folder, or nothing can be kept.
    """

    order: Places | None = None

    def __init__(self, snapshot: Snapshot, kept: Path, reporter: Reporter = SILENT):
        self._snapshot, self._kept, self.reporter = snapshot, kept, reporter
        self._pieces = snapshot.pieces("file", "content")
        self.version = version_of(self._pieces)
        self._n = sum(piece.rows for piece in self._pieces)
        self.files = TableNames(snapshot, self._n)

    def __len__(self) -> int:
        return self._n

    @property
    def contents(self) -> NDArray[np.uint64]:
        """Memory-mapped."""
        return self._arrays["contents"]

    def find(self, file: str) -> int | None:
        """As `NameIndex.find`, by the numbers of the names.

        Raises: AmbiguousNameError.
        """
        return self.find_all([file])[0]

    def find_all(self, files: Sequence[str]) -> list[int | None]:
        """By one pass over the numbers of all names. Raises: AmbiguousNameError."""
        like = self._named_like(files)
        return [self._one_of(file, like.get(one_form(file), [])) for file in files]

    @staticmethod
    def _one_of(file: str, names: Sequence[tuple[int, str]]) -> int | None:
        exact = [place for place, name in names if name == file]
        if exact or not names:
            return exact[0] if exact else None
        return names[only_one(file, [name for _, name in names])][0]

    def find_exactly(self, file: str) -> int | None:
        """By the numbers of the names."""
        named = self._named_like([file]).get(one_form(file), [])
        return next((place for place, name in named if name == file), None)

    def copies_of(self, content: bytes) -> Places:
        """By a pass over the first halves of all."""
        first, second = np.frombuffer(content, np.uint64)
        found = _equal(self.contents[:, 0], first)
        found = found[self.contents[found, 1] == second]
        return self.by_file(found) if len(found) > 1 else found

    def by_file(self, places: Places) -> Places:
        """Places in the order of their files."""
        names = self._snapshot.rows(places, "file").column("file").to_pylist()
        return places[sorted(range(len(places)), key=names.__getitem__)]

    def filter(self, where: str) -> NDArray[np.bool_]:
        """By a pass over the table's own columns."""
        found = np.zeros(len(self), np.bool_)
        found[self._snapshot.numbers_matching(where, self.is_in_one_form)] = True
        return found

    @cached_property
    def is_in_one_form(self) -> bool:
        """By a pass over what is kept."""
        return all(bool(self._arrays["spelled"][rows].all()) for rows in row_slices(len(self), SCANNED_ROWS))

    def places_of(self, numbers: Places) -> Places:
        """They are the same."""
        return numbers

    def named(self, places: Sequence[int]) -> list[tuple[str, bytes]]:
        """Read from the table."""
        read = self._snapshot.rows(places, "file", "content")
        return list(zip(read.column("file").to_pylist(), read.column("content").to_pylist(), strict=True))

    def details(self, places: Sequence[int] | Places) -> list[dict[str, Any]]:
        """Read from the table."""
        found: list[dict[str, Any]] = self._snapshot.rows(places, *DETAILS).to_pylist()
        return found

    def column(self, name: str) -> NDArray[Any]:
        """Read from the table."""
        assert name in CONDITION_COLUMNS[1:]
        parts = [batch.column(0).to_numpy() for batch in self._snapshot.batches(name)]
        return np.concatenate([np.empty(0, np.int64), *parts])

    def prepare(self) -> None:
        """Make now what is not there, and again what is damaged."""
        if self._made.folder.is_dir() and not self._made.is_whole():
            remove_folder(self._made.folder)
        _ = self._arrays

    @cached_property
    def _arrays(self) -> dict[str, Array]:
        made = self._made.make(self._fill, self.reporter)
        self._made.remove_earlier()
        return made

    @property
    def _made(self) -> KeptArrays:
        source = digest([self._snapshot.name.encode()], 8).hex()
        folder = self._kept / f"pictures@{source}-{self.version}"
        return KeptArrays(self._snapshot, self._pieces, folder, KINDS, "their contents and what finds their names")

    def _fill(self, piece: Piece, arrays: Mapping[str, Array]) -> None:
        import pyarrow.compute as pc

        start = 0
        for batch in self._snapshot.batches("file", "content", piece=piece):
            names, rows = batch.column(0), slice(start, start + len(batch))
            check_inside(names, self._snapshot.name)
            in_one_form = pc.utf8_normalize(names, form="NFC")
            arrays["contents"][rows] = as_contents(batch.column(1))
            arrays["names"][rows] = name_numbers(in_one_form)
            arrays["spelled"][rows] = pc.equal(names, in_one_form).to_numpy(zero_copy_only=False)
            start = rows.stop

    def _named_like(self, files: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
        """Form -> places and names of the pictures named so in any form of Unicode, in the order of the names."""
        import pyarrow as pa

        wanted = []
        for form in {one_form(file) for file in files}:
            with suppress(UnicodeEncodeError, pa.ArrowInvalid):  # what is no UTF-8 is no name in a table
                wanted.append(name_numbers(pa.array([form]))[0])
        places = _among(self._arrays["names"], np.array(wanted, np.uint64))
        names = self._snapshot.rows(places, "file").column("file").to_pylist()
        found: dict[str, list[tuple[int, str]]] = {}
        for place, name in sorted(zip(places.tolist(), names, strict=True), key=lambda one: one[1]):
            found.setdefault(one_form(name), []).append((place, name))
        return found


class TableNames(Sequence[str]):
    """The names of all pictures by place, read from the table when they are asked for; a loop reads a piece at a time.

    Args:
        snapshot: the version.
        n: how many there are.
    """

    def __init__(self, snapshot: Snapshot, n: int):
        self._snapshot, self._n = snapshot, n

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        places = range(self._n)[index]
        if isinstance(places, int):
            return str(self._snapshot.rows([places], "file").column("file")[0].as_py())
        return list(self._snapshot.rows(places, "file").column("file").to_pylist())

    def __iter__(self) -> Iterator[str]:
        for batch in self._snapshot.batches("file"):
            yield from batch.column(0).to_pylist()


def name_numbers(names: Any) -> NDArray[np.uint64]:
    """A number for each of n names, a pyarrow array of strings: (n,). Equal names have equal ones.

    The sum of a name's bytes, each with an odd weight of its own, and of its length (multilinear hashing: Lemire and
    Kaser, arXiv:1202.4961). Others may have the same number: names are compared after it has found them.

    >>> import pyarrow as pa
    >>> one, other, again = name_numbers(pa.array(["ab", "ba", "ab"]))
    >>> bool(one == again), bool(one == other)
    (True, False)
    """
    import pyarrow as pa

    if not len(names):
        return np.empty(0, np.uint64)
    large = names.cast(pa.large_string())
    _, ends, content = large.buffers()
    edges = np.frombuffer(ends, np.int64)[large.offset : large.offset + len(large) + 1]
    edges, content = edges - edges[0], np.frombuffer(content or b"", np.uint8)[edges[0] : edges[-1]]
    lengths = np.diff(edges)
    values = content.astype(np.uint64) + np.uint64(1)
    values *= WEIGHTS[(np.arange(len(values)) - np.repeat(edges[:-1], lengths)) % LONGEST]
    # Differences of running sums; both may pass 2^64, as the sums of single names may.
    running = np.concatenate([np.zeros(1, np.uint64), np.cumsum(values, dtype=np.uint64)])[edges]
    return np.asarray(np.diff(running) * MIXED + lengths.astype(np.uint64), np.uint64)


def _equal(array: NDArray[np.uint64], value: np.uint64) -> Places:
    """Where a value stands in an array (n,), which may be memory-mapped."""
    found = [np.flatnonzero(array[rows] == value) + rows.start for rows in row_slices(len(array), SCANNED_ROWS)]
    return np.concatenate([np.empty(0, np.int64), *found])


def _among(array: NDArray[np.uint64], values: NDArray[np.uint64]) -> Places:
    """Where any of some values stands in an array (n,), which may be memory-mapped; one pass, however many they are."""
    if len(values) <= 1:
        return _equal(array, values[0]) if len(values) else np.empty(0, np.int64)
    low = np.zeros(1 << 16, np.bool_)  # whether a value ends in these 16 bits
    low[values & np.uint64(0xFFFF)] = True
    found = [np.empty(0, np.int64)]
    for rows in row_slices(len(array), SCANNED_ROWS):
        block = array[rows]
        likely = np.flatnonzero(low[block & np.uint64(0xFFFF)])
        found.append(likely[np.isin(block[likely], values)] + rows.start)
    return np.concatenate(found)
