"""The table of files that could not be read, with their reasons."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lookalike.index.damage import Damage, damaged_rows, reading
from lookalike.index.lance_io import LanceTable

COLUMNS = ("file", "bytes", "mtime_ns", "reason")


@dataclass(frozen=True)
class RefusedFile:
    """One file that could not be read, and why; it is tried again only when its size or date changes."""

    file: str
    bytes: int
    mtime_ns: int
    reason: str


class RefusedTable:
    """The files that were refused, with reasons.

    Every method raises DamagedTableError where files of the table are missing, cut or cannot be read.

    Args:
        uri: where it lies.
        shell_words: what names the collection in the commands of error messages.
    """

    def __init__(self, uri: str | Path, shell_words: str = "FOLDER"):
        self.uri, self._shell_words = str(uri), shell_words
        self._stored = LanceTable(self.uri, COLUMNS, f"lookalike index {shell_words}")

    def append(self, rows: Sequence[RefusedFile]) -> None:
        """Commit rows; a row whose file is there already takes its place."""
        import pyarrow as pa

        if rows:
            self._stored.write_rows(pa.table({name: [getattr(row, name) for row in rows] for name in COLUMNS}))

    def remove(self, files: Iterable[str]) -> None:
        """Forget files: they are gone, or can be read now."""
        self._stored.remove_files(list(files))

    def rows(self) -> list[RefusedFile]:
        """All of them, by file."""
        opened = self._stored.open()
        if opened is None:
            return []
        with reading(self.uri, f"lookalike check {self._shell_words} --repair"):
            found = opened.dataset.to_table().to_pylist()
        return sorted((RefusedFile(**row) for row in found), key=lambda row: row.file)

    def verify(self) -> list[Damage]:
        """As `Table.verify`."""
        return self._stored.verify()

    def drop_damaged(self) -> int:
        """As `Table.drop_damaged`: what was refused in these rows is tried again."""
        return damaged_rows(self._stored.remove_damaged(deep=True))

    def recover(self) -> list[Damage]:
        """As `Table.recover`."""
        return self._stored.remove_damaged(deep=False)
