"""Words and weights: how they are written, and the one query that several parts make."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lookalike.errors import QueryError
from lookalike.index.query import Query
from lookalike.index.words import Text, Weighted, as_weighted, blend, holds_words, parse_weighted, text_query

EAST, NORTH = np.array([1.0, 0.0]), np.array([0.0, 2.0])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("red bag", Text("red bag")),
        ("red bag^2", Weighted(Text("red bag"), 2)),
        ("red^bag^.5", Weighted(Text("red^bag"), 0.5)),
        ("빨간 가방^-1.5", Weighted(Text("빨간 가방"), -1.5)),
        ("x^y", Text("x^y")),
        ("2^", Text("2^")),
        ("two\nlines^3", Weighted(Text("two\nlines"), 3)),
    ],
)
def test_words_with_their_weight(words: str, expected):
    assert parse_weighted(words, text=True) == expected


def test_a_file_of_that_very_name_is_meant_before_a_weight(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse_weighted("a.jpg^2") == Weighted("a.jpg", 2)
    (tmp_path / "a.jpg^2").touch()
    assert parse_weighted("a.jpg^2") == "a.jpg^2"
    assert parse_weighted("a.jpg^2", text=True) == Weighted(Text("a.jpg"), 2)


@pytest.mark.parametrize("weight", [0, float("nan"), float("inf"), -1001])
def test_a_weight_that_is_none_is_one_line(weight: float):
    with pytest.raises(QueryError, match="give a number up to 1000, below 0 for what is unlike"):
        as_weighted(Weighted("a.jpg", weight))


def test_what_holds_words():
    assert [holds_words(one) for one in (Text("a"), Weighted(Text("a"), 2), Weighted("a.jpg", 2), "a.jpg")] == [
        *(True, True, False, False)
    ]


def test_the_similarity_of_a_blend_is_the_weighted_mean_worked_by_hand():
    """East and north count 2 and 1: the row (0.6, 0.8) has (2 * 0.6 + 0.8) / 3."""
    both = blend([(Query("east", EAST, b"1" * 16, "e.jpg"), 2), (Query("north", NORTH, None, None, "cut."), 1)])
    assert_allclose(both.vector @ [0.6, 0.8] * both.scale, 2 / 3, rtol=1e-6)
    assert (both.name, both.source, both.note, both.asked) == ("2 east + north", "e.jpg", "cut.", (b"1" * 16,))
    against = blend([(Query("east", EAST, None, None), 1), (Query("north", NORTH, None, None), -0.5)])
    assert_allclose(against.vector @ [0.6, 0.8] * against.scale, (0.6 - 0.4) / 1.5, rtol=1e-6)
    assert against.name == "east - 0.5 north"


@given(
    weights=st.lists(st.floats(0.1, 10), min_size=2, max_size=5),
    seed=st.integers(0, 1000),
)
def test_a_blend_ranks_by_the_mean_of_the_similarities_to_each(weights, seed):
    rng = np.random.default_rng(seed)
    vectors, row = rng.standard_normal((len(weights), 8)), rng.standard_normal(8)
    scales = rng.uniform(1, 3, len(weights))
    parts = [
        (Query(str(i), vector, None, None, scale=scale), weight)
        for i, (vector, scale, weight) in enumerate(zip(vectors, scales, weights, strict=True))
    ]

    def similarity(vector, scale):
        return vector @ row / np.linalg.norm(vector) / np.linalg.norm(row) * scale

    found = blend(parts)
    each = [similarity(vector, scale) for vector, scale in zip(vectors, scales, strict=True)]
    assert_allclose(similarity(found.vector, found.scale), np.average(each, weights=weights), atol=1e-5)


def test_parts_that_cancel_and_none_that_counts_are_one_line():
    east = Query("east", EAST, None, None)
    with pytest.raises(QueryError, match="cancel each other"):
        blend([(east, 1), (east, -1)])
    for parts in ([], [(east, -1)]):
        with pytest.raises(QueryError, match="nothing that the answers should be like"):
            blend(parts)


def test_a_long_text_names_its_query_in_short():
    query = text_query(Text("red " * 100), EAST, 0.5, True)
    assert len(query.name) == 82
    assert query.scale == 2
    assert query.note == "the text is longer than the network reads: only its beginning counts."
