"""What the tables held before an index run: keys of all files, and more of those alone in which something changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.images.scan import ImageFile
from lookalike.index.catalog import as_contents
from lookalike.index.changes import is_same_file
from lookalike.index.file_keys import ContentRows, KnownKeys, keys_of
from lookalike.index.inside import outside
from lookalike.index.refused import RefusedFile, RefusedTable
from lookalike.index.snapshot import Snapshot
from lookalike.index.table import ImageRow, Table

_OF_FILE = ("file", "bytes", "mtime_ns")


@dataclass(frozen=True)
class CopiedFile:
    """A file whose content (the hash of its bytes) another one has as well, so that its features are known.

    Attributes:
        first: the file that was embedded in the same run; None where the table held the content before.
    """

    file: ImageFile
    content: bytes
    first: str | None = None

    def row_like(self, other: ImageRow) -> ImageRow:
        """Its row, with size and features of another file of the same content."""
        return replace(other, file=self.file.file, bytes=self.file.bytes, mtime_ns=self.file.mtime_ns)


class TableState:
    """What the tables held before a run changed anything. Names are read for files alone that were not listed as known.

    Args:
        table: of the pictures.
        refused: the files that could not be read.
        conditions: limits and decoders, as `RefusedFile.may_be_readable` takes them: what may be readable under them
            is not known.

    Attributes:
        rows: how many there are.
        refused: by file.
        again: the refused files that are to be read again.
        outside: names that lead out of the folder.
    """

    def __init__(self, table: Table, refused: RefusedTable, conditions: tuple[str, str] = ("", "")):
        self._snapshot: Snapshot | None = table.snapshot()
        self.rows = 0 if self._snapshot is None else len(self._snapshot)
        self.refused = {one.file: one for one in refused.rows()}
        self.again = {file for file, one in self.refused.items() if one.may_be_readable(*conditions)}
        self._outside: list[str] = []
        again = [self.refused[file] for file in self.again]
        self._keys = KnownKeys([*self._table_keys(), _refused_keys(list(self.refused.values()))], _refused_keys(again))
        self.outside = frozenset(self._outside)

    def sift(self, files: Sequence[str], sizes: Sequence[int], dates: Sequence[int]) -> list[int]:
        """Which of some files that were listed are not known as they are: new, changed, to be read again. A sieve."""
        found: list[int] = np.flatnonzero(~self._keys.is_known(keys_of(files, sizes, dates))).tolist()
        return found

    @property
    def unchanged(self) -> int:
        """How many rows are as they were, once all files were listed."""
        return self.rows - len(self.files)

    @property
    def still_refused(self) -> int:
        """How many pictures are refused as before, once all files were listed."""
        refused = list(self.refused.values())
        listed = self._keys.was_listed(_refused_keys(refused)).tolist()
        return sum(one.is_picture and there for one, there in zip(refused, listed, strict=True))

    def known(self) -> dict[str, tuple[int, int]]:
        """File -> (bytes, mtime_ns) of what was not listed as it was, once all files were listed."""
        refused = list(self.refused.values())
        listed = self._keys.was_listed(_refused_keys(refused)).tolist()
        return self.files | {
            one.file: (one.bytes, one.mtime_ns) for one, there in zip(refused, listed, strict=True) if not there
        }

    @cached_property
    def files(self) -> dict[str, tuple[int, int]]:
        """File -> (bytes, mtime_ns) of the rows that were not listed as they are."""
        return {file: (size, date) for file, (size, date, _) in self._changed.items()}

    @cached_property
    def row_of(self) -> ContentRows:
        """The hash of a content -> a row that has it."""
        if self._snapshot is None:
            return ContentRows(np.empty((0, 2), np.uint64))
        return ContentRows(as_contents(self._snapshot.read("content").column("content").combine_chunks()))

    def files_of(self, contents: Sequence[bytes]) -> list[str]:
        """For each of some contents that the table has, a file that has it."""
        if self._snapshot is None or not contents:
            return []
        rows, back = np.unique([self.row_of[content] for content in contents], return_inverse=True)
        files = [row["file"] for row in self._snapshot.rows_at(rows.tolist(), "file")]
        return [files[i] for i in back]

    def is_same(self, copy: CopiedFile) -> bool:
        """Whether a file that was read again is what it was: its size, its date, its content."""
        file = copy.file.file
        return is_same_file(self.files.get(file), copy.file) and self._changed[file][2] == copy.content

    def is_stored(self, copy: CopiedFile) -> bool:
        """Whether its row is already as it would be written."""
        return self.files.get(copy.file.file) == (copy.file.bytes, copy.file.mtime_ns) and self.is_same(copy)

    def copied_rows(self, copies: Sequence[CopiedFile]) -> list[ImageRow]:
        """Rows of files whose content the table had already, with the features it has."""
        if self._snapshot is None or not copies:
            return []
        taken, back = np.unique([self.row_of[copy.content] for copy in copies], return_inverse=True)
        features = self._snapshot.take(taken, "features")
        sizes = self._snapshot.rows_at(taken.tolist(), "width", "height")
        return [
            ImageRow(
                copy.file.file,
                copy.content,
                copy.file.bytes,
                copy.file.mtime_ns,
                sizes[i]["width"],
                sizes[i]["height"],
                features[i],
            )
            for copy, i in zip(copies, back, strict=True)
        ]

    @cached_property
    def _changed(self) -> dict[str, tuple[int, int, bytes]]:
        """File -> (bytes, mtime_ns, content) of the rows that were not listed as they are."""
        found: dict[str, tuple[int, int, bytes]] = {}
        if self._snapshot is None or (self._keys.listed == len(self._keys) and not self.again):
            return found
        for batch in self._snapshot.row_blocks(*_OF_FILE, "content"):
            columns = batch.to_pydict()
            missing = ~self._keys.was_listed(_column_keys(columns))
            for i in np.flatnonzero(missing).tolist():
                found[columns["file"][i]] = (columns["bytes"][i], columns["mtime_ns"][i], columns["content"][i])
        return found

    def _table_keys(self) -> Iterator[NDArray[np.int64]]:
        for batch in () if self._snapshot is None else self._snapshot.row_blocks(*_OF_FILE):
            self._outside += outside(batch.column("file"))
            yield _column_keys(batch.to_pydict())


def _column_keys(columns: dict[str, list[Any]]) -> NDArray[np.int64]:
    return keys_of(*(columns[name] for name in _OF_FILE))


def _refused_keys(refused: Sequence[RefusedFile]) -> NDArray[np.int64]:
    return keys_of([one.file for one in refused], [one.bytes for one in refused], [one.mtime_ns for one in refused])
