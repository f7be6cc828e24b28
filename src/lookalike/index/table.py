"""The table on disk (Lance): one row a picture, a column a lens, appended in batches, read as a whole state."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.files import try_writing
from lookalike.index.damage import Damage, damaged_rows, is_local, reading
from lookalike.index.fragments import (
    append_fragments,
    replace_columns,
    unfilled_fragments,
    write_column,
    write_fragments,
)
from lookalike.index.ivf import update_index
from lookalike.index.lance_io import LanceTable
from lookalike.index.lance_runtime import load_lance
from lookalike.index.snapshot import COLUMNS, LENS, ROWS_AT_ONCE, Embed, Snapshot
from lookalike.index.vector_column import as_matrix, as_vectors
from lookalike.progress import SILENT, Reporter


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


class Table:
    """The pictures of a collection under one backbone.

    Features are stored as float16, as many a row as the first rows have that are appended.

    Every method raises DamagedTableError where files of the table are missing, cut or cannot be read. Pickled, it is
    its place: another process may read it and write fragments, and commits nothing.

    Args:
        uri: where it lies: a folder, or an address on an object store.
        shell_words: what names the collection in the commands of error messages.
        before_commit: called before each commit, to raise where this process may not write any longer.
    """

    def __init__(self, uri: str | Path, shell_words: str = "FOLDER", before_commit: Callable[[], None] | None = None):
        self.uri, self._shell_words = str(uri), shell_words
        self._repair = f"lookalike check {shell_words} --repair"
        mend = f"lookalike index {shell_words}"
        self._stored = LanceTable(self.uri, (*COLUMNS, "features"), mend, self._repair, before_commit)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.uri, self._shell_words)

    def snapshot(self) -> Snapshot | None:
        """The newest version that is whole, held open; None when there is no table."""
        opened = self._stored.open()
        return None if opened is None else Snapshot(opened.dataset, opened.passed_over, self._repair)

    def verify(self) -> list[Damage]:
        """Everything that is damaged, also in versions that are passed over; reads the whole table, changes nothing."""
        return self._stored.verify()

    def drop_damaged(self) -> int:
        """Remove what `verify` finds, so that the next index embeds these pictures anew; call it under the lock.

        Returns: how many rows were removed.
        """
        return damaged_rows(self._stored.remove_damaged(deep=True))

    def recover(self) -> list[Damage]:
        """What a writer does first: remove versions and rows whose files are missing or cut; call it under the lock.

        Returns: what was damaged; [] for nothing.
        """
        return self._stored.remove_damaged(deep=False)

    def try_writing(self) -> None:
        """Ask before pictures are embedded whether rows can be committed.

        Raises: OSError, where nothing can be written beside it.
        """
        if is_local(self.uri):
            folder = Path(self.uri).parent
            folder.mkdir(parents=True, exist_ok=True)
            try_writing(folder)

    def append(self, rows: Sequence[ImageRow], lenses: Mapping[str, Embed] | None = None) -> None:
        """Commit rows; a row whose file is there already takes its place, in the same commit.

        Args:
            rows: with their features; what is stored of a lens is computed from these as they are stored.
            lenses: name -> features (n, f) float16 to embedding (n, d), for the columns that the table has. The rows
                stay without a vector in the columns that are not named, and can be found by `Snapshot.unfilled`.
        """
        if rows:
            self._stored.write_rows(self._as_arrow(rows, lenses or {}, self.lenses()))

    def create(self, features: int) -> None:
        """Make the table without a row, where there is none: fragments are added to one that is there.

        Args:
            features: the number of features f.
        """
        if self.snapshot() is None:
            import pyarrow as pa

            self._stored.write_rows(pa.schema(_fields(features)).empty_table())

    def write_fragment(self, rows: Sequence[ImageRow], lenses: Mapping[str, Embed] | None = None) -> list[str]:
        """Write rows as a fragment that no version names yet; any number of processes may do so at once.

        Args:
            rows: of files that the table does not have.
            lenses: as for `append`; the columns that are not named have no file in the fragment.
        Returns: the fragment, for `append_fragments`. One that is never appended is removed by `clean`.
        """
        opened = self._stored.open()
        assert opened is not None, "create the table first"
        named = {name: d for name, d in self.lenses().items() if name in (lenses or {})}
        return write_fragments(opened.dataset, self._as_arrow(rows, lenses or {}, named))

    def append_fragments(self, fragments: Sequence[str]) -> None:
        """Commit fragments that `write_fragment` has written, all of them at once; call it under the lock."""
        if fragments:
            with self._stored.commit() as dataset:
                append_fragments(dataset, fragments)

    def _as_arrow(self, rows: Sequence[ImageRow], lenses: Mapping[str, Embed], columns: Mapping[str, int]) -> Any:
        """Rows as a pyarrow Table, with these columns of lenses (name -> d); null where one is not computed."""
        import pyarrow as pa

        features = np.stack([row.features for row in rows]).astype(np.float16)
        values: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in COLUMNS}
        values["features"] = as_vectors(features)
        fields = _fields(features.shape[1])
        for name, d in columns.items():
            kind = pa.list_(pa.float16(), d)
            embed = lenses.get(name)
            values[LENS + name] = pa.nulls(len(rows), kind) if embed is None else as_vectors(embed(features))
            fields.append((LENS + name, kind))
        return pa.table(values, schema=pa.schema(fields))

    def remove(self, files: Iterable[str]) -> None:
        """Remove the rows of files."""
        self._stored.remove_files(list(files))

    def columns(self) -> dict[str, list[Any]]:
        """All columns but the vectors, as lists that are aligned with one another."""
        snapshot = self.snapshot()
        return {name: [] for name in COLUMNS} if snapshot is None else snapshot.columns()

    def features(
        self, files: Sequence[str] | None = None, column: str = "features"
    ) -> tuple[list[str], NDArray[np.float16]]:
        """Files in order, and their features or what a lens makes of them.

        Args:
            files: only these; None for all.
            column: features, or lens:NAME.
        Returns: the files, sorted; (n, f) or (n, d) float16, zeros for a row that has no vector in the column; (0, 0)
            when there is no table.
        """
        snapshot = self.snapshot()
        if snapshot is None:
            return [], np.zeros((0, 0), np.float16)
        rows = snapshot.read("file", column, files=files)
        names = rows.column("file").to_pylist()
        matrix = as_matrix(rows.column(column).combine_chunks())
        order = sorted(range(len(names)), key=names.__getitem__)
        if order != list(range(len(names))):
            matrix = matrix[order]
        return [names[i] for i in order], matrix

    def rows(self, files: Sequence[str]) -> list[ImageRow]:
        """The rows of files, in no particular order; those that are not there are left out."""
        snapshot = self.snapshot()
        if snapshot is None or not files:
            return []
        found = snapshot.read(*COLUMNS, "features", files=files)
        features = as_matrix(found.column("features").combine_chunks())
        rows = found.select(COLUMNS).to_pylist()
        return [ImageRow(**row, features=vector) for row, vector in zip(rows, features, strict=True)]

    def lenses(self) -> dict[str, int]:
        """The lenses that have a column: name -> d."""
        snapshot = self.snapshot()
        return {} if snapshot is None else snapshot.lenses()

    def add_lens(self, name: str, d: int, embed: Embed, weights: str = "") -> None:
        """Add the column of a lens, computed over the whole table in one commit; no row is written anew.

        Args:
            name: of the lens; a column that is there already under this name is replaced.
            d: the dimensions of its embedding.
            embed: features (n, f) float16 -> embedding (n, d), called with some thousand rows at a time.
            weights: anything that tells these weights from others; `Snapshot.weights` gives it back.
        """
        import pyarrow as pa

        lance = load_lance()

        self.drop_lens(name)
        field = pa.field(LENS + name, pa.list_(pa.float16(), d), metadata={"weights": weights})
        schema = pa.schema([field])

        @lance.batch_udf(output_schema=schema)  # type: ignore[untyped-decorator]
        def column(batch: Any) -> Any:
            return pa.RecordBatch.from_arrays([as_vectors(embed(as_matrix(batch.column(0))))], schema=schema)

        with self._stored.commit() as dataset, reading(self.uri, self._repair):
            if dataset is not None:
                dataset.add_columns(column, read_columns=["features"], batch_size=ROWS_AT_ONCE)

    def add_empty_lens(self, name: str, d: int, weights: str = "") -> None:
        """Add the column of a lens without a value, for `write_lens` to fill; arguments as for `add_lens`."""
        import pyarrow as pa

        self.drop_lens(name)
        field = pa.field(LENS + name, pa.list_(pa.float16(), d), metadata={"weights": weights})
        with self._stored.commit() as dataset:
            if dataset is not None:
                dataset.add_columns(pa.schema([field]))

    def unfilled_fragments(self, name: str) -> tuple[int, list[int]]:
        """The number of the newest version, and the fragments of it in which rows have no vector of a lens."""
        opened = self._stored.open()
        if opened is None:
            return 0, []
        return int(opened.dataset.version), unfilled_fragments(opened.dataset, LENS + name)

    def write_lens(self, name: str, embed: Embed, version: int, fragment: int) -> str:
        """Write the vectors of a lens for one fragment of a version; any number of processes may do so at once.

        Returns: the file, for `append_lens`.
        Raises: CollectionError, where the vectors are not as many as the rows.
        """
        opened = self._stored.open()
        assert opened is not None, "there is no table"
        dataset = opened.dataset.checkout_version(version)
        return write_column(dataset, fragment, LENS + name, embed)

    def append_lens(self, files: Mapping[int, str]) -> None:
        """Commit what `write_lens` has written, fragment -> file; call it under the lock.

        Raises: OSError, where these fragments were rewritten meanwhile.
        """
        if files:
            with self._stored.commit() as dataset:
                replace_columns(dataset, files)

    def fill_lens(self, name: str, embed: Embed) -> int:
        """Give a vector to the rows that have none in the column of a lens; returns how many there were."""
        import pyarrow as pa

        snapshot = self.snapshot()
        files = [] if snapshot is None else snapshot.unfilled(name)
        for start in range(0, len(files), ROWS_AT_ONCE):
            names, features = self.features(files[start : start + ROWS_AT_ONCE])
            rows = pa.table({"file": names, LENS + name: as_vectors(embed(features))})
            with self._stored.commit() as dataset:
                dataset.merge_insert("file").when_matched_update_all().execute(rows)
        return len(files)

    def drop_lens(self, name: str) -> None:
        """Remove the column of a lens, where there is one."""
        if name in self.lenses():
            with self._stored.commit() as dataset:
                dataset.drop_columns([LENS + name])

    def update_index(self, column: str, reporter: Reporter = SILENT) -> None:
        """Make the approximate index of a column, or add what is new to it; call it under the collection's lock.

        Args:
            column: features, or lens:NAME.
            reporter: told of "preparing".
        """
        update_index(self._stored, column, reporter)

    def compact(self, *, asked: bool = False) -> tuple[int, int]:
        """Put small pieces together, see `LanceTable.compact`. Returns: the number of pieces before and after."""
        return self._stored.compact(asked=asked)

    def clean(self, kept: timedelta | None = None) -> None:
        """Remove what only versions older than `kept` (ten minutes) need, and what killed runs left.

        Only for who holds the collection's lock: what another writer has not committed yet would go too.
        """
        self._stored.clean(kept)


def _fields(features: int) -> list[Any]:
    """The columns of a table without lenses, as pyarrow has them."""
    import pyarrow as pa

    return [
        ("file", pa.string()),
        ("content", pa.binary(16)),
        ("bytes", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("features", pa.list_(pa.float16(), features)),
    ]
