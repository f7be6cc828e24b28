"""What the tables held before an index run, and rows of files whose content they held already."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lookalike.images.scan import ImageFile
from lookalike.index.changes import is_same_file
from lookalike.index.inside import outside
from lookalike.index.refused import RefusedTable
from lookalike.index.snapshot import COLUMNS, Snapshot
from lookalike.index.table import ImageRow, Table


@dataclass(frozen=True)
class CopiedFile:
    """A file whose content (the hash of its bytes) another one has as well, so that its features are known.

    Attributes:
        first: the file that was embedded in the same run; None where the table held the content before.
    """

    file: ImageFile
    content: bytes
    first: str | None = None


class TableState:
    """What the tables held before a run changed anything.

    Attributes:
        columns: all but the vectors, aligned.
        files: file -> (bytes, mtime_ns).
        outside: names that lead out of the folder.
        refused: by file.
        row_of: the hash of a content -> a row that has it.
    """

    def __init__(self, table: Table, refused: RefusedTable):
        self._snapshot: Snapshot | None = table.snapshot()
        self.columns = self._snapshot.columns() if self._snapshot else {name: [] for name in COLUMNS}
        sizes = zip(self.columns["bytes"], self.columns["mtime_ns"], strict=True)
        self.files: dict[str, tuple[int, int]] = dict(zip(self.columns["file"], sizes, strict=True))
        self.row_of: dict[bytes, int] = {content: row for row, content in enumerate(self.columns["content"])}
        self.outside = frozenset(outside(self._snapshot.read("file").column("file")) if self._snapshot else ())
        self.refused = {one.file: one for one in refused.rows()}
        self._row_of_file: dict[str, int] | None = None

    def known(self) -> dict[str, tuple[int, int]]:
        """File -> (bytes, mtime_ns) of all that was read or refused."""
        return self.files | {file: (one.bytes, one.mtime_ns) for file, one in self.refused.items()}

    def is_same(self, copy: CopiedFile) -> bool:
        """Whether a file that was read again is what it was: its size, its date, its content."""
        file = copy.file.file
        if not is_same_file(self.files.get(file), copy.file):
            return False
        if self._row_of_file is None:
            self._row_of_file = {file: row for row, file in enumerate(self.columns["file"])}
        return bool(self.columns["content"][self._row_of_file[file]] == copy.content)

    def is_stored(self, copy: CopiedFile) -> bool:
        """Whether its row is already as it would be written."""
        return self.files.get(copy.file.file) == (copy.file.bytes, copy.file.mtime_ns) and self.is_same(copy)

    def copied_rows(self, copies: Sequence[CopiedFile]) -> list[ImageRow]:
        """Rows of files whose content the table had already, with the features it has."""
        if self._snapshot is None or not copies:
            return []
        taken, back = np.unique([self.row_of[copy.content] for copy in copies], return_inverse=True)
        features = self._snapshot.take(taken, "features")
        width, height = self.columns["width"], self.columns["height"]
        return [
            ImageRow(
                copy.file.file, copy.content, copy.file.bytes, copy.file.mtime_ns, width[row], height[row], features[i]
            )
            for copy, row, i in zip(copies, taken[back], back, strict=True)
        ]
