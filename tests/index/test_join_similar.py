"""Groups are those that all pairs, compared one by one, would give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.sparse.csgraph import connected_components
from support.hard_rows import drawn

from lookalike.index.exact_knn import ExactKNN, similarity
from lookalike.index.join_similar import _Groups, join_similar


@pytest.mark.parametrize("kind", ["random", "clustered", "near ties by the thousand", "mostly zeros", "opposite pairs"])
@pytest.mark.parametrize("least", [0.2, 0.9, 0.999, 1.0])
def test_rows_are_joined_as_all_pairs_compared_one_by_one_join_them(kind, least):
    rows = drawn(kind, np.random.default_rng(11))[:400].astype(np.float16)
    _, group = connected_components(np.triu(similarity(rows, rows) >= np.float32(least), 1), directed=False)
    first = np.array([np.flatnonzero(group == one)[0] for one in group])
    assert_array_equal(join_similar(rows, least), first)


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30))
def test_groups_are_joined_in_any_order(pairs):
    groups, links = _Groups(20), np.zeros((20, 20), bool)
    for one, other in pairs:
        groups.join(one, np.array([other]))
        links[one, other] = True
    _, group = connected_components(links, directed=False)
    assert_array_equal(groups.of, [np.flatnonzero(group == one)[0] for one in group])


def test_rows_that_are_all_alike_are_compared_once_each(monkeypatch):
    """3,000 rows, any two of which are alike: 4.5 million pairs, of which 2,999 are compared."""
    rows = np.ones((3000, 8)) + np.random.default_rng(0).normal(scale=0.01, size=(3000, 8))
    compared: list[int] = []
    compare = ExactKNN.compare

    def counted(self, queries, indices):
        compared.append(len(indices))
        return compare(self, queries, indices)

    monkeypatch.setattr(ExactKNN, "compare", counted)
    assert not join_similar(rows.astype(np.float16), 0.98).any()
    assert sum(compared) == 2999


def test_one_row_and_none_are_joined_to_nothing():
    assert join_similar(np.ones((1, 3), np.float16), -1).tolist() == [0]
    assert join_similar(np.ones((0, 3), np.float16), -1).tolist() == []
