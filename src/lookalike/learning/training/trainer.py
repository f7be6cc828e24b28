"""The loop: a network, its inputs and who belongs with whom -> a generator of metrics, one a step."""

import time
from collections.abc import Generator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from lookalike.errors import TrainingError
from lookalike.learning.labels import Rows
from lookalike.learning.training.checkpoint import restore_checkpoint, save_checkpoint
from lookalike.learning.training.collapse_monitor import embedding_spread
from lookalike.learning.training.config import CheckpointConfig, TrainConfig, Validation
from lookalike.learning.training.distances import negative_mask, positive_mask, squared_distances
from lookalike.learning.training.history import StepMetrics
from lookalike.learning.training.losses import Loss
from lookalike.learning.training.miners import Miner, Triplets, all_triplets
from lookalike.learning.training.schedules import warm_up_then_cosine
from lookalike.learning.training.trainer_state import Labelled, TrainerState

PAIRS_AT_ONCE = 4096  # of a batch, each compared with every row of it


def train(
    network: nn.Module,
    inputs: Any,
    data: Labelled,
    config: TrainConfig | None = None,
    *,
    validation: Validation | None = None,
    checkpoint: CheckpointConfig | None = None,
    seed: int = 0,
) -> Generator[StepMetrics, None, None]:
    """Train a network, a step whenever the next metrics are asked for.

    However the loop ends (after the last step, by `break`, Ctrl-C or an error), the network then holds the best
    parameters so far. The same seed, arguments and number of threads give the same bits on a CPU. It ends early when
    no triplet was active for `config.patience` steps. With an optimizer of your own, or to read the best state on the
    way, make a `TrainerState` and go through `train_steps`.

    Args:
        network: turns a batch into embeddings (b, d) float32; rows of length 1, where the loss wants that.
        inputs: `inputs[rows]` with rows (b,) int64 gives what the network eats: an array of features (n, f), or
            anything that loads images when asked; several arrays, where the network takes several. float16 and
            float64 become float32. For checkpoints, `inputs.rng`, if there is one, is what it draws from, and
            `inputs.key` what tells it from others.
        data: labels, domains and triplets of the n rows: `TrainingLabels` or `LabelledFeatures`.
        config: loss, miner, steps and so on.
        validation: measured on the way; None: the last step is the result.
        checkpoint: where to go on from, and how often to write it.
        seed: of the batches, the random negatives and dropout; the network's first weights are the caller's.
    Raises: TrainingError, one line with the remedy: the loss is no number, all embeddings have become alike, no
        triplet was ever active, or the checkpoint is of another training; ExamplesError, when there is nothing to tell
        apart; ShapeError.

    >>> import numpy as np
    >>> from lookalike.learning.training.training_labels import TrainingLabels
    >>> features = np.float32([[1, 0, 1], [1, 0, -1], [-1, 0, 1], [-1, 0, -1]])   # the first column tells the labels
    >>> data = TrainingLabels.create([0, 0, 1, 1])
    >>> [metrics.step for metrics in train(nn.Linear(3, 2), features, data, TrainConfig(steps=5))]
    [1, 2, 3, 4, 5]
    """
    return train_steps(TrainerState.create(network, inputs, data, config, validation=validation, seed=seed), checkpoint)


def train_steps(state: TrainerState, checkpoint: CheckpointConfig | None = None) -> Generator[StepMetrics, None, None]:
    """The loop over a state that was set up, see `train`.

    Args:
        state: changed by each step; `state.best` can be read at any time.
        checkpoint: as for `train`.
    """
    if checkpoint is not None and checkpoint.path.is_file():
        restore_checkpoint(state, checkpoint.path)
    else:
        state.keep_best(0, state.validate())
    network, inputs, loss, optimizer, weights = state.network, state.inputs, state.loss, state.optimizer, state.weights
    config, validation, best = state.config, state.validation, state.best
    schedule, steps, device = config.schedule or warm_up_then_cosine, config.steps, weights[0].device
    started = time.perf_counter() - state.elapsed_s
    try:
        for step in range(state.step + 1, steps + 1 if not state.finished else 0):
            batch = next(state.batches)
            labels, given = (torch.from_numpy(one).to(device) for one in (batch.labels, batch.triplets))
            for part, base_rate in zip(optimizer.param_groups, state.base_rates, strict=True):
                part["lr"] = base_rate * schedule(step - 1, steps)

            with state.randomness:  # dropout draws from the seed
                network.train()
                embeddings = network(*load_batch(inputs, batch.rows, device))  # (b, ...) -> (b, d)
                triplets = chosen_triplets(embeddings, labels, given, state.miner)
                value = loss(embeddings, labels, triplets)

                spread = embedding_spread(embeddings.detach())
                if_equal = partial(loss_value, loss, torch.ones_like(embeddings), labels, triplets)
                number = float(value.detach())
                state.finished = state.monitor.check(step, number, spread, if_equal)
                active = active_share(embeddings.detach(), labels, given, config.margin)

                optimizer.zero_grad()
                torch.autograd.backward(value)
                optimizer.step()

            # A sum is finite only if all of it is, and it is known sooner: a large head has 60 million weights.
            if not all(bool(one.detach().sum().isfinite()) for one in weights):
                raise TrainingError(f"step {step}: a weight is no number any more. Use a smaller learning rate.")
            last = state.finished or step == steps
            due = validation is not None and (last or step % validation.every == 0)
            validated = state.validate() if due else None
            state.keep_best(step, validated)
            state.step, state.images = step, state.images + len(batch.rows)
            state.elapsed_s = time.perf_counter() - started
            rate, remaining_s = state.images / state.elapsed_s, state.elapsed_s / step * (steps - step)
            name = "recall@1" if validation is None else validation.name
            metrics = StepMetrics(step, steps, number, active, spread, validated, rate, remaining_s, name)
            best.curve.append(metrics)
            if checkpoint is not None and (last or step % checkpoint.every == 0):
                save_checkpoint(state, checkpoint.path)
            yield metrics
            if state.finished:
                return
        state.monitor.finish()
    finally:
        network.load_state_dict(best.parameters)
        network.eval()


def load_batch(inputs: Any, rows: Rows, device: torch.device) -> tuple[Tensor, ...]:
    """The network's inputs for some rows, on its device."""
    at = torch.from_numpy(rows).to(inputs.device) if isinstance(inputs, Tensor) else rows
    found = inputs[at]
    batch = [torch.as_tensor(one).to(device) for one in (found if isinstance(found, tuple) else (found,))]
    return tuple(one.float() if one.is_floating_point() else one for one in batch)


def chosen_triplets(embeddings: Tensor, labels: Tensor, given: Tensor, miner: Miner | None) -> Triplets | None:
    """What the miner chose among the rows of known labels, and the explicit triplets (t, 3); None for all pairs."""
    if miner is None and not len(given):
        return None
    (known,) = (labels >= 0).nonzero(as_tuple=True)
    mined = (miner or all_triplets)(embeddings[known].detach(), labels[known])
    # Miners of pairs give four: anchors and positives, anchors and negatives.
    columns = given.T if len(mined) == 3 else given.T[[0, 1, 0, 2]]
    return tuple(torch.cat([known[x], y]) for x, y in zip(mined, columns, strict=True))


def active_share(embeddings: Tensor, labels: Tensor, given: Tensor, margin: float) -> float:
    """Share of all triplets of a batch, and of the explicit ones, with |a - n|^2 < |a - p|^2 + margin; 0 to 1.

    >>> rows, labels = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0, 1])
    >>> active_share(rows, labels, torch.empty(0, 3, dtype=torch.int64), margin=0.2)   # 2 < 0 + 0.2: none
    0.0
    """
    distance = squared_distances(embeddings)
    same, other = positive_mask(labels), negative_mask(labels)
    negatives = distance.masked_fill(~other, torch.inf)  # (b, b)
    anchor, positive, negative = given.T
    count = int((distance[anchor, negative] < distance[anchor, positive] + margin).sum())
    pairs = same.nonzero()  # (pairs, 2)
    for start in range(0, len(pairs), PAIRS_AT_ONCE):  # negatives inside each pair's margin
        anchors, positives = pairs[start : start + PAIRS_AT_ONCE].T
        reach = distance[anchors, positives] + margin
        count += int((negatives[anchors] < reach[:, None]).sum())
    return count / max(int((same.sum(1) * other.sum(1)).sum()) + len(given), 1)


def loss_value(loss: Loss, embeddings: Tensor, labels: Tensor, chosen: Triplets | None) -> float:
    """A loss as a number, without gradients."""
    with torch.no_grad():
        return float(loss(embeddings, labels, chosen))
