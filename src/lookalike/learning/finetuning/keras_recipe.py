"""The Keras example's recipe as it was meant: its settings, its own 80/20 split, triplets, the loss of each epoch."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lookalike.errors import ExamplesError
from lookalike.learning.evaluation.splits import ENOUGH_GROUPS, assign_folds
from lookalike.learning.labels import Rows, chain, components, rows_by_label
from lookalike.learning.training.batch_sampler import checked
from lookalike.learning.training.history import BestState, EpochMetrics, StepMetrics
from lookalike.learning.training.losses import triplet_loss
from lookalike.learning.training.trainer import load_batch

AT_ONCE = 64  # pictures that are asked together for the validation loss


@dataclass(frozen=True)
class KerasSiameseConfig:
    """The numbers of the recipe; the defaults are the tutorial's, but for `epochs`, of which its public example has 10.

    Attributes:
        epochs: times that as many pictures are learned from as there are.
        triplets: a step, each of an anchor, its partner, and a random picture of another group.
        margin: in squared distance.
        learning_rate: of Adam.
        side_px: of the pictures.
        parts: one of so many parts of the examples is for validation alone.
        most_mb: what the kept activations may take on disk.
        bf16: whether the network computes in bfloat16; None where it pays.
    """

    epochs: int = 40
    triplets: int = 32
    margin: float = 0.5
    learning_rate: float = 1e-4
    side_px: int = 200
    parts: int = 5
    most_mb: float = 8000
    bf16: bool | None = None


@dataclass
class LastEpochState(BestState):
    """What the network was at the end of the last whole epoch, as in the tutorial; its recall says no best."""

    def keep(self, network: nn.Module, step: int, recall: float | None) -> None:
        """Keep this state, at the end of an epoch."""
        if recall is not None:
            copy = {name: x.detach().clone() for name, x in network.state_dict().items()}
            self.parameters, self.step, self.recall = copy, step, recall


def validation_rows(
    labels: Rows,
    rng: np.random.Generator,
    *,
    triplets: Rows | None = None,
    content: Sequence[bytes] | None = None,
    parts: int = 5,
) -> NDArray[np.bool_]:
    """Which pictures are for validation: one in `parts`, drawn once, before anything is learned.

    From 20 groups up whole groups are taken, below that pictures of each group. Equal content, and an explicit
    triplet's anchor and positive, stay on one side.

    Args:
        labels: (n,) int64, -1 for none.
        rng: draws them.
        triplets: (t, 3) int64 rows, or None.
        content: n content hashes, or None.
        parts: 2 or more.
    Returns: (n,) bool.

    >>> group = np.repeat(np.arange(50), 2)
    >>> chosen = validation_rows(group, np.random.default_rng(0))
    >>> int(chosen.sum()), len(set(group[chosen]) & set(group[~chosen]))
    (20, 0)
    """
    labels, _, three = checked(labels, None, triplets)
    joined = [(three[:, 0], three[:, 1])]
    if content is not None:
        joined.append(chain(np.unique(np.array(content, dtype=object), return_inverse=True)[1].astype(np.int64)))
    whole = len(rows_by_label(labels)) >= ENOUGH_GROUPS or not len(rows_by_label(labels))
    if whole:
        joined.append(chain(labels))
    stratum = np.zeros(len(labels), np.int64) if whole else labels
    return np.asarray(assign_folds(components(len(labels), joined), stratum, parts, rng) == 0)


def fixed_triplets(labels: Rows, rows: Rows, rng: np.random.Generator) -> Rows:
    """Triplets among some pictures: each group's are paired off, each pair with a random picture of another group.

    Args:
        labels: (n,) int64, -1 for none.
        rows: (m,) int64, the pictures that may be asked.
        rng: draws pairs and negatives.
    Returns: (t, 3) int64 rows anchor, positive, negative; t is 0 where there are not two groups.

    >>> fixed_triplets(np.array([0, 0, 1, 1, 0]), np.array([0, 1, 2]), np.random.default_rng(0)).tolist()
    [[0, 1, 2]]
    """
    known = rows[labels[rows] >= 0]
    found = []
    for mine in rows_by_label(np.where(np.isin(np.arange(len(labels)), known), labels, -1)):
        others = known[labels[known] != labels[mine[0]]]
        mine = rng.permutation(mine)
        for anchor, positive in zip(mine[::2], mine[1::2], strict=False):
            if len(others):
                found.append((anchor, positive, rng.choice(others)))
    return np.array(found, np.int64).reshape(-1, 3)


def loss_of(network: nn.Module, inputs: Any, triplets: Rows, margin: float, device: str = "cpu") -> float:
    """The tutorial's loss of some triplets, of the network as it is in use: no gradients, running means.

    Args:
        network: (b, ...) -> (b, d), in eval mode.
        inputs: `inputs[rows]` gives what it eats.
        triplets: (t, 3) int64 rows, t above 0.
        margin: in squared distance.
        device: where the network is.
    """
    rows, at = np.unique(triplets, return_inverse=True)
    with torch.no_grad():
        parts = [
            network(*load_batch(inputs, rows[start : start + AT_ONCE], torch.device(device)))
            for start in range(0, len(rows), AT_ONCE)
        ]
        anchor, positive, negative = torch.cat(parts)[torch.from_numpy(at.reshape(-1, 3).T)]
        return float(triplet_loss(anchor, positive, negative, margin))


def by_epoch(steps: Iterable[StepMetrics], length: int) -> Iterator[EpochMetrics]:
    """Reports of steps -> one of each epoch; every `length`th says the validation loss, negative, as its recall.

    >>> one, two = StepMetrics(1, 2, 0.5, 1, 1, None, 9, 1), StepMetrics(2, 2, 0.25, 1, 1, -0.3, 9, 0)
    >>> list(by_epoch([one, two], 2))
    [EpochMetrics(epoch=1, epochs=1, loss=0.375, validation=0.3, rate=9, remaining_s=0)]
    """
    losses = []
    for step in steps:
        losses.append(step.loss)
        if step.recall is not None:
            epochs = -(-step.steps // length)
            yield EpochMetrics(
                -(-step.step // length), epochs, float(np.mean(losses)), -step.recall, step.rate, step.remaining_s
            )
            losses = []


def split_for_recipe(
    labels: Rows, rng: np.random.Generator, settings: KerasSiameseConfig, **others: Any
) -> tuple[Rows, Rows, Rows, int]:
    """What is learned from, what is validated on, and how long an epoch is.

    Args:
        labels: (n,) int64.
        rng: draws the split and the validation's triplets.
        settings: its parts and triplets.
        others: triplets and content, as for `validation_rows`.
    Returns: group (n,) of the learned pictures, -1 for the others; the explicit triplets (t, 3) whose pictures are all
        learned; the validation's triplets (v, 3); steps an epoch.
    Raises: ExamplesError, when either part holds no triplet.
    """
    labels, _, three = checked(labels, None, others.get("triplets"))
    held = validation_rows(labels, rng, parts=settings.parts, **others)
    mine = np.where(held, -1, labels)
    given = three[held[three].all(axis=1)]
    asked = np.concatenate([fixed_triplets(labels, np.flatnonzero(held), rng), given])
    learned = three[~held[three].any(axis=1)]
    pairs = rows_by_label(mine)
    if not len(asked) or (len(pairs) < 2 and not len(learned)):
        raise ExamplesError(
            f"{len(rows_by_label(labels))} groups of two or more: too few to keep one part in {settings.parts} for validation "
            "and still tell some apart. Give more pairs, or learn a lens without --recipe."
        )
    pictures = sum(map(len, pairs)) + 3 * len(learned)
    step = min(2 * settings.triplets, max(2 * len(pairs), 6))
    return mine, learned, asked, max(1, round(pictures / step))
