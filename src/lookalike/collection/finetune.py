"""Teaching deeper: the backbone learns from a layer on, beside the lens, and becomes one of the collection's own."""

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lookalike.collection.backbone_store import open_backbone
from lookalike.collection.config import BackboneRecord, CollectionConfig
from lookalike.collection.feature_loader import load_features
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.lens_report import lens_report
from lookalike.collection.lens_store import keep, settings_of
from lookalike.collection.switch_backbone import activate_lens
from lookalike.errors import CollectionError, ExamplesError, LensError
from lookalike.index.snapshot import COLUMNS, ROWS_AT_ONCE
from lookalike.index.table import ImageRow, Table
from lookalike.learning.config import LearnConfig
from lookalike.learning.datasets.dataset import Dataset
from lookalike.learning.feature_set import FeatureSet
from lookalike.learning.finetune_pipeline import CACHED, FinetunePipeline, Say
from lookalike.learning.pipeline import LearnResult, describe_plan
from lookalike.models.backbone import Backbone
from lookalike.models.lens import Lens
from lookalike.progress import Progress, Report, Stage

if TYPE_CHECKING:
    pass


def untuned_backbone(home: CollectionFolder, settings: CollectionConfig, threads: int | None = None) -> Backbone:
    """The backbone that learns: the one that reads the pictures, or, where that was tuned here, the one before.

    Raises: BundleError, CollectionError.
    """
    serving = open_backbone(home, settings, settings.backbone, threads)
    while home.backbone(serving.id).is_dir() and serving.bundle.parent:
        serving = open_backbone(home, settings, serving.bundle.parent, threads)
    return serving


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
        import lookalike.learning.training  # noqa: F401  (says before the work that torch is missing)

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
