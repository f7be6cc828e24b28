"""Whether a fine-tuned backbone is better: one fold, held out before it is trained, answered in three ways after."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lookalike.errors import ExamplesError
from lookalike.learning.evaluation.evaluator import Answers, Embeddings, Evaluator, FoldAnswers, TrainedLenses
from lookalike.learning.evaluation.evidence import weigh
from lookalike.learning.evaluation.folds import Fold
from lookalike.learning.evaluation.plan import EvaluationPlan
from lookalike.learning.evaluation.significance import FEW, cross_fitted_choice, is_better, paired_test
from lookalike.learning.labelled_features import LabelledFeatures, PartWeights
from lookalike.learning.labels import Rows
from lookalike.models.proof import Proof

UNTUNED, TUNED = "untouched backbone", "tuned backbone"


@dataclass(frozen=True)
class FinetuneSplit:
    """One fold of a plan, decided before anything is trained.

    Attributes:
        plan: of the examples, with features of the untuned backbone.
        fold: what is held out.
    """

    plan: EvaluationPlan
    fold: Fold

    @property
    def train_rows(self) -> Rows:
        """Which of the rows that the plan was made of the backbone may learn from."""
        return self.plan.rows[self.fold.train]

    @property
    def training_data(self) -> LabelledFeatures:
        """What it may learn from."""
        return self.plan.data.subset(self.fold.train, self.fold.triplets)


@dataclass(frozen=True)
class FinetuneComparison:
    """What the held-out queries say.

    Attributes:
        proof: of the lens on the tuned backbone, beside plain and the lens on the untuned one.
        finetuned_is_better: whether a lens on the tuned backbone answered more of them than any on the untuned one.
        words: how the two did, in a sentence.
        tuned_lens: the name of the lens that serves on the tuned backbone: "closed form" or "correction".
    """

    proof: Proof
    finetuned_is_better: bool
    words: str
    tuned_lens: str


def hold_out_for_finetuning(plan: EvaluationPlan) -> FinetuneSplit:
    """One fold of a plan: a fifth of the rows, or two fifths where the queries of a fifth are of less than 20 groups.

    Nothing is trained again on what is held out here, so it is as little as can still convince.

    Raises: ExamplesError, when nothing can be held out.

    >>> from lookalike.learning.evaluation.plan import plan_evaluation
    >>> x = np.random.default_rng(0).standard_normal((40, 3))
    >>> split = hold_out_for_finetuning(plan_evaluation(LabelledFeatures.create(x, np.repeat(np.arange(20), 2))))
    >>> len(split.train_rows), len(split.fold.queries)
    (24, 16)
    """
    folds = plan.hold_out.folds(plan.generator())
    fold = next(folds, None)
    if fold is not None and len(np.unique(fold.cluster)) < FEW and (more := next(folds, None)) is not None:
        fold = plan.hold_out.fold(_held_out(fold, len(plan.rows)) | _held_out(more, len(plan.rows))) or fold
    if fold is None:
        raise ExamplesError("too few examples: nothing can be held out and still leave something to learn from.")
    return FinetuneSplit(plan, fold)


class _BothBackbones:
    """The lenses of each way, on the features of the untuned and of the tuned backbone."""

    def __init__(self, untuned: TrainedLenses, tuned: TrainedLenses, tuned_data: LabelledFeatures):
        self.untuned, self.tuned, self.tuned_data = untuned, tuned, tuned_data

    def embed(self, data: LabelledFeatures, fold: Fold) -> Embeddings:
        on_untuned, on_tuned = self.untuned.embed(data, fold), self.tuned.embed(self.tuned_data, fold)
        return {_name(UNTUNED, one): x for one, x in on_untuned.items()} | {
            _name(TUNED, one): x for one, x in on_tuned.items()
        }


def compare_finetuned(
    split: FinetuneSplit,
    tuned: ArrayLike,
    untuned_lenses: TrainedLenses,
    tuned_lenses: TrainedLenses,
    *,
    parts: PartWeights | None = None,
    keep: bool = False,
) -> FinetuneComparison:
    """Plain and the lens on the untuned backbone beside the lens on the tuned one, on the same held-out queries.

    Each lens learns from the rows that the backbone learned from; on either backbone the correction serves only where
    it is better than the closed form. The proof is of the tuned backbone's lens against plain on the untuned one. Which
    lens serves is chosen so that what is reported cannot gain by the choice (`cross_fitted_choice`). That the examples
    teach is asked of closed forms on the untuned features, because the tuned ones have seen the examples already.

    Args:
        split: what was held out.
        tuned: (n, f) float, features of the tuned backbone, row for row those that the plan was made of.
        untuned_lenses: how a lens on the untuned backbone is learned.
        tuned_lenses: the same for the tuned one.
        parts: how much the parts of the tuned features weigh for lenses.
        keep: whether the tuned backbone is kept in any case; where it would not be chosen, the proof then speaks of its
            lens alone.
    """
    plan, fold = split.plan, split.fold
    rng = np.random.default_rng([plan.seed, 2])
    tuned_data = replace(plan.data, features=np.asarray(tuned, np.float32)[plan.rows], parts=parts)
    both = _BothBackbones(untuned_lenses, tuned_lenses, tuned_data)
    asked = Evaluator(plan, plan.permutations).run_fold(fold, both, rng)
    untuned, untuned_lens = _better_lens(asked, UNTUNED, fold.cluster, rng)
    finetuned, tuned_lens = _better_lens(asked, TUNED, fold.cluster, rng)
    answers = replace(asked, lenses={UNTUNED: untuned, TUNED: finetuned})
    evidence = weigh(answers, plan, rng, folds=1)
    before, after = untuned.ranks, finetuned.ranks
    test = paired_test((after == 1).astype(float) - (before == 1), fold.cluster, rng, level=plan.level)
    serving = asked.lenses[_name(TUNED, tuned_lens)].ranks, asked.lenses[_name(UNTUNED, untuned_lens)].ranks
    better = is_better(after, before) and is_better(*serving)
    words = (
        f"the right picture came first for {(after == 1).sum():,} of {len(fold.queries):,} held-out queries "
        f"through a lens on the tuned backbone, for {(before == 1).sum():,} through one on the untouched backbone"
    )
    words += ", which is beyond chance" if test.better else ", which may be chance" if better else ""
    # Fine-tuning that is better beyond chance is what the examples taught, even where a closed form adds nothing.
    verdict = "taught" if evidence.verdict == "better" and test.better else evidence.verdict
    proof = evidence.proof(verdict, (f"{words}.",))
    if keep and not (better and proof.serves):
        alone = replace(answers, lenses={TUNED: finetuned})
        proof = weigh(alone, plan, rng, folds=1).proof(notes=(f"{words}.",))
    return FinetuneComparison(proof, better, words, tuned_lens)


def _better_lens(asked: FoldAnswers, backbone: str, cluster: Rows, rng: np.random.Generator) -> tuple[Answers, str]:
    """The answers of a backbone, each by the lens that the other queries choose, and the lens that all would choose."""
    lenses = {name: one for name, one in asked.lenses.items() if name.startswith(_name(backbone, ""))}
    names, answers = [name.removeprefix(_name(backbone, "")) for name in lenses], list(lenses.values())
    if len(names) == 1:
        return answers[0], names[0]
    simple, other = answers
    taken, serves = cross_fitted_choice(simple.ranks, other.ranks, cluster, rng)
    return simple.where(taken, other), names[int(serves)]


def _name(backbone: str, lens: str) -> str:
    return f"{backbone}: {lens}"


def _held_out(fold: Fold, n: int) -> NDArray[np.bool_]:
    held = np.ones(n, bool)
    held[fold.train] = False
    return held
