"""Exact search: values by hand, and brute force in float64 as the witness, on rows made to break the bound too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import ShapeError
from lookalike.ranking import Ranking, pairs_above, similarity


def brute_force(rows, query):
    x, y = np.asarray(rows, np.float64), np.asarray(query, np.float64)
    size = np.linalg.norm(x, axis=1) * np.linalg.norm(y)
    return np.divide(x @ y, size, out=np.zeros(len(x)), where=size > 0)


def rows_of(kind: str, rng: np.random.Generator) -> np.ndarray:
    x = rng.standard_normal((3000, 48))
    if kind == "clustered":
        x = x[rng.integers(0, 5, 3000)] + 1e-3 * x
    elif kind == "one huge coordinate":  # int8 codes of the rest are all zero
        x[:, 0] = 1000
    elif kind == "near ties":
        x = np.ones((3000, 48)) + 1e-3 * x
    elif kind == "sparse":
        x *= rng.random(x.shape) < 0.03
    elif kind == "tiny":
        x *= 1e-6
    return x.astype(np.float16)


@pytest.mark.parametrize("kind", ["random", "clustered", "one huge coordinate", "near ties", "sparse", "tiny"])
def test_every_hit_is_within_a_millionth_of_brute_force(kind: str):
    rng = np.random.default_rng(7)
    rows = rows_of(kind, rng)
    ranking = Ranking(rows)
    for query in (rng.standard_normal(48), rows[5].astype(np.float32)):
        truth = brute_force(rows, query)
        indices, similarities = ranking.top(query, 10)
        np.testing.assert_allclose(similarities, np.sort(truth)[::-1][:10], atol=1e-6)
        np.testing.assert_allclose(truth[indices], similarities, atol=1e-6)


def test_equal_rows_come_in_the_order_of_their_index():
    rows = np.tile(np.array([[0.3, -0.7, 0.2]], np.float16), (50, 1))
    assert Ranking(rows).top([1.0, 0.1, 0.4], 7)[0].tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_a_filter_comes_before_ranking_so_that_the_top_is_full():
    rows = np.eye(6, dtype=np.float32)[[0, 0, 0, 1, 2, 3]]
    indices, similarities = Ranking(rows).top([1.0, 0, 0, 0, 0, 0], 2, among=np.arange(6) >= 2)
    assert indices.tolist() == [2, 3]
    assert similarities.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("k", [None, 3, 99])
def test_no_k_or_a_large_one_gives_all(k: int | None):
    assert len(Ranking(np.eye(3, dtype=np.float32)).top([1.0, 0, 0], k)[0]) == 3


def test_a_row_of_zeros_is_like_nothing():
    assert Ranking(np.zeros((2, 3), np.float32)).top([1.0, 0, 0])[1].tolist() == [0.0, 0.0]


def test_values_that_are_no_numbers_are_refused():
    with pytest.raises(ShapeError):
        Ranking(np.full((1, 3), np.nan, np.float32)).top([1.0, 0, 0])


def test_similarity_worked_by_hand():
    """(3, 4) and (4, 3): (12 + 12) / (5 * 5) = 0.96."""
    np.testing.assert_allclose(similarity([3.0, 4.0], [[4.0, 3.0], [-3.0, -4.0]]), [[0.96, -1.0]], atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 9999), length=st.floats(0.01, 100))
def test_the_length_of_a_query_changes_nothing(seed: int, length: float):
    rng = np.random.default_rng(seed)
    ranking, query = Ranking(rng.standard_normal((200, 16)).astype(np.float32)), rng.standard_normal(16)
    assert ranking.top(query, 5)[0].tolist() == ranking.top(query * length, 5)[0].tolist()


def test_pairs_above_finds_what_two_loops_find():
    rows = np.random.default_rng(1).standard_normal((60, 3)).astype(np.float32)
    truth = {(i, j) for i in range(60) for j in range(i + 1, 60) if similarity(rows[i], rows[j])[0, 0] >= 0.9}
    assert {(i, int(j)) for i, later, _ in pairs_above(rows, 0.9) for j in later} == truth
