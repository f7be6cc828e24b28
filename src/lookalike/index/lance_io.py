"""Writing to Lance tables: rows in, files out."""

from collections.abc import Sequence
from typing import Any

STORAGE_VERSION = "2.1"


def write_rows(uri: str, rows: Any) -> None:
    """Commit a pyarrow Table of rows; one whose file is there already takes its place."""
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
    """Remove the rows of files, 500 at a time."""
    import lance

    for start in range(0, len(files), 500):
        lance.dataset(uri).delete(sql_in(files[start : start + 500]))


def sql_in(files: Sequence[str]) -> str:
    """The SQL condition that a row is of one of these files.

    >>> print(sql_in(["a.png", "it's.png"]))
    file IN ('a.png', 'it''s.png')
    """
    quoted = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
    return f"file IN ({quoted})" if files else "false"
