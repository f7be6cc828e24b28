"""Teaching deeper: the backbone learns from a layer on, beside the lens, and becomes one of the collection's own."""

import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.backbone import Backbone
from lookalike.bundle import read
from lookalike.errors import CollectionError, ExamplesError, LensError
from lookalike.gathering import FeatureSet, Report, Stage, load_features
from lookalike.home import BackboneRecord, CollectionConfig, CollectionFolder
from lookalike.indexing import Progress
from lookalike.keepsakes import lens_report
from lookalike.learn.deeper import FinetuneComparison, compare_finetuned, hold_out_for_finetuning
from lookalike.learn.examples import Dataset
from lookalike.learn.recipe import recipe
from lookalike.learn.tasks import Features, Rows
from lookalike.lens import Lens
from lookalike.serving import keep, settings_of
from lookalike.switching import activate_lens, open_backbone
from lookalike.table import COLUMNS, ROWS_AT_ONCE, ImageRow, Table
from lookalike.teaching import LearnConfig, LearnResult, correction, describe_plan, learn_lens, provenance, stage_of

if TYPE_CHECKING:
    from lookalike.siamese import EpochMetrics, KerasSiameseFineTuner, LayerFineTuner

CACHED = ("activations.npy", "pooled.npy", "start.npy", "activations.json")  # of a run: what it can do without later
CHECKPOINT = "checkpoint.safetensors"
Say = Callable[[str], None]


def untuned_backbone(home: CollectionFolder, settings: CollectionConfig, threads: int | None = None) -> Backbone:
    """The backbone that learns: the one that reads the pictures, or, where that was tuned here, the one before.

    Raises: BundleError, CollectionError.
    """
    serving = open_backbone(home, settings, settings.backbone, threads)
    while home.backbone(serving.id).is_dir() and serving.bundle.parent:
        serving = open_backbone(home, settings, serving.bundle.parent, threads)
    return serving


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
        from lookalike.siamese import FineTuneConfig, LayerFineTuner, steps_per_epoch

        how = self.how
        _, group, side, triplets = self.held.left
        settings = FineTuneConfig(loss=how.loss, margin=how.margin, learning_rate=how.rate)
        if how.epochs is not None:
            steps = how.epochs * steps_per_epoch(group, rows=settings.rows, per_label=settings.per_label or 4)
            settings = replace(settings, steps=steps)
        return LayerFineTuner(
            self.base.bundle,
            [self.material.paths[row] for row in self.held.learned],
            group,
            domains=side,
            triplets=triplets,
            layer=how.unfreeze if how.unfreeze is not None else -1,
            run=self.run,
            settings=settings,
            seed=how.seed,
        )

    def _by_recipe(self) -> "KerasSiameseFineTuner":
        from lookalike.siamese import KerasSiameseConfig, KerasSiameseFineTuner

        how = self.how
        _, group, side, triplets = self.held.left
        given: dict[str, Any] = {"epochs": how.epochs, "learning_rate": how.rate}
        return KerasSiameseFineTuner(
            self.base.bundle,
            [self.material.paths[row] for row in self.held.learned],
            group,
            domains=side,
            triplets=triplets,
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
        return tuple(getattr(self.learning, "curve", ()))

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


def check_resume(home: CollectionFolder, name: str, how: LearnConfig, *, resume: bool, replacing: bool) -> None:
    """Whether a learning under this name may begin, or go on; one that is replaced is removed.

    Raises: LensError.
    """
    if not how.finetunes:
        raise LensError(
            "--resume goes on with a backbone's learning. Name its layer again with --unfreeze LAYER, or its --recipe."
        )
    run = home.lens(name) / "run"
    unfinished = (run / CACHED[0]).is_file()
    if settings_of(home).lens == name:
        raise LensError(
            f"{name}: in service, and a deeper one reads the pictures anew. Learn it under another name with --name."
        )
    if resume and not unfinished:
        raise LensError(f"{name}: no learning of that name was broken off. Leave --resume out.")
    if unfinished and not (resume or replacing):
        raise LensError(
            f"{name}: its learning was broken off. Go on with --resume, or begin anew with --replace. "
            f"To be rid of it, run: lookalike forget {home.shell_words} {name}"
        )
    if run.is_dir() and not resume:
        shutil.rmtree(run)


def _identity(features: Features, labels: Rows, domains: Rows | None, triplets: Rows | None) -> Lens:
    """The lens of a recipe: its backbone gives the embedding itself."""
    f = features.shape[1]
    return Lens("recipe", np.zeros(f, np.float32), np.eye(f, dtype=np.float32), {"kind": "identity"})


class FinetuneJob:
    """Examples that a backbone is to learn from, in a collection.

    Args:
        home: of the collection.
        examples: what to learn from.
        how: what may be turned.
        name: of the lens to be.
        threads: of the processor.
        report: called with each stage.
    """

    def __init__(
        self,
        home: CollectionFolder,
        examples: Dataset,
        how: LearnConfig,
        name: str,
        threads: int | None,
        report: Report | None,
    ):
        import lookalike.siamese  # noqa: F401  (says before the work that torch is missing)

        if examples.views:
            raise ExamplesError(
                "a backbone learns from pictures that belong together, not from views of single ones. "
                "Name what belongs together with --from: a folder of classes, the parent of folders with matching "
                "names, or a CSV. Or leave --unfreeze and --recipe out."
            )
        self.home, self.examples, self.how, self.name = home, examples, how, name
        self.report = report or (lambda stage: None)
        self.base = untuned_backbone(home, settings_of(home), threads)
        self.material = self._gathered(self.base)
        self.deepening = FinetunePipeline(home, self.base, self.material, how, name)

    def _gathered(self, backbone: Backbone) -> FeatureSet:
        table = Table(self.home.table(backbone.id), backbone.length)
        return load_features(self.examples, self.home.folder, table, backbone, seed=self.how.seed, report=self.report)

    def plan(self) -> list[str]:
        """What would be learned from, held out, and what it would cost, in lines for people."""
        return [*self.examples.notes, *describe_plan(self.material, self.how), *self.deepening.costs()]

    def learn(self, about: dict[str, Any], *, use: bool, say: Say) -> Lens:
        """Learn, prove, keep, and switch where `use` is set and the tuned backbone is better.

        Where it is broken off a line says how to go on.
        """
        try:
            return self._learned(about, use=use, say=say)
        except (KeyboardInterrupt, CollectionError):
            if (self.deepening.run / CACHED[0]).is_file():
                say("To go on: the same command with --resume.")
            elif use and self.name in self.home.lenses():
                say(f"To go on: lookalike use {self.home.shell_words} {self.name}")
            raise

    def _learned(self, about: dict[str, Any], *, use: bool, say: Say) -> Lens:
        for line in (*self.examples.notes, *self.material.notes, *self.deepening.costs()):
            say(line)
        tuned = self.deepening.tuned(self.report, say)
        material = self._gathered(tuned)
        now = dict(zip(material.names(self.home.folder), material.content, strict=True))
        before = zip(self.material.names(self.home.folder), self.material.content, strict=True)
        if other := [name for name, content in before if now.get(name) != content]:
            more = f" and {len(other) - 1:,} more" if len(other) > 1 else ""
            raise ExamplesError(
                f"{other[0]}{more}: vanished or changed while the backbone learned. To go on, put it back, and add "
                "--resume; or begin anew with --replace."
            )
        about = about | {"reading": self.examples.layout}
        taught = self.deepening.taught(tuned, material, about=about, report=self.report)
        for line in taught.notes:
            if line not in self.material.notes:
                say(line)
        self._keep(taught, tuned, material, use)
        return taught.lens

    def _begin_table(self, tuned: Backbone, material: FeatureSet) -> None:
        """Begin the tuned backbone's table with the pictures that it has read for the proof."""
        columns = Table(self.home.table(self.base.id), self.base.length).columns()
        at = {file: place for place, file in enumerate(columns["file"])}
        rows: dict[str, ImageRow] = {}
        names = material.names(self.home.folder)
        for name, content, features in zip(names, material.content, material.features, strict=True):
            place = at.get(name)
            if place is not None and columns["content"][place] == content:
                rows[name] = ImageRow(**{column: columns[column][place] for column in COLUMNS}, features=features)
        table, found = Table(self.home.table(tuned.id), tuned.length), list(rows.values())
        for start in range(0, len(found), ROWS_AT_ONCE):
            table.append(found[start : start + ROWS_AT_ONCE])

    def _keep(self, taught: LearnResult, tuned: Backbone, material: FeatureSet, use: bool) -> None:
        """Commit the lens, and the backbone where it is better; switch to it if asked, and it may serve."""
        home, lens = self.home, taught.lens
        deeper = lens.backbone == tuned.id
        if deeper:
            with home.write_lock():
                settings = settings_of(home)
                known = settings.known() | {tuned.id: BackboneRecord(tuned.name, tuned.precision)}
                home.save(replace(settings, backbones=known))
                self._begin_table(tuned, material)
        beside = lens_report(taught, self.material, home.folder, home.cache)
        keep(home, Table(home.table(lens.backbone), 1), lens, beside, use=use and not deeper)
        self.deepening.forget_run()
        if not deeper:
            shutil.rmtree(home.backbone(tuned.id), ignore_errors=True)
        elif use:
            activate_lens(home, lens, threads=tuned.threads, report=self._switching)

    def _switching(self, now: Progress) -> None:
        self.report(Stage("switching", now.done, now.total, now.rate, now.remaining_s))
