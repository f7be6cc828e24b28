"""What a blind test counted: its fields are checked, and people read pictures, not shares."""

from dataclasses import asdict, replace

import pytest

from lookalike.errors import ShapeError
from lookalike.models.proof_blind import BlindResult
from lookalike.models.proof_parts import PairedTest, PermutationTest, QueryChanges

RESULT = BlindResult(30, 2, 1, 12, 0.49, 0.65, (0.41, 0.57), (0.6, 0.7), 0.01, 28, 0.81)
TEST = PairedTest(0.16, 0.09, 0.23, 0.0001, "bootstrap")


def test_shares_are_told_as_pictures_of_the_first_twelve():
    assert RESULT.rows() == [
        "of the first 12          belong   95% interval",
        "before (plain)              5.9   4.9 to 6.8",
        "the lens                    7.8   7.2 to 8.4",
    ]


def test_remarks_say_what_was_won_how_it_was_asked_and_what_was_skipped():
    lines = RESULT.remarks(TEST, PermutationTest((0.5,) * 18 + (0.74,), True), QueryChanges(19, 6, (), ()))
    assert lines[0] == "The lens won 19 of 30 questions and lost 6: +1.9 pictures, with 99.0% certainty above +1.1."
    assert lines[2].startswith("Right before wrong pictures: 81.0% with your answers, at most 74.0% with the same ")
    assert lines[3] == "2 questions were skipped."
    short = replace(RESULT, skipped=0, order=None)
    lines = short.remarks(replace(TEST, method="none"), PermutationTest((), False), QueryChanges(1, 0, (), ()))
    assert lines[0] == "The lens won 1 of 30 questions and lost 0: +1.9 pictures."
    assert len(lines) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"questions": -1},
        {"questions": True},
        {"plain": 1.1},
        {"lens": "x"},
        {"plain_interval": [0.1, 0.2]},
        {"lens_interval": (0.1,)},
        {"order": 2.0},
        {"level": float("nan")},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_by_name(change):
    with pytest.raises(ShapeError, match=f"proof.json: {next(iter(change))} cannot be"):
        BlindResult(**(asdict(RESULT) | change))
