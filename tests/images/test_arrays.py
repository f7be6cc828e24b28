"""What holds numbers is an array: tensors of any width, on the way of NumPy or of DLPack."""

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch

from lookalike.errors import ShapeError
from lookalike.images.arrays import as_array
from lookalike.index.exact_knn import ExactKNN
from lookalike.learning import whiten
from lookalike.learning.labelled_features import LabelledFeatures


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


def test_features_of_any_width_are_taken_wherever_rows_are():
    x = np.random.default_rng(0).integers(-8, 8, (6, 4)).astype(np.float32)
    narrow = torch.tensor(x, dtype=torch.bfloat16)
    labels = [0, 0, 1, 1, 2, 2]
    assert LabelledFeatures.create(narrow, labels).features.tolist() == x.tolist()
    lens = whiten(narrow, labels)
    assert lens.matrix.tolist() == whiten(x, labels).matrix.tolist()
    assert lens.apply(narrow).tolist() == lens.apply(x).tolist()
    assert ExactKNN(narrow).search(narrow[0], 3)[0].tolist() == ExactKNN(x).search(x[0], 3)[0].tolist()


def test_what_no_array_can_be_made_of_is_one_line():
    for rows in ([[1], [1, 2]], [[torch.zeros(2, requires_grad=True), None]]):
        with pytest.raises(ShapeError, match=r"features: no array of numbers can be made of a list\. Give rows"):
            LabelledFeatures.create(rows, [0])
