"""Writing to Lance tables: rows in, files out."""

from collections.abc import Sequence
from typing import Any

STORAGE_VERSION = "2.1"


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
