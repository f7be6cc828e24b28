"""Labels of rows: numbered, sorted and joined, against loops and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lookalike.learning.labels import chain, components, number_labels, rows_by_label, sort_by_label

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
