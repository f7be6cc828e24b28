"""What the ways to fine-tune have in common: the cost in words, and one protocol."""

import inspect

from lookalike.learning.finetuning import FineTuneCost, FineTuner, KerasSiameseFineTuner, LayerFineTuner
from lookalike.learning.finetuning.finetuner import seconds_a_step


def test_the_cost_in_words_counts_views_and_multiplies_steps():
    """60 steps of half a second are 30 s."""
    cost = FineTuneCost(images=1200, views=4, mb=12.4, caching_s=7.6, steps=60, step_s=0.5, trainable=108, weights=484)
    assert cost.training_s == 30
    assert str(cost) == (
        "108 of 484 weights learn from 1,200 pictures in 4 views: about 8 s and 12 MB to prepare, 30 s for 60 steps."
    )


def test_a_step_is_taken_twice_to_be_timed():
    taken = []
    assert seconds_a_step(lambda: taken.append(1)) >= 0
    assert taken == [1, 1]


def test_both_ways_are_made_and_called_alike():
    """Their configurations differ, nothing else."""
    one, other = (inspect.signature(kind).parameters for kind in (LayerFineTuner, KerasSiameseFineTuner))
    assert list(one) == list(other) == ["bundle", "images", "data", "config", "run", "seed"]
    for name in ("cost", "fill_cache", "steps", "export"):
        wanted = inspect.signature(getattr(FineTuner, name))
        assert inspect.signature(getattr(LayerFineTuner, name)) == wanted
        assert inspect.signature(getattr(KerasSiameseFineTuner, name)) == wanted
