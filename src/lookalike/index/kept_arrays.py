"""Arrays with a row a picture, in files: made a piece of the table at a time, and looked into without being held.

A folder holds an npy file for each array, `offsets.npy` (n,) uint32, each row's number in its piece, and `pieces.json`.
Rows lie in the order of the table. What an earlier version's folder holds of the same rows is copied, and a run that
was ended is continued.
"""

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from lookalike.errors import CollectionError
from lookalike.files import atomic_write, digest, remove_folder, replace_folder, sync_tree
from lookalike.index.quantization import checksums_of
from lookalike.index.snapshot import Piece, Snapshot
from lookalike.progress import SILENT, Reporter, Timer

Array = NDArray[Any]
Make = Callable[[Piece, Mapping[str, Array]], None]

PIECES, OFFSETS, PARTIAL = "pieces.json", "offsets", "partial"
SAVED_BYTES = 1 << 28  # what a run that is ended may have to make again
COPIED_ROWS = 1 << 16  # at once
SAID_BYTES = 1 << 28  # more than this takes seconds: people are told
SPARE_BYTES = 1 << 28  # left free on the disk


@dataclass(frozen=True)
class Kind:
    """What an array holds of each row: its shape is (*before, n, *after)."""

    type: DTypeLike
    after: tuple[int, ...] = ()
    before: tuple[int, ...] = ()

    def shape(self, n: int) -> tuple[int, ...]:
        """Of n rows."""
        return (*self.before, n, *self.after)

    def part(self, array: Array, rows: slice | Array) -> Array:
        """Some rows: a view for a slice."""
        return np.asarray(array[(*[slice(None)] * len(self.before), rows)])


@dataclass(frozen=True)
class KeptArrays:
    """Arrays of all rows of one version of a table.

    Args:
        snapshot: the version.
        pieces: what it consists of, as far as these arrays are concerned.
        folder: NAME@SOURCE-VERSION. Others in the folder above it whose names begin with NAME@ are of other versions.
        kinds: the arrays.
        what: is being made, in words for people.
        whole: arrays that are not of rows, kept beside them; rows are copied from folders alone where they are equal.
        others: the folders of other versions; None for those beside it.
    """

    snapshot: Snapshot
    pieces: Sequence[Piece]
    folder: Path
    kinds: Mapping[str, Kind]
    what: str
    whole: Mapping[str, Array] = field(default_factory=dict)
    others: Sequence[Path] | None = None

    def __len__(self) -> int:
        return sum(piece.rows for piece in self.pieces)

    def open(self) -> dict[str, Array]:
        """The arrays, memory-mapped, and `whole`.

        Raises: CollectionError, when they are not there, or not those of this version.
        """
        try:
            held, done = _read_pieces(self.folder)
            arrays = _mapped(self.folder, self.kinds, len(self))
            arrays |= {name: np.load(self.folder / f"{name}.npy") for name in self.whole}
        except (OSError, ValueError, EOFError, KeyError, TypeError) as error:
            raise CollectionError(f"{self.folder}: not there, or damaged. Delete it: it is made again.") from error
        if done < len(held) or [(one.key, one.removed) for one in held] != [
            (one.key, one.removed) for one in self.pieces
        ]:
            raise CollectionError(f"{self.folder}: of another version. Delete it: it is made again.")
        return {name: np.asarray(array) for name, array in arrays.items()}

    def is_whole(self) -> bool:
        """Whether the arrays are those that were written, by a pass over all of them."""
        try:
            arrays = self.open()
            expected = np.load(self.folder / "checksums.npy")
        except (CollectionError, OSError, ValueError, EOFError):
            return False
        return np.array_equal(checksums_of({name: arrays[name] for name in self.kinds}), expected)

    def make(self, make: Make, reporter: Reporter = SILENT) -> dict[str, Array]:
        """The arrays, made where they are not there; one process makes them, others wait for it.

        Args:
            make: fills the rows of a piece: given it, and its part of each array.
            reporter: told of "preparing" in rows, and once in words where it takes long.
        Raises: CollectionError, when nothing can be written, or the disk is too full; what `make` and `reporter` raise.
        """
        from filelock import FileLock

        with contextlib.suppress(CollectionError):  # also where nothing can be written
            return self.open()
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder.parent / f".{self.folder.name}.lock"):
                with contextlib.suppress(CollectionError):
                    return self.open()
                self._make(make, reporter)
        except OSError as error:
            raise CollectionError(
                f"{self.folder.parent}: {self.what} cannot be kept there ({error.strerror or error}), and "
                f"{len(self):,} pictures need a disk for them. Make room, or keep the collection elsewhere with --at."
            ) from error
        return self.open()

    def earlier(self) -> list[Path]:
        """The folders of other versions, whole or begun."""
        if self.others is not None:
            return [folder for folder in self.others if folder.is_dir()]
        name = self.folder.name.split("@")[0]
        found = [*self.folder.parent.glob(f"{name}@*"), *self.folder.parent.glob(f".{name}@*.{PARTIAL}")]
        return [folder for folder in sorted(found) if folder != self.folder and folder.is_dir()]

    def remove_earlier(self) -> None:
        """Remove what is kept of other versions."""
        for folder in self.earlier():
            with contextlib.suppress(OSError):  # another process removes it, or has it open
                remove_folder(folder)
        for lock in self.folder.parent.glob(f".{self.folder.name.split('@')[0]}@*.lock"):
            if lock.name != f".{self.folder.name}.lock":
                lock.unlink(missing_ok=True)

    def _make(self, make: Make, reporter: Reporter) -> None:
        new = self.folder.with_name(f".{self.folder.name}.{PARTIAL}")
        self._fill(new, make, reporter)
        replace_folder(self.folder, lambda into: _move(new, into))
        shutil.rmtree(new, ignore_errors=True)

    def _fill(self, new: Path, make: Make, reporter: Reporter) -> None:
        """Make what a folder lacks, piece by piece, or copy it."""
        kinds = {**self.kinds, OFFSETS: Kind(np.uint32)}
        arrays, done = self._begun(new, kinds)
        earlier = [one for folder in self.earlier() if folder != new and (one := _Earlier.of(folder, self, kinds))]
        starts = np.cumsum([0, *(piece.rows for piece in self.pieces)]).tolist()
        size = sum(array.nbytes for array in arrays.values())
        timer, unsaved, said = Timer("preparing", len(self)), 0, False
        for at in range(done, len(self.pieces)):
            piece, rows = self.pieces[at], slice(starts[at], starts[at + 1])
            parts = {name: kind.part(arrays[name], rows) for name, kind in kinds.items()}
            self._read_offsets(piece, parts[OFFSETS])
            if not any(one.copy(piece, parts, kinds) for one in earlier):
                if not said and size * (len(self) - rows.start) > SAID_BYTES * len(self):
                    reporter.message(f"Preparing {len(self):,} pictures, once: {self.what}, {size / 1e9:.1f} GB.")
                    said = True
                make(piece, parts)
            unsaved += size * piece.rows // max(1, len(self))
            if unsaved > SAVED_BYTES:
                _save(new, arrays, self.pieces, at + 1)
                unsaved = 0
            reporter.progress(timer.at(rows.stop))
        _save(new, arrays, self.pieces, len(self.pieces))
        np.save(new / "checksums.npy", checksums_of({name: arrays[name] for name in self.kinds}))

    def _begun(self, new: Path, kinds: Mapping[str, Kind]) -> tuple[dict[str, Array], int]:
        """The arrays that a run left which was ended, and how many of the pieces are in them; or empty ones."""
        with contextlib.suppress(OSError, ValueError, EOFError, KeyError, TypeError):
            held, done = _read_pieces(new)
            if held == list(self.pieces) and _has(new, self.whole):
                return _mapped(new, kinds, len(self), "r+"), done
        shutil.rmtree(new, ignore_errors=True)
        return self._begin(new, kinds), 0

    def _begin(self, new: Path, kinds: Mapping[str, Kind]) -> dict[str, Array]:
        n = len(self)
        needed = sum(np.dtype(kind.type).itemsize * int(np.prod(kind.shape(n))) for kind in kinds.values())
        if shutil.disk_usage(new.parent).free < needed + SPARE_BYTES:
            raise OSError(None, f"{needed / 1e9:.1f} GB are needed, and the disk is too full")
        new.mkdir()
        for name, array in self.whole.items():
            np.save(new / f"{name}.npy", array)
        arrays: dict[str, Array] = {
            name: np.lib.format.open_memmap(new / f"{name}.npy", "w+", np.dtype(kind.type), kind.shape(n))
            for name, kind in kinds.items()
        }
        _save(new, arrays, self.pieces, 0)
        return arrays

    def _read_offsets(self, piece: Piece, offsets: Array) -> None:
        if not piece.removed:
            offsets[:] = np.arange(piece.rows, dtype=np.uint32)
            return
        start = 0
        for batch in self.snapshot.batches("_rowaddr", piece=piece):
            numbers = batch.column(0).to_numpy() & np.uint64(0xFFFFFFFF)
            offsets[start : start + len(numbers)] = numbers.astype(np.uint32)
            start += len(numbers)


@dataclass(frozen=True)
class _Earlier:
    """The arrays of another version, and where the pieces lie in them that are whole there."""

    arrays: Mapping[str, Array]
    places: Mapping[str, tuple[str, slice]]

    @classmethod
    def of(cls, folder: Path, new: KeptArrays, kinds: Mapping[str, Kind]) -> "_Earlier | None":
        """None, where the folder holds nothing that can be taken over."""
        try:
            pieces, done = _read_pieces(folder)
            starts = np.cumsum([0, *(piece.rows for piece in pieces)]).tolist()
            arrays = _mapped(folder, kinds, starts[-1])
        except (OSError, ValueError, EOFError, KeyError, TypeError):
            return None
        if not _has(folder, new.whole):
            return None
        places = {
            piece.key: (piece.removed, slice(starts[at], starts[at + 1])) for at, piece in enumerate(pieces[:done])
        }
        return cls(arrays, places)

    def copy(self, piece: Piece, parts: Mapping[str, Array], kinds: Mapping[str, Kind]) -> bool:
        """Copy the rows of a piece, where all of them are here."""
        removed, rows = self.places.get(piece.key, ("", None))
        if rows is None:
            return False
        places: Array | None = None
        if removed != piece.removed:
            before, now = self.arrays[OFFSETS][rows], parts[OFFSETS]
            places = np.minimum(np.searchsorted(before, now), len(before) - 1)
            if not np.array_equal(before[places], now):
                return False
            places = places + rows.start
        for name, kind in kinds.items():
            if name != OFFSETS:
                for some in row_slices(piece.rows, COPIED_ROWS):
                    source = slice(rows.start + some.start, rows.start + some.stop) if places is None else places[some]
                    kind.part(parts[name], some)[...] = kind.part(self.arrays[name], source)
        return True


def version_of(pieces: Sequence[Piece]) -> str:
    """A digest of the rows that pieces consist of."""
    return digest((f"{one.key} {one.removed} {one.rows}\n".encode() for one in pieces), 8).hex()


def _mapped(folder: Path, kinds: Mapping[str, Kind], n: int, mode: Any = "r") -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    for name, kind in kinds.items():
        shape = kind.shape(n)
        # Nothing can be mapped where there is nothing.
        found = np.load(folder / f"{name}.npy", mmap_mode=mode if np.prod(shape) else None)
        if found.shape != shape or found.dtype != kind.type:
            raise ValueError(f"{name} of shape {found.shape}, not {shape}")
        arrays[name] = found
    return arrays


def _has(folder: Path, whole: Mapping[str, Array]) -> bool:
    try:
        return all(np.array_equal(np.load(folder / f"{name}.npy"), array) for name, array in whole.items())
    except (OSError, ValueError, EOFError):
        return False


def _read_pieces(folder: Path) -> tuple[list[Piece], int]:
    """The pieces that a folder is made for, and how many of them are whole."""
    held = json.loads((folder / PIECES).read_bytes())
    return [Piece(*one) for one in held["pieces"]], int(held["done"])


def _save(folder: Path, arrays: Mapping[str, Array], pieces: Sequence[Piece], done: int) -> None:
    """Force to the disk what was made, then say so."""
    for array in arrays.values():
        if isinstance(array, np.memmap):
            array.flush()
    held = {"pieces": [[one.key, one.removed, one.rows, one.fragment] for one in pieces], "done": done}
    atomic_write(folder / PIECES, json.dumps(held).encode())


def _move(folder: Path, into: Path) -> None:
    sync_tree(folder)
    for path in folder.iterdir():
        path.rename(into / path.name)


def row_slices(n: int, at_once: int) -> Iterator[slice]:
    """0 to n in slices of at most so many.

    >>> list(row_slices(5, 2))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    for start in range(0, n, at_once):
        yield slice(start, min(start + at_once, n))
