"""The loop: it learns, can be stepped, stopped and repeated to the bit, and stops what goes wrong with a remedy."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from pytorch_metric_learning import losses, miners
from torch import nn

from lookalike.errors import ShapeError, TrainingError
from lookalike.learning.evaluation.metrics import recall_at_k
from lookalike.learning.training import (
    KERAS_EXAMPLE,
    BestState,
    TripletLoss,
    batch_hard,
    keras_example_head,
    train,
    triplet_loss,
)
from lookalike.learning.training.distances import squared_distances
from lookalike.learning.training.torch_context import Randomness
from lookalike.learning.training.trainer import active_share, constant, warm_up_then_cosine


def a_task(groups=24, size=4, f=16, seed=0):
    """Features whose first half tells the groups apart, and whose other half is noise three times as loud."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), size)
    features = rng.standard_normal((groups * size, f))
    features[:, : f // 2] = rng.standard_normal((groups, f // 2))[group] + 0.2 * features[:, : f // 2]
    features[:, f // 2 :] *= 3
    return features.astype(np.float32), group


class Unit(nn.Module):
    """One matrix, then length 1."""

    def __init__(self, f=16, d=8, seed=0):
        super().__init__()
        start = torch.randn(f, d, generator=torch.Generator().manual_seed(seed))
        self.matrix = nn.Parameter(start / f**0.5)

    def forward(self, x):
        return nn.functional.normalize(x @ self.matrix)


def recall(network, features, group):
    with torch.no_grad():
        rows = network(torch.from_numpy(features)).numpy()
    return recall_at_k(rows, rows, group, group, itself=np.arange(len(rows)))


@pytest.mark.parametrize("loss", ["softmax", "triplet", "soft-margin"])
@pytest.mark.parametrize("miner", [None, "all", "semi-hard", "batch-hard", "random"])
def test_every_loss_with_every_miner_learns_what_tells_groups_apart(loss, miner):
    """On groups it never saw, from the same columns."""
    features, group = a_task()
    unseen, unseen_group = a_task(seed=1)
    network = Unit()
    before = recall(network, unseen, unseen_group)
    list(train(network, features, group, loss=loss, miner=miner, steps=60, rows=48, learning_rate=0.03))
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
    more = {"steps": 40, "rows": 48, "learning_rate": 0.03}
    list(train(network, features, group, loss=loss, miner=miner, triplets=triplets, **more))
    assert recall(network, *a_task(seed=1)) > before + 0.1


def test_the_weights_of_a_loss_are_learned_along():
    """Proxies, one a group, which no optimizer of the network's weights alone would move."""
    features, group = a_task()
    loss = losses.ProxyAnchorLoss(num_classes=24, embedding_size=8)
    before = loss.proxies.detach().clone()
    reports = list(train(Unit(), features, group, loss=loss, steps=60, rows=48, learning_rate=0.03))
    assert bool((loss.proxies.detach() != before).all())
    assert reports[-1].loss < 0.8 * reports[0].loss


def test_one_step_worked_out_by_autograd_alone():
    """A step of plain descent on the one batch there is: W - 0.1 dL/dW, L the mean over its eight triplets."""
    features = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    network, by_hand = Unit(3, 2), Unit(3, 2)
    descent = torch.optim.SGD(network.parameters(), 0.1)
    (report,) = train(
        network,
        features,
        np.array([0, 0, 1, 1]),
        loss="triplet",
        miner="all",
        margin=1.5,
        optimizer=descent,
        schedule=constant,
        steps=1,
    )
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
    reports = list(train(head, features, group, steps=300, **KERAS_EXAMPLE))
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

    list(train(keras_example_head(16), features, group, steps=3, **{**KERAS_EXAMPLE, "loss": counting}))
    assert np.mean(seen) == approx(30, abs=3)
    assert all(rows == triplets for rows, triplets in seen)


# Stepping, stopping, repeating


def test_it_can_be_stepped_by_hand():
    features, group = a_task()
    network, start = Unit(), Unit().matrix
    steps = train(network, features, group, steps=5)
    assert torch.equal(network.matrix, start), "nothing happens before the first step is asked for"
    first = next(steps)
    assert (first.step, first.steps) == (1, 5)
    assert not torch.equal(network.matrix, start)
    assert [report.step for report in steps] == [2, 3, 4, 5]


def test_reports_tell_share_of_active_triplets_rate_and_remaining_time():
    features, group = a_task()
    reports = list(train(Unit(), features, group, steps=20, rows=48, loss="triplet", learning_rate=0.03))
    assert reports[-1].active < reports[0].active <= 1
    assert all(0 < report.spread <= 1 for report in reports)
    assert all(report.rate > 0 and report.recall is None for report in reports)
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
    """The recall is scripted: the third of its five asks, after step 4, is the best."""
    features, group = a_task()
    states, script = [], iter([0.1, 0.2, 0.9, 0.5, 0.6])
    learned = BestState()

    def validate(network):
        assert not network.training
        states.append(network.matrix.detach().clone())
        return next(script)

    network = Unit()
    more = {"steps": 8, "validate": validate, "validate_every": 2, "learned": learned}
    reports = list(train(network, features, group, **more))
    assert [report.recall for report in reports] == [None, 0.2, None, 0.9, None, 0.5, None, 0.6]
    assert (learned.step, learned.recall) == (4, 0.9)
    assert torch.equal(network.matrix, states[2])
    assert torch.equal(learned.parameters["matrix"], states[2])
    assert learned.curve == reports


def test_where_learning_only_hurts_the_start_is_kept():
    features, group = a_task()
    network, start = Unit(), Unit().matrix
    list(train(network, features, group, steps=3, validate=lambda n: 1.0 if torch.equal(n.matrix, start) else 0.5))
    assert torch.equal(network.matrix, start)


def test_a_loop_that_is_broken_off_leaves_the_best_so_far():
    features, group = a_task()
    network, learned = Unit(), BestState()
    scores = iter([0.1, 0.8, 0.3, 0.2])
    steps = train(
        network, features, group, steps=50, validate=lambda _: next(scores), validate_every=2, learned=learned
    )
    for report in steps:
        if report.step == 5:
            break
    steps.close()
    assert learned.step == 2
    assert torch.equal(network.matrix, learned.parameters["matrix"])
    assert not network.training


def test_ctrl_c_within_a_step_leaves_the_last_whole_step():
    features, group = a_task()
    network, learned, calls = Unit(), BestState(), []

    def interrupted(embeddings, labels, chosen):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return TripletLoss()(embeddings, labels, chosen)

    with pytest.raises(KeyboardInterrupt):
        list(train(network, features, group, loss=interrupted, learned=learned, steps=9))
    assert learned.step == 3
    assert [report.step for report in learned.curve] == [1, 2, 3]
    assert torch.equal(network.matrix, learned.parameters["matrix"])


def learned_bits(seed=0):
    features, group = a_task()
    with Randomness(seed=9):
        network = nn.Sequential(nn.Linear(16, 32), nn.Dropout(0.3), nn.ReLU(), nn.Linear(32, 8))
    list(train(network, features, group, loss="triplet", miner="random", steps=12, rows=32, seed=seed))
    return hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in network.parameters())).hexdigest()


def test_a_seed_gives_the_same_bits_and_another_seed_others():
    assert learned_bits() == learned_bits() != learned_bits(seed=1)


@pytest.mark.slow
def test_two_processes_of_as_many_threads_give_the_same_bits():
    told = (
        "import sys, torch; torch.set_num_threads(2); sys.path.insert(0, 'tests/learning/training');"
        "from test_trainer import learned_bits; print(learned_bits())"
    )
    runs = [
        subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1] != ""


def test_the_callers_randomness_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    first = torch.rand(1)
    learned_bits()
    assert torch.equal(torch.cat([first, torch.rand(1)]), expected)


# Inputs


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_features_of_other_float_types_learn_alike(dtype):
    features, group = a_task()
    features = features.astype(np.float16).astype(np.float32)
    networks = Unit(), Unit()
    for network, inputs in zip(networks, (features, features.astype(dtype)), strict=True):
        list(train(network, inputs, group, steps=5))
    assert torch.equal(networks[0].matrix, networks[1].matrix)


def test_inputs_may_be_a_tensor_or_anything_that_gives_rows_when_asked():
    features, group = a_task()

    class Loader:
        def __getitem__(self, rows):
            return features[rows]

    networks = Unit(), Unit(), Unit()
    for network, inputs in zip(networks, (features, torch.from_numpy(features), Loader()), strict=True):
        list(train(network, inputs, group, steps=5))
    assert torch.equal(networks[0].matrix, networks[1].matrix)
    assert torch.equal(networks[0].matrix, networks[2].matrix)


def test_as_many_groups_as_inputs_are_wanted():
    features, group = a_task()
    with pytest.raises(ShapeError, match="96 inputs, but group names 95"):
        next(train(Unit(), features, group[:-1]))


# What goes wrong, each for real


def test_hardest_negatives_from_a_cold_start_collapse_and_are_stopped():
    """Noise without groups and no length of 1 to hold the rows apart: the cheapest is to make them all alike, where
    each triplet costs the margin."""
    features = np.random.default_rng(0).standard_normal((64, 16)).astype(np.float32)
    more = {"loss": "triplet", "miner": batch_hard, "learning_rate": 0.02, "steps": 500}
    learned = BestState()
    with pytest.raises(TrainingError, match=r"step \d+: collapse, all embeddings have become alike.*semi-hard miner"):
        list(train(nn.Linear(16, 8), features, np.arange(64) // 2, learned=learned, **more))
    assert learned.curve[-1].loss == approx(0.2, rel=0.05), "stuck at the margin"
    assert learned.curve[-1].spread < 0.1 * learned.curve[0].spread


def test_infinite_features_are_stopped_at_the_first_step():
    features, group = a_task()
    features[:, 3] = np.inf
    with pytest.raises(TrainingError, match=r"step 1: the loss is nan, no number.*check the features"):
        next(train(Unit(), features, group))


def test_a_learning_rate_that_breaks_the_weights_is_stopped_and_the_last_good_step_kept():
    features, group = a_task()
    network = nn.Linear(16, 8)
    with pytest.raises(TrainingError, match="smaller learning rate"):
        list(train(network, features, group, learning_rate=1e38, steps=30))
    assert all(bool(p.isfinite().all()) for p in network.parameters())


def test_no_active_triplet_ever_is_stopped_with_the_remedy():
    """Groups so far apart that no negative is within the margin of any positive."""
    features = np.repeat(np.eye(8, dtype=np.float32), 3, axis=0)
    network = nn.Linear(8, 8, bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.eye(8))
    steps = train(network, features, np.repeat(np.arange(8), 3), loss="triplet", patience=5)
    with pytest.raises(TrainingError, match=r"no triplet was active in 5 steps.*larger margin.*'all'.*softmax"):
        list(steps)


def test_when_everything_is_learned_it_ends_early_and_says_nothing():
    """Two groups that come apart in a few steps; from then on no triplet is active."""
    features = np.float32([[1, 0, 2], [1, 0, -2], [-1, 0, 2], [-1, 0, -2]])
    network = Unit(3, 2, seed=4)
    more = {"loss": "triplet", "miner": "all", "learning_rate": 0.1, "steps": 400, "patience": 6}
    reports = list(train(network, features, np.array([0, 0, 1, 1]), **more))
    assert len(reports) < 400
    assert [report.loss for report in reports[-6:]] == [0.0] * 6
    assert reports[0].loss > 0


def test_a_network_that_starts_at_zero_is_stopped():
    features, group = a_task()
    network = nn.Linear(16, 8)
    nn.init.zeros_(network.weight)
    with pytest.raises(TrainingError, match="all embeddings are equal before anything was learned"):
        next(train(network, features, group))


def test_a_frozen_network_is_stopped():
    features, group = a_task()
    network = Unit().requires_grad_(False)
    with pytest.raises(TrainingError, match="Unfreeze a layer"):
        next(train(network, features, group))


def test_a_validation_that_gives_no_number_is_stopped():
    features, group = a_task()
    with pytest.raises(TrainingError, match="validation recall is no number"):
        next(train(Unit(), features, group, validate=lambda _: float("nan")))


def test_the_rate_warms_up_and_falls_along_a_cosine():
    rates = [warm_up_then_cosine(step, 100) for step in range(100)]
    assert rates[:3] == approx([0.1, 0.2, 0.3], rel=1e-2)
    assert np.argmax(rates) == 9
    assert rates[50] == approx(0.5)
    assert 0 < rates[99] < 1e-3


def test_a_given_optimizer_is_scheduled_from_its_own_rates():
    features, group = a_task()
    network = nn.Sequential(nn.Linear(16, 8), nn.Linear(8, 4))
    parts = [{"params": network[0].parameters(), "lr": 1e-4}, {"params": network[1].parameters(), "lr": 1e-2}]
    optimizer = torch.optim.AdamW(parts, weight_decay=1e-4)
    steps = train(network, features, group, optimizer=optimizer, steps=4, schedule=lambda step, steps: step / steps)
    for _ in steps:
        pass
    assert [part["lr"] for part in optimizer.param_groups] == approx([0.75e-4, 0.75e-2])
