"""Whether a backbone that learned is better: one split, held out before it learns, answered in three ways after."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import ExamplesError
from lookalike.learning.evaluation.evaluator import Embeddings, Evaluator, embedded
from lookalike.learning.evaluation.folds import Fold, HoldOutKind
from lookalike.learning.evaluation.plan import EvaluationPlan, plan_evaluation
from lookalike.learning.evaluation.prove import SHUFFLES, build_proof
from lookalike.learning.evaluation.significance import FEW, is_better, paired_test
from lookalike.learning.labelled_features import Correct, LabelledFeatures, Learn
from lookalike.learning.labels import Rows
from lookalike.models.proof import Proof

TAUGHT, UNTAUGHT = "Better, and your examples taught it", "Better than plain, but your examples add nothing yet"


@dataclass(frozen=True)
class FinetuneSplit:
    """The examples with one split of them, decided before anything learns.

    Attributes:
        exam: the examples, with features of the untouched backbone.
        task: the split.
        seed: of all that is drawn.
    """

    plan: EvaluationPlan
    fold: Fold
    seed: int

    @property
    def learned(self) -> Rows:
        """Which of the rows given the backbone may learn from."""
        return self.plan.rows[self.fold.train]

    @property
    def training_data(self) -> LabelledFeatures:
        """What it may learn from."""
        return self.plan.examples.subset(self.fold.train, self.fold.triplets)


@dataclass(frozen=True)
class FinetuneComparison:
    """What the held-out queries say.

    Attributes:
        proof: of the lens on the tuned backbone, beside plain and the lens on the untouched one.
        deeper: whether the tuned backbone answered more of them than the untouched one.
        words: how the two did, in a sentence.
    """

    proof: Proof
    finetuned_is_better: bool
    words: str


def hold_out_for_finetuning(
    features: ArrayLike,
    labels: ArrayLike,
    *,
    domains: ArrayLike | None = None,
    triplets: ArrayLike | None = None,
    content: Sequence[bytes] | None = None,
    hold_out: HoldOutKind | None = None,
    seed: int = 0,
) -> FinetuneSplit:
    """One split of the examples: a fifth of them, or two fifths where queries of a fifth are of less than 20 groups.

    Nothing is learned again from what is held out here, so it is as little as can still convince.

    Args:
        features: (n, f) float of the untouched backbone; above 4,000 rows a sample of groups is taken.
        labels: (n,) int, -1 for none.
        domains: (n,) int, or None.
        triplets: (t, 3) int, or None.
        content: n hashes; equal ones stay on one side.
        hold_out: as for `prove`.
        seed: of the sample and the split.
    Raises: ExamplesError, when nothing can be held out.

    >>> rng = np.random.default_rng(0)
    >>> found = hold_out_for_finetuning(rng.standard_normal((40, 3)), np.repeat(np.arange(20), 2))
    >>> len(found.learned), len(found.fold.queries)
    (24, 16)
    """
    rng = np.random.default_rng(seed)
    asked = plan_evaluation(
        features, labels, rng=rng, domains=domains, triplets=triplets, content=content, hold_out=hold_out
    )
    tasks = asked.split.folds(rng)
    task = next(tasks, None)
    if task is not None and len(np.unique(task.cluster)) < FEW and (more := next(tasks, None)) is not None:
        task = asked.split.fold(_held(task, len(asked.rows)) | _held(more, len(asked.rows))) or task
    if task is None:
        raise ExamplesError("too few examples: nothing can be held out and still leave something to learn from.")
    return FinetuneSplit(asked, task, seed)


def compare_finetuned(
    held: FinetuneSplit,
    tuned: ArrayLike,
    learn: Learn,
    correct: Correct | None = None,
    after: tuple[Learn, Correct | None] | None = None,
) -> FinetuneComparison:
    """Plain and the lens on the untouched backbone beside the lens on the tuned one, on the same held-out queries.

    Each lens learns from the rows that the backbone learned from. The proof is of the tuned backbone's lens against
    plain on the untouched one. Which of the two lenses serves is chosen as a correction is: what is reported cannot
    gain by the choice (`choosing.chosen_elsewhere`). That the examples teach is asked of closed forms on the untouched
    features, because the tuned ones have seen the examples already.

    Args:
        held: the split.
        tuned: (n, f) float, features of the tuned backbone, row for row those that `hold_out_for_finetuning` was given.
        learn: the first step of a lens.
        correct: its second step; None for none.
        after: both steps of the lens on the tuned backbone, where they are others.
    """
    task, examples, rng = held.fold, held.plan.examples, np.random.default_rng([held.seed, 2])
    deep = replace(examples, features=np.asarray(tuned, np.float32)[held.plan.rows])

    def embed(task: Fold) -> Embeddings:
        both = {
            "untouched": embedded(examples, task, learn, correct),
            "tuned": embedded(deep, task, *(after or (learn, correct))),
        }
        return {name: found.get("corrected", found["closed"]) for name, found in both.items()}

    trial = Evaluator(held.plan, embed, shuffles=SHUFFLES)
    trial.run_fold(task, rng)
    proof = build_proof(trial, held.plan, held.seed, rng)
    untouched, after_tuning = (trial.column(f"{name} rank") for name in trial.lenses)
    found = paired_test((after_tuning == 1).astype(float) - (untouched == 1), task.cluster, rng)
    deeper = is_better(after_tuning, untouched)
    words = (
        f"the right picture came first for {(after_tuning == 1).sum():,} of {len(task.queries):,} held-out queries "
        f"through a lens on the tuned backbone, for {(untouched == 1).sum():,} through one on the untouched backbone"
    )
    words += ", which is beyond chance" if found.better else ", which may be chance" if deeper else ""
    proof = replace(proof, notes=[*proof.notes, f"{words}."])
    if proof.verdict == "better" and found.better:
        proof = replace(proof, verdict="taught", words=proof.words.replace(UNTAUGHT, TAUGHT))
    return FinetuneComparison(proof, deeper, words)


def _held(task: Fold, n: int) -> NDArray[np.bool_]:
    held = np.ones(n, bool)
    held[task.train] = False
    return held
