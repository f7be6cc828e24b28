"""Fragments of a table: written by many processes at once, committed by one."""

import json
from collections.abc import Sequence
from typing import Any

from lookalike.index.lance_runtime import load_lance


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
