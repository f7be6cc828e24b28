"""Checkpoints by themselves: written between two steps, read back into a training as it was created."""
# ruff: noqa: E402

import pytest

torch = pytest.importorskip("torch")

from safetensors import safe_open
from support.training_task import a_task
from torch import nn

from lookalike.errors import TrainingError
from lookalike.learning.training import TrainConfig, TrainerState, TrainingLabels, train_steps
from lookalike.learning.training.checkpoint import restore_checkpoint, save_checkpoint
from lookalike.learning.training.torch_context import Randomness

FEATURES, GROUP = a_task()
CONFIG = TrainConfig("triplet", "random", steps=8, rows=32)


def created(seed=0) -> TrainerState:
    """A training that draws batches, negatives and dropout."""
    with Randomness(seed=9):
        network = nn.Sequential(nn.Linear(16, 12), nn.Dropout(0.3), nn.Linear(12, 4))
    return TrainerState.create(network, FEATURES, TrainingLabels.create(GROUP), CONFIG, seed=seed)


def test_a_restored_training_goes_on_to_the_same_bits(tmp_path):
    first, second = created(), created()
    steps = train_steps(first)
    for _ in range(3):
        next(steps)
    save_checkpoint(first, tmp_path / "a/standing")
    losses = [one.loss for one in steps]
    restore_checkpoint(second, tmp_path / "a/standing")
    assert (second.step, second.images) == (3, 3 * 32)
    assert [one.loss for one in train_steps(second)] == losses
    assert len(losses) == 5
    for one, other in zip(first.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_file_holds_the_networks_weights_and_both_memories_of_adam(tmp_path):
    state = created()
    next(train := train_steps(state))
    save_checkpoint(state, tmp_path / "standing")
    with safe_open(tmp_path / "standing", "pt") as file:
        assert torch.equal(file.get_tensor("network/0.weight"), state.network[0].weight)
        # After one step Adam's memories are 0.1 g and 0.001 g^2 of the same gradient.
        first, second = (file.get_tensor(f"optimizer/0/{name}") for name in ("exp_avg", "exp_avg_sq"))
    assert first.abs().max() > 0
    assert torch.allclose(0.001 * (first / 0.1) ** 2, second)
    train.close()


def test_a_checkpoint_of_another_training_is_refused_by_what_differs(tmp_path):
    save_checkpoint(created(seed=1), tmp_path / "standing")
    with pytest.raises(TrainingError, match=r"another training \(seed differ\)"):
        restore_checkpoint(created(), tmp_path / "standing")


@pytest.mark.parametrize("left", [0, 100, -1])
def test_a_damaged_checkpoint_is_refused_with_the_remedy(tmp_path, left):
    path = tmp_path / "standing"
    save_checkpoint(created(), path)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(TrainingError, match=r"no checkpoint that can be read .* Delete it to start anew"):
        restore_checkpoint(created(), path)
