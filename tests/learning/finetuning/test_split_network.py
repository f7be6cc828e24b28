"""What every network has in common: which weights learn, and the two parts beside the whole."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support import drawn_convolutions
from torch import nn

from lookalike.errors import BundleError, TrainingError
from lookalike.learning.finetuning.load_network import load_network
from lookalike.learning.finetuning.split_network import Split, SplitNetwork
from lookalike.models.bundle import Bundle, StageOutput


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return drawn_convolutions.write_bundle(tmp_path_factory.mktemp("drawn") / "bundle")


def test_unfreezing_lets_a_layer_and_all_after_it_learn_and_no_other(drawn):
    network = load_network(drawn)
    network.unfreeze("blocks.0.project")
    names = {"blocks/0/project/w", "blocks/0/project/b", "head/w", "head/b"}
    assert set(network.trainable()) == {f"weights.{name}" for name in names}
    network.unfreeze(-1)
    assert set(network.trainable()) == {"weights.head/w", "weights.head/b"}


class Doubling(SplitNetwork):
    """A network that can be worked by hand: the mean colour, scaled by a vector that learns; cut 1 lies before it."""

    def __init__(self):
        super().__init__()
        layers = ({"name": "scale", "parameters": 3}, {"name": "pool", "parameters": 0})
        self.bundle = Bundle(Path(), "doubling", "0", 4, (StageOutput("mean", 3, 1.0),), layers)
        self.scale = nn.Parameter(torch.full((3,), 2.0))
        self.eval()
        self.requires_grad_(False)

    def forward_frozen(self, image, at):
        return (image if at == 0 else self.before(image)), ()

    def before(self, image):
        return image.float().permute(0, 3, 1, 2)

    def forward_trainable(self, activation, pooled, at):
        return (self.last_feature_map(activation, at).mean((2, 3)),)

    def last_feature_map(self, activation, at):
        return (activation if at else self.before(activation)) * self.scale[:, None, None]

    def split_before(self, weights):
        return 1

    def files(self, bundle):
        return b"", {}

    def layer_of(self, weight):
        return weight

    def blocks_after(self, weight):
        return 0


PIXELS = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)


def test_the_whole_network_and_its_two_parts_give_the_same_by_every_way():
    network = Doubling()
    expected = 2 * PIXELS.astype(np.float32).mean((1, 2))
    assert np.allclose(network(torch.from_numpy(PIXELS))[0].numpy(), expected)
    for at in (0, 1):
        activation, stages, before = network.runner(at)(PIXELS)
        assert np.array_equal(activation, PIXELS if at == 0 else PIXELS.transpose(0, 3, 1, 2))
        assert np.allclose(stages[0], expected)
        assert before == []
    split = Split(network, 1)
    activation, pooled = split.frozen(torch.from_numpy(PIXELS))
    assert torch.allclose(split.stages(activation, pooled)[0], torch.from_numpy(expected))
    assert torch.allclose(split.stages(activation, pooled, bf16=True)[0].float(), torch.from_numpy(expected), rtol=0.02)
    assert split.feature_map(activation).shape == (5, 3, 4, 4)


def test_a_layer_after_which_nothing_learns_is_refused_and_training_mode_is_never_entered():
    network = Doubling()
    with pytest.raises(TrainingError, match=r"no layer from pool on has weights that can learn\. Unfreeze an earlier"):
        network.unfreeze("pool")
    with pytest.raises(BundleError, match="no layer 'head'"):
        network.unfreeze("head")
    assert network.unfreeze("scale") == 1
    assert set(network.trainable()) == {"scale"}
    assert not network.train().training
    assert network.device == torch.device("cpu")
