"""What holds numbers (a tensor, what has __array__ or speaks DLPack) -> a NumPy array, narrow floats as float32."""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ShapeError

_NARROW = ("bfloat16", "float8", "float6", "float4")  # NumPy has no such numbers of its own


def as_array(source: Any) -> NDArray[Any]:
    """An array of what an object holds, wherever it lies: torch tensors on a device or with a gradient included.

    Raises: what its library raises when it gives no numbers: TypeError, RuntimeError, BufferError, ValueError.

    >>> as_array(memoryview(b"ab")).tolist()
    [97, 98]
    """
    if hasattr(source, "detach"):  # a tensor of torch, on any device
        source = _with_wide_floats(source.detach().cpu())
        source = source.resolve_conj().resolve_neg() if hasattr(source, "resolve_neg") else source
    if hasattr(source, "__array__") or not hasattr(source, "__dlpack__"):
        array = np.asarray(source)
    else:
        array = _from_dlpack(source)
    if array.dtype.kind == "V" and array.dtype.name.startswith(_NARROW):  # of ml_dtypes, which jax uses
        array = array.astype(np.float32)
    return array


def number_array(source: Any, name: str) -> NDArray[Any]:
    """As `as_array`, of anything that numbers can be read of.

    Args:
        source: lists, arrays, tensors.
        name: for the error.
    Raises: ShapeError, for anything else, such as lists of different lengths.

    >>> number_array([[1], [1, 2]], "features")
    Traceback (most recent call last):
    lookalike.errors.ShapeError: features: no array of numbers can be made of a list. Give rows of one length.
    """
    try:
        return as_array(source)
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        kind = type(source).__name__
        raise ShapeError(f"{name}: no array of numbers can be made of a {kind}. Give rows of one length.") from error


def _with_wide_floats(tensor: Any) -> Any:
    """A tensor of torch, of a width that NumPy has."""
    return tensor.float() if str(tensor.dtype).removeprefix("torch.").startswith(_NARROW) else tensor


def _from_dlpack(source: Any) -> NDArray[Any]:
    try:
        return np.from_dlpack(source)
    except (RuntimeError, BufferError, TypeError, AttributeError):
        torch = sys.modules.get("torch")  # it reads other devices and narrow floats
        if torch is None:
            raise
        return np.asarray(_with_wide_floats(torch.from_dlpack(source).cpu()))
