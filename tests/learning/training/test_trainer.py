"""The loop: it learns, can be stepped, stopped and repeated to the bit."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from pytorch_metric_learning import losses, miners
from support.training_task import Unit, a_task, recall, trained
from torch import nn

from lookalike.errors import ShapeError, TrainingError
from lookalike.learning.training import (
    KERAS_EXAMPLE,
    TrainConfig,
    TrainerState,
    TrainingLabels,
    TripletLoss,
    Validation,
    keras_example_head,
    train,
    train_steps,
    triplet_loss,
)
from lookalike.learning.training.distances import squared_distances
from lookalike.learning.training.schedules import constant
from lookalike.learning.training.trainer import active_share


@pytest.mark.parametrize("loss", ["softmax", "triplet", "soft-margin"])
@pytest.mark.parametrize("miner", [None, "all", "semi-hard", "batch-hard", "random"])
def test_every_loss_with_every_miner_learns_what_tells_groups_apart(loss, miner):
    """On groups it never saw, from the same columns."""
    features, group = a_task()
    unseen, unseen_group = a_task(seed=1)
    network = Unit()
    before = recall(network, unseen, unseen_group)
    trained(network, features, group, loss=loss, miner=miner, steps=60, rows=48, learning_rate=0.03)
    assert recall(network, unseen, unseen_group) > before + 0.2


@pytest.mark.parametrize(
    ("loss", "miner"),
    [
        (losses.TripletMarginLoss(0.2), None),
        (losses.TripletMarginLoss(0.2), miners.TripletMarginMiner(0.2, type_of_triplets="semihard")),
        (losses.NTXentLoss(0.1), None),
        (losses.SupConLoss(0.1), miners.BatchEasyHardMiner()),
        (losses.MultiSimilarityLoss(), miners.MultiSimilarityMiner()),
        (losses.ContrastiveLoss(), "random"),
        ("triplet", miners.MultiSimilarityMiner()),
        ("softmax", miners.BatchHardMiner()),
    ],
)
@pytest.mark.parametrize("triplets", [None, np.array([[0, 1, 4], [5, 6, 96]])], ids=["groups", "and triplets"])
def test_losses_and_miners_of_pytorch_metric_learning_fit_in(loss, miner, triplets):
    features, group = a_task()
    features, group = np.vstack([features, features[:1]]), np.append(group, -1)  # row 96 is of no known group
    network = Unit()
    before = recall(network, *a_task(seed=1))
    trained(network, features, group, triplets, loss=loss, miner=miner, steps=40, rows=48, learning_rate=0.03)
    assert recall(network, *a_task(seed=1)) > before + 0.1


def test_the_weights_of_a_loss_are_learned_along():
    """Proxies, one a group, which no optimizer of the network's weights alone would move."""
    features, group = a_task()
    loss = losses.ProxyAnchorLoss(num_classes=24, embedding_size=8)
    before = loss.proxies.detach().clone()
    reports = trained(Unit(), features, group, loss=loss, steps=60, rows=48, learning_rate=0.03)
    assert bool((loss.proxies.detach() != before).all())
    assert reports[-1].loss < 0.8 * reports[0].loss


def test_one_step_worked_out_by_autograd_alone():
    """A step of plain descent on the one batch there is: W - 0.1 dL/dW, L the mean over its eight triplets."""
    features = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    network, by_hand = Unit(3, 2), Unit(3, 2)
    data = TrainingLabels.create([0, 0, 1, 1])
    config = TrainConfig("triplet", "all", margin=1.5, schedule=constant, steps=1)
    descent = torch.optim.SGD(network.parameters(), 0.1)
    (report,) = train_steps(TrainerState.create(network, features, data, config, optimizer=descent))
    z = by_hand(torch.from_numpy(features))
    three = [(0, 1, 2), (0, 1, 3), (1, 0, 2), (1, 0, 3), (2, 3, 0), (2, 3, 1), (3, 2, 0), (3, 2, 1)]
    anchor, positive, negative = (z[list(at)] for at in zip(*three, strict=True))
    loss = triplet_loss(anchor, positive, negative, margin=1.5)
    loss.backward()
    assert report.loss == approx(float(loss.detach()), rel=1e-5)
    expected = by_hand.matrix.detach() - 0.1 * by_hand.matrix.grad
    assert torch.allclose(network.matrix.detach(), expected, atol=1e-6)
    assert not torch.allclose(network.matrix.detach(), by_hand.matrix.detach(), atol=1e-3)


def test_the_tutorials_head_learns_with_the_tutorials_settings():
    features, group = a_task(groups=60, size=2, f=32)
    head = keras_example_head(32)
    reports = list(train(head, features, TrainingLabels.create(group), replace(KERAS_EXAMPLE, steps=300)))
    first, last = (np.mean([r.loss for r in part]) for part in (reports[:20], reports[-20:]))
    assert last < 0.5 * first
    assert recall(head, features, group) > 0.4 > 10 * recall(keras_example_head(32).eval(), features, group)
    assert [tuple(p.shape) for p in head.parameters() if p.ndim == 2] == [(512, 32), (256, 512), (256, 256)]


def test_the_tutorials_batch_is_32_triplets():
    """16 pairs, either picture the anchor: 32 rows, and one negative each."""
    features, group = a_task(groups=60, size=2)
    seen = []

    def counting(embeddings, labels, chosen):
        seen.append((len(embeddings), len(chosen[0])))
        return TripletLoss(0.5)(embeddings, labels, chosen)

    config = replace(KERAS_EXAMPLE, loss=counting, steps=3)
    list(train(keras_example_head(16), features, TrainingLabels.create(group), config))
    assert np.mean(seen) == approx(30, abs=3)
    assert all(rows == triplets for rows, triplets in seen)


# Stepping, stopping, repeating


def test_it_can_be_stepped_by_hand():
    features, group = a_task()
    network, start = Unit(), Unit().matrix
    steps = train(network, features, TrainingLabels.create(group), TrainConfig(steps=5))
    assert torch.equal(network.matrix, start), "nothing happens before the first step is asked for"
    first = next(steps)
    assert (first.step, first.steps) == (1, 5)
    assert not torch.equal(network.matrix, start)
    assert [report.step for report in steps] == [2, 3, 4, 5]


def test_reports_tell_share_of_active_triplets_rate_and_remaining_time():
    features, group = a_task()
    reports = trained(Unit(), features, group, steps=20, rows=48, loss="triplet", learning_rate=0.03)
    assert reports[-1].active < reports[0].active <= 1
    assert all(0 < report.spread <= 1 for report in reports)
    assert all(report.rate > 0 and report.validation is None for report in reports)
    assert reports[-1].remaining_s == 0 < reports[0].remaining_s


@settings(deadline=None)
@given(seed=st.integers(0, 999), margin=st.sampled_from([0.1, 0.5]), given_triplets=st.integers(0, 3))
def test_the_share_of_active_triplets_is_that_of_the_loop(seed, margin, given_triplets):
    rng = np.random.default_rng(seed)
    rows = nn.functional.normalize(torch.from_numpy(rng.standard_normal((9, 3)).astype(np.float32)))
    labels = torch.from_numpy(rng.integers(-1, 3, 9))
    explicit = torch.from_numpy(rng.integers(0, 9, (given_triplets, 3)))
    far, at = squared_distances(rows), range(9)
    every = explicit.tolist() + [
        (a, p, n)
        for a in at
        for p in at
        for n in at
        if a != p and labels[a] == labels[p] >= 0 and labels[n] >= 0 and labels[n] != labels[a]
    ]
    active = [bool(far[a, n] < far[a, p] + margin) for a, p, n in every]
    assert active_share(rows, labels, explicit, margin) == approx(sum(active) / max(len(active), 1))


def test_the_best_validated_step_is_kept_not_the_last():
    """The recall is scripted: the third of its five measurements, after step 4, is the best."""
    features, group = a_task()
    states, script = [], iter([0.1, 0.2, 0.9, 0.5, 0.6])

    def measure(network):
        assert not network.training
        states.append(network.matrix.detach().clone())
        return next(script)

    network, data = Unit(), TrainingLabels.create(group)
    state = TrainerState.create(network, features, data, TrainConfig(steps=8), validation=Validation(measure, 2))
    steps = list(train_steps(state))
    assert [one.validation for one in steps] == [None, 0.2, None, 0.9, None, 0.5, None, 0.6]
    assert {one.validation_name for one in steps} == {"recall@1"}
    assert (state.best.step, state.best.validation) == (4, 0.9)
    assert torch.equal(network.matrix, states[2])
    assert torch.equal(state.best.parameters["matrix"], states[2])
    assert state.best.curve == steps


def test_of_a_validation_loss_the_last_state_is_kept_whatever_its_value():
    """The loss is scripted: least after step 2, and again after step 4, the last."""
    features, group = a_task()
    states, script = [], iter([0.5, 0.1, 0.3])

    def measure(network):
        states.append(network.matrix.detach().clone())
        return next(script)

    network, data = Unit(), TrainingLabels.create(group)
    validation = Validation(measure, 2, name="loss", keep="last")
    steps = list(train(network, features, data, TrainConfig(steps=4), validation=validation))
    assert [(one.validation, one.validation_name) for one in steps if one.validation is not None] == [
        (0.1, "loss"),
        (0.3, "loss"),
    ]
    assert torch.equal(network.matrix, states[2])


def test_where_learning_only_hurts_the_start_is_kept():
    features, group = a_task()
    network, start = Unit(), Unit().matrix
    validation = Validation(lambda n: 1.0 if torch.equal(n.matrix, start) else 0.5)
    list(train(network, features, TrainingLabels.create(group), TrainConfig(steps=3), validation=validation))
    assert torch.equal(network.matrix, start)


def test_a_loop_that_is_broken_off_leaves_the_best_so_far():
    features, group = a_task()
    network, scores = Unit(), iter([0.1, 0.8, 0.3, 0.2])
    validation = Validation(lambda _: next(scores), 2)
    data = TrainingLabels.create(group)
    state = TrainerState.create(network, features, data, TrainConfig(steps=50), validation=validation)
    steps = train_steps(state)
    for one in steps:
        if one.step == 5:
            break
    steps.close()
    assert state.best.step == 2
    assert torch.equal(network.matrix, state.best.parameters["matrix"])
    assert not network.training


def test_ctrl_c_within_a_step_leaves_the_last_whole_step():
    features, group = a_task()
    network, calls = Unit(), []

    def interrupted(embeddings, labels, chosen):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return TripletLoss()(embeddings, labels, chosen)

    state = TrainerState.create(network, features, TrainingLabels.create(group), TrainConfig(interrupted, steps=9))
    with pytest.raises(KeyboardInterrupt):
        list(train_steps(state))
    assert state.best.step == 3
    assert [one.step for one in state.best.curve] == [1, 2, 3]
    assert torch.equal(network.matrix, state.best.parameters["matrix"])


# Inputs


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_features_of_other_float_types_learn_alike(dtype):
    features, group = a_task()
    features = features.astype(np.float16).astype(np.float32)
    networks = Unit(), Unit()
    for network, inputs in zip(networks, (features, features.astype(dtype)), strict=True):
        trained(network, inputs, group, steps=5)
    assert torch.equal(networks[0].matrix, networks[1].matrix)


def test_inputs_may_be_a_tensor_or_anything_that_gives_rows_when_asked():
    features, group = a_task()

    class Loader:
        def __getitem__(self, rows):
            return features[rows]

    networks = Unit(), Unit(), Unit()
    for network, inputs in zip(networks, (features, torch.from_numpy(features), Loader()), strict=True):
        trained(network, inputs, group, steps=5)
    assert torch.equal(networks[0].matrix, networks[1].matrix)
    assert torch.equal(networks[0].matrix, networks[2].matrix)


def test_as_many_groups_as_inputs_are_wanted():
    features, group = a_task()
    with pytest.raises(ShapeError, match="96 inputs, but 95 labels"):
        next(train(Unit(), features, TrainingLabels.create(group[:-1])))


def test_a_learning_rate_that_breaks_the_weights_is_stopped_and_the_last_good_step_kept():
    features, group = a_task()
    network = nn.Linear(16, 8)
    with pytest.raises(TrainingError, match="smaller learning rate"):
        trained(network, features, group, learning_rate=1e38, steps=30)
    assert all(bool(p.isfinite().all()) for p in network.parameters())
