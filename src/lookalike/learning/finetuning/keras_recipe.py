"""The Keras example's recipe as it was meant: its own 80/20 split, fixed validation triplets, and their loss."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lookalike.errors import ExamplesError
from lookalike.learning.evaluation.splits import ENOUGH_GROUPS, assign_folds
from lookalike.learning.finetuning.config import KerasSiameseConfig
from lookalike.learning.labels import Rows, chain, components, rows_by_label
from lookalike.learning.training.losses import triplet_loss
from lookalike.learning.training.trainer import load_batch
from lookalike.learning.training.trainer_state import Labelled
from lookalike.learning.training.training_labels import TrainingLabels

AT_ONCE = 64  # images that are validated together


def validation_rows(data: Labelled, rng: np.random.Generator, parts: int = 5) -> NDArray[np.bool_]:
    """Which images are for validation: one in `parts`, drawn once, before anything is trained.

    From 20 labels up whole labels are taken, below that images of each label. Equal content, and an explicit triplet's
    anchor and positive, stay on one side.

    Args:
        data: the examples, n rows.
        rng: draws them.
        parts: 2 or more.
    Returns: (n,) bool.

    >>> data = TrainingLabels.create(np.repeat(np.arange(50), 2))
    >>> chosen = validation_rows(data, np.random.default_rng(0))
    >>> int(chosen.sum()), len(set(data.labels[chosen]) & set(data.labels[~chosen]))
    (20, 0)
    """
    labels = data.labels
    joined = [(data.triplets[:, 0], data.triplets[:, 1])]
    if data.content is not None:
        joined.append(chain(data.content))
    whole = len(rows_by_label(labels)) >= ENOUGH_GROUPS or not len(rows_by_label(labels))
    if whole:
        joined.append(chain(labels))
    stratum = np.zeros(len(labels), np.int64) if whole else labels
    return np.asarray(assign_folds(components(len(labels), joined), stratum, parts, rng) == 0)


def fixed_triplets(labels: Rows, rows: Rows, rng: np.random.Generator) -> Rows:
    """Triplets among some images: each label's are paired off, each pair with a random image of another label.

    Args:
        labels: (n,) int64, -1 for none.
        rows: (m,) int64, the images that may be in them.
        rng: draws pairs and negatives.
    Returns: (t, 3) int64 rows anchor, positive, negative; t is 0 where there are not two labels.

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


def validation_loss(network: nn.Module, inputs: Any, triplets: Rows, margin: float, device: str = "cpu") -> float:
    """The Keras example's loss of some triplets, of the network as it is in use: no gradients, running means.

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


@dataclass(frozen=True)
class RecipeSplit:
    """What is trained on and what is validated on.

    Attributes:
        data: of all n images; those that are not trained on have the label -1 and are in no triplet.
        validation: (v, 3) int64 rows, triplets whose images are never trained on; v above 0.
        per_epoch: steps an epoch.
    """

    data: TrainingLabels
    validation: Rows
    per_epoch: int


def split_for_recipe(data: Labelled, config: KerasSiameseConfig, rng: np.random.Generator) -> RecipeSplit:
    """Hold a part of the examples out for validation, and count the steps of an epoch.

    Args:
        data: the examples.
        config: how many parts, and triplets a step.
        rng: draws the split and the validation's triplets.
    Raises: ExamplesError, when either part holds no triplet.
    """
    labels, triplets = data.labels, data.triplets
    held_out = validation_rows(data, rng, parts=config.parts)
    trained = np.where(held_out, -1, labels)
    given = triplets[held_out[triplets].all(axis=1)]
    validation = np.concatenate([fixed_triplets(labels, np.flatnonzero(held_out), rng), given])
    trained_triplets = triplets[~held_out[triplets].any(axis=1)]
    groups = rows_by_label(trained)
    if not len(validation) or (len(groups) < 2 and not len(trained_triplets)):
        raise ExamplesError(
            f"{len(rows_by_label(labels))} groups of two or more: too few to keep one part in {config.parts} for "
            "validation and still tell some apart. Give more pairs, or learn a lens without --recipe."
        )
    images = sum(map(len, groups)) + 3 * len(trained_triplets)
    step = min(2 * config.triplets, max(2 * len(groups), 6))
    kept = TrainingLabels(trained, data.domains, trained_triplets, data.content)
    return RecipeSplit(kept, validation, max(1, round(images / step)))
