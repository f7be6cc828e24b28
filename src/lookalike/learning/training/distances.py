"""Inside one batch: how far apart the embeddings lie, and who belongs with whom."""

from torch import Tensor


def squared_distances(embeddings: Tensor) -> Tensor:
    """|a - b|^2 of every two rows of a batch, (b, d) -> (b, b), 0 or more.

    On rows of length 1 it is 2 - 2 similarity, between 0 and 4. Losses and miners use it because FaceNet does;
    what people see is similarity.

    >>> import torch
    >>> squared_distances(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    tensor([[0., 2., 4.],
            [2., 0., 2.],
            [4., 2., 0.]])
    """
    squares = embeddings.square().sum(1)  # (b, d) -> (b,)
    products = embeddings @ embeddings.T  # (b, d) @ (d, b) -> (b, b)
    # Rounding can take equal rows a little below 0.
    return (squares[:, None] + squares[None, :] - 2 * products).clamp_min(0)


def positive_mask(labels: Tensor) -> Tensor:
    """Who belongs with whom: (b,) int64 -> (b, b) bool, True for two different rows of one group.

    Rows labelled -1 belong to no known group: they are nobody's partner (and nobody's stranger).
    """
    alike = (labels[:, None] == labels[None, :]) & (labels >= 0)[:, None]
    return alike.fill_diagonal_(False)


def negative_mask(labels: Tensor) -> Tensor:
    """Who is known to belong elsewhere: (b,) int64 -> (b, b) bool, True for rows of two different groups."""
    known = labels >= 0
    return (labels[:, None] != labels[None, :]) & known[:, None] & known[None, :]
