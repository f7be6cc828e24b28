"""Fragments of a table and of a column: written by many processes at once, committed by one."""

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lookalike.errors import CollectionError
from lookalike.index.lance_runtime import load_lance
from lookalike.index.snapshot import ROWS_AT_ONCE, Embed
from lookalike.index.storage import lance_options
from lookalike.index.vector_column import as_matrix, as_vectors

STORAGE_VERSION = "2.1"


def write_fragments(dataset: Any, rows: Any) -> list[str]:
    """Write a pyarrow Table beside a table's data; no version names it until `append_fragments`.

    Returns: what Lance says of each fragment, as JSON.
    """
    load_lance()
    from lance.fragment import write_fragments

    return [json.dumps(one.to_json()) for one in write_fragments(rows, dataset, mode="append")]


def append_fragments(dataset: Any, fragments: Sequence[str]) -> None:
    """Commit fragments to the newest version of a table; rows that others append meanwhile stay."""
    lance = load_lance()

    metadata = [lance.FragmentMetadata.from_json(text) for text in fragments]
    lance.LanceDataset.commit(dataset, lance.LanceOperation.Append(metadata), read_version=dataset.version)


def field_of(dataset: Any, column: str) -> int:
    """Lance's number of a column."""
    return int(next(field for field in dataset.lance_schema.fields() if field.name() == column).id())


def unfilled_fragments(dataset: Any, column: str) -> list[int]:
    """The fragments in which rows have no value in a column.

    Those without a file of it, and those with nulls in a file that holds other columns as well: such rows were
    appended before the column's values were known. Files of the column alone are whole, see `replace_columns`.
    """
    field = field_of(dataset, column)
    missing, mixed = [], []
    for fragment in dataset.get_fragments():
        files = [file for file in fragment.data_files() if field in file.fields]
        if not files:
            missing.append(int(fragment.fragment_id))
        elif len(files[0].fields) > 1:
            mixed.append(fragment)
    if mixed:
        scan = dataset.scanner(columns=["_rowaddr"], filter=f"`{column}` IS NULL", fragments=mixed)
        missing += np.unique(scan.to_table().column("_rowaddr").to_numpy() >> np.uint64(32)).tolist()
    return sorted(missing)


def write_column(dataset: Any, number: int, column: str, embed: Embed) -> str:
    """Write the values of a column for one fragment, into a file that no version names yet.

    Args:
        dataset: a version that has the column.
        number: of the fragment.
        column: its name.
        embed: features (n, f) float16 -> values (n, d); also of rows that were deleted, whose features are zeros.
    Returns: the file's name, for `replace_columns`.
    Raises: CollectionError, where there are not as many values as the fragment has rows, which Lance would not see.
    """
    import pyarrow as pa

    load_lance()
    from lance.file import LanceFileWriter

    fragment, name = dataset.get_fragment(number), f"{uuid.uuid4().hex}.lance"
    schema, rows = pa.schema([pa.field(column, dataset.schema.field(column).type)]), 0
    place, options = f"{dataset.uri}/data/{name}", lance_options(dataset.uri) or None
    with LanceFileWriter(place, schema, storage_options=options, version=STORAGE_VERSION) as file:
        # With the rows that were deleted: a data file has a value for each that was ever written.
        scan = dataset.scanner(
            columns=["features"], fragments=[fragment], include_deleted_rows=True, with_row_id=True,
            batch_size=ROWS_AT_ONCE, scan_in_order=True,
        )  # fmt: skip
        for batch in scan.to_batches():
            values = as_vectors(embed(as_matrix(batch.column("features"))))
            file.write_batch(pa.record_batch([values], schema=schema))
            rows += batch.num_rows
    if rows != fragment.physical_rows:
        raise CollectionError(
            f"{dataset.uri}: fragment {number} has {fragment.physical_rows:,} rows, and {rows:,} were computed. Run it "
            "again."
        )
    return name


def replace_columns(dataset: Any, files: Mapping[int, str]) -> None:
    """Commit what `write_column` has written, fragment -> file, of several fragments at once.

    Raises: OSError, where the fragments were rewritten meanwhile: what was written for them is lost.
    """
    lance = load_lance()

    groups = [
        lance.LanceOperation.DataReplacementGroup(number, lance.fragment.DataFile.create(dataset, name))
        for number, name in files.items()
    ]
    lance.LanceDataset.commit(dataset, lance.LanceOperation.DataReplacement(groups), read_version=dataset.version)
