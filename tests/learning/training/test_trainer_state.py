"""What a training is set up from: what is refused, what is resolved."""

import pytest
import torch
from pytest import approx
from support.training_task import Unit, a_task
from torch import nn

from lookalike.errors import TrainingError
from lookalike.learning.training import TrainConfig, TrainerState, TrainingLabels, Validation, train, train_steps
from lookalike.learning.training.losses import MultiPositiveSoftmax, TripletLoss
from lookalike.learning.training.miners import SemiHardWarmup


def test_a_frozen_network_is_stopped():
    features, group = a_task()
    network = Unit().requires_grad_(False)
    with pytest.raises(TrainingError, match="Unfreeze a layer"):
        TrainerState.create(network, features, TrainingLabels.create(group))


def test_a_validation_that_gives_no_number_is_stopped():
    features, group = a_task()
    with pytest.raises(TrainingError, match="validation recall@1 is no number"):
        next(train(Unit(), features, TrainingLabels.create(group), validation=Validation(lambda _: float("nan"))))


def test_a_given_optimizer_is_scheduled_from_its_own_rates():
    features, group = a_task()
    network = nn.Sequential(nn.Linear(16, 8), nn.Linear(8, 4))
    parts = [{"params": network[0].parameters(), "lr": 1e-4}, {"params": network[1].parameters(), "lr": 1e-2}]
    optimizer = torch.optim.AdamW(parts, weight_decay=1e-4)
    config = TrainConfig(steps=4, schedule=lambda step, steps: step / steps)
    list(train_steps(TrainerState.create(network, features, TrainingLabels.create(group), config, optimizer=optimizer)))
    assert [part["lr"] for part in optimizer.param_groups] == approx([0.75e-4, 0.75e-2])


def test_names_become_losses_and_miners_and_a_triplet_loss_is_mined_semi_hard():
    features, group = a_task()
    data = TrainingLabels.create(group)
    softmax = TrainerState.create(Unit(), features, data)
    assert isinstance(softmax.loss, MultiPositiveSoftmax)
    assert (softmax.miner, softmax.key["miner"]) == (None, None)
    triplet = TrainerState.create(Unit(), features, data, TrainConfig("triplet"))
    assert isinstance(triplet.loss, TripletLoss)
    assert triplet.key["miner"] == "semi-hard"
    warm = TrainerState.create(Unit(), features, data, TrainConfig("triplet", "batch-hard"))
    assert isinstance(warm.miner, SemiHardWarmup)


def test_another_seed_or_other_examples_are_another_training():
    features, group = a_task()
    first = TrainerState.create(Unit(), features, TrainingLabels.create(group)).key
    assert TrainerState.create(Unit(), features, TrainingLabels.create(group)).key == first
    assert TrainerState.create(Unit(), features, TrainingLabels.create(group), seed=1).key != first
    assert TrainerState.create(Unit(), features, TrainingLabels.create(group[::-1])).key != first
