"""Everything that one training reads and changes, set up in one place."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from lookalike.errors import ShapeError, TrainingError
from lookalike.learning.labels import Rows
from lookalike.learning.training.array_digest import array_digest
from lookalike.learning.training.batch_sampler import Batch, batches
from lookalike.learning.training.collapse_monitor import CollapseMonitor
from lookalike.learning.training.config import ResolvedTrainConfig, TrainConfig, Validation
from lookalike.learning.training.history import BestState
from lookalike.learning.training.losses import Loss, loss_by_name
from lookalike.learning.training.miners import Miner, miner_by_name
from lookalike.learning.training.torch_context import Randomness


class Labelled(Protocol):
    """What is known of n rows: `TrainingLabels` or `LabelledFeatures`."""

    @property
    def labels(self) -> Rows:
        """(n,) int64, -1 for none."""
        ...

    @property
    def domains(self) -> Rows | None:
        """(n,) int64, or None."""
        ...

    @property
    def triplets(self) -> Rows:
        """(t, 3) int64 rows anchor, positive, negative."""
        ...

    @property
    def content(self) -> Rows | None:
        """(n,) int64, equal for equal images, or None."""
        ...


@dataclass
class TrainerState:
    """One training: make it with `create`, go through `train_steps(state)`, read `best` at any time.

    Attributes:
        network, inputs: what is trained, and what it eats.
        config: all numbers known.
        loss, miner: resolved from their names.
        optimizer, base_rates: and its learning rates before the schedule.
        batches: without end.
        validation: or None.
        randomness, monitor, best: torch's draws, the watch for collapse, the state that counts.
        generators: of numpy, that are drawn from beside the batches.
        key: what tells this training from others; a checkpoint of another is refused.
        step: how many steps are done.
        images, elapsed_s: seen so far, and in how many seconds.
        finished: whether it ended early because nothing was left to learn.
    """

    network: nn.Module
    inputs: Any
    config: ResolvedTrainConfig
    loss: Loss
    miner: Miner | None
    optimizer: torch.optim.Optimizer
    base_rates: list[float]
    batches: Iterator[Batch]
    validation: Validation | None
    randomness: Randomness
    monitor: CollapseMonitor
    generators: list[np.random.Generator]
    key: dict[str, Any]
    best: BestState = field(default_factory=BestState)
    step: int = 0
    images: int = 0
    elapsed_s: float = 0.0
    finished: bool = False

    @classmethod
    def create(
        cls,
        network: nn.Module,
        inputs: Any,
        data: Labelled,
        config: TrainConfig | None = None,
        *,
        optimizer: torch.optim.Optimizer | None = None,
        validation: Validation | None = None,
        seed: int = 0,
    ) -> "TrainerState":
        """Set a training up. Arguments as for `train`, except:

        Args: optimizer: in place of Adam; its own rates are scheduled.
        Raises: ShapeError, when inputs and labels do not fit; TrainingError, when nothing can be trained.
        """
        if hasattr(inputs, "__len__") and len(inputs) != len(data.labels):
            raise ShapeError(f"{len(inputs)} inputs, but {len(data.labels)} labels. Give one label a row, -1 for none.")
        resolved = (config or TrainConfig()).resolve(ResolvedTrainConfig())
        for_batches, for_miner = np.random.default_rng(seed).spawn(2)
        miner = resolved.miner
        if miner is None and resolved.loss in ("triplet", "soft-margin"):
            miner = "semi-hard"
        loss = resolved.loss
        if isinstance(loss, str):
            loss = loss_by_name(loss, resolved.margin, resolved.temperature)
        weights = trainable_weights(network, loss)
        optimizer = torch.optim.Adam(weights, resolved.learning_rate) if optimizer is None else optimizer
        base_rates = [part["lr"] for part in optimizer.param_groups]
        key = {
            "seed": seed,
            "steps": resolved.steps,
            "rows": resolved.rows,
            "per_label": resolved.per_label,
            "loss": resolved.loss if isinstance(resolved.loss, str) else type(resolved.loss).__name__,
            "miner": miner if isinstance(miner, str | None) else type(miner).__name__,
            "margin": resolved.margin,
            "temperature": resolved.temperature,
            "rates": base_rates,
            "examples": array_digest(data.labels, data.domains, data.triplets),
            "inputs": getattr(inputs, "key", None),
            "weights": [list(x.shape) for x in weights],
        }
        sampled = batches(
            data.labels,
            for_batches,
            domains=data.domains,
            triplets=data.triplets,
            rows=resolved.rows,
            per_label=resolved.per_label,
        )
        return cls(
            network=network,
            inputs=inputs,
            config=resolved,
            loss=loss,
            miner=miner_by_name(miner, resolved.margin, resolved.steps, for_miner) if isinstance(miner, str) else miner,
            optimizer=optimizer,
            base_rates=base_rates,
            batches=sampled,
            validation=validation,
            randomness=Randomness(seed),
            monitor=CollapseMonitor(resolved.patience),
            generators=[for_miner, inputs.rng] if hasattr(inputs, "rng") else [for_miner],
            key=key,
        )

    @property
    def loss_weights(self) -> nn.Module:
        """The loss as a module; one without weights is an empty module."""
        return self.loss if isinstance(self.loss, nn.Module) else nn.Module()

    @property
    def weights(self) -> list[nn.Parameter]:
        """What is trained, the weights of the loss included."""
        return trainable_weights(self.network, self.loss)

    def validate(self) -> float | None:
        """What the validation says of the network as it is in use, without dropout.

        Raises: TrainingError, when that is no number.
        """
        if self.validation is None:
            return None
        self.network.eval()
        with torch.no_grad():
            value = float(self.validation.measure(self.network))
        if math.isnan(value):
            raise TrainingError(
                f"the validation {self.validation.name} is no number. Validate on queries that have a right answer."
            )
        return value

    def keep_best(self, step: int, value: float | None) -> None:
        """Keep the network's state in `best`, if it is the one that counts."""
        highest = self.validation is None or self.validation.keep == "highest"
        self.best.keep(self.network, step, value, highest=highest)


def trainable_weights(network: nn.Module, loss: Loss) -> list[nn.Parameter]:
    """The network's weights that are not frozen, then those of the loss.

    Raises: TrainingError, when the network has none.
    """
    weights = [one for one in network.parameters() if one.requires_grad]
    if not weights:
        raise TrainingError("every weight of the network is frozen. Unfreeze a layer.")
    return weights + (list(loss.parameters()) if isinstance(loss, nn.Module) else [])
