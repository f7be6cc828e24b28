"""Does the proof say what is so: on drawn data whose answer is known, and on shuffled labels."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.drawn_labels import LOUD, QUIET, F, Fixed, only, world
from support.recording import Recording

from lookalike.errors import Cancelled, ExamplesError, LensError, ShapeError
from lookalike.learning import prove, whiten
from lookalike.learning.closed_form.default import IdentityTrainer
from lookalike.learning.closed_form.whitening import spread_scale
from lookalike.learning.evaluation.metrics import recall_at_k
from lookalike.learning.evaluation.plan import plan_evaluation
from lookalike.learning.evaluation.prove import prove_labelled
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.models.lens import Lens
from lookalike.models.proof import Proof
from lookalike.progress import Progress


def proved(x, labels, trainer=None, refiner=None, plain=None, **more):
    """The proof of arrays, where what is asked is not among the arguments of `prove`."""
    arrays = {name: more.pop(name) for name in ("content", "query_mask", "gallery_mask") if name in more}
    data = LabelledFeatures.create(x, labels, **arrays)
    return prove_labelled(data, trainer, refiner, plan=plan_evaluation(data, plain=plain), **more)


def test_labels_that_teach_are_called_taught():
    proof = prove(*world())
    assert proof.verdict == "taught" and proof.serves and proof.permutation.passed
    assert proof.test.difference > 0.1 and proof.test.lower > 0 and proof.test.p_value < 0.01
    assert proof.words.startswith("Better, and your examples taught it: found the right picture first for ")


def test_what_helps_without_labels_is_not_called_taught():
    """The lens leaves out what is loud, whatever it is given; the closed forms learn from noise and gain nothing."""
    x, labels = world(loud=4.0)
    noise = np.random.default_rng(9).standard_normal((160, F)).astype(np.float32)
    data = LabelledFeatures.create(np.hstack([100 * noise, x]), labels)
    quiet = Fixed(Lens("quiet", np.zeros(2 * F), np.eye(2 * F)[:, F + 8 :]))
    proof = prove_labelled(data, quiet, plan=plan_evaluation(data, plain=x, seed=2))
    assert proof.verdict == "better" and proof.serves and not proof.permutation.passed
    assert proof.words.startswith("Better than plain, but your examples add nothing yet: ")


def test_without_shuffled_labels_nothing_is_called_taught():
    proof = proved(*world(), permutations=0)
    assert proof.verdict == "better" and proof.permutation.recalls == () and "shuffled" not in proof.results


def test_a_lens_that_changes_nothing_is_refused():
    proof = prove(*world(), IdentityTrainer())
    assert proof.verdict == "refused" and not proof.serves
    assert proof.test.difference == proof.queries.won == proof.queries.lost == 0 and proof.test.p_value == 1
    assert proof.queries.best == proof.queries.worst == ()
    assert proof.results["lens"] == proof.results["plain"]


def test_a_lens_that_is_worse_is_refused():
    proof = prove(*world(), Fixed(only(LOUD)))
    assert proof.verdict == "refused" and proof.test.difference < 0 and proof.test.upper < 0
    assert proof.queries.lost > proof.queries.won


@pytest.mark.parametrize("labels", [[0, 0, 1, 1], [0, 1, 2, 3], [-1] * 4, [0] * 4, [0, 0, 0, 1]])
def test_too_few_is_a_verdict(labels):
    proof = prove(np.eye(4), labels)
    assert proof.verdict == "too few" and not proof.serves and "Too few to tell" in proof.words
    json.dumps(proof.to_json(), allow_nan=False)
    assert max(len(line) for line in proof.table().splitlines()) <= 80


def test_recall_is_that_of_the_metrics():
    """A lens that is learned from nothing: its recall over five folds is that of each fold by itself."""
    x, labels = world()
    trainer = Fixed(lens := only(QUIET))
    proof = prove(x, labels, trainer)
    by_fold = []
    for learned in trainer.data:
        rows = np.array([i for i in range(len(x)) if not (learned.features == x[i]).all(axis=1).any()])
        embedding = lens.apply(x[rows])
        found = recall_at_k(embedding, embedding, labels[rows], labels[rows], itself=np.arange(len(rows)))
        by_fold.append(found * len(rows))
    assert proof.results["lens"].recall_at_1 == pytest.approx(sum(by_fold) / len(x))
    everyone = lens.apply(x)
    assert proof.results_full_gallery["lens"].recall_at_1 == pytest.approx(
        recall_at_k(everyone, everyone, labels, labels, itself=np.arange(len(x)))
    )


def test_the_closed_form_that_is_compared_to_shuffles_is_the_one_that_is_learned():
    x, labels = world(seed=3)
    proof = prove(x, labels, domains=np.tile([0, 1], 80), seed=3)
    form, lens = proof.results["closed form"], proof.results["lens"]
    assert form.recall_at_1 == pytest.approx(lens.recall_at_1, abs=0.02)
    assert form.recall_at_10 == pytest.approx(lens.recall_at_10, abs=0.02)


def test_without_a_trainer_what_is_proved_is_whitening_with_even_spreads():
    class Evened:
        def fit(self, data, start=None, reporter=None):
            return whiten(data.features, data.labels, scale=spread_scale(data.features))

    x, labels = world()
    assert prove(x, labels) == prove(x, labels, Evened())


def test_a_correction_that_is_worse_than_its_closed_form_is_left_out():
    x, labels = world()
    alone, proof = prove(x, labels), proved(x, labels, refiner=Fixed(only(LOUD)))
    assert proof.selected == "closed form" and proof.verdict == "taught"
    assert proof.results["lens"].recall_at_1 == alone.results["lens"].recall_at_1
    assert proof.results["lens"].recall_at_1 > proof.results["correction"].recall_at_1


def test_a_correction_that_is_better_is_taken():
    x, labels = world(loud=1.0)
    proof = proved(x, labels, IdentityTrainer(), Fixed(only(QUIET)))
    assert proof.selected == "correction"
    assert proof.results["lens"].recall_at_1 == proof.results["correction"].recall_at_1
    assert prove(x, labels).selected == ""


def test_a_correction_starts_from_the_closed_form_of_the_same_rows():
    refiner = Fixed(only(QUIET))
    proved(*world(), refiner=refiner)
    assert len(refiner.starts) == 5
    for start, data in zip(refiner.starts, refiner.data, strict=True):
        closed = whiten(data.features, data.labels, scale=spread_scale(data.features))
        assert_array_equal(start.matrix, closed.matrix)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("hold_out", ["groups", "pictures"])
def test_shuffled_labels_are_not_called_taught(seed, hold_out):
    """The first gate and the second each let through few; benchmarks/proof_shuffles.py counts them on real pictures."""
    x, labels = world(loud=3.0, seed=seed)
    mixed = np.random.default_rng(seed).permutation(labels)
    assert prove(x, mixed, hold_out=hold_out, seed=seed).verdict == "refused"


def test_labels_mixed_within_domains_are_not_called_taught():
    x, labels = world(groups=80, each=2)
    domains = np.tile([0, 1], 80)
    mixed = labels.copy()
    mixed[domains == 1] = np.random.default_rng(0).permutation(labels[domains == 1])
    assert prove(x, labels, domains=domains).verdict == "taught"
    assert prove(x, mixed, domains=domains).verdict == "refused"


def test_a_closed_form_is_best_of_twenty_by_chance_in_one_of_twenty():
    """Features that are noise: of 30 proofs 1.5 beat their shuffles on average, and fewer than 6 in 99 of 100 runs."""
    beats = 0
    for seed in range(30):
        x = np.random.default_rng(seed).standard_normal((60, 6)).astype(np.float32)
        beats += prove(x, np.repeat(np.arange(20), 3), IdentityTrainer(), seed=seed).permutation.passed
    assert beats < 6


def test_rows_that_only_query_teach_nothing_and_only_gallery_rows_are_found():
    """Sixty pictures of four rows: row 0 is whole, row 3 asks. Each query has one right answer among those held out."""
    x, labels = world(groups=60, each=4, loud=1.0)
    number, trainer = np.tile(np.arange(4), 60), Fixed(only(QUIET))
    proof = proved(x, labels, trainer, query_mask=number == 3, gallery_mask=number == 0)
    taught = {row.tobytes() for data in trainer.data for row in data.features}
    assert not taught & {row.tobytes() for row in x[number == 3]}
    assert taught >= {row.tobytes() for row in x[number == 1]}
    protocol = proof.protocol
    assert (protocol.hold_out, protocol.queries, protocol.images, protocol.clusters) == ("views", 60, 60, 60)
    assert proof.queries.best
    for one in proof.queries.best + proof.queries.worst:
        assert number[one.query] == 3
        assert all(number[hit.image] == 0 for first in one.hits.values() for hit in first)
    lens = only(QUIET).apply(x)
    place = lens[number == 3] @ lens[number == 0].T
    assert proof.results_full_gallery["lens"].recall_at_1 == pytest.approx(
        (place.argmax(axis=1) == np.arange(60)).mean()
    )


def test_triplets_alone_are_proved_by_triplets():
    """The positive is of the anchor's kind, the negative of another."""
    x, _ = world(groups=60, each=3, loud=1.2)
    row = np.arange(180).reshape(60, 3)
    triplets = np.column_stack([row[:, 0], row[:, 1], np.roll(row[:, 2], 1)])
    proof = prove(x, np.full(180, -1), triplets=triplets)
    assert proof.protocol.hold_out == "triplets" and proof.results_full_gallery == {}
    assert "put the more alike picture first in " in proof.words
    assert proof.results["lens"].recall_at_1 >= proof.results["plain"].recall_at_1
    for one in proof.queries.best + proof.queries.worst:
        _, positive, negative = triplets[triplets[:, 0] == one.query][0]
        for way, hits in one.hits.items():
            assert {hit.image: hit.relevant for hit in hits} == {positive: True, negative: False}
            assert [hit.image for hit in hits].index(positive) + 1 == one.ranks[way]
    assert "triplets" in proof.table()


def test_it_is_the_same_for_the_same_seed_and_differs_for_another():
    x, labels = world()
    assert prove(x, labels, seed=1) == prove(x, labels, seed=1) != prove(x, labels, seed=2)


def test_a_plan_can_be_proved_twice():
    data = LabelledFeatures.create(*world())
    plan = plan_evaluation(data, seed=1)
    assert prove_labelled(data, plan=plan) == prove_labelled(data, plan=plan)


def test_plain_can_be_other_features_than_are_learned_on():
    x, labels = world()
    quiet, whole = proved(x, labels, plain=x[:, 8:]), prove(x, labels)
    assert quiet.results["plain"].recall_at_1 > whole.results["plain"].recall_at_1


def test_copies_of_a_picture_are_no_answer():
    """Every picture three times in its group: with their content known, copies are neither held apart nor found."""
    x, labels = world(groups=30, each=2)
    x, labels, content = np.repeat(x, 3, axis=0), np.repeat(labels, 3), [bytes([i // 3]) for i in range(180)]
    assert prove(x, labels).results["plain"].recall_at_1 == 1
    assert proved(x, labels, content=content).results["plain"].recall_at_1 < 0.9


def test_a_split_that_teaches_nothing_is_passed():
    class Nothing:
        def fit(self, data, start=None, reporter=None):
            raise ExamplesError("nothing to learn from.")

    proof = prove(*world(), Nothing())
    assert proof.verdict == "too few" and proof.protocol.folds == 0 and proof.results == {}


def test_each_fold_is_told_of_as_proving():
    reporter = Recording()
    proved(*world(), reporter=reporter)
    assert [(now.stage, now.done, now.total) for now in reporter.seen] == [("proving", done, 5) for done in range(1, 6)]


def test_a_reporter_can_stop_it():
    class Stopping(Recording):
        def progress(self, progress: Progress) -> None:
            super().progress(progress)
            raise Cancelled("stopped")

    reporter = Stopping()
    with pytest.raises(Cancelled):
        proved(*world(), reporter=reporter)
    assert len(reporter.seen) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x, labels: prove(x, labels[:-1]),
        lambda x, labels: prove(x, labels, domains=labels[:-1]),
        lambda x, labels: proved(x, labels, plain=x[:-1]),
        lambda x, labels: proved(x, labels, content=[b""]),
        lambda x, labels: prove(x, labels, triplets=[[0, 1, 160]]),
        lambda x, labels: prove(np.where(x == x[3, 3], np.nan, x), labels),
    ],
)
def test_arrays_that_do_not_fit_are_refused_in_one_line(wrong):
    with pytest.raises(ShapeError) as error:
        wrong(*world())
    assert "\n" not in str(error.value)


def test_a_proof_comes_back_from_json_as_it_was():
    proof = proved(*world(), refiner=Fixed(only(LOUD)))
    assert proof.from_json(json.loads(json.dumps(proof.to_json(), allow_nan=False))) == proof
    assert proof.from_json(proof.to_json()) != replace(proof, selected="")


@pytest.mark.parametrize(
    ("options", "said"),
    [({"seed": -1}, "seed -1"), ({"seed": None}, "seed None"), ({"hold_out": "half"}, "hold_out 'half'")],
)
def test_a_seed_or_a_way_of_holding_out_that_cannot_be_is_one_line(options: dict[str, object], said: str):
    with pytest.raises(LensError, match=f"{said}: expected"):
        prove(np.ones((4, 2)), [0, 0, 1, 1], **options)


def proved_beside(own: Lens) -> tuple[Proof, dict]:
    """The proof of examples that teach, in a collection that has a lens without labels; and as JSON."""
    data = LabelledFeatures.create(*world())
    proof = prove_labelled(data, plan=replace(plan_evaluation(data), own=own))
    return proof, json.loads(json.dumps(proof.to_json()))


def test_a_lens_has_to_beat_the_one_without_labels_as_well():
    """This one leaves out what is loud, as the examples teach: they add nothing to it, though they beat plain."""
    proof, kept = proved_beside(Lens("own", np.zeros(F), np.eye(F)[:, QUIET]))
    assert proof.test.better and proof.own is not None and not proof.own.better
    assert proof.verdict == "refused" and not proof.serves
    assert proof.words.startswith("Better than plain, but not surely better than your pictures alone: found the right ")
    assert "; with your pictures alone: " in proof.words
    assert "Your examples add: " in proof.table() and "pictures alone" in proof.table()
    assert Proof.from_json(kept) == proof


def test_examples_that_add_to_it_are_called_taught_and_say_by_how_much():
    proof, kept = proved_beside(Lens("own", np.zeros(F), np.eye(F)))
    assert proof.verdict == "taught" and proof.own is not None and proof.own.better
    assert proof.results["own"].recall_at_1 < proof.results["lens"].recall_at_1
    share = proof.results["lens"].recall_at_1 - proof.results["own"].recall_at_1
    assert proof.own.difference == pytest.approx(share)
    said = f"Your examples add: {100 * proof.own.difference:+.1f} points to your pictures alone"
    assert said in " ".join(proof.table().split())
    assert Proof.from_json(kept) == proof
