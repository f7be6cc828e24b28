"""Plain against a lens on queries held out before learning: the comparison, both gates, the proof."""

from numpy.typing import ArrayLike

from lookalike.learning.closed_form.whitening import WhitenTrainer, spread_scale
from lookalike.learning.config import check_hold_out, check_whole
from lookalike.learning.evaluation.evaluator import Evaluator, TrainedLenses
from lookalike.learning.evaluation.evidence import nothing_held_out, weigh
from lookalike.learning.evaluation.plan import EvaluationPlan, plan_evaluation
from lookalike.learning.labelled_features import LabelledFeatures, Trainer
from lookalike.models.lens import Lens
from lookalike.models.proof import Proof
from lookalike.models.proof_parts import HoldOutKind
from lookalike.progress import SILENT, Reporter


def prove(
    features: ArrayLike,
    labels: ArrayLike,
    trainer: Trainer | None = None,
    *,
    domains: ArrayLike | None = None,
    triplets: ArrayLike | None = None,
    hold_out: HoldOutKind | None = None,
    seed: int = 0,
) -> Proof:
    """Whether a way to learn makes search better than plain, and whether the examples are why; see `prove_labelled`.

    Nothing is counted here, as `Collection.learn` does: of k ways that are tried on the same examples, the best has to
    pass `proof.test.p_value < 0.01 / k`.

    Args:
        features: (n, f) float, rows of any length.
        labels: (n,) whole numbers or words, who belongs together; below 0, None or "" for none.
        trainer: learns the lens; None: `whiten`, with the spreads of features evened. `Collection.learn` proves
            `ClosedFormTrainer`, which weights directions by what tells labels apart as well.
        domains: (n,) int, or None; a query does not search its own domain.
        triplets: (t, 3) int rows, or None. They are what is proved where no label has two rows.
        hold_out: "groups", "pictures", or None to decide by the examples, see `HoldOut`.
        seed: of everything that is drawn.
    Returns: Proof; examples that are too few give one that says so.
    Raises: ShapeError, when the arrays do not fit together; LensError, for a `hold_out` or a `seed` that cannot be.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat(np.arange(60), 2)
    >>> x = rng.standard_normal((120, 20))  # ten features that differ within labels ...
    >>> x[:, :10] = rng.standard_normal((60, 10))[labels] + 0.3 * x[:, :10]  # ... and ten that hardly do
    >>> prove(x, labels).verdict
    'taught'
    """
    check_hold_out(hold_out)
    check_whole("seed", seed, least=0)
    data = LabelledFeatures.create(features, labels, domains=domains, triplets=triplets)
    return prove_labelled(data, trainer, plan=plan_evaluation(data, hold_out, seed=seed))


def prove_labelled(
    data: LabelledFeatures,
    trainer: Trainer | None = None,
    refiner: Trainer | None = None,
    *,
    plan: EvaluationPlan | None = None,
    permutations: int | None = None,
    ridge: float = 1.0,
    reporter: Reporter = SILENT,
) -> Proof:
    """Whether a way to learn makes search better than plain, and whether the examples are why.

    Queries are held out before anything is learned, and the lens learns from the rest. Both answer the same queries
    in a gallery of one kind: of held-out pictures where whole groups are held out (new kinds of pictures), of learned
    ones where pictures within groups are (new pictures of known kinds). Two gates: (a) the lens finds the right picture
    first more often than plain, at the 1% level, one-sided, drawing groups of queries at random; (b) the closed form
    beats all closed forms that learned from the same labels laid on the same pictures at random. Both are stricter
    where these examples were proved before, as `plan.attempt` says: see `level_of` and `permutations_of`.

    A refined lens is left out where it does not beat the lens that it started from on the held-out queries. What is
    reported for the lens cannot gain by that choice: for each fifth of the groups of queries it is made by the other
    four fifths, and only what will serve is chosen by all of them.

    Args:
        data: the examples; copies of a query by content are not found, and stay on one side of a split.
        trainer: learns the lens; None: `whiten`, with the spreads of features evened.
        refiner: goes on from that lens, as the low-rank correction does; None for none.
        plan: of these data; None: made now.
        permutations: closed forms on shuffled labels; with 0 no lens is called taught. None: `permutations_of`.
        ridge: of the closed forms, as for `whiten`.
        reporter: told of each fold, and of the refiner's steps.
    Returns: Proof, whose queries and hits are rows of `data`; examples that are too few give one that says so.
    """
    plan = plan or plan_evaluation(data)
    rng = plan.generator()
    lenses = TrainedLenses(trainer or _EvenedWhitening(ridge), refiner, reporter)
    folds = plan.hold_out.folds(rng)
    permutations = plan.permutations if permutations is None else permutations
    answers = Evaluator(plan, permutations, ridge).run(folds, lenses, rng)
    if answers is None:
        return nothing_held_out(plan)
    return weigh(answers, plan, rng, folds=lenses.learned).proof()


class _EvenedWhitening:
    """`whiten` with the spreads of features evened."""

    def __init__(self, ridge: float):
        self.ridge = ridge

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        return WhitenTrainer(self.ridge, spread_scale(data.features, parts=data.parts)).fit(data)
