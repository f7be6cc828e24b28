"""What stops a training that goes wrong, each for real."""

import numpy as np
import pytest
import torch
from pytest import approx
from support.training_task import Unit, a_task, trained
from torch import nn

from lookalike.errors import TrainingError
from lookalike.learning.training import TrainConfig, TrainerState, TrainingLabels, batch_hard, train_steps


def test_hardest_negatives_from_a_cold_start_collapse_and_are_stopped():
    """Noise without groups and no length of 1 to hold the rows apart: the cheapest is to make them all alike, where
    each triplet costs the margin."""
    features = np.random.default_rng(0).standard_normal((64, 16)).astype(np.float32)
    config = TrainConfig("triplet", batch_hard, learning_rate=0.02, steps=500)
    data = TrainingLabels.create(np.arange(64) // 2)
    state = TrainerState.create(nn.Linear(16, 8), features, data, config)
    with pytest.raises(TrainingError, match=r"step \d+: collapse, all embeddings have become alike.*semi-hard miner"):
        list(train_steps(state))
    assert state.best.curve[-1].loss == approx(0.2, rel=0.05), "stuck at the margin"
    assert state.best.curve[-1].spread < 0.1 * state.best.curve[0].spread


def test_infinite_features_are_stopped_at_the_first_step():
    features, group = a_task()
    features[:, 3] = np.inf
    with pytest.raises(TrainingError, match=r"step 1: the loss is nan, no number.*check the features"):
        trained(Unit(), features, group, steps=1)


def test_no_active_triplet_ever_is_stopped_with_the_remedy():
    """Groups so far apart that no negative is within the margin of any positive."""
    features = np.repeat(np.eye(8, dtype=np.float32), 3, axis=0)
    network = nn.Linear(8, 8, bias=False)
    with torch.no_grad():
        network.weight.copy_(torch.eye(8))
    with pytest.raises(TrainingError, match=r"no triplet was active in 5 steps.*larger margin.*'all'.*softmax"):
        trained(network, features, np.repeat(np.arange(8), 3), loss="triplet", patience=5)


def test_when_everything_is_learned_it_ends_early_and_says_nothing():
    """Two groups that come apart in a few steps; from then on no triplet is active."""
    features = np.float32([[1, 0, 2], [1, 0, -2], [-1, 0, 2], [-1, 0, -2]])
    network = Unit(3, 2, seed=4)
    more = {"loss": "triplet", "miner": "all", "learning_rate": 0.1, "steps": 400, "patience": 6}
    reports = trained(network, features, np.array([0, 0, 1, 1]), **more)
    assert len(reports) < 400
    assert [report.loss for report in reports[-6:]] == [0.0] * 6
    assert reports[0].loss > 0


def test_a_network_that_starts_at_zero_is_stopped():
    features, group = a_task()
    network = nn.Linear(16, 8)
    nn.init.zeros_(network.weight)
    with pytest.raises(TrainingError, match="all embeddings are equal before anything was learned"):
        trained(network, features, group, steps=1)
