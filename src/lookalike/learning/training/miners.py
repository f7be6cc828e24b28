"""Miners choose the triplets of a batch to learn from: (anchor, positive, negative), as rows of the batch.

A miner is called with the batch's embeddings (b, d) float32 and labels (b,) int64 (-1: of no known group), and gives
three (t,) int64 tensors: anchors, positives, negatives. Miners of PyTorch Metric Learning fit in their place; those
of them that choose pairs give four, see `as_triplets`.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor

from lookalike.errors import TrainingError
from lookalike.learning.training.distances import negative_mask, positive_mask, squared_distances

Triplets = tuple[Tensor, ...]  # three (t,), or four: anchors and positives (p,), anchors and negatives (q,)
Miner = Callable[[Tensor, Tensor], Triplets]


def all_triplets(embeddings: Tensor, labels: Tensor) -> Triplets:
    """Every triplet that the batch holds ("batch all" in Hermans et al. 2017).

    >>> anchors, positives, negatives = all_triplets(torch.zeros(3, 2), torch.tensor([7, 7, 8]))
    >>> list(zip(anchors.tolist(), positives.tolist(), negatives.tolist()))
    [(0, 1, 2), (1, 0, 2)]
    """
    anchor, positive = positive_mask(labels).nonzero(as_tuple=True)  # every pair, (pairs,) each
    pair, negative = negative_mask(labels)[anchor].nonzero(as_tuple=True)  # (pairs, b) -> (t,) each
    return anchor[pair], positive[pair], negative


def semi_hard(embeddings: Tensor, labels: Tensor, margin: float = 0.2) -> Triplets:
    """The triplets with |a - p|^2 < |a - n|^2 < |a - p|^2 + margin, both distances from the same anchor.

    The negative is farther than the positive, but not by the margin: hard enough to teach, and not so hard that
    everything collapses into one point.

    Source: FaceNet, arXiv:1503.03832, section 3.2, equation 4.
    """
    distance = squared_distances(embeddings.detach())
    anchor, positive = positive_mask(labels).nonzero(as_tuple=True)
    farther = distance[anchor] - distance[anchor, positive][:, None]  # (pairs, b): than the pair's own positive
    pair, negative = (negative_mask(labels)[anchor] & (farther > 0) & (farther < margin)).nonzero(as_tuple=True)
    return anchor[pair], positive[pair], negative


def batch_hard(embeddings: Tensor, labels: Tensor) -> Triplets:
    """For every anchor its farthest positive and its nearest negative; collapses from a cold start.

    Source: Hermans, Beyer, Leibe, "In Defense of the Triplet Loss", arXiv:1703.07737, section 2.
    """
    distance = squared_distances(embeddings.detach())
    same, other = positive_mask(labels), negative_mask(labels)
    (anchor,) = (same.any(1) & other.any(1)).nonzero(as_tuple=True)
    positive = distance.masked_fill(~same, -torch.inf)[anchor].argmax(1)
    negative = distance.masked_fill(~other, torch.inf)[anchor].argmin(1)
    return anchor, positive, negative


def random_negatives(embeddings: Tensor, labels: Tensor, rng: np.random.Generator) -> Triplets:
    """For every anchor-positive pair one random negative, never of the anchor's own group.

    The Keras example's choice ("Image similarity estimation using a Siamese Network with a triplet loss"), except
    that there the negative may be the anchor's own partner.
    """
    anchor, positive = positive_mask(labels).nonzero(as_tuple=True)
    other = negative_mask(labels)
    choices = other.sum(1)[anchor]  # (pairs,): how many negatives each has
    anchor, positive, choices = anchor[choices > 0], positive[choices > 0], choices[choices > 0]
    negatives_first = (~other).byte().argsort(dim=1, stable=True)  # (b, b): each row's negatives, then the rest
    drawn = torch.from_numpy(rng.random(len(anchor))).to(choices.device)
    return anchor, positive, negatives_first[anchor, (drawn * choices).long()]


def one_negative_per_pair(embeddings: Tensor, labels: Tensor, rng: np.random.Generator) -> Triplets:
    """Each pair of a batch once, either one the anchor, with a random picture of another group in the batch.

    The tutorial draws its negative from all pictures; one of the batch is as random, for the batch is, and needs no
    pass of its own through the network.
    """
    anchor, positive, negative = random_negatives(embeddings, labels, rng)
    b = len(labels)
    coin = torch.from_numpy(rng.random((b, b)) < 0.5)
    first, second = torch.minimum(anchor, positive).cpu(), torch.maximum(anchor, positive).cpu()
    kept = (coin[first, second] == (anchor < positive).cpu()).to(anchor.device)
    return anchor[kept], positive[kept], negative[kept]


def as_triplets(chosen: Triplets) -> Triplets:
    """Triplets as they are; of positive pairs and negative pairs every triplet that two of one anchor make.

    >>> pairs = torch.tensor([0, 1]), torch.tensor([1, 0]), torch.tensor([0, 0]), torch.tensor([2, 3])
    >>> [x.tolist() for x in as_triplets(pairs)]
    [[0, 0], [1, 1], [2, 3]]
    """
    if len(chosen) == 3:
        return chosen
    anchor, positive, anchor_too, negative = chosen
    pair, other = (anchor[:, None] == anchor_too[None, :]).nonzero(as_tuple=True)
    return anchor[pair], positive[pair], negative[other]


class SemiHardWarmup:
    """Semi-hard triplets for the first steps, a harder miner's after them.

    Hardest negatives of an untaught network are mostly noise and drive all embeddings into one point (FaceNet,
    section 3.2); by the time they are used here, semi-hard ones have spread the groups.
    """

    def __init__(self, harder: Miner, steps: int, margin: float = 0.2):
        self.harder, self.steps, self.margin, self.done = harder, steps, margin, 0

    def __call__(self, embeddings: Tensor, labels: Tensor) -> Triplets:
        """The triplets of the next step's batch."""
        self.done += 1
        if self.done > self.steps:
            return self.harder(embeddings, labels)
        return semi_hard(embeddings, labels, self.margin)


def miner_by_name(name: str, margin: float, steps: int, rng: np.random.Generator) -> Miner:
    """The miner called "all", "semi-hard", "batch-hard", "random" or "one-a-pair". Raises: TrainingError for others.

    "batch-hard" warms up with semi-hard triplets for the first quarter of the steps.
    """
    miners: dict[str, Miner] = {
        "all": all_triplets,
        "semi-hard": partial(semi_hard, margin=margin),
        "batch-hard": SemiHardWarmup(batch_hard, steps // 4, margin),
        "random": partial(random_negatives, rng=rng),
        "one-a-pair": partial(one_negative_per_pair, rng=rng),
    }
    if name not in miners:
        raise TrainingError(f"no miner is called {name!r}. Use one of: {', '.join(miners)}.")
    return miners[name]
