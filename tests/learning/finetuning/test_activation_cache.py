"""Cached activations: which views, what they take, how an interrupted cache goes on, and a GPU's memory."""

import gc
import threading

import numpy as np
import pytest
import torch
from support import drawn_convolutions

from lookalike.errors import TrainingError
from lookalike.learning.finetuning import load_network
from lookalike.learning.finetuning.activation_cache import ActivationCache, halve_on_oom
from lookalike.learning.finetuning.split_network import Split


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return drawn_convolutions.write_bundle(tmp_path_factory.mktemp("drawn") / "bundle")


def test_views_are_kept_as_many_as_fit_and_drawn_at_random(drawn, tmp_path):
    pictures, _ = drawn_convolutions.pictures(4, 2)
    network = load_network(drawn)
    split = Split(network, network.unfreeze("head"))
    kept = ActivationCache(split, pictures, tmp_path, views=3)
    assert [done for done, _ in kept.fill()] == [8]
    rows = np.arange(8)
    views = [kept.of(rows, np.full(8, view))[0].numpy() for view in range(3)]
    with torch.no_grad():
        itself = split.frozen(torch.from_numpy(np.stack(pictures)))[0].numpy()
        mirrored = split.frozen(torch.from_numpy(np.stack(pictures)[:, :, ::-1].copy()))[0].numpy()
    assert np.allclose(views[0], itself, atol=0.01)
    assert np.allclose(views[1], mirrored, atol=0.01)
    drawn_views = np.stack([kept[rows][0].numpy() for _ in range(20)])
    share = [(drawn_views == view).all(axis=(2, 3, 4)).mean() for view in views]
    assert sum(share) == pytest.approx(1)
    assert min(share) > 0.2
    size = sum(path.stat().st_size for path in tmp_path.glob("*.npy")) / 1e6
    assert kept.mb == pytest.approx(size, abs=0.001)  # but for the headers
    less = ActivationCache(split, pictures, tmp_path, views=3, most_mb=kept.mb - 0.001)
    assert less.views == 2
    with pytest.raises(TrainingError, match=r"more than the 0 allowed\. Unfreeze from a later layer on"):
        ActivationCache(split, pictures, tmp_path, most_mb=0)


def test_a_cache_that_was_broken_off_goes_on_and_another_is_made_anew(drawn, tmp_path):
    pictures, _ = drawn_convolutions.pictures(8, 3)
    network = load_network(drawn)
    split = Split(network, network.unfreeze("head"))
    filling = ActivationCache(split, pictures, tmp_path, flush_every=8).fill()
    assert next(filling) == (8, 24)
    filling.close()
    again = ActivationCache(split, pictures, tmp_path, flush_every=8)
    assert list(again.fill()) == [(16, 24), (24, 24)]
    whole = ActivationCache(split, pictures, tmp_path / "whole")
    list(whole.fill())
    assert np.array_equal(np.load(tmp_path / "activations.npy"), np.load(tmp_path / "whole/activations.npy"))
    other = ActivationCache(split, pictures[::-1], tmp_path)
    assert not other.filled
    assert len(list(other.fill())) == 3


def test_a_gpu_with_too_little_memory_gets_half_as_many_pictures_and_says_when_one_is_too_much():
    def at_most(rows):
        def run(pixels):
            if len(pixels) > rows:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory")
            asked.append(len(pixels))
            return pixels, [pixels[:, 0], pixels[:, 1]], [pixels[:, 1]]

        return halve_on_oom(run)

    asked: list[int] = []
    pixels = np.arange(14, dtype=np.uint8).reshape(7, 2)
    activation, depths, pooled = at_most(2)(pixels)
    assert asked == [1, 2, 2, 2]
    assert np.array_equal(activation, pixels)
    assert np.array_equal(np.stack(depths, 1), pixels)
    assert np.array_equal(pooled[0], pixels[:, 1])
    with pytest.raises(TrainingError, match="too little memory for one picture"):
        at_most(0)(pixels)


def test_closing_it_half_way_leaves_no_thread(drawn, tmp_path):
    pictures, _ = drawn_convolutions.pictures(8, 3)
    network = load_network(drawn)
    gc.collect()
    before = set(threading.enumerate())
    filling = ActivationCache(Split(network, network.unfreeze("head")), pictures, tmp_path).fill()
    next(filling)
    assert set(threading.enumerate()) > before
    filling.close()
    assert set(threading.enumerate()) == before
