"""The questions of a blind test: drawn once, shuffled, gone on with after a break, replaced when they are skipped."""

import json

import numpy as np
import pytest

from lookalike.errors import LensError
from lookalike.learning.evaluation.blind_questions import QUESTIONS, SPARES, BlindQuestion, BlindTest, draw_queries


def question(i: int) -> BlindQuestion:
    return BlindQuestion(f"q{i}", (("a", 0.9), ("b", 0.8)), (("b", 0.7), ("c", 0.5)), ("c", "a", "b"))


def questions(first: int = 0) -> tuple[BlindQuestion, ...]:
    return tuple(question(i) for i in range(first, first + QUESTIONS + SPARES))


TEST = BlindTest("pattern", "ab" * 16, "cd" * 16, 7, (questions(),))


def test_forty_are_asked_in_their_order_and_a_skipped_one_is_replaced_by_the_next_spare():
    assert [one.query for one in TEST.open([], [])] == [f"q{i}" for i in range(40)]
    assert [one.query for one in TEST.open(["q0", "q2"], ["q1"])] == [f"q{i}" for i in range(3, 41)]
    assert TEST.open([f"q{i}" for i in range(40)], []) == []
    assert [one.query for one in TEST.open([f"q{i}" for i in range(39)], ["q39", "q40"])] == ["q41"]


def test_a_test_of_which_too_many_are_skipped_ends_with_the_last_spare():
    passed = [f"q{i}" for i in range(59)]
    assert [one.query for one in TEST.open([], passed)] == ["q59"]
    assert TEST.open(["q59"], passed) == []


def test_of_two_sets_the_second_is_asked():
    answered = [f"q{i}" for i in range(40)]
    both = TEST.with_set(questions(60), answered)
    assert [len(some) for some in both.sets] == [40, 60]
    assert [one.query for one in both.open(answered, [])] == [f"q{i}" for i in range(60, 100)]
    assert both.question("q61") == question(61)
    assert both.question("x") is None


def test_candidates_are_all_hits_once_in_an_order_that_says_nothing():
    plain, lens = [(f"p{i}", 0.5) for i in range(6)], [(f"l{i}", 0.9) for i in range(5)] + [("p0", 0.4)]
    orders = [BlindQuestion.shuffled("q", plain, lens, np.random.default_rng(i)).candidates for i in range(400)]
    assert all(sorted(one) == sorted({f"p{i}" for i in range(6)} | {f"l{i}" for i in range(5)}) for one in orders)
    place_of_plain = np.mean([[i for i, file in enumerate(one) if file[0] == "p"] for one in orders])
    assert abs(place_of_plain - 5) < 0.15  # the middle of eleven places: six times its standard error
    assert BlindQuestion.shuffled("q", plain, lens, np.random.default_rng(0)) == BlindQuestion.shuffled(
        "q", plain, lens, np.random.default_rng(0)
    )


def test_it_is_read_back_from_its_json():
    two = TEST.with_set(questions(60), ["q0"])
    assert BlindTest.from_json(json.loads(json.dumps(two.to_json()))) == two


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"sets": []},
        {"sets": [[{"query": "q"}]]},
        {"weights": None},
        {"file": 3},
        {"seed": "x"},
        {"sets": [[{"query": "q", "plain": [["a", 1]], "lens": [], "candidates": ["a", "b"]}]]},
        {"sets": [[{"query": "q", "plain": [["a", 1]], "lens": [], "candidates": ["a", "a"]}]]},
    ],
    ids=str,
)
def test_what_is_no_test_is_one_line(change):
    with pytest.raises(LensError, match=r"blind\.json is no blind test of this version"):
        BlindTest.from_json(TEST.to_json() | change)
    with pytest.raises(LensError):
        BlindTest.from_json([change])


def test_queries_are_drawn_without_asking_twice_and_differ_with_the_seed():
    free = [f"{i:03}" for i in range(100)]
    first = draw_queries(free, 0)
    assert len(first) == len(set(first)) == 60
    assert first != draw_queries(free, 1)
    assert draw_queries(free[:10], 0, 60) == draw_queries(free[9::-1], 0, 60)
