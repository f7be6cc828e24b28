"""A collection of very many rows, made in a second: one file is a picture, the others are names."""

from pathlib import Path

import lance
import numpy as np
import pyarrow as pa

from lookalike import Collection
from support.drawn_network import write_bundle
from support.pictures import draw


def many_rows(folder: Path, rows: int) -> Path:
    """A folder photos/ whose collection has so many rows: 0000000.png, 0000001.png, .. with three features each."""
    photos = folder / "photos"
    draw(photos / "0000000.png", 0, (96, 64))
    collection = Collection(photos, backbone=write_bundle(folder / "network"))
    collection.index()
    table = lance.dataset(collection.table.uri)
    rng, n = np.random.default_rng(0), rows - 1
    features = pa.FixedSizeListArray.from_arrays(pa.array(rng.random(3 * n).astype(np.float16)), 3)
    columns = {
        "file": pa.array([f"{number:07d}.png" for number in range(1, rows)]),
        "content": pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), n, [None, pa.py_buffer(rng.bytes(16 * n))]),
        "bytes": pa.array(np.full(n, 1000)),
        "mtime_ns": pa.array(np.arange(n) * 10**9),
        "width": pa.array(np.full(n, 96, np.int32)),
        "height": pa.array(np.full(n, 64, np.int32)),
        "features": features,
    }
    lance.write_dataset(pa.table(columns).cast(table.schema), table, mode="append")
    return photos
