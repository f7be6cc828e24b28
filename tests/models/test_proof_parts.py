"""The parts of a proof check their own fields, each by its name, and a test says what is better."""

from dataclasses import replace

import numpy as np
import pytest

from lookalike.errors import ShapeError
from lookalike.models.proof_parts import (
    Attempt,
    FoundImage,
    PairedTest,
    PermutationTest,
    Protocol,
    QueryChange,
    QueryChanges,
    RetrievalMetrics,
    SimilarityThreshold,
)

HIT = FoundImage(3, 0.5, True)
CHANGE = QueryChange(1, {"plain": 2, "lens": 1}, {"plain": (HIT,), "lens": (HIT, replace(HIT, image=0))})
GOOD = {
    Protocol: Protocol("groups", 10, 5, 20, 5, 0, 0, 0.98),
    RetrievalMetrics: RetrievalMetrics(0.5, 1.0, 0.75, 0.4, 0.6),
    PairedTest: PairedTest(0.1, 0.05, 0.2, 0.001, "bootstrap"),
    PermutationTest: PermutationTest((0.1, 0.2), True),
    FoundImage: HIT,
    QueryChange: CHANGE,
    QueryChanges: QueryChanges(3, 1, (CHANGE,), ()),
    SimilarityThreshold: SimilarityThreshold(0.6, 0.9),
    Attempt: Attempt(4, 3),
}


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (Protocol, "hold_out", "everything"), (Protocol, "queries", -1), (Protocol, "clusters", 1.0),
        (Protocol, "images", True), (Protocol, "folds", None), (Protocol, "seed", 0.5),
        (Protocol, "duplicates", np.int64(3)), (Protocol, "duplicate_threshold", float("inf")),
        (RetrievalMetrics, "recall_at_1", 1.1), (RetrievalMetrics, "recall_at_10", -0.1),
        (RetrievalMetrics, "mean_reciprocal_rank", None), (RetrievalMetrics, "upper", None),
        (RetrievalMetrics, "lower", 2.0), (PairedTest, "difference", "0"), (PairedTest, "lower", float("nan")),
        (PairedTest, "upper", None), (PairedTest, "p_value", 1.5), (PairedTest, "method", "t"),
        (PairedTest, "level", 0.02), (PairedTest, "level", 0), (PairedTest, "level", None),
        (Attempt, "proved_before", -1), (Attempt, "proved_before", 0.5), (Attempt, "number", 0), (Attempt, "number", 6),
        (PermutationTest, "recalls", [0.1]), (PermutationTest, "recalls", (1.1,)), (PermutationTest, "passed", 1),
        (FoundImage, "image", -1), (FoundImage, "similarity", None), (FoundImage, "relevant", 1),
        (QueryChange, "query", 1.5), (QueryChange, "ranks", {"plain": 1}),
        (QueryChange, "ranks", {"plain": 0, "lens": 1}),
        (QueryChange, "ranks", {"plain": 1, "lens": 1.5}), (QueryChange, "hits", {}),
        (QueryChange, "hits", {"plain": (), "lens": [HIT]}), (QueryChanges, "won", -1),
        (QueryChanges, "best", [CHANGE]), (QueryChanges, "worst", (HIT,)),
        (QueryChanges, "lost", 0.5), (SimilarityThreshold, "similarity", None), (SimilarityThreshold, "accuracy", 1.01),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_is_named_in_one_line(kind, name, value):
    with pytest.raises(ShapeError, match=rf"proof\.json: {name} cannot be|proof\.json: upper cannot be") as error:
        replace(GOOD[kind], **{name: value})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "better"),
    [
        ({}, True),
        ({"difference": 0.0}, False),
        ({"p_value": 0.01}, False),  # the level itself is not below it
        ({"lower": 0.0}, False),
        ({"lower": 0.0, "method": "sign flips"}, True),  # exact: p alone decides
        ({"method": "none"}, False),
    ],
)
def test_better_is_what_the_test_says_at_the_1_percent_level(changes, better):
    assert replace(GOOD[PairedTest], **changes).better is better


def test_a_change_is_named_with_its_hits():
    named = CHANGE.named(["a.png", "b.png", "c.png", "d.png"])
    assert named.query == "b.png" and named.ranks == CHANGE.ranks
    assert [hit.image for hit in named.hits["lens"]] == ["d.png", "a.png"]
    assert named.hits["plain"] == (FoundImage("d.png", 0.5, True),)
