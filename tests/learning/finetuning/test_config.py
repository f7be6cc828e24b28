"""How fine-tuning is configured: what people chose, and what is kept of it."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")

from lookalike.learning.config import FineTune, KerasSiamese
from lookalike.learning.finetuning.config import FineTuneConfig, KerasSiameseConfig
from lookalike.learning.training import TrainConfig


def test_epochs_become_as_many_steps_as_their_batches():
    """64 labels of 4 fill two batches of 128."""
    labels = np.repeat(np.arange(64), 4)
    found = FineTuneConfig.from_method(FineTune("blocks.3", "triplet", margin=0.3, epochs=5), labels)
    assert (found.layer, found.train) == ("blocks.3", TrainConfig("triplet", margin=0.3, steps=10))
    assert FineTuneConfig.from_method(FineTune(2), labels).train.steps is None


def test_the_keras_example_keeps_its_own_numbers_where_none_were_chosen():
    assert KerasSiameseConfig.from_method(KerasSiamese()) == KerasSiameseConfig()
    chosen = KerasSiameseConfig.from_method(KerasSiamese("head", epochs=3, learning_rate=0.01))
    assert chosen == KerasSiameseConfig(layer="head", epochs=3, learning_rate=0.01)


def test_the_keras_examples_steps_and_rows_follow_from_its_epochs_and_triplets():
    """Two rows a triplet; it waits for an epoch, and never less than 20 steps, before it calls nothing active."""
    config = KerasSiameseConfig(epochs=3, triplets=8, margin=0.4)
    long, short = config.train(per_epoch=30), config.train(per_epoch=4)
    assert (long.steps, long.rows, long.margin, long.patience) == (90, 16, 0.4, 30)
    assert (short.steps, short.rows, short.patience) == (12, 16, 20)
    assert [long.schedule(step, 90) for step in (0, 89)] == [1.0, 1.0]


def test_descriptions_are_flat_json_with_the_trainings_own_numbers():
    table = FineTuneConfig("stem", TrainConfig(steps=7), interpolation=0.5).described()
    assert (table["layer"], table["steps"], table["interpolation"]) == ("stem", 7, 0.5)
    assert "train" not in table
    for one in (table, KerasSiameseConfig().described()):
        assert json.loads(json.dumps(one)) == one
