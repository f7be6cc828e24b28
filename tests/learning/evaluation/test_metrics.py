"""Metrics: values worked by hand, a slow loop, scikit-learn, and PyTorch Metric Learning as witnesses."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pytest import approx
from sklearn.metrics import roc_auc_score

from lookalike.errors import ShapeError
from lookalike.learning.evaluation import metrics
from lookalike.learning.evaluation.metrics import (
    first_relevant_ranks,
    map_at_r,
    mean_reciprocal_rank,
    r_precision,
    recall_at_k,
    roc_auc,
    triplet_accuracy,
)

# One query to the east; a gallery that turns away from it: places 1, 2, 3, 4 are rows 0, 1, 2, 3.
EAST = np.array([[1.0, 0.0]])
TURNING = np.array([[1.0, 0.1], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]])


def slow_places(query, gallery, label, labels, itself=-1):
    """Whether place 1, 2, ... holds a right answer, by sorting in Python; wrong before right where equal."""
    rows = [i for i in range(len(gallery)) if i != itself]
    q = query / np.linalg.norm(query)
    value = {i: float(np.float32(q @ gallery[i] / np.linalg.norm(gallery[i]))) for i in rows}
    return [labels[i] == label for i in sorted(rows, key=lambda i: (-value[i], labels[i] == label))]


def cases():
    """Queries and galleries of a few directions on a grid, so that ties are common; labels, some of them lonely."""
    return st.tuples(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 15), st.integers(1, 5))


def draw(case):
    seed, q, n, classes = case
    rng = np.random.default_rng(seed)
    grid = np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [0.6, 0.8], [0.8, -0.6]])  # lengths and products are exact
    return (
        grid[rng.integers(0, 6, q)],
        grid[rng.integers(0, 6, n)],
        rng.integers(0, classes, q),
        rng.integers(0, classes, n),
    )


@pytest.mark.parametrize(
    ("labels", "recall_1", "recall_2", "inverse", "precision", "average"),
    [
        # right, wrong, right, wrong: R = 2; of the first two one is right; (1/1) / 2
        ([7, 1, 7, 1], 1, 1, 1, 1 / 2, 1 / 2),
        # wrong, right, right, right: R = 3; two of the first three; (1/2 + 2/3) / 3
        ([1, 7, 7, 7], 0, 1, 1 / 2, 2 / 3, 7 / 18),
        # only the last is right: R = 1, and it is not first
        ([1, 1, 1, 7], 0, 0, 1 / 4, 0, 0),
    ],
)
def test_one_query_worked_by_hand(labels, recall_1, recall_2, inverse, precision, average):
    asked = (EAST, TURNING, [7], labels)
    assert recall_at_k(*asked) == recall_1
    assert recall_at_k(*asked, k=2) == recall_2
    assert mean_reciprocal_rank(*asked) == approx(inverse)
    assert r_precision(*asked) == approx(precision)
    assert map_at_r(*asked) == approx(average)


def test_a_query_without_a_right_answer_is_not_counted():
    """The second query's label is nowhere; the first alone has recall 1."""
    asked = ([[1, 0], [0, 1]], TURNING, [7, 9], [7, 1, 1, 1])
    assert recall_at_k(*asked) == map_at_r(*asked) == r_precision(*asked) == mean_reciprocal_rank(*asked) == 1
    assert first_relevant_ranks(*asked).tolist() == [1, 0]


def test_where_no_query_has_an_answer_there_is_no_value():
    for metric in (recall_at_k, map_at_r, r_precision, mean_reciprocal_rank):
        assert np.isnan(metric(EAST, TURNING, [9], [1, 1, 1, 1]))


def test_a_negative_label_belongs_with_nothing_not_even_its_like():
    assert first_relevant_ranks(EAST, TURNING, [-1], [-1, -1, -1, -1]).tolist() == [0]


def test_a_right_answer_stands_behind_every_wrong_one_as_similar():
    """Three equal rows, one of them right: it is third."""
    assert first_relevant_ranks(EAST, [[2, 0], [1, 0], [5, 0]], [7], [7, 1, 1]).tolist() == [3]
    assert map_at_r(EAST, [[2, 0], [1, 0], [5, 0]], [7], [7, 7, 1]) == approx((1 / 2) / 2)


def test_the_query_itself_and_its_side_are_left_out():
    """Row 0 is the query, row 1 of its side: what remains is wrong, right."""
    left = {"itself": [0], "query_domains": [3], "gallery_domains": [3, 3, 4, 4]}
    assert first_relevant_ranks(EAST, TURNING, [7], [7, 7, 1, 7], **left).tolist() == [2]
    assert map_at_r(EAST, TURNING, [7], [7, 7, 1, 7], **left) == 0


def test_side_minus_one_leaves_nothing_out():
    assert first_relevant_ranks(
        EAST, TURNING, [7], [7, 7, 1, 7], query_domains=[-1], gallery_domains=[-1] * 4
    ).tolist() == [1]


@given(case=cases())
@settings(max_examples=60, deadline=None)
def test_all_agree_with_a_slow_loop(case):
    queries, gallery, labels, gallery_labels = draw(case)
    itself = np.where(np.arange(len(queries)) % 2, -1, np.arange(len(queries)) % len(gallery))
    first, inverse, precision, average = [], [], [], []
    for query, label, own in zip(queries, labels, itself, strict=True):
        right = slow_places(query, gallery, label, gallery_labels, own)
        r = sum(right)
        if r:
            first.append(right.index(True) == 0)
            inverse.append(1 / (right.index(True) + 1))
            precision.append(sum(right[:r]) / r)
            average.append(sum(sum(right[: i + 1]) / (i + 1) for i in range(r) if right[i]) / r)
    asked = (queries, gallery, labels, gallery_labels)
    found = [metric(*asked, itself=itself) for metric in (recall_at_k, mean_reciprocal_rank, r_precision, map_at_r)]
    wanted = [np.mean(values) if values else np.nan for values in (first, inverse, precision, average)]
    assert_allclose(found, wanted, atol=1e-12)


@given(case=cases())
@settings(max_examples=40, deadline=None)
def test_the_length_of_rows_and_a_turn_of_all_change_nothing(case):
    queries, gallery, labels, gallery_labels = draw(case)
    turn = np.array([[0, -1], [1, 0]])
    for metric in (recall_at_k, map_at_r, r_precision):
        before = metric(queries, gallery, labels, gallery_labels)
        assert_allclose(metric(queries @ turn * 2, gallery @ turn * 0.5, labels, gallery_labels), before)


def test_blocks_give_what_one_block_gives():
    """More similarities than are held at once; each half of the queries is one block, and the whole is their mean."""
    rng = np.random.default_rng(0)
    x, labels, own = rng.standard_normal((6000, 4)), rng.integers(0, 600, 6000), np.arange(1400)
    assert 4 * 6000 * 1400 > metrics.BLOCK_BYTES > 4 * 6000 * 700
    for metric in (recall_at_k, map_at_r):
        whole, first, second = (
            metric(x[part], x, labels[part], labels, itself=own[part])
            for part in (slice(1400), slice(700), slice(700, 1400))
        )
        assert first != second
        assert whole == pytest.approx((first + second) / 2, abs=1e-9)


def test_pytorch_metric_learning_finds_the_same():
    """Its AccuracyCalculator, ranking by cosine with its own inner loops, on data without ties."""
    torch = pytest.importorskip("torch")
    from pytorch_metric_learning.distances import CosineSimilarity
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    from pytorch_metric_learning.utils.inference import CustomKNN

    rng = np.random.default_rng(1)
    group = rng.integers(0, 12, 150)
    x = (rng.standard_normal((12, 16))[group] + 1.5 * rng.standard_normal((150, 16))).astype(np.float32)
    witness = AccuracyCalculator(
        include=("precision_at_1", "r_precision", "mean_average_precision_at_r", "mean_reciprocal_rank"),
        k="max_bin_count",
        knn_func=CustomKNN(CosineSimilarity()),
        device=torch.device("cpu"),
    ).get_accuracy(torch.tensor(x), torch.tensor(group))
    asked, itself = (x, x, group, group), np.arange(150)
    assert recall_at_k(*asked, itself=itself) == approx(witness["precision_at_1"], abs=1e-6)
    assert r_precision(*asked, itself=itself) == approx(witness["r_precision"], abs=1e-6)
    assert map_at_r(*asked, itself=itself) == approx(witness["mean_average_precision_at_r"], abs=1e-6)


@given(seed=st.integers(0, 1000), n=st.integers(2, 60), levels=st.integers(1, 8))
@settings(max_examples=50, deadline=None)
def test_roc_auc_is_that_of_scikit_learn_with_ties_too(seed, n, levels):
    rng = np.random.default_rng(seed)
    values, right = rng.integers(0, levels, n) / levels, np.arange(n) % 2 == 0
    assert roc_auc(values, right) == approx(roc_auc_score(right, values))


def test_roc_auc_of_one_kind_alone_is_no_number():
    assert np.isnan(roc_auc([0.1, 0.2], [True, True]))
    assert np.isnan(roc_auc([], []))


def test_a_triplet_whose_two_are_equally_alike_is_not_right():
    """East to north-east is .71, to north 0: right. North to itself twice: equal, so not right."""
    x = [[1, 0], [1, 1], [0, 1], [0, 3]]
    assert triplet_accuracy(x, [[0, 1, 2]]) == 1
    assert triplet_accuracy(x, [[2, 2, 3]]) == 0
    assert np.isnan(triplet_accuracy(x, np.zeros((0, 3), int)))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: recall_at_k([[1, 0]], [[1, 0, 0]], [0], [0]),
        lambda: recall_at_k(np.zeros((0, 2)), [[1, 0]], [], [0]),
        lambda: recall_at_k([[1, 0]], [[1, 0]], [0, 1], [0]),
        lambda: recall_at_k([[1, 0]], [[1, 0]], [0], [0], itself=[5]),
        lambda: triplet_accuracy([[1, 0]], [[0, 0, 1]]),
        lambda: roc_auc([0.5], [True, False]),
    ],
)
def test_arrays_that_do_not_fit_are_refused_in_one_line(wrong):
    with pytest.raises(ShapeError) as error:
        wrong()
    assert "\n" not in str(error.value)


def test_a_large_gallery_is_ranked_in_blocks_of_bounded_memory():
    """1,000 queries of 100,000 x 256 rows: all similarities at once would be 400 MB, and of all rows 40 GB."""
    n, rng = 100_000, np.random.default_rng(0)
    rows, label = rng.standard_normal((n, 256), np.float32), np.arange(n) // 2
    asking = np.arange(1000)
    tracemalloc.start()
    try:
        found = recall_at_k(rows[asking], rows, label[asking], label, itself=asking)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found < 0.01  # noise
    assert peak < 300e6
