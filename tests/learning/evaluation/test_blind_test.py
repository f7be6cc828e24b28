"""A blind test's proof: shares worked by hand, the verdicts, and orders as the slow obvious way has them."""

import json

import numpy as np
import pytest
from pytest import approx
from sklearn.metrics import roc_auc_score

from lookalike.learning.closed_form.whitening import spread_scale, whiten
from lookalike.learning.evaluation.blind_questions import BlindQuestion
from lookalike.learning.evaluation.blind_test import Asked, Ticked, order, orders_by_shuffled, weigh_blind_test
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.models.proof import Proof

ASKED = Asked(sets=1, skipped=2, images=500, seed=0)
TAUGHT = np.array([0.9] + [0.8] * 19)[:, None]


def ticked(i: int, plain: int, lens: int) -> Ticked:
    """A question of 24 candidates, 12 found each way, of which the first so many are right."""
    ways = [tuple((f"{way}{rank}", 1 - rank / 20) for rank in range(12)) for way in "pl"]
    files = tuple(file for way in ways for file, _ in way)
    right = {f"p{rank}" for rank in range(plain)} | {f"l{rank}" for rank in range(lens)}
    return Ticked(BlindQuestion(f"q{i}", *ways, files), frozenset(right))


def weigh(answers: "list[tuple[int, int]]", asked: Asked = ASKED, orders: "np.ndarray | None" = TAUGHT) -> Proof:
    """The proof of questions with so many right pictures among the first of plain and of the lens."""
    some = [ticked(i, plain, lens) for i, (plain, lens) in enumerate(answers)]
    return weigh_blind_test(some, asked, None if orders is None else orders.repeat(len(some), axis=1))


def test_shares_by_hand():
    """20 questions of 6 and 9 right of 12, 10 of 4 and 4: 16/36 = 0.444 and 22/36 = 0.611."""
    proof = weigh([(6, 9)] * 20 + [(4, 4)] * 10)
    assert proof.blind.plain == approx((20 * 6 + 10 * 4) / 360)
    assert proof.blind.lens == approx((20 * 9 + 10 * 4) / 360)
    assert proof.test.difference == approx(20 * 3 / 360)
    assert (proof.queries.won, proof.queries.lost) == (20, 0)
    assert (proof.blind.questions, proof.blind.skipped, proof.blind.sets, proof.blind.with_order) == (30, 2, 1, 30)
    assert proof.protocol.hold_out == "blind"
    assert proof.results["plain"].recall_at_1 == 1.0
    low, high = proof.blind.lens_interval
    assert 0.5 < low < proof.blind.lens < high < 0.7


def test_bounds_are_quantiles_of_the_bootstrap_over_questions():
    """Of 30 questions with gains 0 and 3 twelfths a mean has the spread sqrt(p (1 - p) / 30) of 3 twelfths."""
    proof = weigh([(6, 9)] * 20 + [(4, 4)] * 10)
    spread = 0.25 * np.sqrt(2 / 3 * 1 / 3 / 30)
    assert proof.test.lower == approx(20 * 3 / 360 - 2.33 * spread, abs=0.015)
    assert weigh([(6, 9)] * 20 + [(4, 4)] * 10, Asked(2, 0, 500, 0)).test.lower < proof.test.lower
    assert (proof.blind.level, weigh([(1, 1)] * 30, Asked(2, 0, 500, 0)).blind.level) == (0.01, 0.005)


CLEAR, UNSURE, WORSE = [(6, 9)] * 20 + [(4, 4)] * 10, [(6, 7), (7, 6), (6, 7)] * 10, [(9, 6)] * 30


@pytest.mark.parametrize(
    ("answers", "sets", "best", "verdict", "words"),
    [
        (
            CLEAR,
            1,
            0.8,
            "taught",
            "Better, and your examples taught it: of the first 12 pictures 7.3 belonged (between ",
        ),
        (CLEAR, 1, 0.9, "better", "Better than plain, but your examples add nothing yet: of the first 12"),
        (CLEAR, 1, None, "better", "Better than plain: of the first 12"),
        (UNSURE, 1, 0.8, "too few", "Too few questions to tell: of the first 12"),
        (UNSURE, 2, 0.8, "refused", "Not surely better than plain: of the first 12"),
        (
            WORSE,
            1,
            0.8,
            "refused",
            "Not better than plain: of the first 12 pictures 6.0 belonged (between 6.0 and 6.0); ",
        ),
        (WORSE, 2, 0.8, "refused", "Not better than plain"),
        ([(5, 5)] * 30, 1, 0.8, "too few", "Too few questions to tell"),
        (CLEAR[:19], 1, 0.8, "too few", "Too few questions to tell"),
        ([], 1, None, "too few", "Too few questions to tell: none was answered."),
    ],
)
def test_verdicts(answers, sets, best, verdict, words):
    """The closed form of the real answers has the order 0.9; those of shuffled ones at best this."""
    orders = None if best is None else np.array([0.9] + [0.7] * 18 + [best])[:, None]
    proof = weigh(answers, Asked(sets, 0, 500, 0), orders)
    assert proof.verdict == verdict
    assert proof.summary.startswith(words)
    assert proof.serves == (verdict in ("taught", "better"))


def test_forty_more_are_offered_once():
    assert any("40 questions more" in note for note in weigh(UNSURE).notes)
    assert not any("40 questions more" in note for note in weigh(UNSURE, Asked(2, 0, 500, 0)).notes)


def test_questions_without_right_or_wrong_pictures_say_nothing_about_order():
    orders = np.array([[0.6, np.nan, 0.8]] + [[0.5, np.nan, 0.6]] * 19)
    proof = weigh_blind_test([ticked(0, 3, 4), ticked(1, 0, 0), ticked(2, 5, 5)], ASKED, orders)
    assert proof.blind.order == approx(0.7)
    assert proof.permutation.recalls == approx((0.55,) * 19)
    assert proof.blind.with_order == 2
    nothing = weigh_blind_test([ticked(1, 0, 0)], ASKED, np.full((20, 1), np.nan))
    assert (nothing.blind.order, nothing.permutation.recalls) == (None, ())


def test_the_questions_that_were_won_and_lost_are_listed_most_first():
    proof = weigh([(6, 8), (6, 10), (9, 6), (5, 5), (0, 2)] * 6)
    assert (proof.queries.won, proof.queries.lost) == (18, 6)
    assert [one.query for one in proof.queries.best[:2]] == ["q1", "q6"]
    assert proof.queries.worst[0].query == "q27"
    none = next(one for one in proof.queries.best if one.query == "q4")
    assert none.ranks == {"plain": 13, "lens": 1}
    assert [hit.relevant for hit in none.hits["lens"]][:3] == [True, True, False]
    assert len(none.hits["plain"]) == 12


def test_the_learned_similarity_separates_the_first_right_from_the_first_wrong():
    """Right pictures come first at 1.0, the first wrong one, after 6 right ones, at 1 - 6 / 20 = 0.7."""
    threshold = weigh([(5, 6)] * 30).threshold
    assert (threshold.similarity, threshold.accuracy) == (0.85, 1.0)
    assert weigh([(5, 12)] * 30).threshold is None


def test_a_proof_is_read_back_from_its_json_and_printed():
    proof = weigh(CLEAR)
    assert Proof.from_json(json.loads(json.dumps(proof.to_json()))) == proof
    table = proof.table()
    assert max(map(len, table.splitlines())) <= 80
    assert "before (plain)              5.3   " in table
    assert "the lens                    7.3   " in table
    assert "The lens won 20 of 30 questions and lost 0: +2.0 pictures, with 99.0% certainty" in table


def test_order_is_the_area_under_the_curve_and_ties_count_half():
    rng = np.random.default_rng(0)
    for _ in range(20):
        right, similarity = rng.random(15) < 0.4, rng.integers(0, 6, 15) / 6
        if 0 < right.sum() < 15:
            assert order(similarity, right) == approx(roc_auc_score(right, similarity))
    assert np.isnan(order(np.ones(3), np.ones(3, bool))) and np.isnan(order(np.ones(3), np.zeros(3, bool)))


def world(rng: np.random.Generator, kinds: "np.ndarray") -> "np.ndarray":
    """Ten directions that tell kinds apart, ten louder ones that do not."""
    centres = np.random.default_rng(5).standard_normal((20, 10))
    quiet = centres[kinds] + 0.4 * rng.standard_normal((len(kinds), 10))
    return np.hstack([quiet, 2 * rng.standard_normal((len(kinds), 10))]).astype(np.float32)


def asked_in(rng: np.random.Generator) -> "tuple[np.ndarray, np.ndarray, list[Ticked]]":
    kinds = rng.integers(0, 20, 40)
    pools = [rng.permutation(np.concatenate([np.full(4, kind), (kind + np.arange(1, 9)) % 20])) for kind in kinds]
    some = []
    for i, (kind, pool) in enumerate(zip(kinds, pools, strict=True)):
        names = tuple(f"{i}-{place}" for place in range(len(pool)))
        right = frozenset(name for name, one in zip(names, pool, strict=True) if one == kind)
        some.append(Ticked(BlindQuestion(f"q{i}", (), (), names), right))
    return world(rng, kinds), world(rng, np.concatenate(pools)), some


def test_the_first_order_is_that_of_the_closed_form_of_the_examples():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(20), 4)
    examples = LabelledFeatures.create(world(rng, labels), labels)
    queries, candidates, some = asked_in(rng)
    found = orders_by_shuffled(examples, queries, candidates, some)
    assert found.shape == (20, 40)
    lens = whiten(examples.features, labels, scale=spread_scale(examples.features))
    by_lens = np.split(lens.apply(candidates), 40)
    slow = [
        order(part @ query, one.of_candidates)
        for part, query, one in zip(by_lens, lens.apply(queries), some, strict=True)
    ]
    assert found[0].mean() == approx(np.mean(slow), abs=0.01)  # the ridge is shared with the shuffled ones
    assert found[0].mean() > found[1:].mean(axis=1).max() + 0.05


def test_where_labels_say_nothing_the_real_ones_are_first_as_seldom_as_any():
    """One in twenty by construction: 2 of 40 are expected, more than 7 come in 1 of 1,000."""
    first = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        labels = np.repeat(np.arange(20), 3)
        examples = LabelledFeatures.create(world(rng, rng.permutation(labels)), labels)
        queries, candidates, some = asked_in(rng)
        orders = orders_by_shuffled(examples, queries, candidates, some, seed=seed).mean(axis=1)
        first += orders[0] > orders[1:].max()
    assert first <= 7


def test_who_knows_the_kinds_is_told_that_they_taught_it_and_who_ticks_at_random_is_not():
    """Of 20 blind tests that are answered at random one may pass."""
    kinds = np.repeat(np.arange(20), 24)
    x = world(np.random.default_rng(1), kinds)
    known, free = np.arange(len(x)) % 24 < 4, np.flatnonzero(np.arange(len(x)) % 24 >= 4)
    examples = LabelledFeatures.create(x[known], kinds[known])
    lens = whiten(examples.features, kinds[known], scale=spread_scale(examples.features))
    ways = [rows @ rows[free].T for rows in (x / np.linalg.norm(x, axis=1, keepdims=True), lens.apply(x))]
    taught = {"knows": 0, "at random": 0}
    for seed in range(20):
        rng = np.random.default_rng(seed)
        queries = rng.permutation(free)[:40]
        some: dict[str, list[Ticked]] = {who: [] for who in taught}
        for row in queries:
            first = [[hit for hit in free[np.argsort(-way[row])] if hit != row][:12] for way in ways]
            found = [[(str(hit), 0.5) for hit in hits] for hits in first]
            question = BlindQuestion.shuffled(str(row), *found, rng)
            right = kinds[np.array(question.candidates, int)] == kinds[row]
            for who, ticks in (("knows", right), ("at random", rng.permutation(right))):
                marked = frozenset(np.array(question.candidates)[ticks].tolist())
                some[who].append(Ticked(question, marked))
        pools = x[np.concatenate([np.array(one.question.candidates, int) for one in some["knows"]])]
        for who in ("knows", "at random") if seed < 2 else ("at random",):
            if weigh_blind_test(some[who], ASKED).verdict == "better":  # what was taught is looked at only then
                orders = orders_by_shuffled(examples, x[queries], pools, some[who], seed=seed)
                taught[who] += weigh_blind_test(some[who], ASKED, orders).verdict == "taught"
    assert taught["knows"] == 2
    assert taught["at random"] <= 1
