"""From answers to a proof: its numbers and words come to the same, and it says how far they reach."""

import numpy as np
import pytest
from support.drawn_labels import LOUD, Fixed, only, world

from lookalike.learning import prove
from lookalike.learning.evaluation.evidence import best_threshold, nothing_held_out, summary_of
from lookalike.learning.evaluation.plan import plan_evaluation
from lookalike.learning.evaluation.prove import prove_labelled
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.models.proof_parts import Attempt, SimilarityThreshold


def test_won_and_lost_come_to_the_difference():
    proof = prove(*world())
    lens, plain = proof.results["lens"].recall_at_1, proof.results["plain"].recall_at_1
    assert proof.queries.won - proof.queries.lost == pytest.approx((lens - plain) * 160)
    assert proof.test.difference == pytest.approx(lens - plain)


def test_what_is_said_counts_each_query_once():
    """Fifteen groups are asked twice over; words, table, won and lost all come to the same."""
    proof = prove(*world(groups=15, each=5), hold_out="groups")
    after, before = (
        float(part.split(" ")[0])
        for part in (proof.words.split("first for ")[1], proof.words[:-1].split("before: ")[1])
    )
    assert proof.protocol.folds == 10 and proof.protocol.queries == 75
    assert after == pytest.approx(75 * proof.results["lens"].recall_at_1, abs=0.051)
    assert before == pytest.approx(75 * proof.results["plain"].recall_at_1, abs=0.051)
    assert after - before == pytest.approx(75 * proof.test.difference, abs=0.11)
    assert "several splits count once" in proof.table()


def test_the_interval_holds_the_recall_and_shuffles_have_their_least_and_most():
    proof = prove(*world())
    for name in ("plain", "lens", "closed form"):
        one = proof.results[name]
        assert 0 < one.lower < one.recall_at_1 < one.upper <= 1
    shuffled, recalls = proof.results["shuffled"], proof.permutation.recalls
    assert len(recalls) == 19
    assert (shuffled.lower, shuffled.upper) == (min(recalls), max(recalls))
    assert shuffled.recall_at_1 == pytest.approx(np.mean(recalls))


def test_pictures_held_out_of_few_kinds_say_what_they_speak_of():
    """Four kinds would be four draws of chance: each picture is one of its own, which have no near-duplicates here."""
    proof = prove(*world(groups=4, each=30))
    assert proof.protocol.hold_out == "pictures" and proof.test.method == "sign flips"
    assert proof.protocol.clusters == 120
    assert any("only 4 groups" in note and "nothing is said of other kinds" in note for note in proof.notes)


def test_few_groups_are_tested_by_sign_flips_and_it_is_said():
    proof = prove(*world(groups=12, each=5), hold_out="groups")
    assert proof.test.method == "sign flips" and proof.protocol.clusters == 12
    assert any("only 12 groups" in note for note in proof.notes)


def test_queries_of_too_few_groups_could_never_convince_and_it_is_said():
    proof = prove(*world(groups=5, each=2))
    assert proof.test.method == "none" and proof.verdict == "too few"
    assert any("only 5 groups" in note and "fewer than 7" in note for note in proof.notes)


def test_parts_that_ask_for_their_pictures_are_said_to_have_no_labels():
    x, labels = world(groups=60, each=4, loud=1.0)
    number = np.tile(np.arange(4), 60)
    data = LabelledFeatures.create(x, labels, query_mask=number == 3, gallery_mask=number == 0)
    proof = prove_labelled(data, plan=plan_evaluation(data))
    assert "for " in proof.words and "parts of held-out pictures" in proof.words and "no labels" in proof.notes[0]


def test_of_nothing_held_out_nothing_is_said_but_that():
    plan = plan_evaluation(LabelledFeatures.create(np.eye(4), [-1] * 4), seed=3)
    proof = nothing_held_out(plan)
    assert (proof.verdict, proof.results, proof.test.method) == ("too few", {}, "none")
    assert (proof.protocol.queries, proof.protocol.images, proof.protocol.seed) == (0, 4, 3)


@pytest.mark.parametrize(
    ("verdict", "trainer", "opening"),
    [
        ("taught", None, "Better, and your examples taught it"),
        ("better", None, "Better than plain, but your examples add nothing yet"),
        ("refused", None, "Not surely better than plain"),
        ("refused", Fixed(only(LOUD)), "Not better than plain"),
        ("too few", None, "Too few to tell"),
    ],
)
def test_a_verdict_has_its_words(verdict, trainer, opening):
    """41.5 where one query found it in one of two folds."""
    draft = prove(*world(), trainer)
    assert summary_of(verdict, draft, (41.5, 30.0)) == (
        f"{opening}: found the right picture first for 41.5 of 160 held-out queries; before: 30."
    )


BEST = "The best of many tries looks better than it is, so this one is tested at the"


@pytest.mark.parametrize(
    ("attempt", "often", "note"),
    [
        (Attempt(0, 1), "", ""),
        (Attempt(1, 1), "once", "in this way first: it is tested as a first proof is."),
        (
            Attempt(1, 2), "once",
            f"1 other way to learn was tried first. {BEST} 0.5% level in place of 1%, and beside 39 shuffled "
            "labellings in place of 19.",
        ),
        (
            Attempt(4, 3), "4 times",
            f"2 other ways to learn were tried first. {BEST} 0.33% level in place of 1%, and beside 59 shuffled "
            "labellings in place of 19.",
        ),
    ],
)  # fmt: skip
def test_it_is_said_how_often_the_examples_were_proved_before(attempt, often, note):
    data = LabelledFeatures.create(*world())
    proof = prove_labelled(data, plan=plan_evaluation(data, attempt=attempt))
    assert (proof.protocol.proved_before, proof.protocol.attempt) == (attempt.proved_before, attempt.number)
    assert proof.test.level == 0.01 / attempt.number
    assert len(proof.permutation.recalls) == 20 * attempt.number - 1
    assert proof.verdict == "taught"  # so large an effect that three tries do not hide it
    if not often:
        assert "proved" not in proof.words and proof.notes == ()
        return
    assert proof.words.endswith(f" These examples were proved {often} before.")
    assert proof.notes == (f"these examples were proved {often} before in this collection, and {note}",)
    assert f"These examples were proved {often} before in this collection" in " ".join(proof.table().split())


def test_too_few_to_pass_a_later_attempt_is_said():
    """Eight kinds all gain: p = 1/256 is below 1%, and below no third of it."""
    data = LabelledFeatures.create(*world(groups=8, each=5, loud=1.0))
    plans = [plan_evaluation(data, "groups", attempt=Attempt(k - 1, k)) for k in (1, 3)]
    first, third = (prove_labelled(data, plan=plan) for plan in plans)
    assert first.test.method == "sign flips"
    assert (third.verdict, third.test.method) == ("too few", "none")
    assert any("only 8 groups" in note and "fewer than 9" in note for note in third.notes)


def test_kinds_are_draws_of_chance_however_many_attempts_there_were():
    """Seven kinds are enough for the first; a later one must not fall back on pictures, which are more draws."""
    data = LabelledFeatures.create(*world(groups=8, each=20))
    plans = [plan_evaluation(data, "pictures", attempt=Attempt(k - 1, k)) for k in (1, 20)]
    first, later = (prove_labelled(data, plan=plan) for plan in plans)
    assert (first.protocol.clusters, later.protocol.clusters) == (8, 8)
    assert later.verdict == "too few"


def test_the_threshold_that_separates_best_lies_between_relevant_and_irrelevant():
    assert best_threshold(np.array([0.9, 0.8]), np.array([0.2, 0.4])) == SimilarityThreshold(0.6, 1.0)
    assert best_threshold(np.array([0.5]), np.array([0.5])).accuracy == 0.5
    threshold = prove(*world()).threshold
    assert -1 <= threshold.similarity <= 1 and 0.5 <= threshold.accuracy <= 1


def test_the_threshold_is_no_worse_than_any_other():
    """The slow loop over every value that occurs."""
    rng = np.random.default_rng(0)
    relevant, irrelevant = rng.normal(0.5, 0.2, 40), rng.normal(0.3, 0.2, 90)
    accuracies = [
        ((relevant >= at).mean() + (irrelevant < at).mean()) / 2 for at in np.concatenate([relevant, irrelevant])
    ]
    assert best_threshold(relevant, irrelevant).accuracy == pytest.approx(max(accuracies), abs=1e-4)


def test_with_nothing_wrong_in_the_gallery_there_is_nothing_to_separate():
    assert prove(*world(groups=1, each=30)).threshold is None
