"""From the answers of a blind test to a proof: the share of right first hits, and whether the answers taught it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.closed_form.whitening import matching_pairs, spread_scale
from lookalike.learning.evaluation.blind_questions import FIRST, QUESTIONS, SETS, BlindQuestion, Found
from lookalike.learning.evaluation.calibration import calibrate
from lookalike.learning.evaluation.evidence import best_threshold
from lookalike.learning.evaluation.judged_hits import JudgedHits
from lookalike.learning.evaluation.permutation_baseline import LabelAssignment, PermutedClosedForms
from lookalike.learning.evaluation.query_changes import LISTED
from lookalike.learning.evaluation.significance import DRAWS, FEW, bootstrap
from lookalike.learning.labelled_features import LabelledFeatures
from lookalike.models.likelihood import Likelihood
from lookalike.models.proof import Proof, Verdict
from lookalike.models.proof_blind import BlindResult, Interval
from lookalike.models.proof_parts import (
    LEVEL,
    FoundImage,
    PairedTest,
    PermutationTest,
    Protocol,
    QueryChange,
    QueryChanges,
    RetrievalMetrics,
    SimilarityThreshold,
)

PERMUTATIONS = 19
RIDGE = 1.0


@dataclass(frozen=True)
class Ticked:
    """A question with its answer: `right` are the candidates that were ticked; the others count as wrong."""

    question: BlindQuestion
    right: frozenset[str]

    def marks(self, found: Sequence[Found]) -> NDArray[np.bool_]:
        """Whether each hit was ticked."""
        return np.array([file in self.right for file, _ in found], bool)

    @property
    def of_candidates(self) -> NDArray[np.bool_]:
        """Whether each candidate was ticked."""
        return np.array([file in self.right for file in self.question.candidates], bool)


@dataclass(frozen=True)
class Asked:
    """How a blind test was asked.

    Attributes:
        sets: of questions, 1 or 2.
        skipped: questions that were passed over.
        images: how many pictures were searched.
        seed: of the draws.
    """

    sets: int
    skipped: int
    images: int
    seed: int


def weigh_blind_test(ticked: Sequence[Ticked], asked: Asked, orders: NDArray[np.float64] | None = None) -> Proof:
    """What the answers say of a lens.

    Better: the share of the first 12 hits that belongs with the query is larger than plain's, one-sided, by the
    bootstrap over questions; at the 1% level after one set of questions, at half of it after two. Taught: right
    pictures stand before wrong ones more often under the closed form of the examples than under all those of shuffled
    ones.

    Args:
        ticked: every question that was answered, of both sets.
        asked: how.
        orders: (1 + s, q), what `orders_by_shuffled` gave; None, where the lens learned from no judgements.
    Returns: Proof of the kind "blind", its queries and hits named by files.
    """
    rng = np.random.default_rng(asked.seed)
    shares = np.array([[one.marks(found).mean() if found else 0.0 for found in _both(one)] for one in ticked])
    shares = shares.reshape(-1, 2)
    level = LEVEL / asked.sets
    test = _paired(shares[:, 1] - shares[:, 0], level, rng)
    told = np.zeros(0, bool) if orders is None else ~np.isnan(orders[0])
    order = orders[:, told].mean(axis=1) if orders is not None and told.any() else None
    passed = order is not None and bool(order[0] > order[1:].max())
    permutation = PermutationTest(() if order is None else tuple(float(one) for one in order[1:]), passed)
    verdict = _verdict(test, passed=passed, last=asked.sets == SETS)
    plain, lens = _mean_with_interval(shares[:, 0], rng), _mean_with_interval(shares[:, 1], rng)
    with_order = sum(bool(one.of_candidates.any() and not one.of_candidates.all()) for one in ticked)
    blind = BlindResult(
        questions=len(ticked),
        skipped=asked.skipped,
        sets=asked.sets,
        first=FIRST,
        plain=plain[0],
        lens=lens[0],
        plain_interval=plain[1],
        lens_interval=lens[1],
        level=level,
        with_order=with_order,
        order=None if order is None else float(order[0]),
    )
    likelihood, why = _likelihood(ticked, asked)
    notes = [why] if why else []
    if order is None and test.method != "none":
        notes.append("whether examples taught it was not looked at: it did not learn from judgements that are there.")
    if verdict == "too few" and asked.sets < SETS:
        notes.append(f"{QUESTIONS} questions more may tell: both sets count then, at half the level.")
    return Proof(
        verdict=verdict,
        summary=_summary(verdict, blind, test, told=order is not None),
        notes=tuple(notes),
        selected="",
        protocol=Protocol("blind", len(ticked), len(ticked), asked.images, asked.sets, asked.seed, 0, 1.0),
        results={name: _metrics(ticked, way) for way, name in enumerate(("plain", "lens"))} if ticked else {},
        results_full_gallery={},
        test=test,
        permutation=permutation,
        queries=_changes(ticked, shares[:, 1] - shares[:, 0]),
        threshold=_threshold(ticked),
        likelihood=likelihood,
        blind=blind,
    )


def _likelihood(ticked: Sequence[Ticked], asked: Asked) -> tuple[Likelihood | None, str]:
    """How likely a hit of the lens is right: what was ticked among its first hits; None and why not."""
    similarities, right = np.full((len(ticked), FIRST), -np.inf), np.zeros((len(ticked), FIRST), bool)
    for i, one in enumerate(ticked):
        found = one.question.lens
        similarities[i, : len(found)] = [similarity for _, similarity in found]
        right[i, : len(found)] = one.marks(found)
    rows = np.arange(len(ticked))
    hits = JudgedHits(similarities, right, np.isfinite(similarities).astype(np.float64), rows, rows)
    return calibrate(hits, max(1, asked.images), np.random.default_rng([asked.seed, 3]))


def orders_by_shuffled(
    examples: LabelledFeatures,
    queries: NDArray[np.floating],
    candidates: NDArray[np.floating],
    ticked: Sequence[Ticked],
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> NDArray[np.float64]:
    """How often right candidates stand before wrong ones, under the closed form of examples and of shuffled ones.

    The same labels and pairs are laid on the same pictures at random; where labels say nothing, the real ones are the
    best of all in one of (permutations + 1) cases.

    Args:
        examples: what the lens learned from, m rows.
        queries: (q, f) features, one a question.
        candidates: (c, f) features of the candidates, question after question.
        ticked: the q questions.
        permutations: how often labels are shuffled.
        seed: of the shuffles.
    Returns: (1 + permutations, q) float64, `order` of each question, the real labels first; NaN for questions that
        have no right or no wrong candidates.
    """
    m, q = len(examples), len(queries)
    features = np.concatenate([examples.features, queries, candidates]).astype(np.float32)
    x = (features - features[:m].mean(axis=0)) * spread_scale(features[:m], parts=examples.parts)
    none = np.full(q + len(candidates), -1)
    labels = np.concatenate([examples.labels, none])
    domains = np.concatenate([np.full(m, -1) if examples.domains is None else examples.domains, none])
    real = LabelAssignment(labels, matching_pairs(examples.labels, examples.triplets))
    rng = np.random.default_rng(seed)
    assignments = [real, *(real.permuted(domains, rng) for _ in range(permutations))]
    forms = PermutedClosedForms(x @ x.T, assignments, x.shape[1], RIDGE)  # (n, f) @ (f, n) -> (n, n)
    ends = np.cumsum([len(one.question.candidates) for one in ticked])
    parts = [slice(end - len(one.question.candidates), end) for end, one in zip(ends, ticked, strict=True)]
    found = np.full((len(assignments), q), np.nan)
    for i in range(len(assignments)):
        similarity = forms.similarities(i, m + np.arange(q), m + q + np.arange(len(candidates)))
        for place, (part, one) in enumerate(zip(parts, ticked, strict=True)):
            found[i, place] = order(similarity[place, part], one.of_candidates)
    return found


def order(similarity: NDArray[np.floating], right: NDArray[np.bool_]) -> float:
    """The share of pairs of a right and a wrong picture in which the right one is more similar; a tie counts half.

    Args:
        similarity: (c,) float.
        right: (c,) bool.
    Returns: 0 to 1, the area under the ROC curve; NaN where all are right or all are wrong.

    >>> order(np.array([0.9, 0.5, 0.4, 0.1]), np.array([True, False, True, False]))
    0.75
    """
    if right.all() or not right.any():
        return float("nan")
    apart = similarity[right][:, None] - similarity[~right]
    return float(((apart > 0) + 0.5 * (apart == 0)).mean())


def _both(one: Ticked) -> tuple[tuple[Found, ...], tuple[Found, ...]]:
    return one.question.plain, one.question.lens


def _paired(gains: NDArray[np.float64], level: float, rng: np.random.Generator) -> PairedTest:
    """Lens less plain: bounds at the level, by the bootstrap over questions; "none" for too few of them."""
    if len(gains) < FEW:
        return PairedTest(float(gains.mean()) if len(gains) else 0.0, -1.0, 1.0, 1.0, "none")
    means = bootstrap(gains, np.ones(len(gains), np.int64), rng, draws=DRAWS)
    lower, upper = (float(bound) for bound in np.quantile(means, [level, 1 - level]))
    p = float((1 + (means <= 0).sum()) / (1 + len(means)))
    return PairedTest(float(gains.mean()), lower, upper, p, "bootstrap")


def _verdict(test: PairedTest, *, passed: bool, last: bool) -> Verdict:
    if test.method == "none":
        return "too few"
    if test.lower > 0:
        return "taught" if passed else "better"
    return "refused" if last or test.upper < 0 else "too few"


def _summary(verdict: Verdict, blind: BlindResult, test: PairedTest, *, told: bool) -> str:
    """A verdict in words. told: whether shuffled answers were looked at."""
    low, high = (f"{blind.first * end:.1f}" for end in blind.lens_interval)
    opening = {
        "taught": "Better, and your examples taught it",
        "better": "Better than plain" + (", but your examples add nothing yet" if told else ""),
        "refused": "Not surely better than plain" if test.difference > 0 else "Not better than plain",
        "too few": "Too few questions to tell",
    }[verdict]
    if not blind.questions:
        return f"{opening}: none was answered."
    return (
        f"{opening}: of the first {blind.first} pictures {blind.first * blind.lens:.1f} belonged (between {low} and "
        f"{high}); before: {blind.first * blind.plain:.1f}."
    )


def _mean_with_interval(values: NDArray[np.float64], rng: np.random.Generator) -> tuple[float, Interval]:
    if not len(values):
        return 0.0, (0.0, 1.0)
    means = bootstrap(values, np.ones(len(values), np.int64), rng, draws=DRAWS)
    low, high = (min(1.0, max(0.0, float(end))) for end in np.quantile(means, [0.025, 0.975]))
    return float(values.mean()), (low, high)


def _rank(one: Ticked, way: int) -> int:
    """The rank of the first hit that was ticked; one more than there are where none was."""
    marks = one.marks(_both(one)[way])
    return int(np.argmax(marks)) + 1 if marks.any() else FIRST + 1


def _metrics(ticked: Sequence[Ticked], way: int) -> RetrievalMetrics:
    ranks = np.array([_rank(one, way) for one in ticked])
    inverse = np.where(ranks <= FIRST, 1 / ranks, 0)
    return RetrievalMetrics(float((ranks <= 1).mean()), float((ranks <= 10).mean()), float(inverse.mean()))


def _changes(ticked: Sequence[Ticked], gains: NDArray[np.float64]) -> QueryChanges:
    """The questions that the lens won and lost, by how many of its first hits belonged."""
    order_of = np.argsort(-gains, kind="stable")

    def entry(i: int) -> QueryChange:
        one = ticked[i]
        hits = {
            name: tuple(FoundImage(file, round(similarity, 4), file in one.right) for file, similarity in found)
            for name, found in zip(("plain", "lens"), _both(one), strict=True)
        }
        return QueryChange(one.question.query, {"plain": _rank(one, 0), "lens": _rank(one, 1)}, hits)

    best = tuple(entry(int(i)) for i in order_of[:LISTED] if gains[i] > 0)
    worst = tuple(entry(int(i)) for i in order_of[::-1][:LISTED] if gains[i] < 0)
    return QueryChanges(int((gains > 0).sum()), int((gains < 0).sum()), best, worst)


def _threshold(ticked: Sequence[Ticked]) -> SimilarityThreshold | None:
    """The similarity that best separates the first right from the first wrong hit of the lens."""
    right, wrong = [], []
    for one in ticked:
        similarities, marks = (
            np.array([similarity for _, similarity in one.question.lens]),
            one.marks(one.question.lens),
        )
        if marks.any() and not marks.all():
            right.append(similarities[marks].max())
            wrong.append(similarities[~marks].max())
    return best_threshold(np.array(right), np.array(wrong)) if right else None
