"""Losses: how wrong the embeddings still are, as one number to make smaller.

The idea is in `triplet_loss`: an anchor shall lie nearer to its positive than to its negative, by a margin. In the
training loop every loss is called the same way, `loss(embeddings, labels, indices_tuple)`, with embeddings (b, d)
float32, labels (b,) int64 (-1: of no known group) and the miner's anchors, positives and negatives, or None where no
miner chose; so the losses of PyTorch Metric Learning fit in their place.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from lookalike.errors import ShapeError, TrainingError
from lookalike.learning.training.distances import negative_mask, positive_mask, squared_distances
from lookalike.learning.training.miners import Triplets, all_triplets, as_triplets

Loss = Callable[[Tensor, Tensor, Triplets | None], Tensor]


def triplet_loss(  # noqa: D417  (three of a kind on one line)
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 0.2
) -> Tensor:
    """Mean over triplets of max(0, |a - p|^2 - |a - n|^2 + margin).

    Args:
        anchor, positive, negative: (t, d) float32, rows of length 1.
        margin: how much farther the negative must be, in squared Euclidean distance, 0 to 4.
    Returns: () float32, 0 or more; exactly 0 for no triplets.
    Raises: ShapeError, when the three shapes differ.
    Source: FaceNet, arXiv:1503.03832, section 3.1. On unit rows |a - b|^2 = 2 - 2 similarity(a, b), so
        sorting by one sorts by the other.

    >>> east, north = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    >>> triplet_loss(anchor=east, positive=north, negative=east)
    tensor(2.2000)
    """
    check_same_shape(anchor=anchor, positive=positive, negative=negative)
    return mean_violation(squared_distance(anchor, positive), squared_distance(anchor, negative), margin)


def soft_margin_triplet_loss(anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Mean over triplets of log(1 + exp(|a - p|^2 - |a - n|^2)): a margin that fades out instead of ending.

    Args: anchor, positive, negative: (t, d) float32, rows of length 1.
    Returns: () float32, 0 or more; exactly 0 for no triplets.
    Raises: ShapeError, when the three shapes differ.
    Source: Hermans, Beyer, Leibe, arXiv:1703.07737, section 2, there with the distance not squared.

    >>> east, north = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    >>> soft_margin_triplet_loss(anchor=east, positive=north, negative=north)  # log 2
    tensor(0.6931)
    """
    check_same_shape(anchor=anchor, positive=positive, negative=negative)
    return mean_soft_violation(squared_distance(anchor, positive), squared_distance(anchor, negative))


def squared_distance(a: Tensor, b: Tensor) -> Tensor:
    """|a - b|^2 row by row: (t, d), (t, d) -> (t,)."""
    return (a - b).square().sum(1)


def mean_violation(near: Tensor, far: Tensor, margin: float) -> Tensor:
    """Mean of max(0, near - far + margin), with the anchors' distances to positives and negatives: (t,), (t,) -> ()."""
    return (near - far + margin).relu().sum() / max(len(near), 1)


def mean_soft_violation(near: Tensor, far: Tensor) -> Tensor:
    """Mean of log(1 + exp(near - far)): (t,), (t,) -> ()."""
    return softplus(near - far).sum() / max(len(near), 1)


def check_same_shape(**rows: Tensor) -> None:
    """Raise ShapeError, naming each, where tensors that go together row by row do not."""
    if len({tuple(x.shape) for x in rows.values()}) > 1:
        shapes = ", ".join(f"{name} {tuple(x.shape)}" for name, x in rows.items())
        raise ShapeError(f"a row of each makes one triplet, but their shapes are {shapes}. Give all the same shape.")


@dataclass(frozen=True)
class TripletLoss:
    """`triplet_loss` on the triplets of a batch; all of them where no miner chose."""

    margin: float = 0.2

    def __call__(self, embeddings: Tensor, labels: Tensor, indices_tuple: Triplets | None = None) -> Tensor:
        """(b, d), (b,), three (t,) -> (); distances are computed once a pair, not once a triplet."""
        anchor, positive, negative = as_triplets(indices_tuple or all_triplets(embeddings, labels))
        distance = squared_distances(embeddings)  # (b, d) -> (b, b)
        return mean_violation(distance[anchor, positive], distance[anchor, negative], self.margin)


@dataclass(frozen=True)
class SoftMarginTripletLoss:
    """`soft_margin_triplet_loss` on the triplets of a batch; all of them where no miner chose."""

    def __call__(self, embeddings: Tensor, labels: Tensor, indices_tuple: Triplets | None = None) -> Tensor:
        """(b, d), (b,), three (t,) -> ()."""
        anchor, positive, negative = as_triplets(indices_tuple or all_triplets(embeddings, labels))
        distance = squared_distances(embeddings)
        return mean_soft_violation(distance[anchor, positive], distance[anchor, negative])


@dataclass(frozen=True)
class MultiPositiveSoftmax:
    """`multi_positive_softmax` with its temperature fixed."""

    temperature: float = 0.05

    def __call__(self, embeddings: Tensor, labels: Tensor, indices_tuple: Triplets | None = None) -> Tensor:
        """(b, d), (b,), three (t,) -> ()."""
        return multi_positive_softmax(embeddings, labels, indices_tuple, self.temperature)


def multi_positive_softmax(
    embeddings: Tensor, labels: Tensor, indices_tuple: Triplets | None = None, temperature: float = 0.05
) -> Tensor:
    """Mean over anchors of -log of the share that their positives have in a softmax over the batch.

    For anchor i with positives P and negatives N:  -log( sum_P exp(s_ij / t) / sum_{P and N} exp(s_ij / t) ).
    The nearest positive is enough: a group may have several looks.

    Args:
        embeddings: (b, d) float32, rows of length 1, so that s_ij is similarity.
        labels: (b,) int64; positives share the anchor's label, negatives have another; -1 takes no part.
        indices_tuple: anchors, positives, negatives, (t,) int64 each: only these count, in place of the labels. A row
            that is both, for one anchor, counts as its negative. With one triplet an anchor this is the soft-margin
            triplet loss of similarities, log(1 + exp((s_an - s_ap) / t)).
        temperature: how sharp the softmax is, above 0.
    Returns: () float32, 0 or more; exactly 0 where no row has both a positive and a negative.
    Source: NCA's log objective (Goldberger et al., NIPS 2004) with similarity and a temperature, which is the soft
        nearest neighbour loss (Salakhutdinov and Hinton 2007; Frosst et al., arXiv:1902.01889); SupCon's L_in
        (Khosla et al., arXiv:2004.11362, equation 3) is the same but for a constant. Not SupCon's usual L_out, which
        pulls an anchor to every positive alike.

    >>> east, north = [1.0, 0.0], [0.0, 1.0]
    >>> embeddings, labels = torch.tensor([east, east, north]), torch.tensor([0, 0, 1])
    >>> multi_positive_softmax(embeddings, labels, temperature=1.0)  # log(1 + e^(0 - 1))
    tensor(0.3133)
    """
    if indices_tuple is None:
        positive, negative = positive_mask(labels), negative_mask(labels)  # (b, b) bool each
    else:
        anchors, positives, negatives = as_triplets(indices_tuple)
        positive = torch.zeros(len(labels), len(labels), dtype=torch.bool, device=labels.device)
        negative = positive.clone()
        positive[anchors, positives] = True
        negative[anchors, negatives] = True
        positive &= ~negative
    asks = positive.any(1) & negative.any(1)  # (b,): the rows that can be anchors
    asking = embeddings
    if not bool(asks.all()):  # else without a copy, whose gradient would be laid into zeros row by row
        asking, positive, negative = embeddings[asks], positive[asks], negative[asks]
    logits = (asking @ embeddings.T) / temperature  # (a, d) @ (d, b) -> (a, b)
    found = logits.masked_fill(~positive, -torch.inf).logsumexp(1)
    everything = logits.masked_fill(~(positive | negative), -torch.inf).logsumexp(1)
    return (everything - found).sum() / max(len(found), 1)


def loss_by_name(name: str, margin: float, temperature: float) -> Loss:
    """The loss that people call "softmax", "triplet" or "soft-margin".

    Raises: TrainingError, for other names, a margin below 0 and a temperature that is not above 0.

    >>> loss_by_name("triplet", margin=0.5, temperature=0.05)
    TripletLoss(margin=0.5)
    """
    losses: dict[str, Loss] = {
        "softmax": MultiPositiveSoftmax(temperature),
        "triplet": TripletLoss(margin),
        "soft-margin": SoftMarginTripletLoss(),
    }
    if name not in losses:
        raise TrainingError(f"no loss is called {name!r}. Use one of: {', '.join(losses)}.")
    if not (margin >= 0 and temperature > 0):
        raise TrainingError(f"margin {margin}, temperature {temperature}: use 0.2 and 0.05, or others above 0.")
    return losses[name]
