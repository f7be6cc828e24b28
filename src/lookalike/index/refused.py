"""The table of files that could not be read, with their reasons, and which of them are tried again."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from lookalike.images.limits import Limits
from lookalike.index.damage import Damage, damaged_rows, reading
from lookalike.index.lance_io import LanceTable

COLUMNS = ("file", "bytes", "mtime_ns", "reason")

_ADDED = ("kind", "limits", "decoders")  # columns that earlier tables do not have


@dataclass(frozen=True)
class RefusedFile:
    """One file that could not be read, why, and under which conditions.

    Attributes:
        kind: of the ImageError; "" where it is not known.
        limits, decoders: what it was read with, as `limits_of` and `installed_decoders` give it.
    """

    file: str
    bytes: int
    mtime_ns: int
    reason: str
    kind: str = ""
    limits: str = ""
    decoders: str = ""

    @property
    def is_picture(self) -> bool:
        """Whether it is a picture, or calls itself one; else a file that lies beside pictures."""
        return self.kind != "not a picture"

    @property
    def is_passing(self) -> bool:
        """Whether the system refused it, for a reason that may be gone the next time."""
        return self.kind in {"unreadable", "no memory"}

    def may_be_readable(self, limits: str, decoders: str) -> bool:
        """Whether to read it again, though neither its size nor its date have changed.

        What the system refused (a permission, a disk, a network, memory that was not free) is tried each time, what
        was too large or too much under other limits, and everything with other versions of what decodes.

        >>> RefusedFile("a.heic", 1, 2, "needs an extra", "needs an extra", "", "Pillow 1").may_be_readable("", "x 2")
        True
        """
        if self.kind == "" or self.is_passing or self.decoders != decoders:
            return True
        return self.kind in {"too large", "killed"} and self.limits != limits


class RefusedTable:
    """The files that were refused, with reasons.

    Every method raises DamagedTableError where files of the table are missing, cut or cannot be read.

    Args:
        uri: where it lies.
        shell_words: what names the collection in the commands of error messages.
        before_commit: as for `Table`.
    """

    def __init__(self, uri: str | Path, shell_words: str = "FOLDER", before_commit: Callable[[], None] | None = None):
        self.uri, self._repair = str(uri), f"lookalike check {shell_words} --repair"
        self._stored = LanceTable(self.uri, COLUMNS, f"lookalike index {shell_words}", self._repair, before_commit)

    def append(self, rows: Sequence[RefusedFile]) -> None:
        """Commit rows; a row whose file is there already takes its place."""
        import pyarrow as pa

        if rows:
            self._add_columns()
            columns = {one.name: [getattr(row, one.name) for row in rows] for one in fields(RefusedFile)}
            self._stored.write_rows(pa.table(columns))

    def remove(self, files: Iterable[str]) -> None:
        """Forget files: they are gone, or can be read now."""
        self._stored.remove_files(list(files))

    def rows(self) -> list[RefusedFile]:
        """All of them, by file."""
        opened = self._stored.open()
        if opened is None:
            return []
        with reading(self.uri, self._repair):
            found = opened.dataset.to_table().to_pylist()
        rows = [RefusedFile(**(row | {name: row.get(name) or "" for name in _ADDED})) for row in found]
        return sorted(rows, key=lambda row: row.file)

    def verify(self) -> list[Damage]:
        """As `Table.verify`."""
        return self._stored.verify()

    def drop_damaged(self) -> int:
        """As `Table.drop_damaged`: what was refused in these rows is tried again."""
        return damaged_rows(self._stored.remove_damaged(deep=True))

    def recover(self) -> list[Damage]:
        """As `Table.recover`."""
        return self._stored.remove_damaged(deep=False)

    def compact(self) -> None:
        """As `Table.compact`."""
        self._stored.compact()

    def clean(self) -> None:
        """As `Table.clean`."""
        self._stored.clean()

    def _add_columns(self) -> None:
        """Give a table of an earlier version the columns that it lacks."""
        with self._stored.commit() as dataset:
            missing = [] if dataset is None else [name for name in _ADDED if name not in dataset.schema.names]
            if missing:
                dataset.add_columns(dict.fromkeys(missing, "''"))


def limits_of(limits: Limits) -> str:
    """Limits as they are kept in the table: other limits give another text."""
    return f"{limits.pixels:,} pixels, {limits.bytes:,} bytes"


@cache
def installed_decoders() -> str:
    """What reads pictures here, with versions: lookalike, Pillow, and the extras that are installed."""
    from importlib import metadata  # with what reads e-mail: 16 ms that a search can do without

    found = []
    for name in ("lookalike", "pillow", "pillow-heif", "rawpy"):
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(found)
