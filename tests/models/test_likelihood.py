"""What a likelihood says, by hand, and what it refuses to be."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lookalike.errors import ShapeError
from lookalike.models.likelihood import GROWTH, SEEN, Likelihood, ReliabilityBin, evidence, percent, word_for

PLATT = Likelihood(
    "platt", (4.0, -1.0, 2.0, -1.0, -2.0, -3.0, 0.5), (), 0.02, 0.98, 48, 100, 0.03, (ReliabilityBin(0.5, 0.5, 1.0),)
)
STEPS = replace(PLATT, method="isotonic", steps=((-2.0, 0.1), (0.0, 0.4), (2.0, 0.9)))


def test_one_answer_by_hand():
    """Of .8 and .6 the means are .7. Log-odds 4 s - log r + 2 * .8 - 3 * .7 + .5: 3.2, and 2.4 - log 2."""
    odds = np.array([3.2, 2.4 - np.log(2)])
    assert_allclose(PLATT.of(np.array([0.8, 0.6]), 100), 1 / (1 + np.exp(-odds)))


def test_from_the_second_rank_on_a_later_one_takes_more():
    """Of three hits of .6 the first and the second are log 2 apart, and the third is 3 log 1.5 further than log r."""
    odds = PLATT.log_odds(np.full((1, 3), 0.6))[0]
    assert_allclose(odds - odds[0], [0, -np.log(2), -np.log(3) - 3 * np.log(1.5)])


def test_a_lens_of_an_earlier_preview_says_what_it_said():
    """It has no weight of the bend."""
    earlier = replace(PLATT, weights=(*PLATT.weights[:5], PLATT.weights[-1]))
    now = replace(PLATT, weights=(*PLATT.weights[:5], 0.0, PLATT.weights[-1]))
    similarities = np.linspace(0.9, 0.1, 20)
    assert_allclose(earlier.of(similarities, 100), now.of(similarities, 100))


def test_steps_are_joined_by_lines_and_end_level():
    assert_allclose(STEPS.from_log_odds(np.array([-5, -1, 1, 5])), [0.1, 0.25, 0.65, 0.9])


def test_in_a_larger_collection_the_same_hit_is_less_likely_right():
    """Four times as many pictures take a quarter of log 4 from the log-odds; fewer take nothing."""
    here, larger, smaller = (PLATT.of(np.array([0.3]), n)[0] for n in (100, 400, 10))
    assert np.log(here / (1 - here)) - np.log(larger / (1 - larger)) == pytest.approx(GROWTH * np.log(4))
    assert smaller == here
    assert PLATT.tells_of(500)
    assert not PLATT.tells_of(501)


def test_nothing_is_surer_than_its_bounds():
    sure = replace(PLATT, weights=(100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    assert sure.of(np.array([0.9, -0.9]), 100).tolist() == [0.98, 0.02]


def test_more_hits_do_not_change_what_is_said_of_the_first():
    similarities = np.linspace(0.9, 0.1, 40)
    assert_allclose(PLATT.of(similarities, 100)[:SEEN], PLATT.of(similarities[:SEEN], 100))
    assert len(PLATT.of(np.zeros(0), 100)) == 0


def test_what_is_not_there_is_not_in_the_crowd():
    found = evidence(np.array([[0.9, 0.5, -np.inf]]))
    assert_allclose(found[0, :, 3:5], 0.7)
    assert_allclose(found[0, :, 0], [0.9, 0.5, 0])


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "guess"},
        {"weights": (1.0, 0.0, 0.0, 0.0, 0.0)},
        {"weights": (-1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)},
        {"weights": (1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0)},
        {"weights": (1.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0)},
        {"weights": (1.0, 0.5, 0.0, 0.0, 0.0, 0.0)},
        {"weights": (float("nan"), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)},
        {"weights": (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)},
        {"steps": ((0.0, 0.1), (1.0, 0.2))},
        {"lowest": 0.99},
        {"highest": 1.5},
        {"pictures": 0},
        {"queries": -1},
        {"error": 2.0},
        {"reliability": (1,)},
    ],
)
def test_what_no_proof_can_hold_is_refused(changed):
    with pytest.raises(ShapeError, match=r"proof\.json"):
        replace(PLATT, **changed)


@pytest.mark.parametrize("steps", [(), ((0.0, 0.5), (0.0, 0.6)), ((0.0, 0.5), (1.0, 0.4)), ((0.0,),), ((0.0, 1.5),)])
def test_steps_that_fall_or_are_none_are_refused(steps):
    with pytest.raises(ShapeError, match="steps"):
        replace(STEPS, steps=steps)


def test_words_and_percentages():
    assert [word_for(value) for value in (0.9, 0.899, 0.6, 0.25, 0.249)] == [
        "very likely", "likely", "likely", "may be", "unlikely",
    ]  # fmt: skip
    assert [percent(value) for value in (1.0, 0.5, 0.0)] == ["99%", "50%", "1%"]
