"""Fine-tuning a backbone on examples, and its proof, in one run folder."""

import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.errors import LensError
from lookalike.learning.closed_form.default import ChainedTrainer, ClosedFormTrainer, IdentityTrainer
from lookalike.learning.config import ClosedForm, FineTune, KerasSiamese, LearnConfig, LowRank
from lookalike.learning.evaluation.evaluator import TrainedLenses
from lookalike.learning.evaluation.prove_finetuned import FinetuneComparison, compare_finetuned, hold_out_for_finetuning
from lookalike.learning.feature_set import FeatureSet
from lookalike.learning.labelled_features import LabelledFeatures, Trainer
from lookalike.learning.pipeline import LearnResult, LowRankRefiner, described, learn_lens, plan_learning, trainer_for
from lookalike.learning.provenance import provenance
from lookalike.models.backbone import Backbone
from lookalike.models.bundle import Bundle, read
from lookalike.models.lens import Lens
from lookalike.models.proof_parts import FIRST, Attempt
from lookalike.progress import SILENT, Reporter, Timer

if TYPE_CHECKING:
    from lookalike.learning.finetuning import FineTuner

CACHED = ("activations.npy", "pooled.npy", "start.npy", "activations.json")  # of a run: not needed once it is proved


def create_fine_tuner(
    bundle: Bundle, images: Sequence[Path], data: LabelledFeatures, config: LearnConfig, run: Path
) -> "FineTuner":
    """What the method of a configuration stands for.

    Args:
        bundle: of the backbone.
        images: n files.
        data: what belongs together among them, n rows.
        config: its method is `FineTune` or `KerasSiamese`.
        run: folder of the run.
    Raises: what the fine-tuner raises when it is made; MissingExtraError, without torch.
    """
    from lookalike.learning.finetuning import FineTuneConfig, KerasSiameseConfig, KerasSiameseFineTuner, LayerFineTuner

    match config.method:
        case FineTune() as method:
            layers = FineTuneConfig.from_method(method, data.labels)
            return LayerFineTuner(bundle, images, data, layers, run, config.seed)
        case KerasSiamese() as method:
            return KerasSiameseFineTuner(bundle, images, data, KerasSiameseConfig.from_method(method), run, config.seed)
    raise LensError("this way to learn leaves the backbone as it is. Name a layer with unfreeze, or a recipe.")


class FinetunePipeline:
    """One fine-tuning: held out and priced when made, then `train`, then `prove`.

    Whatever ends `train` early (Ctrl-C, `Cancelled`, an error) leaves the run folder as it takes to go on with the
    same arguments.

    Args:
        base: the backbone before.
        features: of the examples, by that backbone.
        config: its method is `FineTune` or `KerasSiamese`.
        run: folder for the cached activations and the checkpoint.
        bundles: folder in which the tuned backbone is kept, under its id.
        attempt: which proof of these examples it will be.
        own: the lens from pictures alone that search has, which has to be beaten; None for none.
    Raises: ExamplesError, when there is nothing to learn from or to hold out; BundleError, for a backbone that cannot
        be trained or a layer that is not there; MissingExtraError, without torch.
    """

    def __init__(
        self,
        base: Backbone,
        features: FeatureSet,
        config: LearnConfig,
        run: Path,
        bundles: Path,
        attempt: Attempt = FIRST,
        own: Lens | None = None,
    ):
        self.base, self.features, self.config, self.run, self.bundles = base, features, config, run, bundles
        self.plan = plan_learning(features, config, attempt, own)
        self.split = hold_out_for_finetuning(self.plan)
        images = [features.paths[row] for row in self.split.train_rows]
        self.tuner = create_fine_tuner(base.bundle, images, self.split.training_data, config, run)

    @property
    def layer(self) -> str:
        """The name of the first layer that is trained."""
        return str(self.base.bundle.layers[self.tuner.layer]["name"])

    def costs(self) -> list[str]:
        """What it will take, in lines for people."""
        return [
            f"{self.base.name} learns from {self.layer} on: {self.tuner.cost()}",
            f"{len(self.split.fold.queries):,} queries are held out before; then the tuned backbone reads all "
            f"{len(self.features.paths):,} pictures of the examples to prove it, and the others of the collection "
            "once it is put into service.",
        ]

    def train(self, reporter: Reporter = SILENT) -> Backbone:
        """Train, or go on with what was interrupted, and keep the tuned backbone in `bundles`.

        Ctrl-C in a step ends the training: what was trained until then is the result, and a line says so.

        Args: reporter: told of the stages "caching" and "tuning", and of each epoch in a line.
        Raises: LensError, when the checkpoint is of other examples; TrainingError; ImageError; BundleError.
        """
        from lookalike.learning.finetuning import finetuner

        # A checkpoint belongs to a complete activation cache; refilling it would overwrite another run's.
        if (self.run / finetuner.CHECKPOINT).is_file() and not self.tuner.cached:
            raise LensError(
                "the pictures, the layer or the seed are not those of the learning that was interrupted. "
                "Continue with the same, or start again with --replace."
            )
        timer = Timer("caching", len(self.split.train_rows))
        with closing(self.tuner.fill_cache()) as filling:
            for done, _ in filling:
                reporter.progress(timer.at(done))
        try:
            self._step(reporter)
        except KeyboardInterrupt:
            curve = self.tuner.best.curve
            if not curve:
                raise
            reporter.message(f"stopped after step {len(curve)} of {curve[-1].steps}: the backbone is proved as it is")
        return Backbone(read(self._exported()), threads=self.base.threads, precision=self.base.precision)

    def _step(self, reporter: Reporter) -> None:
        with closing(self.tuner.steps()) as steps:
            for step in steps:
                reporter.progress(step.progress("tuning"))
                if step.validation is not None and (history := self.tuner.history):
                    reporter.message(str(history[-1]))

    def _exported(self) -> Path:
        """The bundle of what was trained, whole or not at all."""
        new = self.bundles / ".new"
        shutil.rmtree(new, ignore_errors=True)
        try:
            place = self.bundles / self.tuner.export(new).id
            if not place.is_dir():  # it is there where a run was interrupted after this
                new.rename(place)
        finally:
            shutil.rmtree(new, ignore_errors=True)
        return place

    def prove(self, tuned: Backbone, features: FeatureSet, reporter: Reporter = SILENT) -> LearnResult:
        """The lens on the tuned backbone with its proof, or, where that is no better, the one on the untuned.

        Args:
            tuned: what `train` gave.
            features: of the same examples, by the tuned backbone.
            reporter: told of the stages "proving" and "learning", and of those of `learn_lens`.
        """
        method, seed = self.config.method, self.config.seed
        closed = ClosedFormTrainer(dims=self.config.dims)
        untuned = trainer_for(self.features, self.config, self.plan.own)  # as it would be without fine-tuning
        lens_method = _lens_method(self.config)
        refiner = LowRankRefiner(lens_method, seed) if isinstance(lens_method, LowRank) else None
        untuned_lenses = TrainedLenses(untuned, refiner, reporter)
        tuned_lenses = TrainedLenses(closed, refiner, reporter)
        trainer: Trainer = closed
        keep = False
        if isinstance(method, KerasSiamese):  # its network gives the embedding itself
            trainer, keep = IdentityTrainer(), method.keep
            tuned_lenses = TrainedLenses(trainer)
        found = compare_finetuned(
            self.split, features.features, untuned_lenses, tuned_lenses, parts=features.data.parts, keep=keep
        )
        if refiner is not None and found.tuned_lens == "correction":
            trainer = ChainedTrainer(closed, refiner)
        preferred = found.finetuned_is_better and found.proof.serves
        if not (preferred or keep):
            return self._untuned(found, reporter)
        proof, notes = found.proof, features.notes
        if not preferred:
            why = f"{self._way} was kept because --anyway asked for it: {found.words}"
            proof, notes = replace(proof, notes=(*proof.notes, f"{why}.")), (*notes, why)
        lens = trainer.fit(features.data, reporter=reporter)
        settings = {
            **lens.settings,
            "backbone": tuned.id,
            "backbone_name": tuned.name,
            "untouched": self.base.id,
            "tuning": tuned.bundle.tuning,
            **described(self.config),
            **provenance(),
        }
        epochs = self.tuner.history
        history = () if epochs else tuple(self.tuner.best.curve)
        title = f"{self.base.name} learning from {self.layer} on"
        return LearnResult(replace(lens, settings=settings), proof, history, notes, title, epochs)

    @property
    def _way(self) -> str:
        recipe = isinstance(self.config.method, KerasSiamese)
        return "the recipe keras-siamese" if recipe else f"unfreezing from {self.layer} on"

    def _untuned(self, found: FinetuneComparison, reporter: Reporter) -> LearnResult:
        why = f"{self._way} was tried and left out: {found.words}"
        if found.finetuned_is_better:
            why += f"; beside plain: {found.proof.words[:1].lower()}{found.proof.words[1:].rstrip('.')}"
        result = learn_lens(self.features, replace(self.config, method=_lens_method(self.config)), self.plan, reporter)
        settings = {**result.lens.settings, "backbone": self.base.id, "backbone_name": self.base.name}
        return replace(
            result,
            lens=replace(result.lens, settings=settings),
            proof=replace(result.proof, notes=(*result.proof.notes, f"{why}.")),
            notes=(*result.notes, why),
            epochs=self.tuner.history,
        )

    def interrupted(self) -> bool:
        """Whether the run folder holds something that can be continued."""
        return is_interrupted(self.run)

    def clean(self) -> None:
        """Remove what only an interrupted run needs; the checkpoint stays."""
        for name in CACHED:
            (self.run / name).unlink(missing_ok=True)


def is_interrupted(run: Path) -> bool:
    """Whether a run folder holds something that can be continued."""
    return (run / CACHED[0]).is_file()


def _lens_method(config: LearnConfig) -> ClosedForm | LowRank:
    """How a lens is learned beside the fine-tuning: its epochs and learning rate are those of the backbone alone."""
    match config.method:
        case FineTune(loss=loss, margin=margin, quick=False):
            return LowRank(loss, margin)
        case KerasSiamese(quick=False):
            return LowRank()
        case _:
            return ClosedForm()
