"""Examples as arrays -> a lens and its proof: proved on held-out queries first, then learned from everything."""

import platform
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.errors import MissingExtraError
from lookalike.learning.closed_form.default import recipe
from lookalike.learning.config import LearnConfig
from lookalike.learning.evaluation.folds import FOLDS, Fold
from lookalike.learning.evaluation.plan import EvaluationPlan, plan_evaluation
from lookalike.learning.evaluation.prove import prove
from lookalike.learning.feature_set import FeatureSet
from lookalike.learning.labelled_features import Correct, Features, LabelledFeatures, Learn
from lookalike.learning.labels import Rows
from lookalike.models.lens import Lens
from lookalike.models.proof import Proof
from lookalike.progress import Report, Stage

if TYPE_CHECKING:
    from lookalike.learning.training import EpochMetrics
    from lookalike.learning.training import StepMetrics as Step


WITHOUT_TORCH = (
    "torch is not installed: the lens is the closed form alone. "
    "pip install 'lookalike[learn]' adds the correction by gradient."
)


@dataclass(frozen=True)
class LearnResult:
    """What teaching came to.

    Attributes:
        lens: learned from all examples, with its settings and its proof, whose queries and hits are named by files.
        proof: the same proof, whose queries and hits are rows of the material.
        curve: a report for each step of the rehearsal: a split of its own, whose held-out queries give the recall;
            empty for the closed form.
        said: lines for people.
        title: what the curve is of.
        epochs: of a recipe, the losses of each.
    """

    lens: Lens
    proof: Proof
    history: "tuple[Step, ...]"
    notes: tuple[str, ...]
    history_title: str = "a rehearsal; recall@1 is of queries held out from it"
    epochs: "tuple[EpochMetrics, ...]" = ()


def learn_lens(
    material: FeatureSet,
    how: LearnConfig,
    *,
    name: str,
    folder: Path,
    about: dict[str, Any],
    report: Report | None = None,
) -> LearnResult:
    """Prove a way to learn on held-out queries, then learn from everything in that way.

    Args:
        material: the examples.
        how: what may be turned.
        name: of the lens.
        folder: the collection's: its files are named from there.
        about: what else its settings shall say: backbone, data, ...
        report: called with each stage as it goes on.
    Raises: ExamplesError, TrainingError, LensError.
    """
    say = report or (lambda stage: None)
    said = list(material.notes)
    curve: list[Step] = []
    closed, correct = recipe(dims=how.dims), None
    if not how.quick:
        try:
            correct = correction(how, say)
            curve = _validation_curve(material, how, closed, say)
        except MissingExtraError:
            said.append(WITHOUT_TORCH)
    looks = material.views
    proof = prove(
        material.features,
        material.labels,
        domains=material.domains,
        triplets=material.triplets,
        learn=_counted(closed, say),
        correct=correct,
        content=material.content,
        asks=None if looks is None else looks.query_mask,
        whole=None if looks is None else looks.gallery_mask,
        hold_out=how.hold_out,
        seed=how.seed,
    )
    taught = material.training_rows()
    last = correction(how, say, said) if proof.chosen == "correction" else None
    serving = recipe(last, dims=how.dims)
    lens = serving(taught.features, taught.labels, taught.domains, taught.triplets)
    settings = {**lens.settings, **about, "how": asdict(how), "seed": how.seed, **provenance()}
    lens = replace(lens, name=name, settings=settings, proof=proof.named(material.names(folder)))
    return LearnResult(lens, proof, tuple(curve), tuple(said))


def describe_plan(material: FeatureSet, how: LearnConfig) -> list[str]:
    """What would be learned from and what would be held out, in lines for people; nothing is learned."""
    split = _exam(material, how).split
    pictures = len(set(material.paths))
    learned = material.training_rows().labels
    members = np.bincount(learned[learned >= 0])
    groups = members[members > 1]
    lines = [f"{pictures:,} pictures"]
    if len(groups):
        of = f"{groups.min():,}" if groups.min() == groups.max() else f"{groups.min():,} to {groups.max():,}"
        lines[0] += f" in {len(groups):,} groups of {of}"
    if material.triplets is not None and len(material.triplets):
        lines.append(f"{len(material.triplets):,} triplets")
    near = split.split_groups.near
    lines.append(f"{near:,} pictures have a near-duplicate (similarity above {split.split_groups.threshold:g})")
    if split.split_groups.note:
        lines.append(split.split_groups.note)
    task = next(split.folds(np.random.default_rng(how.seed)), None)
    if task is None:
        lines.append("nothing can be held out: the verdict would be that these are too few to tell")
    else:
        what = {
            "groups": "whole groups",
            "pictures": "pictures within groups",
            "triplets": "triplets",
            "views": "pictures",
        }
        lines.append(f"held out: {what[split.hold_out]}, {len(task.queries):,} queries in the first of the splits")
    return [*lines, *material.notes]


def correction(how: LearnConfig, say: Report, stopped: list[str] | None = None) -> Correct:
    """The correction as the recipe's second step.

    Args:
        how: what may be turned.
        say: told of each step.
        stopped: for the lens that will serve: Ctrl-C ends its learning, the best so far is the result, and a line here
            says so. None while it is proved: Ctrl-C ends everything.
    Raises: MissingExtraError, without torch.
    """
    from lookalike.learning.training import LowRankTrainer

    doing = "proving" if stopped is None else "learning"

    def second(lens: Lens, features: Features, labels: Rows, *, domains: Rows | None, triplets: Rows | None) -> Lens:
        settings = _settings(how, labels)
        learning = LowRankTrainer(
            lens, features, labels, domains=domains, triplets=triplets, settings=settings, seed=how.seed
        )
        try:
            for step in learning.steps():
                say(stage_of(doing, step))
        except KeyboardInterrupt:
            if stopped is None:
                raise
            stopped.append(
                f"stopped after step {learning.learned.step} of {settings.steps}: this lens is what was learned so "
                "far, the proof speaks of all steps"
            )
        return learning.lens()

    return second


def _settings(how: LearnConfig, labels: Rows) -> Any:
    from lookalike.learning.training import LowRankConfig, steps_per_epoch

    found = LowRankConfig(loss=how.loss, margin=how.margin)
    if how.epochs is not None:
        found = replace(found, steps=how.epochs * steps_per_epoch(labels, rows=found.rows, per_label=found.per_label))
    return found if how.rate is None else replace(found, learning_rate=how.rate)


def _validation_curve(material: FeatureSet, how: LearnConfig, closed: Learn, say: Report) -> "list[Step]":
    """The correction on a split of its own, for its curve alone: nothing is chosen by it."""
    from lookalike.learning.training import LowRankTrainer

    asked = _exam(material, how)
    task = next(asked.split.folds(np.random.default_rng(how.seed + 1)), None)
    if task is None:
        return []
    data = asked.examples.subset(task.train, task.triplets)
    features, group, side, triplets = data.features, data.labels, data.domains, data.triplets
    learning = LowRankTrainer(
        closed(features, group, side, triplets),
        features,
        group,
        domains=side,
        triplets=triplets,
        settings=_settings(how, group),
        validate=lambda lens: _recall(lens, asked.examples, task),
        seed=how.seed,
    )
    steps = []
    for step in learning.steps():
        steps.append(step)
        say(stage_of("rehearsing", step))
    return steps


def _recall(lens: Lens, labelled: LabelledFeatures, task: Fold) -> float:
    embedding = lens.apply(labelled.features, labelled.domains)
    ranks = task.ranks(embedding[task.queries] @ embedding[task.gallery].T)
    return float((ranks == 1).mean())


def _exam(material: FeatureSet, how: LearnConfig) -> EvaluationPlan:
    looks = material.views
    return plan_evaluation(
        material.features,
        material.labels,
        rng=np.random.default_rng(how.seed),
        domains=material.domains,
        triplets=material.triplets,
        content=material.content,
        asks=None if looks is None else looks.query_mask,
        whole=None if looks is None else looks.gallery_mask,
        hold_out=how.hold_out,
    )


def _counted(way: Learn, say: Report) -> Learn:
    """The same way to learn, telling how often it was asked: once a split."""
    started, done = time.monotonic(), 0

    def learn(features: Features, group: Rows, side: Rows | None, triplets: Rows | None) -> Lens:
        nonlocal done
        lens = way(features, group, side, triplets)
        done += 1
        rate = done / max(time.monotonic() - started, 1e-6)
        say(Stage("proving", done, max(FOLDS, done), rate, max(FOLDS - done, 0) / rate))
        return lens

    return learn


def stage_of(doing: str, step: "Step") -> Stage:
    """A step of learning as a stage."""
    return Stage(doing, step.step, step.steps, step.rate, step.remaining_s, step.loss, step.active, step.recall)


def provenance() -> dict[str, Any]:
    """When and with what it was learned: the same to the bit with the same of these."""
    packages = ("lookalike", "numpy", "torch")
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in packages}},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
