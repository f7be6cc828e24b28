"""How learning goes: a report a step, the best so far, and both as curves for a table and a drawing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from lookalike.errors import ShapeError


@dataclass(frozen=True)
class EpochMetrics:
    """How one epoch went.

    Attributes:
        epoch, epochs: which one, from 1, of how many.
        loss: mean over its steps, each before it was taken.
        validation: of the same triplets after every epoch, whose pictures are never learned from.
        rate: pictures a second so far.
        remaining_s: seconds until the last epoch is done.
    """

    epoch: int
    epochs: int
    loss: float
    validation: float
    rate: float
    remaining_s: float

    def __str__(self) -> str:
        return f"epoch {self.epoch} of {self.epochs}: loss {self.loss:.4f}, validation {self.validation:.4f}"


def epochs_csv(epochs: Sequence[EpochMetrics]) -> str:
    r"""Epochs as CSV, a line each.

    >>> epochs_csv([EpochMetrics(1, 2, 0.5, 0.25, 9, 1)])
    'epoch,loss,validation\n1,0.5,0.25\n'
    """
    lines = [f"{one.epoch},{one.loss:.6g},{one.validation:.6g}" for one in epochs]
    return "\n".join(["epoch,loss,validation", *lines]) + "\n"


def epochs_arguments(epochs: Sequence[EpochMetrics], title: str = "") -> dict[str, Any]:
    """What `drawing.curves.curves` draws of epochs, one or more.

    >>> epochs_arguments([EpochMetrics(1, 1, 0.5, 0.25, 9, 0)])["series"]
    {'learned': ([1], [0.5]), 'validation': ([1], [0.25])}
    """
    at = [one.epoch for one in epochs]
    series = {"learned": (at, [one.loss for one in epochs]), "validation": (at, [one.validation for one in epochs])}
    return {"series": series, "title": title, "x": "epoch", "y": "loss"}


@dataclass(frozen=True)
class StepMetrics:
    """How one step went.

    Attributes:
        step, steps: which one, from 1, of how many.
        loss: of the batch, before the step.
        active: share of the batch's triplets whose negative is not yet farther than the positive by the margin.
        spread: mean squared distance of the embeddings to their mean; on rows of length 1, 0 (all alike) to 1.
        recall: what `validate` gave after this step; None where it was not asked.
        rate: pictures a second so far.
        remaining_s: seconds until the last step, at this rate.
    """

    step: int
    steps: int
    loss: float
    active: float
    spread: float
    recall: float | None
    rate: float
    remaining_s: float


@dataclass
class BestState:
    """The best so far. It can be read at any time: between steps, after Ctrl-C, after an error.

    Attributes:
        parameters: the network's state then; with `validate` of its best recall (the first of equals, the start
            included), without it of the last step after which all numbers were finite.
        step: after which step, 0 for the start.
        recall: that recall, None without `validate`.
        curve: every report so far.
    """

    parameters: dict[str, Tensor] = field(default_factory=dict)
    step: int = 0
    recall: float | None = None
    curve: list[StepMetrics] = field(default_factory=list)

    def keep(self, network: nn.Module, step: int, recall: float | None) -> None:
        """Keep this state, if it is the best."""
        if self.recall is None or (recall is not None and recall > self.recall):
            copy = {name: x.detach().clone() for name, x in network.state_dict().items()}
            self.parameters, self.step, self.recall = copy, step, recall


def curves_csv(reports: Sequence[StepMetrics]) -> str:
    r"""Reports as CSV, a line a step; recall is empty where it was not asked.

    >>> curves_csv([StepMetrics(1, 2, 0.5, 0.25, 0.9, None, 100, 1), StepMetrics(2, 2, 0.125, 0, 0.9, 0.75, 100, 0)])
    'step,loss,active,spread,recall\n1,0.5,0.25,0.9,\n2,0.125,0,0.9,0.75\n'
    """
    lines = ["step,loss,active,spread,recall"]
    for one in reports:
        recall = "" if one.recall is None else f"{one.recall:.6g}"
        lines.append(f"{one.step},{one.loss:.6g},{one.active:.6g},{one.spread:.6g},{recall}")
    return "\n".join(lines) + "\n"


def curves_arguments(reports: Sequence[StepMetrics], title: str = "") -> dict[str, Any]:
    """What `drawing.curves.curves` draws of the reports: `curves(**curves_arguments(reports))`.

    One axis serves all three: the loss is drawn as a share of the largest, as recall and active triplets are shares.
    Raises: ShapeError, for no reports.

    >>> curves_arguments([StepMetrics(1, 2, 0.5, 1, 0.9, None, 9, 1), StepMetrics(2, 2, 0.1, 0.5, 0.9, 0.7, 9, 0)])["series"]
    {'loss': ([1, 2], [1.0, 0.2]), 'active triplets': ([1, 2], [1, 0.5]), 'recall': ([2], [0.7])}
    """
    if not reports:
        raise ShapeError("no reports, no curves. Take at least one step.")
    steps, largest = [one.step for one in reports], max(one.loss for one in reports)
    asked = [one for one in reports if one.recall is not None]
    series = {
        "loss": (steps, [one.loss / largest if largest > 0 else 0.0 for one in reports]),
        "active triplets": (steps, [one.active for one in reports]),
    }
    if asked:
        series["recall"] = ([one.step for one in asked], [one.recall for one in asked if one.recall is not None])
    return {"series": series, "title": title, "x": "step", "y": f"share; loss divided by {largest:.3g}"}
