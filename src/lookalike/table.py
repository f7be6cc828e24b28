"""The table on disk (Lance): one row a picture, a column a lens, appended in batches, read as a whole state."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
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
LENS = "lens:"  # what the name of a lens's column begins with
ROWS_A_PIECE = 1 << 16
ROWS_AT_ONCE = 2048

Embed = Callable[[NDArray[np.float16]], NDArray[np.floating[Any]]]  # features (n, f) -> embedding (n, d)


@dataclass(frozen=True)
class ImageRow:
    """One picture: its file, the hash of its bytes, its size upright in pixels, its features (f,) float32."""

    file: str
    content: bytes
    bytes: int
    mtime_ns: int
    width: int
    height: int
    features: NDArray[np.floating[Any]]


@dataclass(frozen=True)
class RefusedFile:
    """One file that could not be read, and why; it is tried again only when its size or date changes."""

    file: str
    bytes: int
    mtime_ns: int
    reason: str


class Snapshot:
    """One version of a table, held open: what is read from it belongs together, whatever is written meanwhile.

    Rows are counted in the order in which they lie in the table.
    """

    def __init__(self, dataset: Any):
        self._dataset = dataset
        self.name = str(dataset.uri).rsplit("/", 1)[-1]
        self.version = int(dataset.version)

    def __len__(self) -> int:
        return int(self._dataset.count_rows())

    @property
    def features(self) -> int:
        """The number of features f."""
        return int(self._dataset.schema.field("features").type.list_size)

    def read(self, *columns: str) -> Any:
        """Whole columns, as a pyarrow Table."""
        return self._dataset.to_table(columns=list(columns))

    def columns(self) -> dict[str, list[Any]]:
        """All columns but the vectors, as lists that are aligned with one another."""
        found: dict[str, list[Any]] = self.read(*COLUMNS).to_pydict()
        return found

    def lenses(self) -> dict[str, int]:
        """The lenses that have a column: name -> d."""
        return {
            field.name.removeprefix(LENS): field.type.list_size
            for field in self._dataset.schema
            if field.name.startswith(LENS)
        }

    def weights(self, lens: str) -> str:
        """What `add_lens` was told of the weights that the column was made with; empty when nothing."""
        found = self._dataset.schema.field(LENS + lens).metadata or {}
        return str(found.get(b"weights", b"").decode())

    def unfilled(self, lens: str) -> list[str]:
        """The files that have no vector in the column of a lens."""
        found = self._dataset.to_table(columns=["file"], filter=f"`{LENS}{lens}` IS NULL")
        files: list[str] = found.column("file").to_pylist()
        return files

    def blocks(self, column: str) -> Iterable[NDArray[np.float16]]:
        """The vectors of a column, (b, d) float16 at a time, in order; zeros where a row has none."""
        for batch in self._dataset.to_batches(columns=[column], batch_size=ROWS_AT_ONCE):
            yield as_matrix(batch.column(0))

    def take(self, rows: NDArray[np.int64], column: str) -> NDArray[np.float16]:
        """The vectors of some rows, ascending, each once: (m, d) float16."""
        return as_matrix(self._dataset.take(rows, columns=[column]).column(0).combine_chunks())

    def matching(self, where: str) -> Any:
        """The files whose row fulfils an SQL condition on file, width, height, bytes, mtime: a pyarrow array.

        Raises: QueryError, when the condition cannot be understood.
        """
        # Outside quoted text only: 'mtime' in a file's name is not the column.
        parts = re.split(r"('(?:[^']|'')*')", where)
        parts[::2] = [re.sub(r"\bmtime\b", "to_timestamp_nanos(mtime_ns)", part) for part in parts[::2]]
        try:
            return self._dataset.to_table(columns=["file"], filter="".join(parts)).column("file")
        except (ValueError, OSError) as error:
            raise QueryError(
                f"--where {where!r}: not a condition on file, width, height, bytes or mtime. "
                "Write it like: width > 640 AND file LIKE 'shoes/%'"
            ) from error


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

    def snapshot(self) -> Snapshot | None:
        """The newest version, held open; None when there is no table."""
        dataset = self._open()
        return None if dataset is None else Snapshot(dataset)

    def append(self, rows: Sequence[ImageRow], lenses: Mapping[str, Embed] | None = None) -> None:
        """Commit rows; a row whose file is there already takes its place, in the same commit.

        Args:
            rows: with their features; what is stored of a lens is computed from these as they are stored.
            lenses: name -> features (n, f) float16 to embedding (n, d), for the columns that the table has. The rows
                stay without a vector in the columns that are not named, and can be found by `Snapshot.unfilled`.
        """
        if not rows:
            return
        import pyarrow as pa

        features = np.stack([row.features for row in rows]).astype(np.float16)
        columns: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in COLUMNS}
        columns["features"] = as_vectors(features)
        fields = [
            ("file", pa.string()),
            ("content", pa.binary(16)),
            ("bytes", pa.int64()),
            ("mtime_ns", pa.int64()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("features", pa.list_(pa.float16(), self.length)),
        ]
        for name, d in self.lenses().items():
            kind = pa.list_(pa.float16(), d)
            embed = (lenses or {}).get(name)
            columns[LENS + name] = pa.nulls(len(rows), kind) if embed is None else as_vectors(embed(features))
            fields.append((LENS + name, kind))
        write_rows(self.uri, pa.table(columns, schema=pa.schema(fields)))

    def remove(self, files: Iterable[str]) -> None:
        """Remove the rows of files."""
        remove_files(self.uri, list(files))

    def version(self) -> int:
        """The number of the newest commit; 0 when there is no table."""
        dataset = self._open()
        return 0 if dataset is None else int(dataset.version)

    def columns(self) -> dict[str, list[Any]]:
        """All columns but the vectors, as lists that are aligned with one another."""
        found = self.snapshot()
        return {name: [] for name in COLUMNS} if found is None else found.columns()

    def features(
        self, files: Sequence[str] | None = None, column: str = "features"
    ) -> tuple[list[str], NDArray[np.float16]]:
        """Files in order, and their features or what a lens makes of them.

        Args:
            files: only these; None for all.
            column: features, or lens:NAME.
        Returns: the files, sorted; (n, f) or (n, d) float16, zeros for a row that has no vector in the column.
        """
        dataset = self._open()
        if dataset is None:
            return [], np.zeros((0, self.length), np.float16)
        found = dataset.to_table(columns=["file", column], filter=None if files is None else sql_in(files))
        names = found.column("file").to_pylist()
        matrix = as_matrix(found.column(column).combine_chunks())
        order = sorted(range(len(names)), key=names.__getitem__)
        if order != list(range(len(names))):
            matrix = matrix[order]
        return [names[i] for i in order], matrix

    def lenses(self) -> dict[str, int]:
        """The lenses that have a column: name -> d."""
        found = self.snapshot()
        return {} if found is None else found.lenses()

    def add_lens(self, name: str, d: int, embed: Embed, weights: str = "") -> None:
        """Add the column of a lens, computed over the whole table in one commit; no row is written anew.

        Args:
            name: of the lens; a column that is there already under this name is replaced.
            d: the dimensions of its embedding.
            embed: features (n, f) float16 -> embedding (n, d), called with some thousand rows at a time.
            weights: anything that tells these weights from others; `Snapshot.weights` gives it back.
        """
        import lance
        import pyarrow as pa

        self.drop_lens(name)
        dataset = self._open()
        if dataset is None:
            return
        field = pa.field(LENS + name, pa.list_(pa.float16(), d), metadata={"weights": weights})
        schema = pa.schema([field])

        @lance.batch_udf(output_schema=schema)  # type: ignore[untyped-decorator]
        def column(batch: Any) -> Any:
            return pa.RecordBatch.from_arrays([as_vectors(embed(as_matrix(batch.column(0))))], schema=schema)

        dataset.add_columns(column, read_columns=["features"], batch_size=ROWS_AT_ONCE)

    def fill_lens(self, name: str, embed: Embed) -> int:
        """Give a vector to the rows that have none in the column of a lens; returns how many there were."""
        import pyarrow as pa

        found = self.snapshot()
        files = [] if found is None else found.unfilled(name)
        for start in range(0, len(files), ROWS_AT_ONCE):
            named, features = self.features(files[start : start + ROWS_AT_ONCE])
            rows = pa.table({"file": named, LENS + name: as_vectors(embed(features))})
            self._open().merge_insert("file").when_matched_update_all().execute(rows)
        return len(files)

    def drop_lens(self, name: str) -> None:
        """Remove the column of a lens, where there is one."""
        if name in self.lenses():
            self._open().drop_columns([LENS + name])

    def compact(self) -> None:
        """Put small pieces together, when many commits have gathered; earlier versions stay whole."""
        dataset = self._open()
        if dataset is not None and len(dataset.get_fragments()) >= COMMITS_BEFORE_COMPACTION:
            # Pieces of this size are left alone: a row is written anew once or twice, however many there are.
            dataset.optimize.compact_files(target_rows_per_fragment=ROWS_A_PIECE)

    def clean(self) -> None:
        """Remove what only versions older than ten minutes need, and what killed runs left.

        Only for who holds the collection's lock: what another writer has not committed yet would go too.
        """
        dataset = self._open()
        if dataset is not None:
            # A reader that opened the table a moment ago keeps its version. What no version knows goes whatever its
            # age: Lance would keep it for a week, in case that another writer were at work.
            dataset.cleanup_old_versions(older_than=timedelta(minutes=10), delete_unverified=True)


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


def write_rows(uri: str, rows: Any) -> None:
    import lance

    try:
        dataset = lance.dataset(uri)
    except (ValueError, FileNotFoundError):
        lance.write_dataset(rows, uri, data_storage_version=STORAGE_VERSION)
        return
    files = rows.column("file").to_pylist()
    if dataset.count_rows(filter=sql_in(files)):
        dataset.merge_insert("file").when_matched_update_all().when_not_matched_insert_all().execute(rows)
    else:
        lance.write_dataset(rows, uri, mode="append")


def remove_files(uri: str, files: list[str]) -> None:
    import lance

    for start in range(0, len(files), 500):
        lance.dataset(uri).delete(sql_in(files[start : start + 500]))


def sql_in(files: Sequence[str]) -> str:
    quoted = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    return f"file IN ({quoted})" if files else "false"


def as_matrix(vectors: Any) -> NDArray[np.float16]:
    """A column of lists of one length -> (n, d) float16; zeros where there is none."""
    d = vectors.type.list_size
    found = np.zeros((len(vectors), d), np.float16)
    given = ~vectors.is_null().to_numpy(zero_copy_only=False) if vectors.null_count else slice(None)
    values = vectors.flatten().to_numpy(zero_copy_only=False).reshape(-1, d)
    if isinstance(given, slice):
        return np.asarray(values, np.float16)
    found[given] = values
    return found


def as_vectors(matrix: NDArray[Any]) -> Any:
    """(n, d) -> a column of float16 lists of length d."""
    import pyarrow as pa

    flat = np.ascontiguousarray(matrix, np.float16).ravel()
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), matrix.shape[1])
