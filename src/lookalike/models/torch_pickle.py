"""A PyTorch .pth file of plain tensors -> numpy arrays, without torch and without trusting the file."""

import collections
import io
import math
import pickle
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import BundleError

DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}

LEGACY_MAGIC, LEGACY_PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
MAX_BYTES = 4 * 1024**3


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: np.dtype[Any]
    count: int


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def read_weights(path: Path) -> dict[str, NDArray[Any]]:
    """The tensors of a .pth file, by name.

    Only ordered dictionaries and tensors can be named by the file; a pickle that names anything else is refused, and
    nothing of it is run. Both of torch's layouts are read: the legacy one and the zip archive.

    Raises: BundleError, for anything that is not such a file.
    """
    try:
        tensors, storages = _read_zip(path) if zipfile.is_zipfile(path) else _read_legacy(path)
        if not isinstance(tensors, dict):
            raise BundleError(f"{path}: holds no dictionary of tensors. Save the model's state_dict.")
        return {str(name): _view(tensor, storages) for name, tensor in tensors.items()}
    except BundleError:
        raise
    except Exception as error:  # a hostile pickle can raise anything
        raise BundleError(f"{path}: not a readable .pth file ({error}). Get it anew from its source.") from error


class _Restricted(pickle.Unpickler):
    """Resolves nothing but ordered dictionaries, tensors and the names of dtypes."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, stride, *_: _Tensor(storage, offset, tuple(shape), tuple(stride))
        if module == "torch" and name in DTYPES:
            return np.dtype(DTYPES[name])
        raise pickle.UnpicklingError(f"it names {module}.{name}, which no weights file needs")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _, count = pid[:5]
        if kind != "storage" or not isinstance(dtype, np.dtype) or not 0 <= count * dtype.itemsize <= MAX_BYTES:
            raise pickle.UnpicklingError("it names a storage that cannot be")
        return _Storage(str(key), dtype, int(count))


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it names {module}.{name}, which no weights file needs")


def _read_zip(path: Path) -> tuple[Any, dict[str, NDArray[Any]]]:
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
            raise ValueError("larger than 4 GB when unpacked")
        pickled = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        tensors = _Restricted(io.BytesIO(archive.read(pickled))).load()
        root = pickled.removesuffix("data.pkl")
        storages = {}
        for storage in {tensor.storage for tensor in tensors.values()}:
            raw = archive.read(f"{root}data/{storage.key}")
            storages[storage.key] = np.frombuffer(raw, storage.dtype, storage.count)
    return tensors, storages


def _read_legacy(path: Path) -> tuple[Any, dict[str, NDArray[Any]]]:
    with path.open("rb") as file:
        if _Plain(file).load() != LEGACY_MAGIC or _Plain(file).load() != LEGACY_PROTOCOL:
            raise ValueError("not written by torch")
        _Plain(file).load()  # the writer's byte order and sizes
        tensors = _Restricted(file).load()
        by_key = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
        storages = {str(key): _read_storage(file, by_key[str(key)]) for key in _Plain(file).load()}
    return tensors, storages


def _read_storage(file: BinaryIO, storage: _Storage) -> NDArray[Any]:
    (count,) = struct.unpack("<q", file.read(8))
    if count != storage.count:
        raise ValueError("a storage is not as long as it says")
    return np.frombuffer(file.read(count * storage.dtype.itemsize), storage.dtype, count)


def _view(tensor: _Tensor, storages: dict[str, NDArray[Any]]) -> NDArray[Any]:
    data = storages[tensor.storage.key]
    last = tensor.offset + sum((size - 1) * step for size, step in zip(tensor.shape, tensor.stride, strict=True))
    if math.prod(tensor.shape) > len(data):
        raise ValueError("a tensor is larger than its storage")
    if min(tensor.offset, *tensor.shape, *tensor.stride, 0) < 0 or last >= len(data):
        raise ValueError("a tensor reaches outside its storage")
    steps = [step * data.itemsize for step in tensor.stride]
    return np.lib.stride_tricks.as_strided(data[tensor.offset :], tensor.shape, steps).copy()
