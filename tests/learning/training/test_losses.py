"""Losses by value: by hand, against the slow obvious loop, and against PyTorch Metric Learning."""

from math import exp, log

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from pytorch_metric_learning import distances, losses, reducers

from lookalike.errors import ShapeError, TrainingError
from lookalike.learning.training.distances import negative_mask, positive_mask, squared_distances
from lookalike.learning.training.losses import (
    MultiPositiveSoftmax,
    SoftMarginTripletLoss,
    TripletLoss,
    loss_by_name,
    multi_positive_softmax,
    soft_margin_triplet_loss,
    triplet_loss,
)
from lookalike.learning.training.miners import all_triplets, semi_hard

EAST, NORTH, WEST = (torch.tensor([row]) for row in ([1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]))
SQUARED = distances.LpDistance(normalize_embeddings=False, p=2, power=2)
OURS = [TripletLoss(), SoftMarginTripletLoss(), MultiPositiveSoftmax()]


def unit_rows(seed, b=20, d=8):
    rows = np.random.default_rng(seed).standard_normal((b, d)).astype(np.float32)
    return torch.nn.functional.normalize(torch.from_numpy(rows))


@st.composite
def a_batch(draw):
    b, seed = draw(st.integers(1, 12)), draw(st.integers(0, 10_000))
    labels = np.random.default_rng(seed).integers(draw(st.sampled_from([-1, 0])), 4, b)
    return unit_rows(seed, b, draw(st.integers(1, 5))), torch.from_numpy(labels)


def test_one_triplet_worked_by_hand():
    """|east - west|^2 = 4 and |east - north|^2 = 2, so 4 - 2 + 0.2 = 2.2."""
    assert float(triplet_loss(EAST, WEST, NORTH)) == approx(2.2)


def test_a_negative_farther_by_more_than_the_margin_costs_nothing():
    """0 - 4 + 0.2 is below 0."""
    assert float(triplet_loss(EAST, EAST, WEST)) == 0


def test_the_mean_is_over_all_triplets_not_over_the_active_ones():
    """(2.2 + 0) / 2."""
    anchor, positive, negative = (torch.cat(x) for x in ((EAST, EAST), (WEST, EAST), (NORTH, WEST)))
    assert float(triplet_loss(anchor, positive, negative)) == approx(1.1)


def test_the_soft_margin_worked_by_hand():
    """log(1 + e^(4 - 2))."""
    assert float(soft_margin_triplet_loss(EAST, WEST, NORTH)) == approx(log(1 + exp(2)))


def test_the_softmax_worked_by_hand():
    """East twice and north in one group, west alone; at temperature 1.

    Either east: positives at similarity 1 and 0, the negative at -1; north: positives at 0 and 0, the negative at 0.
    """
    rows = torch.cat([EAST, EAST, NORTH, WEST])
    of_east = -log((exp(1) + 1) / (exp(1) + 1 + exp(-1)))
    of_north = -log(2 / 3)
    loss = multi_positive_softmax(rows, torch.tensor([0, 0, 0, 1]), temperature=1.0)
    assert float(loss) == approx((2 * of_east + of_north) / 3, rel=1e-6)


def triplets_of(labels):
    at = range(len(labels))
    known = labels.tolist()
    return [
        (a, p, n)
        for a in at
        for p in at
        for n in at
        if a != p and known[a] == known[p] >= 0 and known[n] >= 0 and known[n] != known[a]
    ]


@settings(deadline=None)
@given(batch=a_batch(), margin=st.sampled_from([0.0, 0.2, 1.5]))
def test_triplet_losses_are_those_of_the_loop(batch, margin):
    rows, labels = batch
    x, hard, soft = rows.double(), [], []
    for a, p, n in triplets_of(labels):
        violation = float((x[a] - x[p]).square().sum() - (x[a] - x[n]).square().sum())
        hard.append(max(violation + margin, 0))
        soft.append(log(1 + exp(violation)))
    assert float(TripletLoss(margin)(rows, labels)) == approx(sum(hard) / max(len(hard), 1), abs=1e-5)
    assert float(SoftMarginTripletLoss()(rows, labels)) == approx(sum(soft) / max(len(soft), 1), abs=1e-5)


@settings(deadline=None)
@given(batch=a_batch(), temperature=st.sampled_from([0.05, 0.5]))
def test_the_softmax_is_that_of_the_loop(batch, temperature):
    rows, labels = batch
    x, found, every = rows.double(), [], triplets_of(labels)
    for a in range(len(x)):
        near = {p for b, p, _ in every if b == a}
        far = {n for b, _, n in every if b == a}
        if near:
            weight = {j: exp(float(x[a] @ x[j]) / temperature) for j in near | far}
            found.append(-log(sum(weight[j] for j in near) / sum(weight.values())))
    loss = float(multi_positive_softmax(rows, labels, temperature=temperature))
    assert loss == approx(sum(found) / max(len(found), 1), abs=1e-4)


@settings(deadline=None)
@given(batch=a_batch())
def test_all_triplets_given_or_read_from_the_labels_is_the_same(batch):
    rows, labels = batch
    for loss in OURS:
        assert float(loss(rows, labels, all_triplets(rows, labels))) == approx(float(loss(rows, labels)), abs=1e-6)


def test_the_softmax_of_one_triplet_is_the_soft_margin_of_similarities():
    rows, labels = unit_rows(0, 3), torch.tensor([0, 0, 1])
    one = torch.tensor([0]), torch.tensor([1]), torch.tensor([2])
    expected = log(1 + exp(float(rows[0] @ rows[2] - rows[0] @ rows[1]) / 0.5))
    assert float(multi_positive_softmax(rows, labels, one, temperature=0.5)) == approx(expected, rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("margin", [0.05, 0.5])
def test_the_triplet_loss_is_that_of_pytorch_metric_learning(seed, margin):
    rows, labels = unit_rows(seed), torch.arange(20) % 6
    theirs = losses.TripletMarginLoss(margin, distance=SQUARED, reducer=reducers.MeanReducer())
    chosen = semi_hard(rows, labels, margin)
    assert float(TripletLoss(margin)(rows, labels)) == approx(float(theirs(rows, labels)), rel=1e-5)
    assert float(TripletLoss(margin)(rows, labels, chosen)) == approx(float(theirs(rows, labels, chosen)), rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_the_soft_margin_is_that_of_pytorch_metric_learning(seed):
    rows, labels = unit_rows(seed), torch.arange(20) % 6
    theirs = losses.TripletMarginLoss(0, distance=SQUARED, smooth_loss=True, reducer=reducers.MeanReducer())
    assert float(SoftMarginTripletLoss()(rows, labels)) == approx(float(theirs(rows, labels)), rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("groups", [3, 7])
def test_the_softmax_is_nca_of_pytorch_metric_learning(seed, groups):
    rows, labels = unit_rows(seed), torch.arange(20) % groups
    theirs = losses.NCALoss(softmax_scale=1 / 0.1, distance=distances.CosineSimilarity())
    assert float(MultiPositiveSoftmax(0.1)(rows, labels)) == approx(float(theirs(rows, labels)), rel=1e-4)


@pytest.mark.parametrize("theirs", [losses.NTXentLoss, losses.SupConLoss])
def test_in_groups_of_two_the_softmax_is_also_ntxent_and_supcon(theirs):
    """With one positive there is nothing to sum in the numerator, and all three are one formula."""
    rows, labels = unit_rows(3), torch.arange(20) % 10
    assert float(MultiPositiveSoftmax(0.1)(rows, labels)) == approx(float(theirs(0.1)(rows, labels)), rel=1e-4)


@pytest.mark.parametrize("loss", OURS)
def test_gradients_are_finite_where_rows_coincide(loss):
    rows = torch.cat([EAST, EAST, EAST, NORTH, NORTH, EAST]).requires_grad_()
    loss(rows, torch.tensor([0, 0, 1, 1, 2, 2])).backward()
    assert bool(rows.grad.isfinite().all())


@pytest.mark.parametrize("loss", OURS)
def test_gradients_are_those_of_finite_differences(loss):
    rows, labels = unit_rows(5, 6, 3).double().requires_grad_(), torch.tensor([0, 0, 1, 1, 2, -1])
    assert torch.autograd.gradcheck(lambda x: loss(x, labels, None), rows)


@pytest.mark.parametrize("loss", OURS)
@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2], [-1, -1, -1]])
def test_without_triplets_a_loss_is_exactly_0_and_has_a_gradient(loss, labels):
    rows = unit_rows(0, 3).requires_grad_()
    value = loss(rows, torch.tensor(labels), None)
    value.backward()
    assert float(value.detach()) == 0
    assert bool((rows.grad == 0).all())


@pytest.mark.parametrize("loss", OURS)
def test_turning_the_whole_space_changes_no_loss(loss):
    rows, labels = unit_rows(7), torch.arange(20) % 6
    turn = torch.linalg.qr(torch.from_numpy(np.random.default_rng(0).standard_normal((8, 8)).astype(np.float32)))[0]
    assert float(loss(rows @ turn, labels)) == approx(float(loss(rows, labels)), rel=1e-4)


@pytest.mark.parametrize("loss", [triplet_loss, soft_margin_triplet_loss])
def test_triplets_of_other_shapes_are_refused_by_name(loss):
    with pytest.raises(ShapeError, match=r"anchor \(1, 2\), positive \(1, 2\), negative \(2, 2\)"):
        loss(EAST, EAST, torch.cat([WEST, WEST]))


def test_functions_and_batches_agree():
    rows, labels = unit_rows(9), torch.arange(20) % 6
    three = [rows[at] for at in all_triplets(rows, labels)]
    assert float(TripletLoss(0.3)(rows, labels)) == approx(float(triplet_loss(*three, margin=0.3)), rel=1e-5)
    assert float(SoftMarginTripletLoss()(rows, labels)) == approx(float(soft_margin_triplet_loss(*three)), rel=1e-5)


def test_distances_and_who_belongs_with_whom_by_hand():
    assert squared_distances(torch.cat([EAST, NORTH, WEST])).tolist() == [[0, 2, 4], [2, 0, 2], [4, 2, 0]]
    labels = torch.tensor([0, 0, 1, -1, -1])
    assert positive_mask(labels).nonzero().tolist() == [[0, 1], [1, 0]]
    assert negative_mask(labels).nonzero().tolist() == [[0, 2], [1, 2], [2, 0], [2, 1]]


@pytest.mark.parametrize(
    ("name", "margin", "temperature", "said"),
    [
        ("contrastive", 0.2, 0.05, "'contrastive'.*softmax, triplet, soft-margin"),
        ("triplet", -0.1, 0.05, "margin -0.1"),
        ("softmax", 0.2, 0.0, "temperature 0.0"),
    ],
)
def test_what_is_no_loss_gets_one_line(name, margin, temperature, said):
    with pytest.raises(TrainingError, match=said):
        loss_by_name(name, margin, temperature)
