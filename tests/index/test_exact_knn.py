"""Ranking answers what brute force answers: the same rows, the same order, the same bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from sklearn.metrics.pairwise import cosine_similarity
from support.hard_rows import HALF, KINDS, D, N, brute_force, drawn

from lookalike.errors import ShapeError
from lookalike.index.exact_knn import FEW, ExactKNN, group_max, height, reaching, similarity
from lookalike.index.quantization import Int8Codes


@pytest.mark.parametrize(
    ("kind", "dtype"), [(kind, np.float32) for kind in KINDS] + [(kind, np.float16) for kind in HALF]
)
def test_the_answer_is_that_of_brute_force_whatever_the_rows(kind, dtype):
    """Queries are a row, something near a row, something else, the opposite of a row and nothing at all."""
    rng = np.random.default_rng(5)
    rows = drawn(kind, rng).astype(dtype)
    near = rows[7].astype(np.float32)
    queries = np.stack([near, near * (1 + 0.1 * rng.random(D)), rng.random(D), -near, 0 * near]).astype(np.float32)
    ranking = ExactKNN(rows)
    for k in (1, 10, 300):
        indices, similarities = ranking.search(queries, k)
        for j, query in enumerate(queries):
            expected, exact = brute_force(rows, query, k)
            assert_array_equal(similarities[j], exact)
            assert_array_equal(indices[j], expected)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(KINDS), k=st.integers(1, 500), many=st.integers(1, 4))
def test_one_query_many_and_filtered_agree_to_the_bit(seed, kind, k, many):
    rng = np.random.default_rng(seed)
    rows = drawn(kind, rng).astype(np.float32)
    ranking = ExactKNN(rows)
    queries = rows[rng.integers(0, N, many)] + rng.choice([0, 0.1]).astype(np.float32) * rng.random(D, np.float32)
    kept = rng.random(N) < 0.9
    indices, similarities = ranking.search(queries, k)
    filtered = ranking.search(queries, k, among=kept)
    everything = ranking.search(queries, None)
    for j, query in enumerate(queries):
        alone = ranking.search(query, k)
        assert_array_equal(alone[0], indices[j])
        assert_array_equal(alone[1], similarities[j])
        assert_array_equal(everything[0][j, :k], indices[j])
        assert_array_equal(everything[1][j], similarity(rows, query)[everything[0][j], 0])
        left = kept[everything[0][j]]
        assert_array_equal(filtered[0][j], everything[0][j][left][:k])
        assert_array_equal(filtered[1][j], everything[1][j][left][:k])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(KINDS), many=st.integers(1, 3))
def test_what_reaches_a_similarity_is_what_brute_force_says(seed, kind, many):
    rng = np.random.default_rng(seed)
    rows = drawn(kind, rng).astype(np.float32)
    queries = rows[rng.integers(0, N, many)]
    exact = similarity(rows, queries).max(axis=1)
    for least in (float(rng.choice(exact)), 0.9, -1.0):
        assert_array_equal(ExactKNN(rows).reaches(queries, least), exact >= np.float32(least))


def test_similarity_worked_by_hand():
    """(3, 4) . (1, 0) / 5 = 0.6; (3, 4) . (0, -2) / (5 * 2) = -0.8; of a row of zeros nothing is like anything."""
    assert_allclose(similarity([[3, 4]], [[1, 0], [0, -2], [0, 0]]), [[0.6, -0.8, 0]], rtol=1e-6)


def test_similarity_is_the_cosine_of_scikit_learn():
    rng = np.random.default_rng(6)
    a, b = rng.standard_normal((40, 300)), rng.standard_normal((9, 300))
    found = similarity(a, b)
    assert found.dtype == np.float32
    assert_allclose(found, cosine_similarity(a.astype(np.float32), b.astype(np.float32)), atol=1e-6)
    assert_array_equal(found.T, similarity(b, a))


def test_similarity_takes_one_row_as_it_is():
    assert similarity([1, 0], [1, 0]).tolist() == [[1.0]]


@given(seed=st.integers(0, 2**32))
def test_similarity_never_leaves_minus_one_to_one(seed):
    """Rounding alone would take a row's cosine with itself above 1."""
    rows = np.random.default_rng(seed).standard_normal((5, 7)).astype(np.float16)
    found = similarity(np.concatenate([rows, -rows]), rows)
    assert found.max() == 1
    assert found.min() == -1


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 9999), length=st.floats(0.01, 100))
def test_the_length_of_a_query_changes_nothing(seed, length):
    rng = np.random.default_rng(seed)
    ranking, query = ExactKNN(rng.standard_normal((200, 16)).astype(np.float32)), rng.standard_normal(16)
    assert ranking.search(query, 5)[0].tolist() == ranking.search(query * length, 5)[0].tolist()


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        (np.ones((2, 3)), np.ones((2, 4)), "rows of 3 and of 4 values"),
        (np.ones((2, 3, 1)), np.ones((2, 3)), r"rows \(n, d\)"),
        (["one"], [1.0], "give numbers"),
        ([[np.nan, 1]], [[1, 1]], "row 0: a value that is no number"),
        ([[1e300, 1]], [[1, 1]], "row 0: a value that is no number or infinite"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(a, b, says):
    with pytest.raises(ShapeError, match=says) as caught:
        similarity(a, b)
    assert "\n" not in str(caught.value)


def test_ties_are_broken_by_row():
    """East and north in turn, 2,600 times: all even rows are equally like the query, and the first come first."""
    rows = np.tile(np.eye(2, dtype=np.float16), (2600, 1))
    indices, similarities = ExactKNN(rows).search([1, 0], k=5)
    assert indices.tolist() == [0, 2, 4, 6, 8]
    assert similarities.tolist() == [1, 1, 1, 1, 1]


def test_rows_need_not_be_of_length_one():
    """Twice as long is not more alike."""
    indices, similarities = ExactKNN(np.array([[200, 10], [0.5, 0]], np.float16)).search([3, 0], k=2)
    assert indices.tolist() == [1, 0]
    assert_allclose(similarities, [1, 200 / np.hypot(200, 10)], rtol=1e-6)


def test_a_row_of_zeros_is_like_nothing():
    assert ExactKNN(np.zeros((2, 3), np.float32)).search([1.0, 0, 0])[1].tolist() == [0.0, 0.0]


def test_more_than_there_are_gives_all():
    for k in (4, None, 3):
        assert ExactKNN(np.eye(3, dtype=np.float32)).search([1, 2, 3], k)[0].tolist() == [2, 1, 0]


@pytest.mark.parametrize("n", [50, N])
def test_a_filter_comes_first_so_that_the_answer_is_full(n):
    """Only the worst rows are left in: they are the answer, as many as were asked for."""
    rows = np.random.default_rng(7).standard_normal((n, D)).astype(np.float16)
    worst = np.sort(brute_force(rows, rows[0], n)[0][-20:])
    mask = np.isin(np.arange(n), worst)
    for among in (mask, worst, worst[::-1], np.repeat(worst, 2), worst.tolist()):
        indices, _ = ExactKNN(rows).search(rows[0], 15, among)
        assert_array_equal(indices, worst[brute_force(rows[worst], rows[0], 15)[0]])


def test_a_filter_that_keeps_few_of_many_groups_is_answered_in_full():
    """With k = 10, 320,000 rows are scanned in 5,000 groups, row i in group i % 5,000. 6,400 of 100 are kept."""
    n = 64 * 5000
    rows = np.random.default_rng(8).standard_normal((n, 4)).astype(np.float16)
    among = np.flatnonzero(np.arange(n) % 5000 < 100)
    indices, _ = ExactKNN(rows).search(rows[0], 10, among)
    assert_array_equal(indices, among[brute_force(rows[among], rows[0], 10)[0]])


@pytest.mark.parametrize("among", [[], np.zeros(5, bool)])
def test_a_filter_that_leaves_nothing_gives_nothing(among):
    indices, similarities = ExactKNN(np.eye(5, dtype=np.float16)).search(np.ones((2, 5)), 3, among)
    assert indices.shape == similarities.shape == (2, 0)


def test_no_rows_give_no_hits():
    indices, similarities = ExactKNN(np.empty((0, 5), np.float16)).search(np.ones(5), 3)
    assert indices.shape == similarities.shape == (0,)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        ({"queries": np.ones(4)}, "a query of 4 values for rows of 3"),
        ({"queries": [[1, 2, 3], [1, np.inf, 3]]}, "query 1: a value that is no number or infinite"),
        ({"queries": [1, 2, 3], "k": 0}, "k = 0"),
        ({"queries": [1, 2, 3], "among": [2]}, "indices below 2"),
        ({"queries": [1, 2, 3], "among": [-1]}, "indices below 2"),
        ({"queries": [1, 2, 3], "among": [True]}, r"a mask \(2,\)"),
        ({"queries": [1, 2, 3], "among": [0.5]}, r"a mask \(2,\)"),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_line(ask, says):
    with pytest.raises(ShapeError, match=says) as caught:
        ExactKNN(np.ones((2, 3), np.float16)).search(**ask)
    assert "\n" not in str(caught.value)


def test_rows_that_are_no_matrix_and_codes_of_other_rows_are_refused():
    with pytest.raises(ShapeError, match="takes a matrix"):
        ExactKNN(np.ones(3, np.float16))
    with pytest.raises(ShapeError, match="make the codes again"):
        ExactKNN(np.ones((2, 3), np.float16), Int8Codes.build(np.ones((3, 3), np.float16)))


@pytest.mark.parametrize("n", [3, N])
def test_a_row_of_no_numbers_is_named(n):
    rows = np.ones((n, 3), np.float32)
    rows[2, 1] = np.nan
    with pytest.raises(ShapeError, match=r"^row 2: a value that is no number"):
        ExactKNN(rows).search([1, 0, 0])


class OnDisk:
    """Rows that are read when asked for, and say how many were, and how many at most at once."""

    def __init__(self, path):
        self.path, self.read, self.most = path, 0, 0
        self.shape = np.load(path, mmap_mode="r").shape

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, indices):
        self.read += len(indices)
        self.most = max(self.most, len(indices))
        return np.load(self.path, mmap_mode="r")[indices]


def test_rows_on_disk_are_read_only_where_they_may_be_hits(tmp_path):
    """With codes from an earlier run, 20,000 rows are searched by reading a few hundred; opening reads none."""
    rows = np.random.default_rng(9).standard_normal((20_000, 256)).astype(np.float16)
    np.save(tmp_path / "rows.npy", rows)
    Int8Codes.build(rows).save(tmp_path / "codes")
    lazy = OnDisk(tmp_path / "rows.npy")
    ranking = ExactKNN(lazy, Int8Codes.load(tmp_path / "codes"))
    assert lazy.read == 0
    query = np.random.default_rng(10).standard_normal(256).astype(np.float32)
    indices, similarities = ranking.search(query, 10)
    expected, exact = brute_force(rows, query, 10)
    assert_array_equal(indices, expected)
    assert_array_equal(similarities, exact)
    assert lazy.read < 400


def test_rows_that_are_all_alike_are_read_in_small_blocks(tmp_path):
    """All 30,000 rows may be the best: all are compared, but never more than 16 MB of them at once."""
    np.save(tmp_path / "rows.npy", np.ones((30_000, 512), np.float16))
    lazy = OnDisk(tmp_path / "rows.npy")
    indices, _ = ExactKNN(lazy).search(np.ones(512), 3)
    assert indices.tolist() == [0, 1, 2]
    assert lazy.most * 512 * 4 <= 1 << 24


@given(seed=st.integers(0, 2**32), n=st.integers(1, 300), k=st.integers(1, 20), needed=st.floats(-1, 2, width=32))
def test_looking_into_the_groups_that_may_reach_finds_every_row_that_does(seed, n, k, needed):
    rng = np.random.default_rng(seed)
    estimates, error_norm = rng.random(n, np.float32), rng.random(n, np.float32)
    estimates[rng.random(n) < 0.1] = -np.inf  # left out by a filter
    tall = height(n, k)
    most = group_max(estimates[:, None], tall)[:, 0] + group_max(error_norm[:, None], tall)[:, 0]
    found = reaching(estimates, error_norm, most, np.float32(needed))
    assert_array_equal(found, np.flatnonzero(estimates + error_norm >= np.float32(needed)))


def test_real_pictures_are_ranked_as_brute_force_does(real_data):
    """Signs as 16 x 16 pixels: all positive and much alike, as features are, and some of them equal."""
    files = sorted((real_data / "emoji").rglob("*.png")) + sorted((real_data / "omniglot").rglob("*.png"))
    rows = np.stack([np.asarray(Image.open(file).convert("RGBA").resize((16, 16))).ravel() for file in files])
    rows = rows.astype(np.float16)
    assert len(rows) > FEW, "or the scan is not tried"
    queries = rows[::300].astype(np.float32)
    indices, similarities = ExactKNN(rows).search(queries, 20)
    for j, query in enumerate(queries):
        expected, exact = brute_force(rows, query, 20)
        assert_array_equal(similarities[j], exact)
        assert_array_equal(indices[j], expected)
