"""A collection -> Parquet, CSV, npy or an ONNX model, by the ending of the file's name."""

import csv
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import CollectionError, MissingExtraError
from lookalike.files import atomic_write, why_unwritable
from lookalike.models.bundle import Bundle
from lookalike.models.lens import Lens
from lookalike.text import csv_text


def export(files: Sequence[str], vectors: NDArray[Any], out: Path) -> None:
    """Write files and their vectors.

    Args:
        files: n names.
        vectors: (n, d).
        out: *.parquet (columns file and features, a list of float32), *.csv (file, 0, 1, ...), or *.npy (the matrix,
            with the names in a text file beside it, a JSON list).
    Raises: CollectionError, for another ending or a place that cannot be written.
    """
    check_exportable(out)
    try:
        WRITERS[out.suffix](files, np.asarray(vectors, np.float32), out)
    except OSError as error:
        raise CollectionError(f"{out}: cannot be written ({error.strerror}). Choose another place.") from error


def check_exportable(out: Path) -> None:
    """Ask before the work whether something can be exported to a file.

    Raises: CollectionError, for another ending or a place that cannot be written.
    """
    if out.suffix not in (*WRITERS, ".onnx"):
        raise CollectionError(
            f"{out}: cannot export to {out.suffix or 'no ending'}. End it in {', '.join(WRITERS)} or .onnx."
        )
    if out.is_dir():
        raise CollectionError(f"{out}: a folder. Name a file.")
    if reason := why_unwritable(out):
        raise CollectionError(f"{out}: cannot be written ({reason}). Choose another place.")


def data_frame(columns: dict[str, Any]) -> Any:
    """Columns as a pandas DataFrame.

    Raises: MissingExtraError, without pandas.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError("a DataFrame", "tables") from error
    return pd.DataFrame(columns)


def export_model(bundle: Bundle, lens: Lens | None, out: Path) -> None:
    """Write backbone and lens as one ONNX file, see `onnx_model`.

    Raises: CollectionError, for a place that cannot be written.
    """
    from lookalike.models.onnx_export import onnx_model

    content = onnx_model(bundle, lens)
    try:
        atomic_write(out, content)
    except OSError as error:
        raise CollectionError(f"{out}: cannot be written ({error.strerror}). Choose another place.") from error


def _parquet(files: Sequence[str], vectors: NDArray[np.float32], out: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    rows = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    buffer = io.BytesIO()
    parquet.write_table(pa.table({"file": list(files), "features": rows}), buffer)
    atomic_write(out, buffer.getvalue())


def _csv(files: Sequence[str], vectors: NDArray[np.float32], out: Path) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["file", *range(vectors.shape[1])])
    writer.writerows([csv_text(file), *row] for file, row in zip(files, vectors.tolist(), strict=True))
    atomic_write(out, buffer.getvalue().encode())


def _npy(files: Sequence[str], vectors: NDArray[np.float32], out: Path) -> None:
    beside, names = out.with_suffix(".json"), _names_as_json(files)
    if os.path.lexists(beside) and not _is_ours(beside):
        raise CollectionError(
            f"{beside}: is there, and no list of names that an export wrote. The names of {out.name} go there: choose "
            "another name, or move that file away."
        )
    buffer = io.BytesIO()
    np.save(buffer, vectors)
    atomic_write(beside, names)  # first: where it cannot be written, the former pair stays whole
    atomic_write(out, buffer.getvalue())


def _names_as_json(files: Sequence[str]) -> bytes:
    return json.dumps(list(files), ensure_ascii=False, indent=1).encode()


def _is_ours(path: Path) -> bool:
    """Whether a file is a list of names to the byte as we write it."""
    try:
        if not path.is_file():  # a pipe would wait
            return False
        with path.open("rb") as file:
            if (start := file.read(2)) not in (b"[\n", b"[]"):
                return False
            content = start + file.read()
        files = json.loads(content)
    except (ValueError, OSError, RecursionError):
        return False
    names = isinstance(files, list) and all(isinstance(one, str) for one in files)
    return names and content == _names_as_json(files)


WRITERS = {".parquet": _parquet, ".csv": _csv, ".npy": _npy}
