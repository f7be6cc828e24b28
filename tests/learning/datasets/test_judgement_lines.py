"""Lines of judgements.jsonl: each kind as JSON and back, what is none of ours, and groups after all changes."""

import json

import pytest

from lookalike.learning.datasets.judgement_lines import (
    Apart,
    BlindAnswer,
    Distinct,
    Group,
    GroupChange,
    Judgement,
    groups_from,
    is_inside,
    saying_from,
)

WEIGHTS = "0123456789abcdef" * 2
SAID = [
    (Judgement(7, "", None, "q", "a", None), {"query": "q", "yes": "a", "no": None}, "q: a"),
    (Judgement(7, "", None, "q", "a", "b"), {"query": "q", "yes": "a", "no": "b"}, "q: a, rather than b"),
    (Apart(7, "", None, "a", "b"), {"apart": ["a", "b"]}, "a: not b"),
    (Distinct(7, "", None, "a", "b"), {"distinct": ["a", "b"]}, "a: no duplicate of b"),
    (
        GroupChange(7, "", None, "g1", "Stripes", ("a", "b"), ("c",)),
        {"group": "g1", "name": "Stripes", "add": ["a", "b"], "remove": ["c"]},
        "group g1 Stripes: +a +b -c",
    ),
    (
        GroupChange(7, "", None, "g1", gone=True),
        {"group": "g1", "name": None, "add": [], "remove": [], "gone": True},
        "group g1: given up",
    ),
    (
        BlindAnswer(7, "", None, "q", ("a",), ("b", "c"), "pattern", WEIGHTS, 3),
        {
            "blind": {
                "query": "q",
                "right": ["a"],
                "wrong": ["b", "c"],
                "lens": "pattern",
                "weights": WEIGHTS,
                "seed": 3,
            }
        },
        "q: 1 of 3 ticked, in the blind test of pattern",
    ),
    (
        BlindAnswer(7, "", None, "q", (), (), "pattern", WEIGHTS, 3, skipped=True),
        {
            "blind": {
                "query": "q",
                "right": [],
                "wrong": [],
                "lens": "pattern",
                "weights": WEIGHTS,
                "seed": 3,
                "skipped": True,
            }
        },
        "q: skipped, in the blind test of pattern",
    ),
]


@pytest.mark.parametrize(("one", "as_json", "words"), SAID, ids=lambda value: str(value)[:30])
def test_each_kind_is_this_json_and_is_read_back_from_it(one, as_json, words):
    assert one.to_json() == as_json
    assert saying_from(7, json.loads(json.dumps({"t": "", "who": None, **as_json}))) == one
    assert str(one) == words


def test_who_and_when_are_read_and_odd_ones_are_nobody_and_never():
    assert saying_from(1, {"t": "now", "who": "Ann", "apart": ["a", "b"]}) == Apart(1, "now", "Ann", "a", "b")
    assert saying_from(1, {"t": 3, "who": ["x"], "apart": ["a", "b"]}) == Apart(1, "", None, "a", "b")


BLIND = {"query": "q", "right": ["a"], "wrong": ["b"], "lens": "x", "weights": WEIGHTS, "seed": 0}


@pytest.mark.parametrize(
    "entry",
    [
        {"apart": ["a"]},
        {"apart": ["a", "a"]},
        {"apart": ["a", "b", "c"]},
        {"apart": ["a", "../b"]},
        {"apart": "ab"},
        {"distinct": ["a", 3]},
        {"group": "", "add": ["a"]},
        {"group": "no blanks", "add": ["a"]},
        {"group": "g", "add": ["/etc/passwd"]},
        {"group": "g", "add": ["a"], "remove": ["a"]},
        {"group": "g", "name": 3},
        {"group": "g", "gone": 1},
        {"group": 3},
        {"blind": []},
        *({"blind": BLIND | {key: value}} for key, value in {"right": None, "wrong": ["a"], "query": "a"}.items()),
        *({"blind": BLIND | {key: value}} for key, value in {"weights": "x", "seed": True, "lens": None}.items()),
        {"blind": BLIND | {"skipped": True}},
        {"blind": BLIND | {"query": "../q"}},
    ],
    ids=str,
)
def test_what_says_nothing_that_we_know_is_none(entry):
    assert saying_from(1, entry) is None


def test_a_picture_is_in_the_group_that_it_was_put_into_last():
    changes = [
        GroupChange(1, "", None, "a", "Stripes", ("1", "2", "3")),
        GroupChange(2, "", None, "b", None, ("3", "2")),
        GroupChange(3, "", None, "b", "Checks", (), ("3", "1")),  # 1 is in the other group and stays there
    ]
    assert groups_from(changes) == [Group("a", "Stripes", ("1",)), Group("b", "Checks", ("2",))]
    assert groups_from([*changes, GroupChange(4, "", None, "a", gone=True)]) == [Group("b", "Checks", ("2",))]
    after = [*changes, GroupChange(4, "", None, "b", gone=True), GroupChange(5, "", None, "c", None, ("2",))]
    assert groups_from(after)[1:] == [Group("c", "", ("2",))]


def test_names_that_lead_elsewhere_are_not_inside():
    assert is_inside("고양이/b.jpg")
    assert not any(map(is_inside, ["", "/a", "../a", "a/../../b", "a\0", "C:/a", "\ud800", "x" * 5000]))
