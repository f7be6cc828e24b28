"""How training is configured: what None stands for, what people chose, and what is kept of it."""

import json
from dataclasses import asdict

import numpy as np
import pytest

pytest.importorskip("torch")

from lookalike.learning.config import LowRank
from lookalike.learning.training.config import LowRankConfig, ResolvedTrainConfig, TrainConfig, described
from lookalike.learning.training.schedules import constant


def test_resolving_fills_in_what_was_left_open_and_nothing_else():
    defaults = ResolvedTrainConfig(temperature=0.1, steps=150, rows=128)
    found = TrainConfig("triplet", margin=0.5, rows=9).resolve(defaults)
    expected = asdict(defaults) | {"loss": "triplet", "margin": 0.5, "rows": 9}
    assert asdict(found) == expected


def test_epochs_become_as_many_steps_as_their_batches():
    """64 labels of 4 fill one batch of 256; twice as many labels fill two."""
    for labels, steps in ((64, 5), (128, 10)):
        config = LowRankConfig.from_method(LowRank(epochs=5), np.repeat(np.arange(labels), 4))
        assert config.resolved.steps == steps


def test_without_epochs_the_measured_numbers_hold_beside_what_was_chosen():
    found = LowRankConfig.from_method(
        LowRank("triplet", margin=0.3, learning_rate=0.02), np.array([0, 0, 1, 1])
    ).resolved
    assert (found.loss, found.margin, found.learning_rate) == ("triplet", 0.3, 0.02)
    assert (found.steps, found.rows, found.per_label, found.temperature) == (100, 256, 4, 0.05)


def test_steps_that_were_chosen_stay_whatever_the_number_of_examples():
    chosen = LowRankConfig.from_method(LowRank(epochs=3), np.repeat(np.arange(100), 8))
    assert chosen.for_examples(60) == chosen
    assert LowRankConfig().for_examples(0).train.steps == 10


def test_a_description_is_plain_json_that_names_the_schedule_and_leaves_the_patience_out():
    table = described(TrainConfig(steps=7, schedule=constant), rank=8)
    assert json.loads(json.dumps(table)) == table
    assert (table["steps"], table["schedule"], table["rank"]) == (7, "constant", 8)
    assert "patience" not in table
    assert "schedule" not in described(TrainConfig())
