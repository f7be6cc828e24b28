"""A proof as data: read back as it was, refused in one line where it is none, and a table that reads by itself."""

import json
from dataclasses import replace

import numpy as np
import pytest
from support.drawn_labels import LOUD, QUIET, Fixed, only, world

from lookalike.errors import ShapeError
from lookalike.learning import prove
from lookalike.learning.closed_form.default import IdentityTrainer
from lookalike.learning.evaluation.prove import prove_labelled
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.models.proof import Proof


@pytest.fixture(scope="module")
def taught():
    return prove(*world())


@pytest.fixture(scope="module")
def left_out():
    """Of a correction that is worse."""
    return prove_labelled(LabelledFeatures.create(*world()), refiner=Fixed(only(LOUD)))


@pytest.fixture(scope="module")
def corrected():
    """Of a correction that is better."""
    data = LabelledFeatures.create(*world(loud=1.0))
    return prove_labelled(data, IdentityTrainer(), Fixed(only(QUIET)))


def test_it_comes_back_from_json_as_it_was(left_out, taught):
    for proof in (left_out, taught, prove([[1, 0], [0, 1]], [0, 1])):
        assert Proof.from_json(json.loads(json.dumps(proof.to_json(), allow_nan=False))) == proof


def test_its_json_is_nested_as_its_fields_are(taught):
    written = taught.to_json()
    assert set(written) == {
        "verdict", "summary", "notes", "selected", "protocol", "results", "results_full_gallery", "test",
        "permutation", "queries", "threshold", "likelihood",
    }  # fmt: skip
    assert written["test"]["p_value"] == taught.test.p_value
    assert written["results"]["plain"]["recall_at_1"] == taught.results["plain"].recall_at_1
    assert written["queries"]["best"][0]["hits"]["lens"][0]["image"] == taught.queries.best[0].hits["lens"][0].image


def test_rows_can_be_named(taught):
    named = taught.named([f"{row}.jpg" for row in range(160)])
    one, other = taught.queries.best[0], named.queries.best[0]
    assert (other.query, other.hits["lens"][0].image) == (f"{one.query}.jpg", f"{one.hits['lens'][0].image}.jpg")
    assert other.ranks == one.ranks and other.hits["plain"][1].similarity == one.hits["plain"][1].similarity
    assert named != taught and Proof.from_json(json.loads(json.dumps(named.to_json()))) == named
    assert (named.words, named.results) == (taught.words, taught.results)


@pytest.mark.parametrize(("verdict", "serves"), [("taught", 1), ("better", 1), ("refused", 0), ("too few", 0)])
def test_what_is_better_serves(taught, verdict, serves):
    assert replace(taught, verdict=verdict).serves == bool(serves)


def test_a_proof_that_was_kept_before_proofs_were_counted_is_read(taught):
    old = json.loads(json.dumps(taught.to_json()))
    del old["protocol"]["proved_before"], old["protocol"]["attempt"], old["test"]["level"]
    assert Proof.from_json(old) == taught
    del old["protocol"]["seed"]
    with pytest.raises(ShapeError, match="Protocol of this version"):
        Proof.from_json(old)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("verdict", "splendid"), ("summary", 3), ("notes", "a"), ("notes", [1]), ("selected", None), ("results", []),
        ("results.plain", 3), ("results.plain.recall_at_1", None), ("results.plain.recall_at_1", 1.5),
        ("results.plain.lower", None), ("results.splendid", {}), ("results_full_gallery", {"plain": 3}),
        ("test.p_value", "0"), ("test.p_value", float("nan")), ("test.p_value", True), ("test.method", "x"),
        ("test.level", 0.05), ("test.level", 0), ("protocol.proved_before", -1), ("protocol.attempt", 2),
        ("protocol.attempt", 0), ("protocol.attempt", None),
        ("protocol.queries", 1.5), ("protocol.hold_out", "x"), ("protocol.seed", "0"), ("permutation.passed", 1),
        ("permutation.recalls", [None]), ("permutation.recalls", "a"), ("queries.best", [{"query": "a"}]),
        ("queries.best.0.query", None), ("queries.best.0.ranks", {"plain": 1}), ("queries.best.0.hits", {}),
        ("queries.best.0.hits.lens.0.relevant", 1), ("queries.best.0.hits.lens.0.similarity", "x"),
        ("queries.won", -1), ("threshold", "x"), ("threshold.similarity", "x"), ("threshold.accuracy", 2),
    ],
)  # fmt: skip
def test_json_that_is_no_proof_is_refused_in_one_line(taught, path, value):
    good = json.loads(json.dumps(taught.to_json()))
    *parents, last = path.split(".")
    inner = good
    for name in parents:
        inner = inner[int(name) if name.isdigit() else name]
    inner[last] = value
    with pytest.raises(ShapeError, match=r"proof\.json") as error:
        Proof.from_json(good)
    assert "\n" not in str(error.value) and "Learn the lens again" in str(error.value)


@pytest.mark.parametrize("name", ["best", "worst"])
@pytest.mark.parametrize("value", ["a", 3, None])
def test_queries_that_are_no_list_are_refused(taught, name, value):
    good = taught.to_json()
    good["queries"][name] = value
    with pytest.raises(ShapeError, match=r"proof\.json"):
        Proof.from_json(good)


@pytest.mark.parametrize("value", ["a", 3, None, [3]])
def test_hits_that_are_no_list_of_hits_are_refused(taught, value):
    good = taught.to_json()
    good["queries"]["best"][0]["hits"]["lens"] = value
    with pytest.raises(ShapeError, match=r"proof\.json"):
        Proof.from_json(good)


@pytest.mark.parametrize("value", [None, [], 3, {}, {"verdict": "taught"}])
def test_json_of_another_shape_is_refused_in_one_line(value):
    with pytest.raises(ShapeError, match=r"proof\.json"):
        Proof.from_json(value)


def test_an_additional_field_is_refused_and_an_earlier_version_is_named(taught):
    with pytest.raises(ShapeError, match="of this version"):
        Proof.from_json({**taught.to_json(), "more": 1})
    with pytest.raises(ShapeError, match="earlier version"):
        Proof.from_json({"verdict": "taught", "ways": {}, "shuffles": []})


def test_the_table_reads_by_itself_in_80_columns(corrected):
    lines = corrected.table().splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split("  ")[0] for line in lines if "%" in line and "to" in line][:5] == [
        "before (plain)", "shuffled labels", "closed form", "with correction", "the lens",
    ]  # fmt: skip
    protocol = replace(corrected.protocol, queries=1_234_567)
    queries = replace(corrected.queries, won=123_456)
    long = replace(corrected, notes=("a very long note " * 20,), protocol=protocol, queries=queries)
    assert max(map(len, long.table().splitlines())) <= 80


def test_a_row_of_the_table_by_hand(taught):
    """The recall@1, its interval and the recall@10 of the lens."""
    lens = replace(taught.results["lens"], recall_at_1=0.75, lower=0.7, upper=0.81, recall_at_10=0.9)
    table = replace(taught, results={**taught.results, "lens": lens}).table()
    assert f"{'the lens':16}{'75.0%':>15}   {'70% to 81%':14}{'90.0%':>16}" in table.splitlines()


def test_the_table_says_what_serves(left_out, corrected, taught):
    assert "The lens is the closed form: " in left_out.table()
    assert "The lens is the correction: " in corrected.table()
    assert "The lens is the" not in taught.table()


def test_a_lens_that_is_not_taught_by_groups_points_to_pictures_of_known_kinds(taught):
    refused = prove(*world(), Fixed(only(LOUD)))
    assert refused.protocol.hold_out == "groups" and refused.verdict == "refused"
    assert "hold out pictures, not groups" in " ".join(refused.table().split())
    assert "hold out pictures, not groups" not in " ".join(taught.table().split())


@pytest.mark.parametrize("each", [{"groups": 4, "each": 30}, {"groups": 12, "each": 10}, {}, {"groups": 5, "each": 2}])
def test_nothing_is_said_twice(each):
    table = prove(*world(**each)).table().replace("\n  ", " ").replace("\n", " ")
    for said in ("held out", "Held out", "known kinds", "new kinds", "Interval: "):
        assert table.count(said) <= 1, said


def test_of_nothing_held_out_the_table_is_the_verdict_alone():
    assert prove(np.eye(2), [0, 1]).table().startswith("Too few to tell: nothing could be held out")
