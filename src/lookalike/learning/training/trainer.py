"""The loop: a network, rows and who belongs with whom -> a generator of reports, one a step."""

import math
import time
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from lookalike.errors import ShapeError, TrainingError
from lookalike.learning.labels import Rows
from lookalike.learning.training.batch_sampler import batches
from lookalike.learning.training.checkpoint import TrainerState, digest_of
from lookalike.learning.training.collapse_monitor import CollapseMonitor, embedding_spread
from lookalike.learning.training.distances import negative_mask, positive_mask, squared_distances
from lookalike.learning.training.history import BestState, StepMetrics
from lookalike.learning.training.losses import Loss, loss_by_name
from lookalike.learning.training.miners import Miner, SemiHardWarmup, Triplets, all_triplets, miner_by_name
from lookalike.learning.training.torch_context import Randomness

Schedule = Callable[[int, int], float]


def train(
    network: nn.Module,
    inputs: Any,
    group: Rows,
    *,
    domains: Rows | None = None,
    triplets: Rows | None = None,
    loss: str | Loss = "softmax",
    miner: str | Miner | None = None,
    margin: float = 0.2,
    temperature: float = 0.05,
    steps: int = 100,
    rows: int = 256,
    per_label: int = 4,
    learning_rate: float = 1e-3,
    schedule: Schedule | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    validate: Callable[[nn.Module], float] | None = None,
    validate_every: int = 10,
    patience: int = 20,
    seed: int = 0,
    learned: BestState | None = None,
    checkpoint: Path | None = None,
    checkpoint_every: int = 25,
) -> Generator[StepMetrics, None, None]:
    """Learn, a step whenever the next report is asked for.

    However the loop ends (after the last step, by `break`, Ctrl-C or an error), the network then holds the best
    parameters so far; `learned` holds them too, at any time. The same seed, arguments and number of threads give the
    same bits on a CPU. It ends early when no triplet was active for `patience` steps.

    Args:
        network: turns a batch into embeddings (b, d) float32; rows of length 1, where the loss wants that.
        inputs: `inputs[rows]` with rows (b,) int64 gives what the network eats: an array of features (n, f), or
            anything that loads pictures when asked; several arrays, where the network takes several. float16 and
            float64 become float32. For checkpoints, `inputs.rng`, if there is one, is what it draws from, and
            `inputs.key` what tells it from others.
        labels: (n,) int64, who belongs together; -1 for none.
        domains: (n,) int64, or None; a batch takes pictures of as many sides as it can.
        triplets: (t, 3) int64 rows anchor, positive, negative, or None; they are learned as they are.
        loss: "softmax", "triplet", "soft-margin", or any loss(embeddings, labels, indices_tuple). The weights of a
            loss that has some (proxies, say) are learned along.
        miner: "all", "semi-hard", "batch-hard" (the first quarter semi-hard), "random", or any
            miner(embeddings, labels). Without one, triplet losses by name take "semi-hard", other losses all pairs.
        margin: of the losses and miners by name, and of `StepMetrics.active`; in squared distance.
        temperature: of the softmax.
        steps: how many, 1 or more; `steps_per_epoch` counts those of an epoch.
        rows: about how many pictures a batch has.
        per_label: at most so many of one group in a batch.
        learning_rate: of Adam, times `schedule`.
        schedule: schedule(step, steps) with step from 0, 0 to 1; by default warm-up, then cosine.
        optimizer: in place of Adam; its own rates are scheduled, too.
        validate: called with the network in eval mode, before the first step too; gives a recall, larger is better.
        validate_every: steps between two calls; the last step is always one.
        patience: steps in a row without an active triplet, or collapsed, until that counts.
        seed: of the batches, the random negatives and dropout; the network's first weights are the caller's.
        learned: where to keep the best so far, for callers who want to read it on the way.
        checkpoint: a file to go on from. Where it is there already, the steps that it has done are not done again
            (`learned.curve` has their reports), and the rest is what it would have been, to the bit.
        checkpoint_every: steps between two writings of it; the last step is always one.
    Raises: TrainingError, one line with the remedy: the loss is no number, all embeddings have become alike, no
        triplet was ever active, or the checkpoint is of another learning; ExamplesError, when there is nothing to tell
        apart; ShapeError.

    >>> features = np.float32([[1, 0, 1], [1, 0, -1], [-1, 0, 1], [-1, 0, -1]])   # the first column tells the groups
    >>> network, group = nn.Linear(3, 2), np.array([0, 0, 1, 1])
    >>> reports = list(train(network, features, group, loss="softmax", steps=5))
    >>> [report.step for report in reports]
    [1, 2, 3, 4, 5]
    """
    if hasattr(inputs, "__len__") and len(inputs) != len(group):
        raise ShapeError(f"{len(inputs)} inputs, but group names {len(group)}. Give one group a row, -1 for none.")
    for_batches, for_miner = np.random.default_rng(seed).spawn(2)
    stream = batches(group, for_batches, domains=domains, triplets=triplets, rows=rows, per_label=per_label)
    if miner is None and loss in ("triplet", "soft-margin"):
        miner = "semi-hard"
    mine = miner_by_name(miner, margin, steps, for_miner) if isinstance(miner, str) else miner
    measure = loss_by_name(loss, margin, temperature) if isinstance(loss, str) else loss
    weights = [p for p in network.parameters() if p.requires_grad]
    if not weights:
        raise TrainingError("every weight of the network is frozen. Unfreeze a layer.")
    if isinstance(measure, nn.Module):
        weights += measure.parameters()
    optimizer = torch.optim.Adam(weights, learning_rate) if optimizer is None else optimizer
    schedule = warm_up_then_cosine if schedule is None else schedule
    base_rates = [part["lr"] for part in optimizer.param_groups]
    device = weights[0].device
    randomness, watch = Randomness(seed), CollapseMonitor(patience)
    learned = BestState() if learned is None else learned
    of_loss = measure if isinstance(measure, nn.Module) else nn.Module()
    drawn = [for_miner, inputs.rng] if hasattr(inputs, "rng") else [for_miner]
    settings = {
        "seed": seed,
        "steps": steps,
        "rows": rows,
        "per_label": per_label,
        "loss": loss if isinstance(loss, str) else type(loss).__name__,
        "miner": miner if isinstance(miner, str | None) else type(miner).__name__,
        "margin": margin,
        "temperature": temperature,
        "rates": base_rates,
        "examples": digest_of(group, domains, triplets),
        "inputs": getattr(inputs, "key", None),
        "weights": [list(x.shape) for x in weights],
    }
    now = TrainerState(network, of_loss, optimizer, learned, randomness, watch, drawn, settings)
    if checkpoint is not None and checkpoint.is_file():
        now.restore(checkpoint)
        for _ in range(now.step):
            next(stream)
        if isinstance(mine, SemiHardWarmup):
            mine.done = now.step
    else:
        learned.keep(network, 0, validated(network, validate))
    started = time.perf_counter() - now.elapsed_s
    try:
        for step in range(now.step + 1, steps + 1 if not now.finished else 0):
            batch = next(stream)
            labels = torch.from_numpy(batch.labels).to(device)
            given = torch.from_numpy(batch.triplets).to(device)
            for part, base_rate in zip(optimizer.param_groups, base_rates, strict=True):
                part["lr"] = base_rate * schedule(step - 1, steps)

            with randomness:  # dropout draws from the seed
                network.train()
                embeddings = network(*load_batch(inputs, batch.rows, device))  # (b, ...) -> (b, d)
                chosen = chosen_triplets(embeddings, labels, given, mine)
                value = measure(embeddings, labels, chosen)

                spread = embedding_spread(embeddings.detach())
                equal = torch.ones_like(embeddings)
                alike = partial(loss_value, measure, equal, labels, chosen)
                number = float(value.detach())
                now.finished = watch.check(step, number, spread, alike)
                active = active_share(embeddings.detach(), labels, given, margin)

                optimizer.zero_grad()
                torch.autograd.backward(value)
                optimizer.step()

            # A sum is finite only if all of it is, and it is known sooner: a large head has 60 million weights.
            if not all(bool(p.detach().sum().isfinite()) for p in weights):
                raise TrainingError(f"step {step}: a weight is no number any more. Use a smaller learning rate.")
            last = now.finished or step == steps
            asked = validate is not None and (last or step % validate_every == 0)
            recall = validated(network, validate) if asked else None
            learned.keep(network, step, recall)
            now.step, now.pictures = step, now.pictures + len(batch.rows)
            now.elapsed_s = time.perf_counter() - started
            rate, remaining_s = now.pictures / now.elapsed_s, now.elapsed_s / step * (steps - step)
            report = StepMetrics(step, steps, number, active, spread, recall, rate, remaining_s)
            learned.curve.append(report)
            if checkpoint is not None and (last or step % checkpoint_every == 0):
                now.save(checkpoint)
            yield report
            if now.finished:
                return
        watch.finish()
    finally:
        network.load_state_dict(learned.parameters)
        network.eval()


def load_batch(inputs: Any, rows: Rows, device: torch.device) -> tuple[Tensor, ...]:
    """The network's inputs for some rows, on its device."""
    at = torch.from_numpy(rows).to(inputs.device) if isinstance(inputs, Tensor) else rows
    found = inputs[at]
    batch = [torch.as_tensor(one).to(device) for one in (found if isinstance(found, tuple) else (found,))]
    return tuple(one.float() if one.is_floating_point() else one for one in batch)


def chosen_triplets(embeddings: Tensor, labels: Tensor, given: Tensor, mine: Miner | None) -> Triplets | None:
    """What the miner chose among the rows of known groups, and the explicit triplets (t, 3); None for all pairs."""
    if mine is None and not len(given):
        return None
    (known,) = (labels >= 0).nonzero(as_tuple=True)
    mined = (mine or all_triplets)(embeddings[known].detach(), labels[known])
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
    negatives = distance.masked_fill(~other, torch.inf).sort(dim=1).values  # (b, b): nearest first
    nearer = torch.searchsorted(negatives, distance + margin)  # (b, b): negatives inside each pair's margin
    anchor, positive, negative = given.T
    inside = distance[anchor, negative] < distance[anchor, positive] + margin
    count = int((nearer * same).sum()) + int(inside.sum())
    return count / max(int((same.sum(1) * other.sum(1)).sum()) + len(given), 1)


def loss_value(loss: Loss, embeddings: Tensor, labels: Tensor, chosen: Triplets | None) -> float:
    """A loss as a number, without gradients."""
    with torch.no_grad():
        return float(loss(embeddings, labels, chosen))


def validated(network: nn.Module, validate: Callable[[nn.Module], float] | None) -> float | None:
    """What `validate` says of the network as it is in use, without dropout."""
    if validate is None:
        return None
    network.eval()
    with torch.no_grad():
        recall = float(validate(network))
    if math.isnan(recall):
        raise TrainingError("the validation recall is no number. Validate on queries that have a right answer.")
    return recall


def warm_up_then_cosine(step: int, steps: int, warm_up: int = 10) -> float:
    """What the learning rate is multiplied with: rising over the first steps, then falling to 0 along a cosine.

    >>> [round(warm_up_then_cosine(step, steps=100), 3) for step in (0, 9, 50, 99)]
    [0.1, 0.98, 0.5, 0.0]
    """
    return min(1.0, (step + 1) / warm_up) * 0.5 * (1 + math.cos(math.pi * step / steps))


def constant(step: int, steps: int) -> float:
    """The learning rate as it is, from the first step to the last."""
    return 1.0


# The Keras example's settings: 32 triplets a step (16 pairs, either one the anchor).
KERAS_EXAMPLE: Final[dict[str, Any]] = {
    "loss": "triplet",
    "miner": "random",
    "margin": 0.5,
    "rows": 32,
    "per_label": 2,
    "learning_rate": 1e-4,
    "schedule": constant,
}
