"""The table on disk (Lance): one row a picture, appended in batches, read as a whole state at any time."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import QueryError

STORAGE_VERSION = "2.1"
COMMITS_BEFORE_COMPACTION = 100
COLUMNS = ("file", "content", "bytes", "mtime_ns", "width", "height")


@dataclass(frozen=True)
class Row:
    """One picture: its file, the hash of its bytes, its size upright in pixels, its features (f,) float32."""

    file: str
    content: bytes
    bytes: int
    mtime_ns: int
    width: int
    height: int
    features: NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Refused:
    """One file that could not be read, and why; it is tried again only when its size or date changes."""

    file: str
    bytes: int
    mtime_ns: int
    reason: str


class Table:
    """The pictures of a collection under one backbone.

    Args:
        uri: where it lies; a folder today, an object store's address as well as far as Lance knows it.
        length: the number of features f; features are stored as float16.
    """

    def __init__(self, uri: str | Path, length: int):
        self.uri = str(uri)
        self.length = length

    def _open(self) -> Any:
        import lance

        try:
            return lance.dataset(self.uri)
        except (ValueError, FileNotFoundError):
            return None

    def append(self, rows: Sequence[Row]) -> None:
        """Commit rows; a row whose file is there already takes its place, in the same commit."""
        if not rows:
            return
        import pyarrow as pa

        features = np.stack([row.features for row in rows]).astype(np.float16)
        columns: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in COLUMNS}
        columns["features"] = pa.FixedSizeListArray.from_arrays(pa.array(features.ravel()), self.length)
        schema = pa.schema(
            [
                ("file", pa.string()),
                ("content", pa.binary(16)),
                ("bytes", pa.int64()),
                ("mtime_ns", pa.int64()),
                ("width", pa.int32()),
                ("height", pa.int32()),
                ("features", pa.list_(pa.float16(), self.length)),
            ]
        )
        _write(self.uri, pa.table(columns, schema=schema))

    def remove(self, files: Iterable[str]) -> None:
        """Remove the rows of files."""
        _remove(self.uri, list(files))

    def version(self) -> int:
        """The number of the newest commit; 0 when there is no table."""
        dataset = self._open()
        return 0 if dataset is None else int(dataset.version)

    def columns(self) -> dict[str, list[Any]]:
        """All columns but the features, as lists that are aligned with one another."""
        dataset = self._open()
        if dataset is None:
            return {name: [] for name in COLUMNS}
        found: dict[str, list[Any]] = dataset.to_table(columns=list(COLUMNS)).to_pydict()
        return found

    def features(self, files: Sequence[str] | None = None) -> tuple[list[str], NDArray[np.float16]]:
        """Files in order, and their features.

        Args:
            files: only these; None for all.
        Returns: the files, sorted; (n, f) float16.
        """
        dataset = self._open()
        if dataset is None:
            return [], np.zeros((0, self.length), np.float16)
        found = dataset.to_table(columns=["file", "features"], filter=None if files is None else _among(files))
        names = found.column("file").to_pylist()
        flat = found.column("features").combine_chunks()
        matrix = flat.flatten().to_numpy(zero_copy_only=False).reshape(-1, self.length)
        order = sorted(range(len(names)), key=names.__getitem__)
        if order != list(range(len(names))):
            matrix = matrix[order]
        return [names[i] for i in order], matrix

    def matching(self, where: str) -> set[str]:
        """The files whose row fulfils an SQL condition on file, width, height, bytes, mtime.

        Raises: QueryError, when the condition cannot be understood.
        """
        dataset = self._open()
        if dataset is None:
            return set()
        # Outside quoted text only: 'mtime' in a file's name is not the column.
        parts = re.split(r"('(?:[^']|'')*')", where)
        parts[::2] = [re.sub(r"\bmtime\b", "to_timestamp_nanos(mtime_ns)", part) for part in parts[::2]]
        try:
            return set(dataset.to_table(columns=["file"], filter="".join(parts)).column("file").to_pylist())
        except (ValueError, OSError) as error:
            raise QueryError(
                f"--where {where!r}: not a condition on file, width, height, bytes or mtime. "
                "Write it like: width > 640 AND file LIKE 'shoes/%'"
            ) from error

    def tidy(self) -> None:
        """Put small pieces together and drop old versions, when many commits have gathered."""
        dataset = self._open()
        if dataset is None or len(dataset.get_fragments()) < COMMITS_BEFORE_COMPACTION:
            return
        dataset.optimize.compact_files()
        # A reader that opened the table a moment ago keeps its version for ten minutes.
        dataset.cleanup_old_versions(older_than=timedelta(minutes=10))


class RefusedTable:
    """The files that were refused, with reasons."""

    def __init__(self, uri: str | Path):
        self.uri = str(uri)

    def append(self, rows: Sequence[Refused]) -> None:
        """Commit rows; a row whose file is there already takes its place."""
        import pyarrow as pa

        if rows:
            columns = {name: [getattr(row, name) for row in rows] for name in ("file", "bytes", "mtime_ns", "reason")}
            _write(self.uri, pa.table(columns))

    def remove(self, files: Iterable[str]) -> None:
        """Forget files: they are gone, or can be read now."""
        _remove(self.uri, list(files))

    def rows(self) -> list[Refused]:
        """All of them, by file."""
        import lance

        try:
            found = lance.dataset(self.uri).to_table().to_pylist()
        except (ValueError, FileNotFoundError):
            return []
        return sorted((Refused(**row) for row in found), key=lambda row: row.file)


def _write(uri: str, rows: Any) -> None:
    import lance

    try:
        dataset = lance.dataset(uri)
    except (ValueError, FileNotFoundError):
        lance.write_dataset(rows, uri, data_storage_version=STORAGE_VERSION)
        return
    files = rows.column("file").to_pylist()
    if dataset.count_rows(filter=_among(files)):
        dataset.merge_insert("file").when_matched_update_all().when_not_matched_insert_all().execute(rows)
    else:
        lance.write_dataset(rows, uri, mode="append")


def _remove(uri: str, files: list[str]) -> None:
    import lance

    for start in range(0, len(files), 500):
        lance.dataset(uri).delete(_among(files[start : start + 500]))


def _among(files: Sequence[str]) -> str:
    quoted = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    return f"file IN ({quoted})" if files else "false"
