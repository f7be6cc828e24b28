"""One version of the table, as it is read."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import QueryError

COLUMNS = ("file", "content", "bytes", "mtime_ns", "width", "height")
LENS = "lens:"  # what the name of a lens's column begins with
ROWS_A_PIECE = 1 << 16
ROWS_AT_ONCE = 2048
Embed = Callable[[NDArray[np.float16]], NDArray[np.floating[Any]]]  # features (n, f) -> embedding (n, d)


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
        """The fingerprint of the weights that the column was made with, as given to `add_lens`; "" for none."""
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
