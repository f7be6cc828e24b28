"""The table of files that could not be read, with their reasons."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lookalike.index.lance_io import remove_files, write_rows


@dataclass(frozen=True)
class RefusedFile:
    """One file that could not be read, and why; it is tried again only when its size or date changes."""

    file: str
    bytes: int
    mtime_ns: int
    reason: str


class RefusedTable:
    """The files that were refused, with reasons."""

    def __init__(self, uri: str | Path):
        self.uri = str(uri)

    def append(self, rows: Sequence[RefusedFile]) -> None:
        """Commit rows; a row whose file is there already takes its place."""
        import pyarrow as pa

        if rows:
            columns = {name: [getattr(row, name) for row in rows] for name in ("file", "bytes", "mtime_ns", "reason")}
            write_rows(self.uri, pa.table(columns))

    def remove(self, files: Iterable[str]) -> None:
        """Forget files: they are gone, or can be read now."""
        remove_files(self.uri, list(files))

    def rows(self) -> list[RefusedFile]:
        """All of them, by file."""
        import lance

        try:
            found = lance.dataset(self.uri).to_table().to_pylist()
        except (ValueError, FileNotFoundError):
            return []
        return sorted((RefusedFile(**row) for row in found), key=lambda row: row.file)
