"""Curves as a table and as a drawing."""

import csv
import io

import pytest

from lookalike.drawing.line_chart import line_chart
from lookalike.errors import ShapeError
from lookalike.learning.training import EpochMetrics, StepMetrics, curves_arguments, curves_csv
from lookalike.learning.training.history import epoch_metrics, epochs_arguments, epochs_csv


def a_curve(losses, recalls=()):
    recalls = dict(recalls)
    return [
        StepMetrics(i, len(losses), loss, 1 / i, 0.9, recalls.get(i), 100.0, 1.0)
        for i, loss in enumerate(losses, start=1)
    ]


def test_csv_has_a_line_a_step_and_reads_back():
    rows = list(csv.DictReader(io.StringIO(curves_csv(a_curve([2.0, 0.5, 1e-9], {3: 0.25})))))
    assert [row["step"] for row in rows] == ["1", "2", "3"]
    assert [float(row["loss"]) for row in rows] == [2.0, 0.5, 1e-9]
    assert [float(row["active"]) for row in rows] == pytest.approx([1, 0.5, 1 / 3], rel=1e-5)
    assert [row["recall"] for row in rows] == ["", "", "0.25"]


def test_the_drawing_takes_the_arguments_as_they_are():
    arguments = curves_arguments(a_curve([2.0, 0.5, 1.0], {2: 0.5, 3: 0.75}), title="pattern")
    assert arguments["series"]["loss"] == ([1, 2, 3], [1.0, 0.25, 0.5])
    assert arguments["series"]["recall"] == ([2, 3], [0.5, 0.75])
    assert line_chart(**arguments).size == (1400, 800)


def test_without_recall_and_with_no_loss_at_all_there_is_still_a_drawing():
    arguments = curves_arguments(a_curve([0.0]))
    assert set(arguments["series"]) == {"loss", "active triplets"}
    assert line_chart(**arguments).size == (1400, 800)


def test_no_reports_are_refused():
    with pytest.raises(ShapeError, match="Take at least one step"):
        curves_arguments([])


def test_epochs_are_means_of_their_steps():
    """Losses 1, 2 | 3, 5 and validation losses 0.5 and 0.25."""
    steps = [
        StepMetrics(number, 4, loss, 1, 1, asked, 9, 0, "loss")
        for number, loss, asked in ((1, 1, None), (2, 2, 0.5), (3, 3, None), (4, 5, 0.25))
    ]
    told = [(one.epoch, one.epochs, one.loss, one.validation) for one in epoch_metrics(steps, 2)]
    assert told == [(1, 2, 1.5, 0.5), (2, 2, 4.0, 0.25)]


def test_a_validation_loss_has_a_column_of_its_own_name():
    steps = [StepMetrics(1, 1, 0.5, 1, 1, 0.25, 9, 0, "loss")]
    assert curves_csv(steps).splitlines() == ["step,loss,active,spread,validation", "1,0.5,1,1,0.25"]
    assert steps[0].progress("tuning").metrics == {"loss": 0.5, "active": 1, "validation loss": 0.25}


def test_epochs_are_written_and_drawn():
    epochs = [EpochMetrics(1, 2, 1.5, 0.5, 9, 1), EpochMetrics(2, 2, 1.0, 0.25, 9, 0)]
    assert epochs_csv(epochs).splitlines()[1:] == ["1,1.5,0.5", "2,1,0.25"]
    assert epochs_arguments(epochs)["series"]["validation"] == ([1, 2], [0.5, 0.25])
    assert str(epochs[1]) == "epoch 2 of 2: loss 1.0000, validation 0.2500"
