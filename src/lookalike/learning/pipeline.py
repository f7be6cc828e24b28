"""Features of examples -> a lens and its proof: proved on held-out queries first, then learned from everything."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import MissingExtraError
from lookalike.learning.closed_form.default import ClosedFormTrainer
from lookalike.learning.closed_form.label_free import LabelFreeTrainer, label_free_config
from lookalike.learning.config import LearnConfig, LowRank
from lookalike.learning.evaluation.plan import EvaluationPlan, plan_evaluation
from lookalike.learning.evaluation.prior import PriorTrainer
from lookalike.learning.evaluation.prove import prove_labelled
from lookalike.learning.feature_set import FeatureSet
from lookalike.learning.labelled_features import LabelledFeatures, Trainer
from lookalike.learning.provenance import provenance
from lookalike.models.lens import Lens
from lookalike.models.proof import Proof
from lookalike.models.proof_parts import FIRST, Attempt
from lookalike.progress import SILENT, Reporter
from lookalike.text import times

if TYPE_CHECKING:
    from lookalike.learning.training import EpochMetrics, LowRankRun, StepMetrics

WITHOUT_TORCH = (
    "torch is not installed: the lens is the closed form alone. "
    "pip install 'lookalike[learn]' adds the correction by gradient."
)


@dataclass(frozen=True)
class LearnResult:
    """What learning came to.

    Attributes:
        lens: learned from all examples; it has the settings of its learning, no name and no proof yet.
        proof: its queries and hits are rows of the features.
        history: metrics of each step of a validation run: the proof's first fold, whose held-out queries give the
            recall; empty for the closed form.
        notes: lines for people.
        history_title: what the history is of.
        epochs: of the Keras example's network, the losses of each.
    """

    lens: Lens
    proof: Proof
    history: "tuple[StepMetrics, ...]"
    notes: tuple[str, ...]
    history_title: str = "a validation run; recall@1 is of queries held out from it"
    epochs: "tuple[EpochMetrics, ...]" = ()

    def named(self, name: str, names: Sequence[str], about: Mapping[str, Any]) -> Lens:
        """The lens under a name, with its proof in the names of its rows and what else its settings shall say."""
        return replace(self.lens, name=name, settings={**self.lens.settings, **about}, proof=self.proof.named(names))


@dataclass(frozen=True)
class LowRankRefiner:
    """The low-rank correction as people chose it; a Trainer whose steps fit the examples that it is given.

    Attributes:
        method: what people chose.
        seed: of everything that is drawn.
    """

    method: LowRank
    seed: int

    def run(self, data: LabelledFeatures, start: Lens) -> "LowRankRun":
        """One correction that is stepped by its caller.

        Raises: MissingExtraError, without torch.
        """
        from lookalike.learning.training import LowRankConfig, LowRankRun

        return LowRankRun(start, data, LowRankConfig.from_method(self.method, data.labels), seed=self.seed)

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        """The corrected lens; without one to start from the closed form is made first."""
        run = self.run(data, start or ClosedFormTrainer().fit(data))
        for step in run.steps():
            reporter.progress(step.progress("learning"))
        return run.lens()

    def fit_until_stopped(self, data: LabelledFeatures, start: Lens, reporter: Reporter) -> tuple[Lens, str]:
        """As `fit`; Ctrl-C ends the training, the best so far is the result, and a line says so, else ""."""
        run, stopped = self.run(data, start), ""
        try:
            for step in run.steps():
                reporter.progress(step.progress("learning"))
        except KeyboardInterrupt:
            stopped = (
                f"stopped after step {run.best.step} of {run.config.resolved.steps}: this lens is what was learned so "
                "far, the proof speaks of all steps"
            )
        return run.lens(), stopped


def plan_learning(
    features: FeatureSet, config: LearnConfig, attempt: Attempt = FIRST, own: Lens | None = None
) -> EvaluationPlan:
    """How queries will be held out; made once for everything that evaluates, the given attempt on these examples.

    Args:
        features: of the examples.
        config: how they are learned from.
        attempt: which proof of these examples it is for.
        own: the lens from pictures alone that search has, which a lens has to beat; None for none.

    >>> data = LabelledFeatures.create(np.eye(6), [0, 0, 1, 1, 2, 2])
    >>> plan_learning(FeatureSet(data, (), (), ()), LearnConfig()).hold_out.kind
    'groups'
    """
    plan = plan_evaluation(features.data, config.hold_out, seed=config.seed, attempt=attempt)
    return plan if own is None or features.views is not None else replace(plan, own=own)


def learn_lens(
    features: FeatureSet, config: LearnConfig, plan: EvaluationPlan, reporter: Reporter = SILENT
) -> LearnResult:
    """Prove a way to learn on held-out queries, then learn from everything in that way.

    Ctrl-C while the lens itself is refined keeps the best so far; before, it ends everything.

    Args:
        features: of the examples.
        config: its method is `ClosedForm` or `LowRank`.
        plan: of these features.
        reporter: told of the stages "validating", "proving" and "learning".
    Raises: ExamplesError, TrainingError, LensError.
    """
    notes = list(features.notes)
    trainer = trainer_for(features, config, plan.own)
    refiner: LowRankRefiner | None = None
    history: tuple[StepMetrics, ...] = ()
    if isinstance(config.method, LowRank) and features.views is None:
        try:
            refiner = LowRankRefiner(config.method, config.seed)
            history, first, second = _validation_run(trainer, refiner, plan, reporter)
            proof = prove_labelled(features.data, first, second, plan=plan, reporter=reporter)
        except MissingExtraError:
            refiner = None
            notes.append(WITHOUT_TORCH)
    if refiner is None:
        proof = prove_labelled(features.data, trainer, plan=plan, reporter=reporter)
    data = features.training_rows().data
    lens = (trainer.settled() if isinstance(trainer, PriorTrainer) else trainer).fit(data)
    if refiner is not None and proof.selected == "correction":
        lens, stopped = refiner.fit_until_stopped(data, lens, reporter)
        notes += [stopped] if stopped else []
    lens = replace(lens, settings={**lens.settings, **described(config), **provenance()})
    return LearnResult(lens, proof, history, tuple(notes))


def trainer_for(features: FeatureSet, config: LearnConfig, own: Lens | None = None) -> Trainer:
    """What learns a lens in closed form: from labels, beside what a collection's pictures say, or from these alone."""
    if features.views is None:
        if features.others is None:
            return ClosedFormTrainer(dims=config.dims)
        return PriorTrainer(features.others, own, config.dims, config.seed)
    pictures = int(features.views.gallery_mask.sum()) + (0 if features.others is None else len(features.others))
    return LabelFreeTrainer(label_free_config(pictures, config.dims), features.others)


def _validation_run(
    trainer: Trainer, refiner: LowRankRefiner, plan: EvaluationPlan, reporter: Reporter
) -> "tuple[tuple[StepMetrics, ...], Trainer, Trainer]":
    """The correction on the proof's first fold, with its curve, and both ways to learn, which know this fold already.

    Nothing is chosen by the curve: what the proof gets is the last step, as on every other fold.
    """
    from lookalike.learning.training import LowRankConfig, LowRankRun

    fold = next(plan.hold_out.folds(plan.generator()), None)
    if fold is None:
        return (), trainer, refiner
    data = plan.data.subset(fold.train, fold.triplets)
    asked, at = np.unique(np.concatenate([fold.queries, fold.gallery]), return_inverse=True)
    features, queries, gallery = plan.data.features[asked], at[: len(fold.queries)], at[len(fold.queries) :]

    def recall_at_1(embedding: NDArray[np.float32]) -> float:
        return float((fold.ranks(embedding[queries] @ embedding[gallery].T) == 1).mean())

    config = LowRankConfig.from_method(refiner.method, data.labels)
    start = trainer.fit(data)
    run = LowRankRun(start, data, config, measure=recall_at_1, of=features, keep="last", seed=refiner.seed)
    history = []
    for step in run.steps():
        history.append(step)
        reporter.progress(step.progress("validating"))
    return tuple(history), LearnedBefore(trainer, data, start), LearnedBefore(refiner, data, run.lens(), start)


class LearnedBefore:
    """A way to learn that has learned from some rows already: asked for them again, it gives that lens, once.

    Args:
        trainer: learns from all others.
        data: those rows.
        lens: what was learned from them.
        start: from where on, for a trainer that refines a lens.
    """

    def __init__(self, trainer: Trainer, data: LabelledFeatures, lens: Lens, start: Lens | None = None):
        self.trainer, self.start = trainer, start
        self.known: tuple[bytes, Lens] | None = (_digest(data), lens)  # not the rows: they are large

    def fit(self, data: LabelledFeatures, start: Lens | None = None, reporter: Reporter = SILENT) -> Lens:
        """See `Trainer`."""
        if self.known is not None and start is self.start and self.known[0] == _digest(data):
            lens = self.known[1]
            self.known = self.start = None
            return lens
        return self.trainer.fit(data, start, reporter)


def _digest(data: LabelledFeatures) -> bytes:
    """What tells rows to learn from and what is known of them from others."""
    found = blake2b(digest_size=16)
    for one in (data.labels, data.domains, data.triplets, data.features):
        found.update(b"none" if one is None else f"{one.dtype} {one.shape}".encode())
        found.update(b"" if one is None else np.ascontiguousarray(one).data)
    return found.digest()


def describe_plan(features: FeatureSet, plan: EvaluationPlan) -> list[str]:
    """What would be learned from and what would be held out, in lines for people; nothing is learned."""
    pictures = len(set(features.paths))
    labels = features.training_rows().data.labels
    sizes = np.bincount(labels[labels >= 0])
    groups = sizes[sizes > 1]
    lines = [f"{pictures:,} pictures"]
    if len(groups):
        of = f"{groups.min():,}" if groups.min() == groups.max() else f"{groups.min():,} to {groups.max():,}"
        lines[0] += f" in {len(groups):,} groups of {of}"
    if len(features.data.triplets):
        lines.append(f"{len(features.data.triplets):,} triplets")
    groups_of = plan.hold_out.groups
    lines.append(f"{groups_of.near:,} pictures have a near-duplicate (similarity above {groups_of.threshold:g})")
    if groups_of.note:
        lines.append(groups_of.note)
    fold = next(plan.hold_out.folds(plan.generator()), None)
    if fold is None:
        lines.append("nothing can be held out: the verdict would be that these are too few to tell")
    else:
        what = {
            "groups": "whole groups",
            "pictures": "pictures within groups",
            "triplets": "triplets",
            "views": "pictures",
        }
        lines.append(f"held out: {what[plan.hold_out.kind]}, {len(fold.queries):,} queries in the first of the splits")
    if before := plan.attempt.proved_before:
        lines.append(f"proved {times(before)} before in this collection: tested at the {100 * plan.level:.2g}% level")
    return [*lines, *features.notes]


def described(config: LearnConfig) -> dict[str, Any]:
    """A configuration for a lens's settings, in plain values.

    >>> described(LearnConfig(seed=7))["config"]["method"]["name"]
    'LowRank'
    """
    method = {"name": type(config.method).__name__, **asdict(config.method)}
    return {"config": {**asdict(config), "method": method}, "seed": config.seed}
