"""Plain against a lens on queries held out before learning: the comparison, the two gates, the verdict in words."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import ExamplesError
from lookalike.learning.closed_form.whitening import spread_scale, whiten
from lookalike.learning.evaluation.evaluator import Embeddings, Evaluator, embedded
from lookalike.learning.evaluation.folds import Fold, HoldOut, HoldOutKind
from lookalike.learning.evaluation.plan import MOST, EvaluationPlan, plan_evaluation
from lookalike.learning.evaluation.query_changes import query_changes
from lookalike.learning.evaluation.significance import (
    FEW,
    FEWEST,
    PairedTest,
    bootstrap,
    cross_fitted_choice,
    is_better,
    paired_test,
)
from lookalike.learning.evaluation.splits import DUPLICATE_THRESHOLD
from lookalike.learning.labelled_features import Correct, Features, Learn
from lookalike.learning.labels import Rows
from lookalike.models.proof import Proof, Verdict

SHUFFLES = 19  # the closed form is best of 20 by chance in 1 of 20
AT = (1, 10)
COLUMNS = ("rank", "among all", "right", "wrong", "first")  # of each lens in a trial
SERVES = {  # what the lenses of a trial are called where one is chosen
    "closed": "closed form",
    "corrected": "correction",
    "untouched": "untouched backbone",
    "tuned": "tuned backbone",
}


def prove(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    domains: ArrayLike | None = None,
    triplets: ArrayLike | None = None,
    learn: Learn | None = None,
    correct: Correct | None = None,
    plain: ArrayLike | None = None,
    content: Sequence[bytes] | None = None,
    asks: ArrayLike | None = None,
    whole: ArrayLike | None = None,
    hold_out: HoldOutKind | None = None,
    same: float = DUPLICATE_THRESHOLD,
    ridge: float = 1.0,
    means: Literal["one", "side"] = "one",
    shuffles: int = SHUFFLES,
    most: int = MOST,
    seed: int = 0,
) -> Proof:
    """Whether a way to learn makes search better than plain, and whether the examples are why.

    Queries are held out before anything is learned, and the lens learns from the rest. Both answer the same queries
    in a gallery of one kind: of held-out pictures where whole groups are held out (new kinds of pictures), of learned
    ones where pictures within groups are (new pictures of known kinds). Two gates: (a) the lens finds the right picture
    first more often than plain, at the 1% level, one-sided, drawing groups of queries at random; (b) the closed form
    beats all of 19 closed forms that learned from the same groups laid on the same pictures at random.

    A correction is left out where it does not beat its own closed form on the held-out queries. What is reported for
    the lens cannot gain by that choice: for each fifth of the groups of queries it is made by the other four fifths,
    and only what will serve is chosen by all of them.

    Args:
        features: (n, f) float, rows of any length.
        labels: (n,) int, who belongs together, -1 for none.
        domains: (n,) int, or None; a query does not search its own side.
        triplets: (t, 3) int rows, or None. They are what is proved where no group has two members.
        learn: features, group, side or None, triplets or None -> Lens. None: `whiten` of features `spread_scale`.
        correct: a second step from that lens on, such as `lookalike.learning.training.low_rank_trainer.correct`; or None.
        plain: (n, d) float, what plain search compares; None: the features.
        content: n content hashes; equal ones stay on one side of a split, and a query does not find its own copies.
        asks: (n,) bool, or None: the only rows that ask; nothing is learned from them. For groups that are the views
            of one picture each: the views that are learned from ask too little, plain knows nearly all of them.
        whole: (n,) bool, or None: the only rows that are found.
        hold_out: see `HoldOut`; None decides by the examples.
        same: plain similarity above which two pictures stay on one side.
        ridge: of the closed forms, as for `whiten`.
        means: of the closed forms, as for `whiten`.
        shuffles: how many.
        most: above so many pictures a sample is proved.
        seed: of everything that is drawn.
    Returns: Proof; examples that are too few give one that says so.
    Raises: ShapeError, when the arrays do not fit together.

    >>> rng = np.random.default_rng(0)
    >>> group = np.repeat(np.arange(60), 2)
    >>> x = rng.standard_normal((120, 20))  # ten features that differ within groups ...
    >>> x[:, :10] = rng.standard_normal((60, 10))[group] + 0.3 * x[:, :10]  # ... and ten that hardly do
    >>> prove(x, group).verdict
    'taught'
    """
    rng = np.random.default_rng(seed)
    asked = plan_evaluation(
        features,
        labels,
        rng=rng,
        domains=domains,
        triplets=triplets,
        plain=plain,
        content=content,
        asks=asks,
        whole=whole,
        hold_out=hold_out,
        same=same,
        most=most,
    )

    def closed(x: Features, groups: Rows, sides: Rows | None, three: Rows | None) -> Any:
        return whiten(x, groups, domains=sides, triplets=three, ridge=ridge, means=means, scale=spread_scale(x))

    def embed(task: Fold) -> Embeddings:
        return embedded(asked.examples, task, learn or closed, correct)

    trial = Evaluator(asked, embed, ridge, means, shuffles)
    for task in asked.split.folds(rng):
        try:
            trial.run_fold(task, rng)
        except ExamplesError:
            continue  # this split left nothing to learn from
    return build_proof(trial, asked, seed, rng)


def build_proof(trial: Evaluator, asked: EvaluationPlan, seed: int, rng: np.random.Generator) -> Proof:
    """The proof from the answers: the choice of the lens, both gates, the verdict."""
    split, notes = asked.split, list(asked.notes)
    proof: dict[str, Any] = {
        "notes": notes,
        "hold_out": split.hold_out,
        "pictures": len(split.examples.labels)
        if split.examples.gallery_mask is None
        else int(split.examples.gallery_mask.sum()),
        "splits": len(trial.parts),
        "near_duplicates": split.split_groups.near,
        "same": split.split_groups.threshold,
        "seed": seed,
    }
    if not trial.parts:
        return Proof(**proof, **_NOTHING)
    keys, at = np.unique(trial.column("key"), return_inverse=True)
    times = np.bincount(at)
    unit = trial.column("unit")  # of all that was asked, where a query may stand several times
    few_kinds = split.hold_out == "pictures" and len(np.unique(unit)) < FEWEST
    if few_kinds:
        unit = split.split_groups.of[keys][at]
    unit_of = np.zeros(len(keys), np.int64)
    unit_of[at] = unit

    lenses = [{column: trial.column(f"{name} {column}") for column in COLUMNS} for name in trial.lenses]
    lens, chosen = lenses[0], ""
    if len(lenses) > 1:
        simple, other = lenses
        taken, serves = cross_fitted_choice(simple["rank"], other["rank"], unit, rng)
        chosen = SERVES[trial.lenses[int(serves)]]
        lens = {column: np.where(taken, other[column], simple[column]) for column in COLUMNS}
    forms = trial.column("forms")  # (1 + shuffles, q), the real one first
    ranks = {"plain": trial.column("plain rank"), "closed form": forms[0], "lens": lens["rank"]}
    ranks |= {name: one["rank"] for name, one in zip(trial.lenses, lenses, strict=True) if name != "closed"}

    def per_query(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(at, values.astype(np.float64)) / times

    first = {name: per_query(one == 1) for name, one in ranks.items()}
    found = paired_test(first["lens"] - first["plain"], unit_of, rng, flip=few_kinds)
    shuffles = [float(per_query(one == 1).mean()) for one in forms[1:]]
    beats = trial.shuffles > 0 and all(is_better(forms[0], one) for one in forms[1:])
    verdict: Verdict = "refused"
    if found.method == "none":
        verdict = "too few"
    elif found.better:
        verdict = "taught" if beats else "better"

    def row(ranks: Rows) -> dict[str, float]:
        found = {f"recall@{k}": float(per_query(ranks <= k).mean()) for k in AT}
        return {**found, "mean reciprocal rank": float(per_query(1 / ranks).mean())}

    draws = int(rng.integers(2**32))  # the same for all, so that what answers alike has the same interval
    ways = {name: row(one) | _interval(first[name], unit_of, draws) for name, one in ranks.items()}
    if shuffles:
        ways["shuffled"] = _mean_row([row(one) for one in forms[1:]]) | {"from": min(shuffles), "to": max(shuffles)}
    among_all = {}
    if split.hold_out != "triplets":
        among_all = {"plain": row(trial.column("plain among all")), "lens": row(lens["among all"])}
    best, worst = query_changes(
        at,
        trial.column("query"),
        {"plain": ranks["plain"], "lens": ranks["lens"]},
        {"plain": trial.column("plain first"), "lens": lens["first"]},
        asked.rows,
    )
    told_apart = np.isfinite(lens["wrong"])
    cut_off = best_threshold(lens["right"][told_apart], lens["wrong"][told_apart]) if told_apart.any() else (None, None)
    notes.extend(_said(found, few_kinds, split))
    if len(at) > len(keys):
        notes.append("queries that asked in several splits count once, by the mean.")
    return Proof(
        verdict=verdict,
        words=_words(verdict, split.hold_out, first, found),
        queries=len(keys),
        groups=found.clusters,
        ways=ways,
        among_all=among_all,
        difference=found.difference,
        lower=found.lower,
        upper=found.upper,
        p=found.p_value,
        test=found.method,
        shuffles=shuffles,
        beats_shuffles=beats,
        won=int((first["lens"] > first["plain"]).sum()),
        lost=int((first["lens"] < first["plain"]).sum()),
        best=best,
        worst=worst,
        cut_off=cut_off[0],
        cut_off_accuracy=cut_off[1],
        chosen=chosen,
        **proof,
    )


_NOTHING: dict[str, Any] = {
    "verdict": "too few",
    "words": "Too few to tell: nothing could be held out and still leave something to learn from. Give more groups.",
    "queries": 0,
    "groups": 0,
    "ways": {},
    "among_all": {},
    "difference": 0.0,
    "lower": -1.0,
    "upper": 1.0,
    "p": 1.0,
    "test": "none",
    "shuffles": [],
    "beats_shuffles": False,
    "won": 0,
    "lost": 0,
    "best": [],
    "worst": [],
    "cut_off": None,
    "cut_off_accuracy": None,
    "chosen": "",
}


def best_threshold(right: NDArray[np.floating[Any]], wrong: NDArray[np.floating[Any]]) -> tuple[float, float]:
    """The similarity that best separates right from wrong, and the share that lies on its own side of it.

    Args:
        right: (m,) float, at least one.
        wrong: (k,) float, at least one; both kinds count alike, however many there are.
    Returns: a value halfway between two similarities, and the mean of the two shares, 0.5 to 1.

    >>> best_threshold(np.array([0.9, 0.8, 0.3]), np.array([0.1, 0.2, 0.4]))
    (0.6, 0.8333)
    """
    values = np.unique(np.concatenate([right, wrong]).astype(np.float64))
    cuts = np.concatenate([values[:1], (values[:-1] + values[1:]) / 2])
    above = 1 - np.searchsorted(np.sort(right), cuts) / len(right)
    below = np.searchsorted(np.sort(wrong), cuts) / len(wrong)
    best = int(np.argmax(above + below))
    return round(float(cuts[best]), 4), round(float(above[best] + below[best]) / 2, 4)


def _mean_row(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([row[name] for row in rows])) for name in (rows[0] if rows else {})}


def _interval(first: NDArray[np.float64], unit_of: Rows, seed: int) -> dict[str, float]:
    """The 95% interval of a mean, by bootstrap over units."""
    at, rng = np.unique(unit_of, return_inverse=True)[1], np.random.default_rng(seed)
    means = bootstrap(np.bincount(at, first).astype(np.float64), np.bincount(at), rng, draws=2000)
    low, high = np.quantile(means, [0.025, 0.975])
    return {"from": float(low), "to": float(high)}


def _words(verdict: Verdict, hold_out: str, first: dict[str, NDArray[np.float64]], found: PairedTest) -> str:
    asked = len(first["lens"])
    # With a decimal where a query asked in several splits and did not always find it.
    after, before = (f"{first[way].sum():,.1f}".removesuffix(".0") for way in ("lens", "plain"))
    if hold_out == "views":
        what = f"found the whole picture first for {after} of {asked:,} parts of held-out pictures; before: {before}"
    elif hold_out == "triplets":
        what = f"put the more alike picture first in {after} of {asked:,} held-out triplets; before: {before}"
    else:
        what = f"found the right picture first for {after} of {asked:,} held-out queries; before: {before}"
    opening = {
        "taught": "Better, and your examples taught it",
        "better": "Better than plain, but your examples add nothing yet",
        "refused": "Not surely better than plain" if found.difference > 0 else "Not better than plain",
        "too few": "Too few to tell",
    }[verdict]
    if hold_out == "views":
        opening = {
            "taught": "Better on your pictures' own views, and they taught it",
            "better": "Better on your pictures' own views, but they add nothing yet",
            "refused": f"{opening} on your pictures' own views",
            "too few": opening,
        }[verdict]
    return f"{opening}: {what}."


def _said(found: PairedTest, few_kinds: bool, split: HoldOut) -> list[str]:
    """What the reader must know about how far the verdict reaches."""
    of = {"groups": "groups", "pictures": "groups", "triplets": "anchors", "views": "pictures"}[split.hold_out]
    notes = []
    if split.hold_out == "views":
        notes.append(
            "there were no labels: this says that a part is traced to its picture, not that kinds are told apart."
        )
    if found.method == "none":
        notes.append(
            f"queries of only {found.clusters} {of}: no outcome of fewer than {FEWEST} could convince. Give more."
        )
    elif few_kinds:
        notes.append(
            f"only {split.groups} groups: each picture was a draw of its own, so nothing is said of other kinds."
        )
    elif found.clusters < FEW:
        notes.append(f"only {found.clusters} {of} of queries: tested by sign flips.")
    return notes
