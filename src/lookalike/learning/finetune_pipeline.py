"""Fine-tuning a backbone on examples, and its proof, in one run folder."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.collection.folder import CollectionFolder
from lookalike.errors import LensError
from lookalike.learning.closed_form.default import recipe
from lookalike.learning.config import LearnConfig
from lookalike.learning.evaluation.prove_finetuned import FinetuneComparison, compare_finetuned, hold_out_for_finetuning
from lookalike.learning.feature_set import FeatureSet
from lookalike.learning.labelled_features import Features
from lookalike.learning.labels import Rows
from lookalike.learning.pipeline import LearnResult, correction, learn_lens, provenance, stage_of
from lookalike.models.backbone import Backbone
from lookalike.models.bundle import read
from lookalike.models.lens import Lens
from lookalike.progress import Report, Stage

if TYPE_CHECKING:
    from lookalike.learning.finetuning import KerasSiameseFineTuner, LayerFineTuner
    from lookalike.learning.training import EpochMetrics


CACHED = ("activations.npy", "pooled.npy", "start.npy", "activations.json")  # of a run: what it can do without later
CHECKPOINT = "checkpoint.safetensors"
Say = Callable[[str], None]


class FinetunePipeline:
    """One learning of a backbone, held out, told what it costs, gone through, and proved.

    Args:
        home: of the collection.
        base: the backbone before.
        material: the examples, with features of it.
        how: what may be turned; `unfreeze` is the first layer that learns.
        name: of the lens to be.
    Raises: ExamplesError, when there is nothing to learn from or to hold out; BundleError, for a backbone that cannot
        learn or a layer that is not there; MissingExtraError, without torch.
    """

    def __init__(self, home: CollectionFolder, base: Backbone, material: FeatureSet, how: LearnConfig, name: str):
        self.home, self.base, self.material, self.how, self.name = home, base, material, how, name
        self.held = hold_out_for_finetuning(
            material.features,
            material.labels,
            domains=material.domains,
            triplets=material.triplets,
            content=material.content,
            hold_out=how.hold_out,
            seed=how.seed,
        )
        self.run = home.lens(name) / "run"
        self.learning: LayerFineTuner | KerasSiameseFineTuner = self._by_recipe() if how.recipe else self._unfreezing()

    def _unfreezing(self) -> "LayerFineTuner":
        from lookalike.learning.finetuning import FineTuneConfig, LayerFineTuner
        from lookalike.learning.training import steps_per_epoch

        how = self.how
        data = self.held.training_data
        settings = FineTuneConfig(loss=how.loss, margin=how.margin, learning_rate=how.rate)
        if how.epochs is not None:
            steps = how.epochs * steps_per_epoch(data.labels, rows=settings.rows, per_label=settings.per_label or 4)
            settings = replace(settings, steps=steps)
        return LayerFineTuner(
            self.base.bundle,
            [self.material.paths[row] for row in self.held.learned],
            data.labels,
            domains=data.domains,
            triplets=data.triplets,
            layer=how.unfreeze if how.unfreeze is not None else -1,
            run=self.run,
            settings=settings,
            seed=how.seed,
        )

    def _by_recipe(self) -> "KerasSiameseFineTuner":
        from lookalike.learning.finetuning import KerasSiameseConfig, KerasSiameseFineTuner

        how = self.how
        data = self.held.training_data
        given: dict[str, Any] = {"epochs": how.epochs, "learning_rate": how.rate}
        return KerasSiameseFineTuner(
            self.base.bundle,
            [self.material.paths[row] for row in self.held.learned],
            data.labels,
            domains=data.domains,
            triplets=data.triplets,
            layer=how.unfreeze,
            run=self.run,
            settings=replace(KerasSiameseConfig(), **{key: x for key, x in given.items() if x is not None}),
            content=[self.material.content[row] for row in self.held.learned],
            seed=how.seed,
        )

    @property
    def way(self) -> str:
        """How the backbone learns, for people."""
        return f"the recipe {self.how.recipe}" if self.how.recipe else f"unfreezing from {self.layer} on"

    @property
    def layer(self) -> str:
        """The name of the first layer that learns."""
        return str(self.base.bundle.layers[self.learning.layer]["name"])

    def costs(self) -> list[str]:
        """What it will take, in lines for people."""
        task = self.held.fold
        return [
            f"{self.base.name} learns from {self.layer} on: {self.learning.cost()}",
            f"{len(task.queries):,} queries are held out before; then the tuned backbone reads all "
            f"{len(self.material.paths):,} pictures of the examples to prove it, and the others of the collection "
            "once it is put into service.",
        ]

    def tuned(self, report: Report, say: Say) -> Backbone:
        """Learn, or go on with what was broken off, and keep the result among the collection's backbones.

        Ctrl-C while it learns ends the learning; what was learned until then is the result, and a line says so.
        """
        # A checkpoint is of activations that were kept whole: to fill them again is to write over those of another.
        if (self.run / CHECKPOINT).is_file() and not self.learning.activations.filled:
            raise LensError(
                f"{self.name}: its pictures, its layer or its seed are not those of the learning that was broken off. "
                "Go on with the same, or begin anew with --replace."
            )
        for done, total in self.learning.cache():
            report(Stage("caching", done, total))
        try:
            for step in self.learning.steps():
                report(stage_of("tuning", replace(step, recall=None) if self.how.recipe else step))
                if self.how.recipe and step.recall is not None:
                    say(str(self._epochs()[-1]))
        except KeyboardInterrupt:
            curve = self.learning.learned.curve
            if not curve:
                raise
            say(f"stopped after step {len(curve)} of {curve[-1].steps}: the backbone is proved as it is")
        new = self.home.at / "backbones" / ".new"
        shutil.rmtree(new, ignore_errors=True)
        made = self.learning.bundle(new)
        place = self.home.backbone(made.id)
        if place.is_dir():  # a run that was broken off after this
            shutil.rmtree(new)
        else:
            new.rename(place)
        return Backbone(read(place), threads=self.base.threads, precision=self.base.precision)

    def taught(self, backbone: Backbone, material: FeatureSet, *, about: dict[str, Any], report: Report) -> LearnResult:
        """The lens on the tuned backbone with its proof, or, where that is no better, the one on the untouched.

        Args:
            backbone: the tuned one.
            material: the examples with its features.
            about: what else the lens's settings shall say.
            report: called with each stage.
        """
        closed, correct = recipe(dims=self.how.dims), None
        lenses = replace(self.how, epochs=None, rate=None)
        if not self.how.quick:
            correct = correction(lenses, report)
        after = (_identity, None) if self.how.recipe else (closed, correct)
        found = compare_finetuned(self.held, material.features, closed, correct, after)
        if not (found.finetuned_is_better and found.proof.serves):
            return self._untouched(found, about, report)
        way = _identity if self.how.recipe else recipe(correct, dims=self.how.dims)
        lens = way(material.features, material.labels, material.domains, material.triplets)
        settings = {
            **lens.settings,
            **about,
            "backbone": backbone.id,
            "backbone_name": backbone.name,
            "untouched": self.base.id,
            "tuning": backbone.bundle.tuning,
            "how": asdict(self.how),
            "seed": self.how.seed,
            **provenance(),
        }
        named = found.proof.named(material.names(self.home.folder))
        lens = replace(lens, name=self.name, settings=settings, proof=named)
        title = f"{self.base.name} learning from {self.layer} on"
        epochs = self._epochs()
        curve = () if epochs else tuple(self.learning.learned.curve)
        return LearnResult(lens, found.proof, curve, material.notes, title, epochs)

    def _epochs(self) -> "tuple[EpochMetrics, ...]":
        return tuple(getattr(self.learning, "history", ()))

    def _untouched(self, found: FinetuneComparison, about: dict[str, Any], report: Report) -> LearnResult:
        why = f"{self.way} was tried and left out: {found.words}"
        if found.finetuned_is_better:
            why += f"; beside plain: {found.proof.words[:1].lower()}{found.proof.words[1:].rstrip('.')}"
        plainly = replace(self.how, unfreeze=None, recipe=None, epochs=None, rate=None)
        about = about | {"backbone": self.base.id, "backbone_name": self.base.name}
        folder = self.home.folder
        taught = learn_lens(self.material, plainly, name=self.name, folder=folder, about=about, report=report)
        proof = replace(taught.proof, notes=[*taught.proof.notes, f"{why}."])
        lens = replace(taught.lens, proof=proof.named(self.material.names(folder)))
        return replace(taught, lens=lens, proof=proof, notes=(*taught.notes, why), epochs=self._epochs())

    def forget_run(self) -> None:
        """Free what only a run that was broken off needs; the checkpoint stays."""
        for name in CACHED:
            (self.run / name).unlink(missing_ok=True)


def _identity(features: Features, labels: Rows, domains: Rows | None, triplets: Rows | None) -> Lens:
    """The lens of a recipe: its backbone gives the embedding itself."""
    f = features.shape[1]
    return Lens("recipe", np.zeros(f, np.float32), np.eye(f, dtype=np.float32), {"kind": "identity"})
