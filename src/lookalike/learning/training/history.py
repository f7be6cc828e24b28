"""How training goes: metrics of each step and epoch, the best state so far, and both as curves to keep and to draw."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor, nn

from lookalike.errors import ShapeError
from lookalike.progress import Progress


@dataclass(frozen=True)
class StepMetrics:
    """How one step went.

    Attributes:
        step, steps: which one, from 1, of how many.
        loss: of the batch, before the step.
        active: share of the batch's triplets whose negative is not yet farther than the positive by the margin.
        spread: mean squared distance of the embeddings to their mean; on rows of length 1, 0 (all alike) to 1.
        validation: what was measured after this step; None where nothing was.
        rate: images a second so far.
        remaining_s: seconds until the last step, at this rate.
        validation_name: of what `validation` is: "recall@1", or "loss".
    """

    step: int
    steps: int
    loss: float
    active: float
    spread: float
    validation: float | None
    rate: float
    remaining_s: float
    validation_name: str = "recall@1"

    def progress(self, stage: str) -> Progress:
        """The same for whoever waits for a stage.

        >>> StepMetrics(1, 2, 0.5, 1.0, 0.9, 0.75, 9, 1).progress("tuning").metrics
        {'loss': 0.5, 'active': 1.0, 'recall@1': 0.75}
        """
        metrics = {"loss": self.loss, "active": self.active}
        if self.validation is not None:
            name = "validation loss" if self.validation_name == "loss" else self.validation_name
            metrics[name] = self.validation
        return Progress(stage, self.step, self.steps, self.rate, self.remaining_s, metrics)


@dataclass(frozen=True)
class EpochMetrics:
    """How one epoch went.

    Attributes:
        epoch, epochs: which one, from 1, of how many.
        loss: mean over its steps, each before it was taken.
        validation: loss of the same triplets after every epoch, whose images are never trained on.
        rate: images a second so far.
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


def epoch_metrics(steps: Iterable[StepMetrics], per_epoch: int) -> list[EpochMetrics]:
    """The epochs among steps: each ends with the step that was validated.

    >>> one, two = StepMetrics(1, 2, 0.5, 1, 1, None, 9, 1), StepMetrics(2, 2, 0.25, 1, 1, 0.3, 9, 0, "loss")
    >>> epoch_metrics([one, two], 2)
    [EpochMetrics(epoch=1, epochs=1, loss=0.375, validation=0.3, rate=9, remaining_s=0)]
    """
    found: list[EpochMetrics] = []
    losses: list[float] = []
    for one in steps:
        losses.append(one.loss)
        if one.validation is not None:
            epoch, epochs = -(-one.step // per_epoch), -(-one.steps // per_epoch)
            mean = float(np.mean(losses))
            found.append(EpochMetrics(epoch, epochs, mean, one.validation, one.rate, one.remaining_s))
            losses = []
    return found


@dataclass
class BestState:
    """The network's state that counts. It can be read at any time: between steps, after Ctrl-C, after an error.

    Attributes:
        parameters: the network's state; with a `Validation` the one of the highest value (the first of equals, the
            start included) or the last validated one, without it that of the last step after which all numbers were
            finite.
        step: after which step, 0 for the start.
        validation: what was measured then, None where nothing is.
        curve: the metrics of every step so far.
    """

    parameters: dict[str, Tensor] = field(default_factory=dict)
    step: int = 0
    validation: float | None = None
    curve: list[StepMetrics] = field(default_factory=list)

    def keep(self, network: nn.Module, step: int, validation: float | None, *, highest: bool = True) -> None:
        """Keep this state, if it is the one that counts.

        Args:
            network: as it is after this step.
            step: which one, 0 for the start.
            validation: what was measured after it, or None.
            highest: whether only a higher value than before counts, or each one.
        """
        before = self.validation
        if before is not None and (validation is None or (highest and not validation > before)):
            return
        self.parameters = {name: x.detach().clone() for name, x in network.state_dict().items()}
        self.step, self.validation = step, validation


def curves_csv(steps: Sequence[StepMetrics]) -> str:
    r"""Steps as CSV, a line each; the last column is empty where nothing was validated.

    >>> curves_csv([StepMetrics(1, 2, 0.5, 0.25, 0.9, None, 100, 1), StepMetrics(2, 2, 0.125, 0, 0.9, 0.75, 100, 0)])
    'step,loss,active,spread,recall\n1,0.5,0.25,0.9,\n2,0.125,0,0.9,0.75\n'
    """
    lines = [f"step,loss,active,spread,{_validation_column(steps)}"]
    for one in steps:
        validation = "" if one.validation is None else f"{one.validation:.6g}"
        lines.append(f"{one.step},{one.loss:.6g},{one.active:.6g},{one.spread:.6g},{validation}")
    return "\n".join(lines) + "\n"


def curves_arguments(steps: Sequence[StepMetrics], title: str = "") -> dict[str, Any]:
    """What `drawing.line_chart` draws of steps: `line_chart(**curves_arguments(steps))`.

    One axis serves all three: the loss is drawn as a share of the largest, as recall and active triplets are shares.
    Raises: ShapeError, for no steps.

    >>> steps = [StepMetrics(1, 2, 0.5, 1, 0.9, None, 9, 1), StepMetrics(2, 2, 0.1, 0.5, 0.9, 0.7, 9, 0)]
    >>> curves_arguments(steps)["series"]
    {'loss': ([1, 2], [1.0, 0.2]), 'active triplets': ([1, 2], [1, 0.5]), 'recall': ([2], [0.7])}
    """
    if not steps:
        raise ShapeError("no steps, no curves. Take at least one step.")
    at, largest = [one.step for one in steps], max(one.loss for one in steps)
    scale = 1 / largest if largest > 0 else 0.0
    series = {
        "loss": (at, [one.loss / largest if largest > 0 else 0.0 for one in steps]),
        "active triplets": (at, [one.active for one in steps]),
    }
    name = _validation_column(steps)
    validated = [(one.step, one.validation) for one in steps if one.validation is not None]
    if validated:
        shares = [value if name == "recall" else value * scale for _, value in validated]
        series[name] = ([step for step, _ in validated], shares)
    return {"series": series, "title": title, "x": "step", "y": f"share; loss divided by {largest:.3g}"}


def _validation_column(steps: Sequence[StepMetrics]) -> str:
    return "validation" if any(one.validation_name == "loss" for one in steps) else "recall"


def epochs_csv(epochs: Sequence[EpochMetrics]) -> str:
    r"""Epochs as CSV, a line each.

    >>> epochs_csv([EpochMetrics(1, 2, 0.5, 0.25, 9, 1)])
    'epoch,loss,validation\n1,0.5,0.25\n'
    """
    lines = [f"{one.epoch},{one.loss:.6g},{one.validation:.6g}" for one in epochs]
    return "\n".join(["epoch,loss,validation", *lines]) + "\n"


def epochs_arguments(epochs: Sequence[EpochMetrics], title: str = "") -> dict[str, Any]:
    """What `drawing.line_chart` draws of epochs, one or more.

    >>> epochs_arguments([EpochMetrics(1, 1, 0.5, 0.25, 9, 0)])["series"]
    {'learned': ([1], [0.5]), 'validation': ([1], [0.25])}
    """
    at = [one.epoch for one in epochs]
    series = {"learned": (at, [one.loss for one in epochs]), "validation": (at, [one.validation for one in epochs])}
    return {"series": series, "title": title, "x": "epoch", "y": "loss"}
