"""Whatever is trained: a seed gives the same bits, in this process and in another one."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from support.training_task import a_task, trained
from torch import nn

from lookalike.learning import whiten
from lookalike.learning.training import LowRankConfig, TrainConfig, correct
from lookalike.learning.training.torch_context import Randomness


def network_bits(seed=0):
    features, group = a_task()
    with Randomness(seed=9):
        network = nn.Sequential(nn.Linear(16, 32), nn.Dropout(0.3), nn.ReLU(), nn.Linear(32, 8))
    trained(network, features, group, loss="triplet", miner="random", steps=12, rows=32, seed=seed)
    return hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in network.parameters())).hexdigest()


def lens_bits(seed=0):
    features, group = a_task()
    config = LowRankConfig(TrainConfig(steps=20, rows=64), rank=8)
    lens = correct(whiten(features, group), features, group, config=config, seed=seed)
    return hashlib.sha256(lens.matrix.tobytes()).hexdigest()


BITS = [network_bits, lens_bits]


@pytest.mark.parametrize("bits", BITS)
def test_a_seed_gives_the_same_bits_and_another_seed_others(bits):
    assert bits() == bits() != bits(seed=1)


@contextmanager
def threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def test_two_processes_of_as_many_threads_give_the_same_bits():
    """This one and another, with two threads each."""
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    code = (
        f"import sys, torch; torch.set_num_threads(2); sys.path[:0] = {folders};"
        "from test_same_bits import BITS; print(*(bits() for bits in BITS))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    with threads(2):
        assert [bits() for bits in BITS] == other


def test_the_callers_randomness_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    first = torch.rand(1)
    network_bits()
    assert torch.equal(torch.cat([first, torch.rand(1)]), expected)
