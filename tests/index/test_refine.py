"""Queries of several pictures: the vector of a regression through them, and the hits that it ranks."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from support.large_table import FEATURES, FILES, N, content, names

from lookalike import similarity
from lookalike.errors import QueryError
from lookalike.index.gallery import Gallery
from lookalike.index.query import Query
from lookalike.index.refine import RIDGE, WRONG, refine
from lookalike.index.search import Selection, search
from lookalike.index.table import Table


def query(row: object, content: bytes | None = None, name: str = "q") -> Query:
    return Query(name, np.asarray(row, np.float16), content, None)


def test_one_for_and_one_against_worked_by_hand():
    """Rows at right angles do not see each other: each has its target / (1 + ridge) as its weight, so 1 to -0.2."""
    made = refine([query([2, 0])], [query([0, 3])], np.zeros(2))  # lengths do not count
    assert_allclose(made.vector, np.array([1, -0.2]) / np.hypot(1, 0.2), atol=1e-6)


def drawn(seed: int, n: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n, 40) of length 1 as float16 holds them, and a mean that they all lean to, as features do."""
    rng = np.random.default_rng(seed)
    mean = rng.random(40)
    mean *= 0.9 / np.linalg.norm(mean)
    rows = (mean + 0.1 * rng.standard_normal((n, 40))).astype(np.float16).astype(float)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), mean


def seen_from(mean: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return (rows - mean) / np.linalg.norm(rows - mean, axis=1, keepdims=True)


def test_the_vector_is_that_of_scikit_learns_ridge_regression():
    rows, mean = drawn(0)
    made = refine([query(row) for row in rows[:4]], [query(row) for row in rows[4:]], mean).vector.astype(float)
    witness = Ridge(alpha=RIDGE, fit_intercept=False).fit(seen_from(mean, rows), [1] * 4 + [WRONG] * 3).coef_
    across = np.linalg.svd(mean[None])[2][1:]  # all that is at right angles to the mean
    found, expected = across @ made, across @ witness
    assert_allclose(found / np.linalg.norm(found), expected / np.linalg.norm(expected), atol=2e-3)


def test_among_pictures_like_the_right_one_the_order_is_that_of_the_regression_seen_from_the_mean():
    """The slope of w . row is that of v . (row - m) / |row - m| at the right picture, on rows of length 1."""
    rows, mean = drawn(1, 4)
    made = refine([query(rows[0])], [query(row) for row in rows[1:]], mean).vector.astype(float)
    witness = Ridge(alpha=RIDGE, fit_intercept=False).fit(seen_from(mean, rows), [1] + [WRONG] * 3).coef_
    near = rows[0] + 1e-4 * np.random.default_rng(2).standard_normal((200, 40))
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    ours, right = near @ made, seen_from(mean, near) @ witness
    assert np.corrcoef(ours, right)[0, 1] > 0.999
    assert np.corrcoef(near @ witness, right)[0, 1] < 0.99, "or the mean's part is not tried"


def test_it_remembers_who_was_named_and_which_ones_a_hit_may_be_like():
    positive = [query([2, 0], b"a" * 16, "a"), query([0, 1], None, "b")]
    made = refine(positive, [query([1, 1], b"c" * 16, "c")], np.zeros(2))
    assert (made.name, made.asked, made.content) == ("a + b - c", (b"a" * 16, b"c" * 16), None)
    assert_array_equal(made.likened, [[1, 0], [0, 1]])


def test_the_same_picture_for_and_against_is_asked_for_less_and_not_refused():
    made = refine([query([1, 0])], [query([1, 0])], np.zeros(2))
    assert_allclose(made.vector, [1, 0], atol=1e-6)


def test_where_nothing_tells_the_pictures_from_the_mean_they_are_asked_with_as_they_are():
    assert_allclose(refine([query([3, 0])], [], np.array([1.0, 0])).vector, [1, 0], atol=1e-6)


def test_nothing_for_is_refused():
    with pytest.raises(QueryError, match="no positive picture"):
        refine([], [query([1, 0])], np.zeros(2))


@pytest.mark.parametrize("few", [4096, 1], ids=["compared", "by codes"])
def test_hits_come_by_score_with_their_similarity_to_the_nearest_picture_asked_for(table: Table, tmp_path, few):
    gallery = Gallery(table.snapshot(), None, tmp_path / "codes", few)
    yes, no = (3, 8), (20,)
    asked = refine(
        [query(FEATURES[i], content(i)) for i in yes], [query(FEATURES[i], content(i)) for i in no], gallery.mean
    )
    (hits,) = search([asked], gallery, Path(), Selection(12))
    scores = similarity(FEATURES, asked.vector)[:, 0]
    others = [i for i in range(N) if FILES[i] not in {FILES[j] for j in (*yes, *no)}]
    expected = sorted(others, key=lambda i: (-scores[i], FILES[i]))[:12]
    assert names(hits) == [FILES[i] for i in expected]
    nearest = similarity(FEATURES, FEATURES[list(yes)]).max(axis=1)
    assert_allclose([hit.similarity for hit in hits], nearest[expected], atol=1e-6)
    least = float(np.median(nearest[expected]))
    (over,) = search([asked], gallery, Path(), Selection(12, min_similarity=least, where="width < 900"))
    ranked = sorted(others, key=lambda i: (-scores[i], FILES[i]))
    allowed = set(names(search([query(FEATURES[0])], gallery, Path(), Selection(None, where="width < 900"))[0]))
    assert names(over) == [FILES[i] for i in ranked if nearest[i] >= least and FILES[i] in allowed][:12]


def test_several_such_queries_are_answered_one_by_one(table: Table):
    gallery = Gallery(table.snapshot())
    asked = [refine([query(FEATURES[i]), query(FEATURES[i + 1])], [], gallery.mean) for i in (4, 9)]
    together = search([*asked, query(FEATURES[7])], gallery, Path(), Selection(6))
    alone = [search([one], gallery, Path(), Selection(6))[0] for one in (*asked, query(FEATURES[7]))]
    assert [list(hits) for hits in together] == [list(hits) for hits in alone]


def test_too_many_pictures_are_refused_before_memory_is_taken():
    with pytest.raises(QueryError, match=r"2,001 pictures as one question, over 2,000\. Name fewer\."):
        refine([query([1, 0])] * 2001, [], np.zeros(2))
