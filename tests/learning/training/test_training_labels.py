"""What belongs together: arrays that fit, and one line about those that do not."""

import numpy as np
import pytest

pytest.importorskip("torch")

from lookalike.errors import ShapeError
from lookalike.learning.training.training_labels import TrainingLabels


def test_what_is_not_given_is_empty_or_none_and_every_label_below_zero_is_none():
    found = TrainingLabels.create([4, -2, 4, -1])
    assert found.labels.tolist() == [4, -1, 4, -1]
    assert found.labels.dtype == np.int64
    assert (len(found), found.triplets.shape, found.domains, found.content) == (4, (0, 3), None, None)


@pytest.mark.parametrize("content", [[b"y", b"x\0", b"y", b"x"], np.array([7, 3, 7, 9])])
def test_content_is_equal_where_it_was_equal_and_nowhere_else(content):
    found = TrainingLabels.create([0, 0, 1, 1], content=content).content
    same = found[:, None] == found
    assert np.array_equal(same, [[1, 0, 1, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"labels": [[0, 1]]}, "row 0: a list cannot be a label"),
        ({"labels": [0, 1], "domains": [0]}, r"labels \(2,\) and domains \(1,\)"),
        ({"labels": [0, 1], "triplets": [[0, 1]]}, r"triplets \(1, 2\): give \(t, 3\)"),
        ({"labels": [0, 1, 1], "triplets": [[0, 1, 3]]}, "rows 0 to 3 of 3: count from 0"),
        ({"labels": [0, 1, 1], "triplets": [[0, 1, -1]]}, "rows -1 to 1 of 3: count from 0"),
        ({"labels": [0, 1], "content": [b"x"]}, r"content \(1,\) for 2 labels"),
    ],
)
def test_arrays_that_do_not_fit_are_named_with_their_shapes(given, told):
    with pytest.raises(ShapeError, match=told):
        TrainingLabels.create(**given)
