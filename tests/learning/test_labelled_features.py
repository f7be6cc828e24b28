"""Arrays that fit together, parts of them, and which rows answer a query: against loops."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from lookalike.errors import ShapeError
from lookalike.learning.labelled_features import LabelledFeatures, PartWeights
from lookalike.models.bundle import Bundle, StageOutput


def drawn(seed, n=20):
    rng = np.random.default_rng(seed)
    return LabelledFeatures.create(
        rng.standard_normal((n, 3)),
        rng.integers(-1, 4, n),
        domains=rng.integers(-1, 2, n),
        triplets=rng.integers(0, n, (30, 3)),
        content=rng.integers(0, n // 2, n),
        query_mask=rng.random(n) < 0.3,
        gallery_mask=rng.random(n) < 0.7,
    )


def test_weights_of_parts_are_those_of_the_bundle_value_by_value_and_stay_with_a_subset():
    """A depth without a weight for lenses weighs for them what it is stored with."""
    depths = (StageOutput("a", 2, 1.5, lens_weight=3.0), StageOutput("b", 1, 0.5))
    parts = PartWeights.of(Bundle(Path(), "drawn", "0", 8, depths, nearly_equal=0.9))
    assert (parts.stored.tolist(), parts.lens.tolist(), parts.nearly_equal) == ([1.5, 1.5, 0.5], [3, 3, 0.5], 0.9)
    assert replace(drawn(0), parts=parts).subset(np.array([1])).parts is parts


def test_lists_become_arrays_and_integers_floats():
    data = LabelledFeatures.create([[1, 2], [3, 4]], [0, -1], triplets=[[0, 1, 1]], content=[b"a", b"a"])
    assert data.features.dtype == np.float32 and data.labels.dtype == data.triplets.dtype == np.int64
    assert data.content.tolist() == [0, 0] and data.domains is data.query_mask is data.gallery_mask is None
    assert len(data) == 2


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_kept_as_they_are(dtype):
    x = np.eye(2, dtype=dtype)
    assert LabelledFeatures.create(x, [0, 0]).features is x


@given(seed=st.integers(0, 100))
def test_a_part_has_what_belongs_to_its_rows(seed):
    data = drawn(seed)
    rows = np.random.default_rng(seed).permutation(20)[:12]
    part = data.subset(rows)
    for name in ("features", "labels", "domains", "content", "query_mask", "gallery_mask"):
        assert_array_equal(getattr(part, name), getattr(data, name)[rows])
    kept = [three for three in data.triplets.tolist() if set(three) <= set(rows.tolist())]
    assert rows[part.triplets].tolist() == kept


def test_a_part_can_take_some_triplets_alone():
    data = LabelledFeatures.create(np.eye(4), [-1] * 4, triplets=[[0, 1, 2], [1, 2, 3], [3, 2, 1]])
    assert data.subset(np.array([3, 2, 1]), data.triplets[2:]).triplets.tolist() == [[0, 1, 2]]


@given(seed=st.integers(0, 100))
def test_relevance_is_that_of_a_loop(seed):
    data = drawn(seed)
    queries, gallery = np.arange(0, 20, 2), np.arange(3, 20)
    relevant, excluded = data.relevance(queries, gallery)
    for i, query in enumerate(queries):
        for j, row in enumerate(gallery):
            assert relevant[i, j] == (data.labels[query] == data.labels[row] >= 0)
            same_domain = data.domains[query] == data.domains[row] >= 0
            copy = data.content[query] == data.content[row]
            assert excluded[i, j] == (same_domain or copy or not data.gallery_mask[row])


def test_without_content_a_row_is_its_only_copy():
    _, excluded = LabelledFeatures.create(np.eye(3), [0, 0, 0]).relevance(np.arange(3), np.arange(3))
    assert_array_equal(excluded, np.eye(3, dtype=bool))


@pytest.mark.parametrize(
    ("says", "arrays"),
    [
        ("features", {"features": np.ones(3)}),
        ("features", {"features": np.ones((0, 3))}),
        ("features", {"features": [["a"]]}),
        ("labels", {"labels": [0, 0]}),
        ("domains", {"domains": [0]}),
        ("content", {"content": [b""]}),
        ("query_mask", {"query_mask": [True]}),
        ("gallery_mask", {"gallery_mask": [[True] * 3]}),
        ("triplets name rows from 0 to 3", {"triplets": [[0, 1, 3]]}),
        ("triplets name rows from -1 to 2", {"triplets": [[-1, 1, 2]]}),
    ],
)
def test_an_array_that_does_not_fit_is_named_in_one_line(says, arrays):
    with pytest.raises(ShapeError, match=says) as error:
        LabelledFeatures.create(**{"features": np.eye(3), "labels": [0, 0, 0], **arrays})
    assert "\n" not in str(error.value)
