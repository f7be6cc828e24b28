"""What holds numbers is an array: tensors of any width, on the way of NumPy or of DLPack."""

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch

from lookalike.images.arrays import as_array


@dataclass
class OnlyDLPack:
    """An array of a library that speaks DLPack and nothing else."""

    tensor: torch.Tensor

    def __dlpack__(self, **options: Any) -> Any:
        return self.tensor.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.tensor.__dlpack_device__()


@pytest.mark.parametrize("wrap", [lambda tensor: tensor, OnlyDLPack])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.int64])
def test_tensors_of_any_width_are_arrays(wrap: Any, dtype: torch.dtype):
    array = as_array(wrap(torch.tensor([[1, -2], [0, 4]]).to(dtype)))
    assert array.tolist() == [[1, -2], [0, 4]]
    assert array.dtype == (np.float32 if dtype == torch.bfloat16 else str(dtype).removeprefix("torch."))


def test_a_gradient_and_narrow_floats_of_other_libraries_are_no_matter():
    assert as_array(torch.tensor([1.5], dtype=torch.bfloat16, requires_grad=True)).tolist() == [1.5]
    for dtype in (ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn):
        found = as_array(np.array([1.5, -2], dtype))
        assert (found.tolist(), found.dtype) == ([1.5, -2], np.float32)
