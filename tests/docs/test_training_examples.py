"""What docs/python.md shows of lookalike.learning.training runs as it stands, block after block."""

import re
from pathlib import Path

import numpy as np
import pytest

from lookalike.learning import finetuning, training

PAGE = Path(__file__).parents[2] / "docs/python.md"


def section():
    return PAGE.read_text(encoding="utf-8").split("## lookalike.learning.training")[1].split("\n## ")[0]


@pytest.mark.slow  # a whole page
def test_the_blocks_run_and_end_in_a_lens(capsys):
    names = {}
    for block in re.findall(r"```python\n(.+?)```", section(), re.DOTALL):
        exec(block, names)
    assert capsys.readouterr().out.count("triplets active") == 50
    assert names["table"].count("\n") == 51
    assert [epoch.epoch for epoch in names["recipe"].history] == [1, 2]
    assert names["lens"].settings["correction"]["step"] == 20
    assert np.isfinite(names["lens"].matrix).all()


def test_every_verb_and_class_is_there():
    for name in (
        "train",
        "BestState",
        "correct",
        "LowRankTrainer",
        "LowRankRun",
        "TrainConfig",
        "TrainingLabels",
        "LowRankConfig",
        "triplet_loss",
        "KERAS_EXAMPLE",
    ):
        assert getattr(training, name) is not None
        assert name in section()
    for name in ("LayerFineTuner", "FineTuneConfig", "KerasSiameseFineTuner", "KerasSiameseConfig"):
        assert getattr(finetuning, name) is not None
        assert name in section()
