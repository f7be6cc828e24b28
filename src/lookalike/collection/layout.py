"""A collection laid out in two dimensions, like beside like: made once and kept until its pictures change."""

import contextlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import CollectionError
from lookalike.files import atomic_write, digest
from lookalike.index.gallery import Gallery
from lookalike.index.quantization import lengths
from lookalike.learning.closed_form.neighbor_layout import LANDMARKS, neighbor_layout, spread_copies
from lookalike.learning.closed_form.pca import main_directions
from lookalike.models.vectors import as_float32
from lookalike.progress import SILENT, Reporter

DIMS = 100  # main directions in which pictures are compared; all of 3,488 would keep hardly more and take minutes
MOST = 2_000_000  # pictures that are laid out
METHOD = b"layout 1"  # to be raised when another layout comes of the same rows


def kept_layout(gallery: Gallery, cache: Path, seed: int = 0) -> NDArray[np.float32] | None:
    """What `layout` gives, where it was made before; else None."""
    return _read(_place(gallery, cache), len(gallery), seed)


def layout(
    gallery: Gallery, cache: Path | None = None, *, seed: int = 0, reporter: Reporter = SILENT
) -> NDArray[np.float32]:
    """Where each picture of a gallery lies in two dimensions, by t-SNE.

    Args:
        gallery: the pictures, and the features or the embedding by which they are alike.
        cache: where the collection keeps what may be deleted. What is kept there of other pictures, of another lens or
            damaged is made again; where nothing can be written, nothing is kept.
        seed: of the landmarks, and of the little else that is random.
        reporter: told of "laying out"; where it raises, nothing is kept.
    Returns: (n, 2) float32, 0 to 1, in the order of the gallery's files. Pictures of equal features lie side by side.
    Raises: CollectionError, when there are no pictures, or too many; MissingExtraError, without the extra "map".
    """
    if not len(gallery):
        raise CollectionError("no pictures to lay out. Index some first.")
    if len(gallery) > MOST:
        raise CollectionError(
            f"{len(gallery):,} pictures: at most {MOST:,} are laid out. Index a subfolder as a collection of its own, "
            "with --at."
        )
    kept = None if cache is None else _place(gallery, cache)
    points = None if kept is None else _read(kept, len(gallery), seed)
    if points is None:
        points = _make(gallery, seed, reporter)
        if kept is not None:
            with contextlib.suppress(OSError):  # a full or read-only disk: it is made again next time
                body = points.astype("<f4").tobytes()
                atomic_write(kept, _checksum(body, seed) + body)
                for other in kept.parent.glob(f"{kept.name.split('@')[0]}@*"):
                    if other != kept:
                        other.unlink(missing_ok=True)
    return points


def _place(gallery: Gallery, cache: Path) -> Path:
    return cache / "layouts" / gallery.cache_name


def _read(path: Path, n: int, seed: int) -> NDArray[np.float32] | None:
    """The layout that is kept in a file; None where there is none, or another one, or a damaged one."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if len(content) != 16 + 8 * n or content[:16] != _checksum(content[16:], seed):
        return None
    return np.frombuffer(content, "<f4", offset=16).reshape(n, 2).astype(np.float32)


def _checksum(body: bytes, seed: int) -> bytes:
    return digest([METHOD, b" %d " % seed, body])


def _make(gallery: Gallery, seed: int, reporter: Reporter) -> NDArray[np.float32]:
    """The layout of the gallery as it is; rows are read in blocks, twice."""
    rows = gallery.rows
    numbers = np.empty(len(rows), np.uint64)
    salt = b"%d " % seed
    for places, block in rows.blocks():
        parts = (digest([salt, row.tobytes()], 8) for row in block)
        numbers[places] = np.frombuffer(b"".join(parts), np.uint64)
    # In the order of their digests, different rows lie as if shuffled, whatever their files are called: the first ones
    # are landmarks, and most of them stay so when pictures are added.
    _, first, group = np.unique(numbers, return_index=True, return_inverse=True)
    directions = None
    if rows.shape[1] > DIMS:
        directions = main_directions(_unit(rows[first[:LANDMARKS]]), DIMS)
    reduced = np.empty((len(rows), rows.shape[1] if directions is None else directions.shape[1]), np.float32)
    for places, block in rows.blocks():
        unit = _unit(block)
        reduced[places] = unit if directions is None else _unit(unit @ directions)  # (b, f) @ (f, d) -> (b, d)
    return spread_copies(neighbor_layout(reduced[first], seed=seed, reporter=reporter), group)


def _unit(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows of length 1; rows of zeros stay so."""
    found = as_float32(rows)
    length = lengths(found)[:, None]
    return np.asarray(found / np.where(length > 0, length, 1), np.float32)
