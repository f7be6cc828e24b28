"""Randomness and threads that are borrowed, and given back as they were."""
# ruff: noqa: E402

import pytest

torch = pytest.importorskip("torch")

from lookalike.learning.training.torch_context import Randomness, threads


def test_draws_go_on_where_the_last_ones_ended_and_are_those_of_torchs_generator():
    mine, found = Randomness(seed=3), []
    for _ in range(3):
        with mine:
            found.append(torch.rand(2))
        torch.rand(5)  # the caller's, in between
    assert torch.equal(torch.cat(found), torch.rand(6, generator=torch.Generator().manual_seed(3)))


def test_the_callers_draws_are_untouched_even_after_an_error():
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    with pytest.raises(ValueError, match="inside"), Randomness(seed=0):
        torch.rand(7)
        raise ValueError("inside")
    assert torch.equal(torch.rand(2), expected)


def test_the_callers_threads_come_back_even_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(ValueError, match="inside"), threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise ValueError("inside")
    assert torch.get_num_threads() == before
