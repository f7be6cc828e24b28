"""Small networks that learn on features: the low-rank correction of a lens, and the tutorial's head."""

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, normalize

from lookalike.learning.training.torch_context import Randomness


class LowRank(nn.Module):
    """z = normalise(y + y A B): rows y, and what a few directions of them should add.

    Args:
        directions: (d, r) float32, where A starts; B starts at 0, so that the first z is y itself.
        drop: share of the values of y that dropout takes away while learning, 0 to 1.
    """

    def __init__(self, directions: Tensor, drop: float = 0.0):
        super().__init__()
        d, r = directions.shape
        self.A = nn.Parameter(directions.clone())
        self.B = nn.Parameter(torch.zeros(r, d))
        self.drop = drop

    def forward(self, y: Tensor) -> Tensor:
        """(b, d) -> (b, d), rows of length 1."""
        y = dropout(y, self.drop, self.training)
        return normalize(y + y @ self.A @ self.B)  # (b, d) @ (d, r) @ (r, d) -> (b, d)


def keras_example_head(features: int, *, seed: int = 0) -> nn.Sequential:
    """The head of the Keras example, (b, features) -> (b, 256), rows of any length.

    Dense 512 ReLU, BatchNorm, Dense 256 ReLU, BatchNorm, Dense 256, with Keras' initial weights (Glorot uniform,
    bias 0) and BatchNorm (epsilon 1e-3, momentum 0.99).
    Source: keras.io/examples/vision/siamese_network. It is trained with random negatives, margin 0.5, Adam 1e-4 and
    32 triplets a step: `train(keras_example_head(1280), features, data, KERAS_EXAMPLE)`.
    """

    def dense(inputs: int, outputs: int) -> nn.Linear:
        layer = nn.Linear(inputs, outputs)
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
        return layer

    def norm(width: int) -> nn.BatchNorm1d:
        return nn.BatchNorm1d(width, eps=1e-3, momentum=0.01)

    with Randomness(seed):
        return nn.Sequential(
            dense(features, 512), nn.ReLU(), norm(512), dense(512, 256), nn.ReLU(), norm(256), dense(256, 256)
        )
