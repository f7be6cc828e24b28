"""One version of the table, as it is read."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import DamagedTableError, OutdatedSnapshotError, QueryError
from lookalike.files import digest
from lookalike.index.damage import Damage, is_local, reading
from lookalike.index.filters import EXAMPLE, checked_condition
from lookalike.index.vector_column import as_matrix
from lookalike.index.versions import list_versions

COLUMNS = ("file", "content", "bytes", "mtime_ns", "width", "height")
CONDITION_COLUMNS = ("file", "bytes", "mtime_ns", "width", "height")
LENS = "lens:"  # what the name of a lens's column begins with
ROWS_A_PIECE = 1 << 16
ROWS_AT_ONCE = 2048
Embed = Callable[[NDArray[np.float16]], NDArray[np.floating[Any]]]  # features (n, f) -> embedding (n, d)


@dataclass(frozen=True)
class Piece:
    """Rows of a table that lie together, one after the other.

    Attributes:
        key: of the files that hold them; a file is never written anew, so equal keys are equal rows.
        removed: tells which of these rows were removed since; "" for none.
        rows: how many are left.
        fragment: its number in this version.
    """

    key: str
    removed: str
    rows: int
    fragment: int


class Snapshot:
    """One version of a table, held open: what is read from it belongs together, whatever is written meanwhile.

    Rows are counted in the order in which they lie in the table. What reads rows raises DamagedTableError where they
    cannot be read, and OutdatedSnapshotError where another process has removed this version meanwhile.

    Args:
        dataset: the version, as Lance's dataset.
        passed_over: what is damaged in newer versions, of which this one takes the place.
        repair: the command that mends a damaged table, for error messages.

    Attributes:
        passed_over: as above; empty for the newest version.
    """

    def __init__(self, dataset: Any, passed_over: Sequence[Damage] = (), repair: str = ""):
        self._dataset, self.passed_over, self._repair = dataset, tuple(passed_over), repair
        self.uri = str(dataset.uri)
        self.name = self.uri.rsplit("/", 1)[-1]
        self.version = int(dataset.version)

    def __len__(self) -> int:
        return int(self._dataset.count_rows())

    @property
    def features(self) -> int:
        """The number of features f."""
        return int(self._dataset.schema.field("features").type.list_size)

    def width(self, column: str) -> int:
        """How many values a vector of a column has."""
        return int(self._dataset.schema.field(column).type.list_size)

    def read(self, *columns: str, files: Sequence[str] | None = None) -> Any:
        """Columns as a pyarrow Table, whole or the rows of some files."""
        with self._reading():
            return self._dataset.to_table(columns=list(columns), filter=None if files is None else sql_in(files))

    def columns(self) -> dict[str, list[Any]]:
        """All columns but the vectors, as lists that are aligned with one another."""
        found: dict[str, list[Any]] = self.read(*COLUMNS).to_pydict()
        return found

    def row_blocks(self, *columns: str) -> Iterator[Any]:
        """Columns as pyarrow RecordBatches, in order, `ROWS_A_PIECE` rows at a time or fewer."""
        batches = iter(self._dataset.to_batches(columns=list(columns), batch_size=ROWS_A_PIECE))
        while True:
            with self._reading():
                batch = next(batches, None)
            if batch is None:
                return
            yield batch

    def rows_at(self, rows: Sequence[int], *columns: str) -> list[dict[str, Any]]:
        """Some rows, in the order in which they are asked for."""
        with self._reading():
            found: list[dict[str, Any]] = self._dataset.take(list(rows), columns=list(columns)).to_pylist()
        return found

    def contents(self) -> int:
        """How many different contents there are."""
        import pyarrow.compute as pc

        return int(pc.count_distinct(self.read("content").column("content")).as_py())

    def lenses(self) -> dict[str, int]:
        """The lenses that have a column: name -> d."""
        return {
            field.name.removeprefix(LENS): field.type.list_size
            for field in self._dataset.schema
            if field.name.startswith(LENS)
        }

    def weights(self, lens: str) -> str:
        """The fingerprint of the weights that the column was made with, as given to `add_lens`; "" for none."""
        found = self._dataset.schema.field(LENS + lens).metadata or {}
        return str(found.get(b"weights", b"").decode())

    def unfilled(self, lens: str) -> list[str]:
        """The files that have no vector in the column of a lens."""
        with self._reading():
            found = self._dataset.to_table(columns=["file"], filter=f"`{LENS}{lens}` IS NULL")
        files: list[str] = found.column("file").to_pylist()
        return files

    def blocks(self, column: str, piece: Piece | None = None) -> Iterator[NDArray[np.float16]]:
        """The vectors of a column, (b, d) float16 at a time, in order, all or a piece's; zeros where a row has none."""
        for batch in self.batches(column, piece=piece, rows=ROWS_AT_ONCE):
            yield as_matrix(batch.column(0))

    def pieces(self, *columns: str) -> list[Piece]:
        """What the rows of some columns consist of, in the order in which they lie in the table."""
        numbers = {field.id() for field in self._dataset.lance_schema.fields() if field.name() in columns}
        found = []
        for fragment in self._dataset.get_fragments():
            names = (file.path for file in fragment.metadata.files if numbers & set(file.fields))
            key = digest([" ".join(sorted(names)).encode()], 8).hex()
            found.append(Piece(key, fragment.deletion_file() or "", fragment.metadata.num_rows, fragment.fragment_id))
        return found

    def batches(
        self, *columns: str, piece: Piece | None = None, where: str | None = None, rows: int = ROWS_A_PIECE
    ) -> Iterator[Any]:
        """Columns as batches of pyarrow, in order: of all rows, of a piece, or of what fulfils a condition.

        Beside its own, the table has the columns `_rowoffset`, a row's number in this version, and `_rowaddr`, which
        holds its number in its piece in the lower 32 bits.
        """
        fragments = None if piece is None else [self._dataset.get_fragment(piece.fragment)]
        with self._reading():
            scanner = self._dataset.scanner(columns=list(columns), filter=where, fragments=fragments, batch_size=rows)
            batches = iter(scanner.to_batches())
        while True:
            with self._reading():
                batch = next(batches, None)
            if batch is None:
                return
            if len(batch):
                yield batch

    def rows(self, numbers: Any, *columns: str) -> Any:
        """Columns of some rows as a pyarrow Table, in the order in which they are asked for."""
        wanted, back = np.unique(np.asarray(numbers, np.int64), return_inverse=True)
        with self._reading():
            if not len(wanted):
                return self._dataset.to_table(columns=list(columns), limit=0)
            return self._dataset.take(wanted, columns=list(columns)).take(back)

    def nearest(
        self, column: str, query: NDArray[np.float32], k: int, effort: tuple[int, int], where: str | None = None
    ) -> Any:
        """About the k rows most like a query (d,), by an index: a pyarrow Table of `_rowoffset` and the column.

        Args:
            column: that has an index.
            query: of length 1.
            k: how many, 1 or more.
            effort: partitions looked into; times k rows that are ranked again.
            where: an SQL condition, as `matching` takes it where all names are in one form.
        """
        nprobes, refine = effort
        wanted = {"column": column, "q": query, "k": k, "nprobes": nprobes, "refine_factor": refine, "metric": "dot"}
        condition = None if where is None else checked_condition(where)
        with self._reading():
            scanner = self._dataset.scanner(
                columns=["_rowoffset", column, "_distance"], nearest=wanted, filter=condition, prefilter=True
            )
            return scanner.to_table()

    def has_index(self, column: str) -> bool:
        """Whether a column has an approximate index."""
        return any(one.name == column for one in self._dataset.describe_indices())

    def index_parts(self, column: str) -> tuple[int, bool]:
        """How many parts the index of a column has, and whether all rows are in one of them."""
        parts = [part for one in self._dataset.describe_indices() if one.name == column for part in one.segments]
        indexed = {number for part in parts for number in part.fragment_ids}
        return len(parts), all(one.fragment_id in indexed for one in self._dataset.get_fragments())

    def take(self, rows: NDArray[np.int64], column: str) -> NDArray[np.float16]:
        """The vectors of some rows, ascending, each once: (m, d) float16."""
        with self._reading():
            return as_matrix(self._dataset.take(rows, columns=[column]).column(0).combine_chunks())

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Raises: DamagedTableError, OutdatedSnapshotError."""
        try:
            with reading(str(self._dataset.uri), self._repair):
                yield
        except DamagedTableError as error:
            if is_local(self._dataset.uri) and self.version not in list_versions(self._dataset.uri):
                raise OutdatedSnapshotError(
                    f"{self._dataset.uri}: another process has changed it while it was read. Run it again."
                ) from error
            raise

    def matching(self, where: str) -> Any:
        """The files whose row fulfils an SQL condition on file, width, height, bytes, mtime: a pyarrow array.

        Names are compared in one form of Unicode.

        Raises: QueryError, when the condition cannot be understood.
        """
        condition = checked_condition(where)
        with _conditions(where):
            if self._in_one_form is None:
                return self._dataset.to_table(columns=["file"], filter=condition).column("file")
            return self._in_one_form.to_table(columns=["spelled"], filter=condition).column("spelled")

    def numbers_matching(self, where: str, is_in_one_form: bool) -> NDArray[np.int64]:
        """The numbers of the rows that fulfil a condition, as `matching`, ascending; a piece of the table in memory.

        Args:
            where: the condition.
            is_in_one_form: whether all names are; else names are brought into it a piece at a time.
        Raises: QueryError, when the condition cannot be understood.
        """
        import lance
        import pyarrow as pa
        import pyarrow.compute as pc

        condition, found = checked_condition(where), [np.empty(0, np.int64)]
        with _conditions(where):
            if is_in_one_form:
                some = (batch.column(0).to_numpy() for batch in self.batches("_rowoffset", where=condition))
                return np.concatenate([*found, *some]).astype(np.int64)
            for batch in self.batches(*CONDITION_COLUMNS, "_rowoffset"):
                names = pc.utf8_normalize(batch.column(0), form="NFC")
                rows = pa.Table.from_batches([batch]).set_column(0, "file", names)
                part = lance.write_dataset(rows.rename_columns([*CONDITION_COLUMNS, "number"]), "memory://")
                found.append(part.to_table(columns=["number"], filter=condition).column(0).to_numpy().astype(np.int64))
        return np.concatenate(found)

    @property
    def is_in_one_form(self) -> bool:
        """Whether all names are in the form of Unicode in which names are compared; reads all of them."""
        return self._in_one_form is None

    @cached_property
    def _in_one_form(self) -> Any:
        """The columns of conditions with the names in one form, in memory; None where they are all in it already."""
        import lance
        import pyarrow.compute as pc

        rows = self.read(*CONDITION_COLUMNS)
        spelled = rows.column("file")
        names = pc.utf8_normalize(spelled, form="NFC")
        if names.equals(spelled):
            return None
        rows = rows.set_column(0, "file", names).append_column("spelled", spelled)
        return lance.write_dataset(rows, "memory://")


@contextmanager
def _conditions(where: str) -> Iterator[None]:
    """Raises: QueryError, in the place of what Lance says of a condition."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise QueryError(
            f"--where {where!r}: not a condition on file, width, height, bytes or mtime. {EXAMPLE}",
            code="query.where",
        ) from error


def sql_in(files: Sequence[str]) -> str:
    """The SQL condition that a row is of one of these files.

    >>> print(sql_in(["a.png", "it's.png"]))
    file IN ('a.png', 'it''s.png')
    """
    quoted = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    return f"file IN ({quoted})" if files else "false"
