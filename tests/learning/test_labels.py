"""Labels of rows: numbered, sorted and joined, against loops and scipy."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lookalike.errors import ShapeError
from lookalike.learning import LensTransformer, prove, whiten
from lookalike.learning.evaluation import metrics
from lookalike.learning.labels import as_labels, chain, components, number_labels, rows_by_label, sort_by_label
from lookalike.learning.training import TrainingLabels

LABELS = st.lists(st.integers(-1, 6), max_size=30).map(lambda labels: np.array(labels, np.int64))


@given(edges=st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=25))
def test_components_are_those_of_scipy(edges):
    a, b = np.array(edges, int).reshape(-1, 2).T
    wanted = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(20, 20)), directed=False)[1]
    found = components(20, [(a, b)])
    assert_array_equal(found[:, None] == found, wanted[:, None] == wanted)
    assert_array_equal(found[found], found)  # named by its first row
    assert (found <= np.arange(20)).all()


def test_a_long_chain_is_one_component():
    order = np.random.default_rng(0).permutation(500)
    assert (components(500, [(order[:-1], order[1:])]) == 0).all()


def test_rows_of_no_group_stay_alone():
    assert [edge.tolist() for edge in chain(np.array([5, -1, 5, -1, 5]))] == [[0, 2], [2, 4]]


@given(labels=LABELS)
def test_chains_make_each_label_one_component(labels):
    found = components(len(labels), [chain(labels)])
    for row, label in enumerate(labels):
        assert found[row] == (row if label < 0 else np.flatnonzero(labels == label)[0])


@given(labels=LABELS)
def test_numbers_keep_the_order_of_labels_and_leave_no_gap(labels):
    numbers = number_labels(labels)
    known = sorted({label for label in labels.tolist() if label >= 0})
    assert numbers.tolist() == [known.index(label) if label >= 0 else -1 for label in labels.tolist()]


@given(labels=LABELS)
def test_rows_are_sorted_by_label_as_a_loop_does(labels):
    known = sorted({label for label in labels.tolist() if label >= 0})
    rows = [[row for row, other in enumerate(labels.tolist()) if other == label] for label in known]
    order, starts, sizes = sort_by_label(labels)
    assert [order[at : at + size].tolist() for at, size in zip(starts, sizes, strict=True)] == rows
    assert [some.tolist() for some in rows_by_label(labels)] == [some for some in rows if len(some) > 1]


@pytest.mark.parametrize("labels", [[], [-1, -1]])
def test_without_labels_there_are_no_rows(labels):
    order, starts, sizes = sort_by_label(np.array(labels, np.int64))
    assert len(order) == len(starts) == len(sizes) == len(rows_by_label(np.array(labels, np.int64))) == 0


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([3, -2, 3], [3, -2, 3]),
        (np.array([1.0, np.nan, 2.0]), [1, -1, 2]),
        (["cat", "dog", "cat", ""], [0, 1, 0, -1]),
        (np.array(["b", "a", "b"]), [0, 1, 0]),
        ([None, "x", float("nan"), "y"], [-1, 0, -1, 1]),
        (["cat", float("nan"), "dog"], [0, -1, 1]),
        ([-1, "a", 3, "a"], [-1, 0, 1, 0]),
        (np.array(["x", None, 3, 3, -1], object), [0, -1, 1, 1, -1]),
        ([b"x", b"y", b"x"], [0, 1, 0]),
        (["e\u0301", "\u00e9"], [0, 0]),
        ([True, False], [1, 0]),
        (pd.Series(["u", "v", None]), [0, 1, -1]),
        (torch.tensor([4, -1, 4]), [4, -1, 4]),
        (torch.tensor([4.0, 1.0], dtype=torch.bfloat16), [4, 1]),
        ([torch.tensor(4), torch.tensor(1)], [4, 1]),
        ([7, pd.NA, 2.0, None, pd.NaT], [7, -1, 2, -1, -1]),
        (["b", pd.NA, "a", "b"], [0, -1, 1, 0]),
        (pd.Series([7, None, 2], dtype="Int64"), [7, -1, 2]),
        (pd.Series(["u", "v", None, "u"], dtype="category"), [0, 1, -1, 0]),
        (pd.Series([True, None, False], dtype="boolean"), [1, -1, 0]),
        (pl.Series([1, None, 2**60 + 1]), [1, -1, 2**60 + 1]),  # numpy would make floats of these
        (pl.Series(["u", "v", "u"], dtype=pl.Categorical), [0, 1, 0]),
        (pa.chunked_array([["u", "v"], [None]]), [0, 1, -1]),
        (np.ma.array([1, 2, 3], mask=[False, True, False]), [1, -1, 3]),
        (np.array([2**63, 2**63 + 1, 1, 2**63], np.uint64), [0, 1, 2, 0]),
        ([2**63, -1, 2**63 + 1], [0, -1, 1]),
        (["a\0", "a"], [0, 1]),
        ([1.0, float("nan"), 2.0], [1, -1, 2]),
        (np.array(["1960-01-01", "NaT", "2020-01-01"], "M8[ns]"), [0, -1, 1]),
        ((letter for letter in "aba"), [0, 1, 0]),
    ],
)  # fmt: skip
def test_labels_of_any_kind_are_numbers(labels, expected):
    assert as_labels(labels)[0].tolist() == expected


def test_one_label_has_one_number_in_all_columns():
    assert [one.tolist() for one in as_labels(["b", "a"], ["c", "b"])] == [[0, 1], [2, 0]]


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        ([1.0, 0.5], "row 1: 0.5 is no whole number"),
        (np.array([1, np.nan, 2.5]), "row 2: 2.5 is no whole number"),
        ([float("inf")], "row 0: inf is no whole number"),
        (np.array([{}, {}], object), "row 0: a dict cannot be a label"),
        ([3, [1], [1, 2]], "row 1: a list cannot be a label"),
        (["a", ("a", 1)], "row 1: a tuple cannot be a label"),
        ([np.array([1, 2]), np.array([3])], "row 0: a ndarray cannot be a label"),
        ([1j], "row 0: a complex cannot be a label"),
        (np.eye(3), r"shape \(3, 3\)\. Give whole numbers or words, one a row\. Of columns .*argmax"),
        (pd.DataFrame({"a": [1, 2]}), r"shape \(2, 1\).*\[:, 0\]"),
        (np.array([2**24, 2**25], np.float32), "row 1: 33554432 is too large for float32"),
        ("cat", "labels given as a str"),
        ({1, 2}, "labels given as a set"),
        (None, "labels given as a NoneType"),
        (3, "labels given as a int"),
    ],
)
def test_what_cannot_be_a_label_is_one_line_that_names_the_row(labels, line):
    with pytest.raises(ShapeError, match=line) as caught:
        as_labels(labels)
    assert "\n" not in str(caught.value)
    assert "Give whole numbers or words" in str(caught.value)


def test_a_number_beside_the_word_for_it_is_one_line_in_one_column_or_two():
    for columns in ([[1, "1"]], [[1, 2], ["1", "2"]]):
        with pytest.raises(ShapeError, match=r"the number 1 and the word '1'\. Write them alike"):
            as_labels(*columns)
    assert [one.tolist() for one in as_labels([1, 2], ["a"])] == [[0, 1], [2]]


def test_words_serve_as_numbers_do_on_every_door():
    rng = np.random.default_rng(0)
    numbers = np.repeat(np.arange(12), 5)
    x = rng.standard_normal((60, 20)).astype(np.float32)
    x[:, :5] += 3 * rng.standard_normal((12, 5))[numbers]
    words = [f"kind {number:02}" for number in numbers]
    assert np.array_equal(whiten(x, words).matrix, whiten(x, numbers).matrix)
    assert prove(x, words).results == prove(x, numbers).results
    row = np.arange(60)
    assert metrics.recall_at_k(x, x, words, words, 1, itself=row) == metrics.recall_at_k(
        x, x, numbers, numbers, 1, itself=row
    )
    assert np.array_equal(LensTransformer().fit_transform(x, words), LensTransformer().fit_transform(x, numbers))
    assert TrainingLabels.create(words).labels.tolist() == numbers.tolist()
