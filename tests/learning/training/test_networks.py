"""The small networks by value: a correction worked by hand, and the Keras example's head by its own numbers."""
# ruff: noqa: E402

import pytest

torch = pytest.importorskip("torch")

from torch import nn

from lookalike.learning.training.networks import LowRank, keras_example_head


def test_a_correction_starts_as_nothing_and_then_adds_a_direction_of_its_own():
    network = LowRank(torch.tensor([[1.0], [0.0]]))
    rows = torch.tensor([[3.0, 4.0], [2.0, 0.0]])
    assert torch.allclose(network(rows), torch.tensor([[0.6, 0.8], [1.0, 0.0]]))
    network.B.data = torch.tensor([[0.0, 1.5]])  # adds 1.5 times the first value to the second: (2, 3)
    assert torch.allclose(network(rows)[1], torch.tensor([2.0, 3.0]) / 13**0.5)


def test_values_are_dropped_while_learning_and_never_in_use():
    network = LowRank(torch.zeros(1000, 1), drop=0.25)
    row = torch.ones(1, 1000)
    torch.manual_seed(0)
    dropped = int((network(row) == 0).sum())
    assert 200 < dropped < 300  # 250 by chance, give or take 14
    assert torch.allclose(network.eval()(row), row / 1000**0.5)


def test_the_keras_head_has_the_weights_that_keras_counts_drawn_as_keras_draws_them():
    head = keras_example_head(1280)
    counted = (1280 * 512 + 512) + 2 * 512 + (512 * 256 + 256) + 2 * 256 + (256 * 256 + 256)
    assert sum(weight.numel() for weight in head.parameters()) == counted
    for layer in (one for one in head if isinstance(one, nn.Linear)):
        bound = (6 / (layer.in_features + layer.out_features)) ** 0.5  # Glorot's
        assert 0.99 * bound < float(layer.weight.detach().abs().max()) <= bound * (1 + 1e-6)
        assert not layer.bias.any()
    assert head(torch.zeros(2, 1280)).shape == (2, 256)


def test_a_seed_draws_the_keras_head_and_leaves_the_callers_draws_alone():
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    one, same, other = (keras_example_head(3, seed=seed)[0].weight for seed in (0, 0, 1))
    assert torch.equal(torch.rand(2), expected)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
