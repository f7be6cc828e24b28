"""What is damaged in one version of a table: files that are missing, empty, cut or unreadable."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.errors import DamagedTableError, LookalikeError, is_out_of_memory
from lookalike.index.checksums import checksum_of, read_checksums
from lookalike.index.storage import storage_error
from lookalike.index.vector_column import as_matrix

LANCE_MAGIC = b"LANC"  # the last bytes of a data file
ARROW_MAGIC = b"ARROW1"  # the last bytes of a deletion file that lists rows


@dataclass(frozen=True)
class Damage:
    """One damaged file of a table.

    Attributes:
        file: its path within the table's folder, such as data/0101.lance.
        reason: what is wrong with it: "missing", "empty", "cut (10 of 788 bytes)", "cannot be read: ...".
        rows: how many rows cannot be read because of it; 0 where an older version gives them.
        fragment: the number of the fragment that it belongs to; None for a manifest, an older version, a single row.
        picture: the file whose row alone is damaged, where the rest of the fragment is not.
    """

    file: str
    reason: str
    rows: int = 0
    fragment: int | None = None
    picture: str | None = None


def is_local(uri: str) -> bool:
    """Whether a table lies in a folder, not on an object store."""
    return "://" not in uri


def find_damage(dataset: Any) -> list[Damage]:
    """The files of an open version that are missing, empty or cut: asks for names and sizes, and reads no rows."""
    if not is_local(str(dataset.uri)):
        return []
    folder, found = Path(str(dataset.uri)), []
    for fragment in dataset.get_fragments():
        metadata = fragment.metadata
        sizes = {f"data/{file.path}": file.file_size_bytes for file in metadata.files}
        if deletions := fragment.deletion_file():
            sizes[deletions] = None
        for name, size in sizes.items():
            if reason := _wrong_with(folder / name, size):
                found.append(Damage(name, reason, metadata.num_rows, fragment.fragment_id))
    return found


def find_unreadable(dataset: Any) -> list[Damage]:
    """What `find_damage` finds, files that are not what was written, or whose rows cannot be read, and rows whose
    features are no numbers.

    Reads the whole version, a fragment at a time.
    """
    found = find_damage(dataset)
    known = {one.fragment for one in found}
    found += [one for one in _find_changed(dataset) if one.fragment not in known]
    known = {one.fragment for one in found}
    for fragment in dataset.get_fragments():
        if fragment.fragment_id in known:
            continue
        names = ", ".join(f"data/{file.path}" for file in fragment.metadata.files)
        try:
            files = _without_numbers(fragment)
        except BaseException as error:
            if not is_lance_error(error):
                raise
            reason = f"cannot be read: {first_line(error)}"
            found.append(Damage(names, reason, fragment.metadata.num_rows, fragment.fragment_id))
        else:
            found += [Damage(names, f"{file}: features that are no numbers", rows=1, picture=file) for file in files]
    return found


def files_of_fragment(fragment: Any) -> list[str]:
    """The data and deletion files of a fragment, by their paths within the table."""
    deletions = fragment.deletion_file()
    return [*(f"data/{file.path}" for file in fragment.metadata.files), *([deletions] if deletions else [])]


def _find_changed(dataset: Any) -> Iterator[Damage]:
    """The files whose checksums are not those of what was written; those without a checksum are taken as they are."""
    if not is_local(str(dataset.uri)):
        return
    folder = Path(str(dataset.uri))
    expected = read_checksums(folder)
    for fragment in dataset.get_fragments():
        for name in files_of_fragment(fragment):
            with suppress(OSError):  # missing or unreadable: that is found elsewhere
                if name in expected and checksum_of(folder / name) != expected[name]:
                    reason = "not what was written (its checksum differs)"
                    yield Damage(name, reason, fragment.metadata.num_rows, fragment.fragment_id)


def damaged_rows(damage: Sequence[Damage]) -> int:
    """How many rows cannot be used, each fragment counted once."""
    fragments = {one.fragment: one.rows for one in damage if one.fragment is not None}
    return sum(fragments.values()) + sum(one.picture is not None for one in damage)


@contextmanager
def reading(uri: str, mend: str) -> Iterator[None]:
    """Turn what Lance raises while a table is read into one line.

    Args:
        uri: of the table.
        mend: the command that mends it.
    Raises: DamagedTableError; StorageError, where an object store refuses.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, LookalikeError) or not is_lance_error(error):
            raise
        if not is_local(uri) and (refusal := storage_error(error, "read", uri)) is not None:
            raise refusal from None
        raise DamagedTableError(f"{uri}: damaged ({first_line(error)}). To mend it, run: {mend}") from error


def is_lance_error(error: BaseException) -> bool:
    """Whether this is what Lance raises about a file; a panic of its Rust code is no Exception.

    Too little memory says nothing of a file.
    """
    if is_out_of_memory(error):
        return False
    return isinstance(error, OSError | ValueError | RuntimeError) or type(error).__name__ == "PanicException"


def first_line(error: BaseException) -> str:
    """What an error of Lance says, without the place in its source."""
    line = (str(error).splitlines() or [""])[0]
    return line.split(", /home/runner/")[0].split(", /rustc/")[0].strip() or type(error).__name__


def _wrong_with(path: Path, size: int | None) -> str:
    """What is wrong with a file that should have this many bytes; "" when nothing is."""
    try:
        there = path.stat().st_size
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not there:
        return "empty"
    if size is not None and there != size:
        return f"cut ({there:,} of {size:,} bytes)" if there < size else f"too long ({there:,} for {size:,} bytes)"
    return ""


def _without_numbers(fragment: Any) -> list[str]:
    """The files of a fragment whose features hold a value that is no number; every column is read."""
    found: list[str] = []
    for batch in fragment.to_batches():
        if "features" in batch.schema.names:
            whole = np.isfinite(as_matrix(batch.column("features"))).all(axis=1)
            files = batch.column("file").to_pylist()
            found += [files[row] for row in np.flatnonzero(~whole)]
    return found
