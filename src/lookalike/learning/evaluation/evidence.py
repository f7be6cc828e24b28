"""From the answers to held-out queries to a proof: the choice of the lens, the tests, the verdict and its words."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lookalike.learning.evaluation.calibration import calibrate
from lookalike.learning.evaluation.evaluator import Answers, FoldAnswers
from lookalike.learning.evaluation.judged_hits import JudgedHits
from lookalike.learning.evaluation.plan import EvaluationPlan
from lookalike.learning.evaluation.query_changes import Ranked, query_changes
from lookalike.learning.evaluation.significance import (
    FEW,
    PERMUTATIONS,
    bootstrap,
    cross_fitted_choice,
    fewest,
    is_better,
    paired_test,
)
from lookalike.learning.labels import Rows
from lookalike.models.likelihood import Likelihood
from lookalike.models.proof import Proof, Verdict
from lookalike.models.proof_parts import (
    LEVEL,
    Attempt,
    PairedTest,
    PermutationTest,
    Protocol,
    QueryChanges,
    RetrievalMetrics,
    SimilarityThreshold,
)
from lookalike.text import plural, times

INTERVAL_DRAWS = 2000


@dataclass(frozen=True)
class Evidence:
    """A proof but for its verdict and the words that follow from it.

    Attributes:
        found: queries that found a relevant picture first, by the lens and by plain, and by `own` where that was asked;
            a share counts where a query was asked in several folds.
        draft: everything else.
    """

    found: tuple[float, ...]
    draft: Proof

    @property
    def verdict(self) -> Verdict:
        """What the two gates say."""
        test = self.draft.test
        if test.method == "none":
            return "too few"
        if not test.better or (self.draft.own is not None and not self.draft.own.better):
            return "refused"
        return "taught" if self.draft.permutation.passed else "better"

    def proof(self, verdict: Verdict | None = None, notes: tuple[str, ...] = ()) -> Proof:
        """The proof, with further notes; a verdict is given where further evidence decides it."""
        verdict = verdict or self.verdict
        summary = summary_of(verdict, self.draft, self.found)
        return replace(self.draft, verdict=verdict, summary=summary, notes=(*self.draft.notes, *notes))


class _PerQuery:
    """Answers of several folds -> one value a query: its mean over the folds in which it was asked."""

    def __init__(self, query_id: Rows):
        self.ids, self.place = np.unique(query_id, return_inverse=True)
        self.times = np.bincount(self.place)

    def __len__(self) -> int:
        return len(self.ids)

    def mean(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        return np.bincount(self.place, values.astype(np.float64)) / self.times

    def metrics(self, ranks: Rows) -> RetrievalMetrics:
        one, ten, inverse = (float(self.mean(values).mean()) for values in (ranks <= 1, ranks <= 10, 1 / ranks))
        return RetrievalMetrics(one, ten, inverse)


def weigh(answers: FoldAnswers, plan: EvaluationPlan, rng: np.random.Generator, *, folds: int) -> Evidence:
    """What the answers say of the lens.

    Args:
        answers: to all queries, by plain, by one or two lenses, and by closed forms on real and shuffled labels.
        plan: that they were asked by.
        rng: of the choice and the tests.
        folds: how often something was held out.
    """
    queries = _PerQuery(answers.query_id)
    clusters, few_kinds = _clusters(answers, plan, queries)
    of_query = np.zeros(len(queries), np.int64)
    of_query[queries.place] = clusters
    lens, selected = _selected(answers.lenses, clusters, rng)
    ranks = {"plain": answers.plain.ranks, "closed form": answers.permuted_ranks[0], "lens": lens.ranks}
    ranks |= {name: one.ranks for name, one in answers.lenses.items() if name != "closed form"}
    ranks |= {name: one.ranks for name, one in answers.own.items()}
    first = {name: queries.mean(one == 1) for name, one in ranks.items()}
    test = paired_test(first["lens"] - first["plain"], of_query, rng, flip=few_kinds, level=plan.level)
    own = None
    if answers.own:  # both have to be beaten, each at the level: no more passes by chance than with one of them
        own = paired_test(first["lens"] - first["own"], of_query, rng, flip=few_kinds, level=plan.level)
    permutation = _permutation_test(answers.permuted_ranks, queries)
    draws = int(rng.integers(2**32))  # the same for all, so that what answers alike has the same interval
    results = {name: _with_interval(queries.metrics(one), first[name], of_query, draws) for name, one in ranks.items()}
    if permutation.recalls:
        results["shuffled"] = _mean_of([queries.metrics(one) for one in answers.permuted_ranks[1:]])
    full = {"plain": answers.plain.full_ranks, "lens": lens.full_ranks}
    best, worst = query_changes(
        queries.place,
        answers.query,
        {"plain": Ranked(answers.plain.ranks, answers.plain.first), "lens": Ranked(lens.ranks, lens.first)},
        plan.rows,
    )
    kinds = len(np.unique(of_query))
    notes = [*plan.notes, *_notes(test, kinds, few_kinds, plan), *_of_attempts(test, permutation, plan.attempt)]
    if len(queries.place) > len(queries):
        notes.append("queries that asked in several splits count once, by the mean.")
    serves = answers.lenses[selected] if selected else lens
    likelihood, why = _likelihood(serves, clusters, queries, plan)
    draft = Proof(
        verdict="too few",
        summary="",
        notes=(*notes, *([why] if why else [])),
        selected=selected,
        protocol=_protocol(plan, queries=len(queries), clusters=kinds, folds=folds),
        results=results,
        results_full_gallery={}
        if plan.hold_out.kind == "triplets"
        else {name: queries.metrics(one) for name, one in full.items()},
        test=test,
        permutation=permutation,
        queries=QueryChanges(
            won=int((first["lens"] > first["plain"]).sum()),
            lost=int((first["lens"] < first["plain"]).sum()),
            best=best,
            worst=worst,
        ),
        threshold=_threshold(lens),
        own=own,
        likelihood=likelihood,
    )
    return Evidence(tuple(float(first[way].sum()) for way in ("lens", "plain", *answers.own)), draft)


def nothing_held_out(plan: EvaluationPlan) -> Proof:
    """The proof of examples of which nothing could be held out."""
    more = "triplets of other pictures" if len(plan.data.triplets) else "groups"
    why = "nothing could be held out and still leave something to learn from"
    return Proof(
        verdict="too few",
        summary=f"Too few to tell: {why}. Give more {more}.",
        notes=plan.notes,
        selected="",
        protocol=_protocol(plan, queries=0, clusters=0, folds=0),
        results={},
        results_full_gallery={},
        test=PairedTest(0.0, -1.0, 1.0, 1.0, "none"),
        permutation=PermutationTest((), False),
        queries=QueryChanges(0, 0, (), ()),
        threshold=None,
    )


def _likelihood(
    lens: Answers, clusters: Rows, queries: _PerQuery, plan: EvaluationPlan
) -> tuple[Likelihood | None, str]:
    """How likely a hit of the lens is right; None and why not."""
    if plan.hold_out.kind not in ("groups", "pictures"):
        return None, ""  # a triplet says which of two is right, a view what is cut from what
    others = 0 if plan.others is None else len(plan.others)
    hits = JudgedHits.of_folds(lens.shown, clusters, queries.place)
    return calibrate(hits, len(plan.data) + others, np.random.default_rng([plan.seed, 3]))


def _protocol(plan: EvaluationPlan, *, queries: int, clusters: int, folds: int) -> Protocol:
    mask = plan.data.gallery_mask
    return Protocol(
        hold_out=plan.hold_out.kind,
        queries=queries,
        clusters=clusters,
        images=len(plan.data) if mask is None else int(mask.sum()),
        folds=folds,
        seed=plan.seed,
        duplicates=plan.hold_out.groups.near,
        duplicate_threshold=plan.hold_out.groups.threshold,
        proved_before=plan.attempt.proved_before,
        attempt=plan.attempt.number,
    )


def _clusters(answers: FoldAnswers, plan: EvaluationPlan, queries: _PerQuery) -> tuple[Rows, bool]:
    """The draw of chance of each answer; where there are too few kinds, each picture is one of its own, and True."""
    few_kinds = plan.hold_out.kind == "pictures" and len(np.unique(answers.cluster)) < fewest()
    if few_kinds:
        return plan.hold_out.groups.of[queries.ids][queries.place], True
    return answers.cluster, False


def _selected(lenses: dict[str, Answers], clusters: Rows, rng: np.random.Generator) -> tuple[Answers, str]:
    """The answers to report for the lens, and the name of the one that serves; no name where there was no choice."""
    names, answers = list(lenses), list(lenses.values())
    if len(names) == 1:
        return answers[0], ""
    simple, other = answers
    taken, serves = cross_fitted_choice(simple.ranks, other.ranks, clusters, rng)
    return simple.where(taken, other), names[int(serves)]


def _permutation_test(ranks: Rows, queries: _PerQuery) -> PermutationTest:
    recalls = tuple(float(queries.mean(one == 1).mean()) for one in ranks[1:])
    return PermutationTest(recalls, len(ranks) > 1 and all(is_better(ranks[0], one) for one in ranks[1:]))


def _with_interval(
    metrics: RetrievalMetrics, first: NDArray[np.float64], clusters: Rows, seed: int
) -> RetrievalMetrics:
    """With the 95% interval of recall@1, by bootstrap over clusters."""
    place, rng = np.unique(clusters, return_inverse=True)[1], np.random.default_rng(seed)
    means = bootstrap(np.bincount(place, first).astype(np.float64), np.bincount(place), rng, draws=INTERVAL_DRAWS)
    lower, upper = np.quantile(means, [0.025, 0.975])
    return replace(metrics, lower=float(lower), upper=float(upper))


def _mean_of(rows: list[RetrievalMetrics]) -> RetrievalMetrics:
    """The mean of several, with the least and the most recall@1 as bounds."""
    recalls = [one.recall_at_1 for one in rows]
    return RetrievalMetrics(
        recall_at_1=float(np.mean(recalls)),
        recall_at_10=float(np.mean([one.recall_at_10 for one in rows])),
        mean_reciprocal_rank=float(np.mean([one.mean_reciprocal_rank for one in rows])),
        lower=min(recalls),
        upper=max(recalls),
    )


def _threshold(lens: Answers) -> SimilarityThreshold | None:
    told_apart = np.isfinite(lens.irrelevant)
    return best_threshold(lens.relevant[told_apart], lens.irrelevant[told_apart]) if told_apart.any() else None


def best_threshold(relevant: NDArray[np.floating], irrelevant: NDArray[np.floating]) -> SimilarityThreshold:
    """The similarity that best separates relevant from irrelevant, and the share that lies on its own side of it.

    Args:
        relevant: (m,) float, at least one.
        irrelevant: (k,) float, at least one; both kinds count alike, however many there are.

    >>> best_threshold(np.array([0.9, 0.8, 0.3]), np.array([0.1, 0.2, 0.4]))
    SimilarityThreshold(similarity=0.6, accuracy=0.8333)
    """
    values = np.unique(np.concatenate([relevant, irrelevant]).astype(np.float64))
    cuts = np.concatenate([values[:1], (values[:-1] + values[1:]) / 2])
    above = 1 - np.searchsorted(np.sort(relevant), cuts) / len(relevant)
    below = np.searchsorted(np.sort(irrelevant), cuts) / len(irrelevant)
    best = int(np.argmax(above + below))
    return SimilarityThreshold(round(float(cuts[best]), 4), round(float(above[best] + below[best]) / 2, 4))


def summary_of(verdict: Verdict, draft: Proof, found: tuple[float, ...]) -> str:
    """A verdict in words.

    Args:
        verdict: what was decided.
        draft: the proof so far.
        found: as in `Evidence`.
    """
    hold_out, total = draft.protocol.hold_out, draft.protocol.queries
    # With a decimal where a query asked in several splits and did not always find it.
    after, before, *without = (f"{number:,.1f}".removesuffix(".0") for number in found)
    if hold_out == "views":
        what = f"found the whole picture first for {after} of {total:,} parts of held-out pictures; before: {before}"
    elif hold_out == "triplets":
        what = f"put the more alike picture first in {after} of {total:,} held-out triplets; before: {before}"
    else:
        what = f"found the right picture first for {after} of {total:,} held-out queries; before: {before}"
    opening = {
        "taught": "Better, and your examples taught it",
        "better": "Better than plain, but your examples add nothing yet",
        "refused": "Not surely better than plain" if draft.test.difference > 0 else "Not better than plain",
        "too few": "Too few to tell",
    }[verdict]
    if hold_out == "views":
        opening = {
            "taught": "Better on your pictures' own views, and they taught it",
            "better": "Better on your pictures' own views, but they add nothing yet",
            "refused": f"{opening} on your pictures' own views",
            "too few": opening,
        }[verdict]
    elif without:
        what += f"; with your pictures alone: {without[0]}"
        if verdict == "refused" and draft.test.better:
            opening = "Better than plain, but not surely better than your pictures alone"
    often = draft.protocol.proved_before
    return f"{opening}: {what}." + (f" These examples were proved {times(often)} before." if often else "")


def _of_attempts(test: PairedTest, permutation: PermutationTest, attempt: Attempt) -> list[str]:
    """What the reader must know about earlier proofs of the same examples."""
    if not attempt.proved_before:
        return []
    before = f"these examples were proved {times(attempt.proved_before)} before in this collection"
    if attempt.number == 1:
        return [f"{before}, and in this way first: it is tested as a first proof is."]
    line = (
        f"{before}, and {plural(attempt.number - 1, 'other way')} to learn {'was' if attempt.number == 2 else 'were'} "
        "tried first. The best of many tries looks better than it is, so this one is tested at the "
        f"{100 * test.level:.2g}% level in place of {100 * LEVEL:g}%"
    )
    if len(permutation.recalls) > PERMUTATIONS:
        line += f", and beside {len(permutation.recalls)} shuffled labellings in place of {PERMUTATIONS}"
    return [f"{line}."]


def _notes(test: PairedTest, clusters: int, few_kinds: bool, plan: EvaluationPlan) -> list[str]:
    """What the reader must know about how far the verdict reaches."""
    kind = plan.hold_out.kind
    of = {"groups": "groups", "pictures": "groups", "triplets": "anchors", "views": "pictures"}[kind]
    notes = []
    if kind == "views":
        notes.append(
            "there were no labels: this says that a part is traced to its picture, not that kinds are told apart."
        )
    if test.method == "none":
        notes.append(
            f"queries of only {clusters} {of}: no outcome of fewer than {fewest(test.level)} could convince. Give more."
        )
    elif few_kinds:
        notes.append(
            f"only {plan.hold_out.labels} groups: each picture was a draw of its own, so nothing is said of other "
            "kinds."
        )
    elif clusters < FEW:
        notes.append(f"only {clusters} {of} of queries: tested by sign flips.")
    return notes
