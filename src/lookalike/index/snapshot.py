"""One version of the table, as it is read."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import DamagedTableError, OutdatedSnapshotError, QueryError
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
        self.name = str(dataset.uri).rsplit("/", 1)[-1]
        self.version = int(dataset.version)

    def __len__(self) -> int:
        return int(self._dataset.count_rows())

    @property
    def features(self) -> int:
        """The number of features f."""
        return int(self._dataset.schema.field("features").type.list_size)

    def read(self, *columns: str, files: Sequence[str] | None = None) -> Any:
        """Columns as a pyarrow Table, whole or the rows of some files."""
        with self._reading():
            return self._dataset.to_table(columns=list(columns), filter=None if files is None else sql_in(files))

    def columns(self) -> dict[str, list[Any]]:
        """All columns but the vectors, as lists that are aligned with one another."""
        found: dict[str, list[Any]] = self.read(*COLUMNS).to_pydict()
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

    def blocks(self, column: str) -> Iterable[NDArray[np.float16]]:
        """The vectors of a column, (b, d) float16 at a time, in order; zeros where a row has none."""
        batches = iter(self._dataset.to_batches(columns=[column], batch_size=ROWS_AT_ONCE))
        while True:
            with self._reading():
                batch = next(batches, None)
            if batch is None:
                return
            yield as_matrix(batch.column(0))

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
        try:
            if self._in_one_form is None:
                return self._dataset.to_table(columns=["file"], filter=condition).column("file")
            return self._in_one_form.to_table(columns=["spelled"], filter=condition).column("spelled")
        except (ValueError, OSError) as error:
            raise QueryError(
                f"--where {where!r}: not a condition on file, width, height, bytes or mtime. {EXAMPLE}",
                code="query.where",
            ) from error

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


def sql_in(files: Sequence[str]) -> str:
    """The SQL condition that a row is of one of these files.

    >>> print(sql_in(["a.png", "it's.png"]))
    file IN ('a.png', 'it''s.png')
    """
    quoted = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    return f"file IN ({quoted})" if files else "false"
