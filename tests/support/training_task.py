"""A small task for training: features of groups, a network for them, and what it comes to."""

import numpy as np
import torch
from torch import nn

from lookalike.learning.evaluation.metrics import recall_at_k
from lookalike.learning.training import StepMetrics, TrainConfig, TrainingLabels, train


def a_task(groups=24, size=4, f=16, seed=0):
    """Features whose first half tells the groups apart, and whose other half is noise three times as loud."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), size)
    features = rng.standard_normal((groups * size, f))
    features[:, : f // 2] = rng.standard_normal((groups, f // 2))[group] + 0.2 * features[:, : f // 2]
    features[:, f // 2 :] *= 3
    return features.astype(np.float32), group


class Unit(nn.Module):
    """One matrix, then length 1."""

    def __init__(self, f=16, d=8, seed=0):
        super().__init__()
        start = torch.randn(f, d, generator=torch.Generator().manual_seed(seed))
        self.matrix = nn.Parameter(start / f**0.5)

    def forward(self, x):
        return nn.functional.normalize(x @ self.matrix)


def recall(network, features, group):
    with torch.no_grad():
        rows = network(torch.from_numpy(features)).numpy()
    return recall_at_k(rows, rows, group, group, itself=np.arange(len(rows)))


def trained(network, features, group, triplets=None, *, seed=0, **config) -> list[StepMetrics]:
    """Every step of training a network on these groups and explicit triplets."""
    data = TrainingLabels.create(group, triplets=triplets)
    return list(train(network, features, data, TrainConfig(**config), seed=seed))
