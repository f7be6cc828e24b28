"""Does the proof say what is so: on drawn data whose answer is known, on hand-made ranks, and on shuffled labels."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from lookalike.errors import ExamplesError, ShapeError
from lookalike.learning import prove, whiten
from lookalike.learning.closed_form.whitening import spread_scale
from lookalike.learning.evaluation.metrics import recall_at_k
from lookalike.learning.evaluation.plan import plan_evaluation
from lookalike.learning.evaluation.prove import best_threshold
from lookalike.models.lens import Lens
from lookalike.models.proof import Proof

F = 24


def world(groups=40, each=4, loud=2.0, kinds_in_loud=0.0, kinds=0.8, seed=0):
    """Kinds differ in features 8 to 23; features 0 to 7 vary `loud` within groups."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), each)
    quiet = np.arange(F) >= 8
    centres = rng.standard_normal((groups, F)) * np.where(quiet, kinds, kinds_in_loud)
    return (centres[group] + rng.standard_normal((len(group), F)) * np.where(quiet, 0.6, loud)).astype(
        np.float32
    ), group


def only(*features):
    """A lens that reads these features alone."""
    return Lens("only", np.zeros(F), np.eye(F)[:, features])


def identity(*_):
    return Lens("identity", np.zeros(F), np.eye(F))


def test_labels_that_teach_are_called_taught():
    proof = prove(*world())
    assert proof.verdict == "taught" and proof.serves and proof.beats_shuffles
    assert proof.difference > 0.1 and proof.lower > 0 and proof.p < 0.01
    assert proof.words.startswith("Better, and your examples taught it: found the right picture first for ")


def test_what_helps_without_labels_is_not_called_taught():
    """The lens leaves out what is loud, whatever it is given; the closed forms learn from noise and gain nothing."""
    x, group = world(loud=4.0)
    noise = np.random.default_rng(9).standard_normal((160, F)).astype(np.float32)

    def learn(features, *_):
        return Lens("quiet", np.zeros(2 * F), np.eye(2 * F)[:, F + 8 :])  # it finds in x, and learned from nothing

    proof = prove(np.hstack([100 * noise, x]), group, learn=learn, plain=x, seed=2)
    assert proof.verdict == "better" and proof.serves and not proof.beats_shuffles
    assert proof.words.startswith("Better than plain, but your examples add nothing yet: ")


def test_without_shuffles_nothing_is_called_taught():
    assert prove(*world(), shuffles=0).verdict == "better"


def test_a_lens_that_changes_nothing_is_refused():
    proof = prove(*world(), learn=identity)
    assert proof.verdict == "refused" and not proof.serves
    assert proof.difference == proof.won == proof.lost == 0 and proof.p == 1 and proof.best == proof.worst == []
    assert proof.ways["lens"] == proof.ways["plain"] | proof.ways["lens"]


def test_a_lens_that_is_worse_is_refused():
    proof = prove(*world(), learn=lambda *_: only(*range(8)))
    assert proof.verdict == "refused" and proof.difference < 0 and proof.upper < 0 and proof.lost > proof.won


@pytest.mark.parametrize("group", [[0, 0, 1, 1], [0, 1, 2, 3], [-1] * 4, [0] * 4, [0, 0, 0, 1]])
def test_too_few_is_a_verdict(group):
    proof = prove(np.eye(4), group)
    assert proof.verdict == "too few" and not proof.serves and "Too few to tell" in proof.words
    json.dumps(proof.to_json(), allow_nan=False)
    assert max(len(line) for line in proof.table().splitlines()) <= 80


def test_recall_is_that_of_the_metrics():
    """A lens that is learned from nothing: its recall over five folds is that of each fold by itself."""
    x, group = world()
    lens = only(*range(8, F))
    seen = []

    def learn(features, *_):
        seen.append(features)
        return lens

    proof = prove(x, group, learn=learn)
    by_fold = []
    for learned in seen:
        rows = np.array([i for i in range(len(x)) if not (learned == x[i]).all(axis=1).any()])
        embedding = lens.apply(x[rows])
        found = recall_at_k(embedding, embedding, group[rows], group[rows], itself=np.arange(len(rows)))
        by_fold.append(found * len(rows))
    assert proof.ways["lens"]["recall@1"] == pytest.approx(sum(by_fold) / len(x))
    everyone = lens.apply(x)
    assert proof.among_all["lens"]["recall@1"] == pytest.approx(
        recall_at_k(everyone, everyone, group, group, itself=np.arange(len(x)))
    )


def test_won_and_lost_best_and_worst_name_queries():
    x, group = world()
    proof = prove(x, group)
    ways = proof.ways
    assert proof.won - proof.lost == pytest.approx((ways["lens"]["recall@1"] - ways["plain"]["recall@1"]) * 160)
    assert 0 < len(proof.best) <= 12 and all(one["plain"] > one["lens"] for one in proof.best)
    assert all(one["plain"] < one["lens"] for one in proof.worst)
    gains = [1 / one["lens"] - 1 / one["plain"] for one in proof.best]
    assert gains == sorted(gains, reverse=True)
    assert all(0 <= one["query"] < 160 for one in proof.best + proof.worst)


def test_the_best_and_the_worst_show_what_each_way_found_first():
    """A query of the only held-out gallery it was asked in: the first right hit stands at its rank, hits fall."""
    x, group = world()
    for one in (proof := prove(x, group)).best + proof.worst:
        for way in ("plain", "lens"):
            rows, similarities, right = zip(*one["hits"][way], strict=True)
            assert one["query"] not in rows and len(set(rows)) == 5
            assert list(similarities) == sorted(similarities, reverse=True)
            assert list(right) == [group[row] == group[one["query"]] for row in rows]
            assert right.index(True) + 1 == one[way] if True in right else one[way] > 5
        at, seen = one["query"], x / np.linalg.norm(x, axis=1, keepdims=True)
        plain = [similarity for _, similarity, _ in one["hits"]["plain"]]
        assert_allclose(plain, [seen[at] @ seen[row] for row, *_ in one["hits"]["plain"]], atol=1e-4)


def test_rows_can_be_named():
    proof = prove(*world())
    named = proof.named([f"{row}.jpg" for row in range(160)])
    one, other = proof.best[0], named.best[0]
    assert (other["query"], other["hits"]["lens"][0][0]) == (f"{one['query']}.jpg", f"{one['hits']['lens'][0][0]}.jpg")
    assert named.named != proof and Proof.from_json(json.loads(json.dumps(named.to_json()))) == named
    assert (named.words, named.ways) == (proof.words, proof.ways)


def test_what_is_printed_counts_each_query_once():
    """Fifteen groups are asked twice over; words, table, won and lost all come to the same."""
    proof = prove(*world(groups=15, each=5), hold_out="groups")
    after, before = (
        float(part.split(" ")[0])
        for part in (proof.words.split("first for ")[1], proof.words[:-1].split("before: ")[1])
    )
    assert proof.splits == 10 and proof.queries == 75
    assert after == pytest.approx(75 * proof.ways["lens"]["recall@1"], abs=0.051)
    assert before == pytest.approx(75 * proof.ways["plain"]["recall@1"], abs=0.051)
    assert after - before == pytest.approx(75 * proof.difference, abs=0.11)
    assert "several splits count once" in proof.table()


@pytest.mark.parametrize("each", [{"groups": 4, "each": 30}, {"groups": 12, "each": 10}, {}, {"groups": 5, "each": 2}])
def test_nothing_is_said_twice(each):
    table = prove(*world(**each)).table().replace("\n  ", " ").replace("\n", " ")
    for said in ("held out", "Held out", "known kinds", "new kinds", "Interval: "):
        assert table.count(said) <= 1, said


def test_the_closed_form_that_is_compared_to_shuffles_is_the_one_that_is_learned():
    for means in ("one", "side"):
        x, group = world(seed=3)
        side = np.tile([0, 1], 80)
        proof = prove(x, group, domains=side, means=means, seed=3)
        for name in ("recall@1", "recall@10"):
            assert proof.ways["closed form"][name] == pytest.approx(proof.ways["lens"][name], abs=0.02)


def worse(lens, features, group, *, domains, triplets):
    return only(*range(8))


def sharper(lens, features, group, *, domains, triplets):
    return only(*range(8, F))


def test_a_correction_that_is_worse_than_its_closed_form_is_left_out():
    x, group = world()
    alone, proof = prove(x, group), prove(x, group, correct=worse)
    assert proof.chosen == "closed form" and proof.verdict == "taught"
    assert proof.ways["lens"]["recall@1"] == alone.ways["lens"]["recall@1"] > proof.ways["corrected"]["recall@1"]
    assert "The lens is the closed form" in proof.table()


def test_a_lens_that_is_not_taught_by_groups_points_to_pictures_of_known_kinds():
    x, group = world()
    refused = prove(x, group, learn=lambda *_: only(*range(8)))
    assert refused.hold_out == "groups" and refused.verdict == "refused"
    assert "hold out pictures, not groups" in " ".join(refused.table().split())
    assert "hold out pictures, not groups" not in " ".join(prove(x, group).table().split())


def test_a_correction_that_is_better_is_taken():
    x, group = world(loud=1.0)
    proof = prove(x, group, learn=identity, correct=sharper)
    assert proof.chosen == "correction"
    assert proof.ways["lens"]["recall@1"] == proof.ways["corrected"]["recall@1"]
    assert prove(x, group).chosen == ""


def test_a_correction_starts_from_the_closed_form_of_the_same_rows():
    seen = []

    def correct(lens, features, group, *, domains, triplets):
        seen.append(lens)
        assert_allclose(lens.matrix, whiten(features, group, scale=spread_scale(features)).matrix)
        return lens

    prove(*world(), correct=correct)
    assert len(seen) == 5


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("hold_out", ["groups", "pictures"])
def test_shuffled_labels_are_not_called_taught(seed, hold_out):
    """The first gate and the second each let through few; benchmarks/proof_shuffles.py counts them on real pictures."""
    x, group = world(loud=3.0, seed=seed)
    mixed = np.random.default_rng(seed).permutation(group)
    assert prove(x, mixed, hold_out=hold_out, seed=seed).verdict == "refused"


def test_labels_mixed_within_sides_are_not_called_taught():
    x, group = world(groups=80, each=2)
    side = np.tile([0, 1], 80)
    mixed = group.copy()
    mixed[side == 1] = np.random.default_rng(0).permutation(group[side == 1])
    assert prove(x, group, domains=side).verdict == "taught"
    assert prove(x, mixed, domains=side).verdict == "refused"


def test_a_closed_form_is_best_of_twenty_by_chance_in_one_of_twenty():
    """Features that are noise: of 30 proofs 1.5 beat their shuffles on average, and fewer than 6 in 99 of 100 runs."""
    beats = 0
    for seed in range(30):
        x = np.random.default_rng(seed).standard_normal((60, 6)).astype(np.float32)
        beats += prove(
            x, np.repeat(np.arange(20), 3), learn=lambda *_: Lens("none", np.zeros(6), np.eye(6)), seed=seed
        ).beats_shuffles
    assert beats < 6


def test_pictures_held_out_of_few_kinds_say_what_they_speak_of():
    proof = prove(*world(groups=4, each=30))
    assert proof.hold_out == "pictures" and proof.test == "sign flips"
    assert any("only 4 groups" in note and "nothing is said of other kinds" in note for note in proof.notes)


def test_few_groups_are_tested_by_sign_flips_and_it_is_said():
    proof = prove(*world(groups=12, each=5), hold_out="groups")
    assert proof.test == "sign flips" and proof.groups == 12
    assert any("only 12 groups" in note for note in proof.notes)


def test_rows_that_only_ask_teach_nothing_and_only_whole_rows_are_found():
    """Sixty pictures of four rows: row 0 is whole, row 3 asks. Each query has one right answer among those held out."""
    x, group = world(groups=60, each=4, loud=1.0)
    number, seen = np.tile(np.arange(4), 60), []

    def learn(features, *rest):
        seen.append(features)
        return only(*range(8, F))

    proof = prove(x, group, asks=number == 3, whole=number == 0, learn=learn)
    taught = {row.tobytes() for features in seen for row in features}
    assert not taught & {row.tobytes() for row in x[number == 3]} and taught >= {
        row.tobytes() for row in x[number == 1]
    }
    assert (proof.hold_out, proof.queries, proof.pictures, proof.groups) == ("views", 60, 60, 60)
    for one in proof.best + proof.worst:
        assert number[one["query"]] == 3
        assert all(number[row] == 0 for first in one["hits"].values() for row, *_ in first)
    assert "for " in proof.words and "parts of held-out pictures" in proof.words and "no labels" in proof.table()
    lens = only(*range(8, F)).apply(x)
    place = lens[number == 3] @ lens[number == 0].T
    assert proof.among_all["lens"]["recall@1"] == pytest.approx((place.argmax(axis=1) == np.arange(60)).mean())


def test_triplets_alone_are_proved_by_triplets():
    """The positive is of the anchor's kind, the negative of another."""
    x, _ = world(groups=60, each=3, loud=1.2)
    row = np.arange(180).reshape(60, 3)
    triplets = np.column_stack([row[:, 0], row[:, 1], np.roll(row[:, 2], 1)])
    proof = prove(x, np.full(180, -1), triplets=triplets)
    assert proof.hold_out == "triplets" and proof.among_all == {}
    assert "put the more alike picture first in " in proof.words
    assert proof.ways["lens"]["recall@1"] >= proof.ways["plain"]["recall@1"]
    for one in proof.best + proof.worst:
        t = triplets[triplets[:, 0] == one["query"]][0]
        for way in ("plain", "lens"):
            found = {row: right for row, _, right in one["hits"][way]}
            assert found == {t[1]: True, t[2]: False}
            assert [row for row, *_ in one["hits"][way]].index(t[1]) + 1 == one[way]
    assert "triplets" in proof.table()


def test_it_is_the_same_for_the_same_seed_and_differs_for_another():
    x, group = world()
    assert prove(x, group, seed=1) == prove(x, group, seed=1) != prove(x, group, seed=2)


def test_plain_can_be_other_features_than_are_learned_on():
    x, group = world()
    assert prove(x, group, plain=x[:, 8:]).ways["plain"]["recall@1"] > prove(x, group).ways["plain"]["recall@1"]


def test_copies_of_a_picture_are_no_answer():
    """Every picture three times in its group: with their content known, copies are neither held apart nor found."""
    x, group = world(groups=30, each=2)
    x, group, content = np.repeat(x, 3, axis=0), np.repeat(group, 3), [bytes([i // 3]) for i in range(180)]
    assert prove(x, group).ways["plain"]["recall@1"] == 1
    assert prove(x, group, content=content).ways["plain"]["recall@1"] < 0.9


def test_many_pictures_are_proved_on_a_sample_and_it_is_said():
    x, group = world(groups=300, each=4)
    proof = prove(x, group, most=400)
    assert 390 <= proof.pictures <= 400 and "of 1,200 pictures" in proof.notes[0]
    assert max(one["query"] for one in proof.best) < 1200


def test_the_sample_keeps_triplets_whose_pictures_are_in_it():
    x, _ = world(groups=300, each=3)
    triplets = np.arange(900).reshape(300, 3)
    asked = plan_evaluation(x, np.full(900, -1), triplets=triplets, most=300, rng=np.random.default_rng(0))
    assert len(asked.rows) == 300 and len(asked.examples.triplets) == 100
    found = asked.rows[asked.examples.triplets]
    assert_allclose(found, triplets[found[:, 0] // 3])


def test_a_split_that_teaches_nothing_is_passed():
    def learn(*_):
        raise ExamplesError("nothing to learn from.")

    assert prove(*world(), learn=learn).verdict == "too few"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x, g: prove(x, g[:-1]),
        lambda x, g: prove(x, g, domains=g[:-1]),
        lambda x, g: prove(x, g, plain=x[:-1]),
        lambda x, g: prove(x, g, content=[b""]),
        lambda x, g: prove(x, g, triplets=[[0, 1, 160]]),
        lambda x, g: prove(np.where(x == x[3, 3], np.nan, x), g),
    ],
)
def test_arrays_that_do_not_fit_are_refused_in_one_line(wrong):
    with pytest.raises(ShapeError) as error:
        wrong(*world())
    assert "\n" not in str(error.value)


def test_the_value_that_separates_best_lies_between_right_and_wrong():
    assert best_threshold(np.array([0.9, 0.8]), np.array([0.2, 0.4])) == (0.6, 1.0)
    assert best_threshold(np.array([0.5]), np.array([0.5]))[1] == 0.5
    proof = prove(*world())
    assert -1 <= proof.cut_off <= 1 and 0.5 <= proof.cut_off_accuracy <= 1


def test_with_nothing_wrong_in_the_gallery_there_is_nothing_to_separate():
    proof = prove(*world(groups=1, each=30))
    assert proof.cut_off is None and proof.cut_off_accuracy is None


def test_a_proof_comes_back_from_json_as_it_was():
    proof = prove(*world(), correct=worse)
    text = json.dumps(proof.to_json(), allow_nan=False)
    assert Proof.from_json(json.loads(text)) == proof


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("verdict", "splendid"), ("words", 3), ("notes", "a"), ("notes", [1]), ("ways", []), ("ways", {"plain": 3}),
        ("ways", {"plain": {"recall@1": None}}), ("p", "0"), ("p", float("nan")), ("p", True), ("queries", 1.5),
        ("beats_shuffles", 1), ("best", [{"query": "a"}]), ("shuffles", [None]), ("cut_off", "x"), ("hold_out", "x"),
    ],
)  # fmt: skip
def test_json_that_is_no_proof_is_refused_in_one_line(name, value):
    good = prove(np.eye(4), [0, 0, 1, 1]).to_json()
    with pytest.raises(ShapeError, match=name):
        Proof.from_json({**good, name: value})


@pytest.mark.parametrize("value", [None, [], 3, {}, {"verdict": "taught"}])
def test_json_of_another_shape_is_refused_in_one_line(value):
    with pytest.raises(ShapeError, match=r"proof\.json"):
        Proof.from_json(value)


def test_the_table_reads_by_itself_in_80_columns():
    proof = prove(*world(loud=1.0), correct=sharper)
    lines = proof.table().splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split("  ")[0] for line in lines if "%" in line and "to" in line][:5] == [
        "before (plain)", "shuffled labels", "closed form", "with correction", "the lens",
    ]  # fmt: skip
    long = replace(proof, notes=["a very long note " * 20], queries=1_234_567, won=123_456)
    assert max(map(len, long.table().splitlines())) <= 80
