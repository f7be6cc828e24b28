"""A lens and its proof as data: features -> embedding in numpy, and the folder it is kept in."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import LensError, ShapeError
from lookalike.files import atomic_write
from lookalike.images.arrays import number_array
from lookalike.models.proof import Proof
from lookalike.models.vectors import as_float32, normalize_rows

PLAIN = "plain"
FORMAT = 3  # 1 had a flat proof.json, and could have a mean for each domain; 2 no likelihood in its proof
READABLE = (2, 3)
NAME = re.compile(r"[a-z0-9-]{1,40}")
LARGEST_JSON = 64_000_000  # bytes; a proof lists at most a few thousand queries
LARGEST_SIZE = 100_000  # features or dimensions: ten times what any backbone gives
ROWS_AT_ONCE = 8192


@dataclass(frozen=True, eq=False)
class Lens:
    """A learned head on the features: normalise((features - mean) @ matrix).

    Args:
        name: what it is called, `[a-z0-9-]{1,40}`.
        mean: (f,) float32.
        matrix: (f, d) float32.
        settings: how it came about: backbone (its id), loss, data, seed, threads, date, versions; anything JSON holds.
        proof: what it was worth on held-out queries, or None where nothing was proved.
    Raises: ShapeError, when mean and matrix do not fit or hold numbers that are none.

    >>> swap = Lens("swap", np.zeros(2), np.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> swap.apply([[3.0, 4.0]])
    array([[0.8, 0.6]], dtype=float32)
    """

    name: str
    mean: NDArray[np.float32]
    matrix: NDArray[np.float32]
    settings: Mapping[str, Any] = field(default_factory=dict)
    proof: Proof | None = None

    def __post_init__(self) -> None:
        mean, matrix = np.asarray(self.mean, np.float32), np.asarray(self.matrix, np.float32)
        if matrix.ndim != 2 or mean.shape != matrix.shape[:1] or not matrix.size:
            raise ShapeError(
                f"a lens needs a mean (f,) and a matrix (f, d), not {mean.shape} and {matrix.shape}. "
                "Give both the same f."
            )
        if not (np.isfinite(mean).all() and np.isfinite(matrix).all()):
            raise ShapeError("a lens with numbers that are not finite. Learn it again.")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "matrix", matrix)

    @property
    def features(self) -> int:
        """How many features it reads: f."""
        return int(self.matrix.shape[0])

    @property
    def dims(self) -> int:
        """How many dimensions its embedding has: d."""
        return int(self.matrix.shape[1])

    @property
    def backbone(self) -> str:
        """The id of the backbone whose features it was learned on; empty where none was named."""
        return str(self.settings.get("backbone", ""))

    @cached_property
    def fingerprint(self) -> str:
        """What tells its weights from others: BLAKE2b of mean and matrix, 32 hexadecimal digits."""
        digest = hashlib.blake2b(self.mean.tobytes(), digest_size=16)
        digest.update(self.matrix.tobytes())
        return digest.hexdigest()

    def apply(self, features: ArrayLike, rows_at_once: int = ROWS_AT_ONCE) -> NDArray[np.float32]:
        """The embedding of rows of features.

        Args:
            features: (n, f) of any float type.
            rows_at_once: how many are computed together; it bounds the memory.
        Returns: (n, d) float32, rows of length 1; a row that lies on the mean has no direction and stays 0.
        Raises: ShapeError, when the rows do not have f features.
        """
        rows = number_array(features, "features")
        if rows.ndim != 2 or rows.shape[1] != self.features:
            raise ShapeError(
                f"lens {self.name} reads rows of {self.features} features, not {rows.shape}. "
                "Use the backbone it was learned on."
            )
        embedding = np.empty((len(rows), self.dims), np.float32)
        for start in range(0, len(rows), rows_at_once):
            part = slice(start, start + rows_at_once)
            centred = as_float32(rows[part]) - self.mean
            embedding[part] = normalize_rows(np.asarray(centred @ self.matrix, np.float32))  # (b, f) @ (f, d) -> (b, d)
        return embedding

    def save(self, folder: Path) -> None:
        """Write weights.safetensors, proof.json and lens.json; other files of the folder stay.

        Each is written whole, lens.json last with the digests of the other two, so that a crash between them is seen
        by `load`.
        Raises: LensError, when the name is none, or the settings or the proof hold what JSON cannot.
        """
        from safetensors.numpy import save

        check_name(self.name)
        weights = save({"mean": np.ascontiguousarray(self.mean), "matrix": np.ascontiguousarray(self.matrix)})
        proof = _to_json(self.name, self.proof.to_json()) if self.proof is not None else b""
        about = {
            **self.settings,
            "format": FORMAT,
            "name": self.name,
            "mean": list(self.mean.shape),
            "matrix": list(self.matrix.shape),
            "digests": {"weights.safetensors": _digest(weights), "proof.json": _digest(proof) if proof else None},
        }
        text = _to_json(self.name, about)
        atomic_write(folder / "weights.safetensors", weights)
        if proof:
            atomic_write(folder / "proof.json", proof)
        else:
            (folder / "proof.json").unlink(missing_ok=True)
        atomic_write(folder / "lens.json", text)

    @classmethod
    def load(cls, folder: Path) -> "Lens":
        """A lens read back, everything checked; nothing in the folder is executed.

        Raises: LensError, one line: what is missing, damaged, or not a lens of ours.
        """
        return _load(folder)


def check_name(name: str) -> None:
    """Whether a lens may be called so.

    Raises: LensError.

    >>> check_name("pattern-2")
    """
    if not isinstance(name, str) or not NAME.fullmatch(name) or name == "plain":
        raise LensError(
            f"{str(name)[:60]!r} cannot name a lens. Use up to 40 of a-z, 0-9 and -; plain is search without a lens."
        )


def _load(folder: Path) -> Lens:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    about = _from_json(folder, "lens.json")
    if not isinstance(about, dict):
        _damaged(folder, "lens.json is no object")
    version = about.pop("format", None)
    if isinstance(version, int) and version > FORMAT:
        raise LensError(
            f"{folder}: a lens of format {version}, this lookalike knows up to {FORMAT}. "
            "Upgrade with: pip install -U lookalike"
        )
    if type(version) is int and version == 1 and isinstance(about.get("digests"), dict):
        raise LensError(f"{folder}: a lens made by an earlier version of lookalike. Learn it again.")
    name, digests = about.pop("name", None), about.pop("digests", None)
    shapes = {"mean": about.pop("mean", None), "matrix": about.pop("matrix", None)}
    if type(version) is not int or version not in READABLE or not isinstance(digests, dict):
        _damaged(folder, "lens.json lacks its format or digests")
    try:
        check_name(name)
    except LensError as error:
        raise LensError(f"{folder}: {error}") from None
    sizes = [_size(folder, shape, dimensions) for dimensions, shape in enumerate(shapes.values(), start=1)]
    weights = _read(folder, "weights.safetensors", 4 * sum(sizes) + 1_000_000)
    if _digest(weights) != digests.get("weights.safetensors"):
        _damaged(folder, "weights.safetensors is not the one that lens.json was written with")
    try:
        tensors = load(weights)
    except (SafetensorError, KeyError, ValueError, TypeError, OverflowError, MemoryError) as error:
        _damaged(
            folder, f"weights.safetensors cannot be read ({str(error).splitlines()[0][:80] if str(error) else ''})"
        )
    for key, shape in shapes.items():
        if key not in tensors or list(tensors[key].shape) != shape or tensors[key].dtype != np.float32:
            _damaged(folder, f"weights.safetensors holds no {key} {shape} in float32")
    proof = None
    if digests.get("proof.json") is not None:
        try:
            proof = Proof.from_json(_from_json(folder, "proof.json", digests["proof.json"]))
        except ShapeError as error:
            raise LensError(f"{folder}: {error}") from None
    try:
        return Lens(name, tensors["mean"], tensors["matrix"], about, proof)
    except ShapeError as error:
        raise LensError(f"{folder}: {error}") from None


def _size(folder: Path, shape: object, dimensions: int) -> int:
    if not isinstance(shape, list) or len(shape) != dimensions:
        _damaged(folder, "lens.json lacks the shapes of its weights")
    if not all(type(n) is int and 0 < n <= LARGEST_SIZE for n in shape):
        _damaged(folder, "lens.json names shapes that no lens has")
    return int(np.prod(shape, dtype=np.int64))


def _read(folder: Path, name: str, limit: int) -> bytes:
    path = folder / name
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except FileNotFoundError:
        if name == "lens.json":
            raise LensError(f"{folder}: no lens.json in it. Name a lens's folder.") from None
        _damaged(folder, f"{name} is missing")
    except (OSError, MemoryError) as error:
        raise LensError(
            f"{path}: cannot be read ({getattr(error, 'strerror', error)}). Check its permissions."
        ) from None
    if len(content) > limit:
        _damaged(folder, f"{name} is larger than it says")
    return content


def _from_json(folder: Path, name: str, digest: object = None) -> Any:
    content = _read(folder, name, LARGEST_JSON)
    if digest is not None and _digest(content) != digest:
        _damaged(folder, f"{name} is not the one that lens.json was written with")
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        _damaged(folder, f"{name} is no JSON")


def _to_json(name: str, value: object) -> bytes:
    try:
        return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
    except (TypeError, ValueError) as error:
        raise LensError(
            f"lens {name}: its settings or proof cannot be written as JSON ({error}). Use plain values."
        ) from None


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _damaged(folder: Path, what: str) -> NoReturn:
    raise LensError(f"{folder}: damaged lens, {what}. Copy the whole folder again, or learn the lens again.")
