"""Fine-tuning in a collection: the backbone is trained beside the lens, and becomes one of the collection's own."""

import shutil
from dataclasses import replace
from typing import Any

from lookalike.collection.config import BackboneRecord, CollectionConfig
from lookalike.collection.feature_loader import FeatureLoader
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.lens_report import lens_report
from lookalike.collection.own_lens import own_of, spread_of
from lookalike.collection.proof_log import ProofLog, key_of
from lookalike.collection.searcher import CollectionState
from lookalike.collection.switch_backbone import BackboneSwitch
from lookalike.errors import Cancelled, CollectionError, ExamplesError, LensError
from lookalike.index.snapshot import COLUMNS, ROWS_AT_ONCE, Snapshot
from lookalike.index.table import ImageRow
from lookalike.learning.config import LearnConfig
from lookalike.learning.datasets.dataset import Dataset
from lookalike.learning.feature_set import FeatureSet
from lookalike.learning.finetune_pipeline import FinetunePipeline, is_interrupted
from lookalike.learning.pipeline import LearnResult, describe_plan
from lookalike.models.backbone import Backbone
from lookalike.models.lens import Lens
from lookalike.progress import Reporter


def check_resume(home: CollectionFolder, config: CollectionConfig, name: str, *, resume: bool, replacing: bool) -> None:
    """Whether a fine-tuning under this name may begin, or continue; one that is replaced is removed.

    Raises: LensError, when it may not.
    """
    run = home.lens(name) / "run"
    interrupted = is_interrupted(run)
    if config.lens == name:
        raise LensError(
            f"{name}: this lens is in service, and fine-tuning would change its backbone. "
            "Learn it under another name with --name."
        )
    if resume and not interrupted:
        raise LensError(f"{name}: no learning of that name was interrupted. Leave --resume out.")
    if interrupted and not (resume or replacing):
        raise LensError(
            f"{name}: its learning was interrupted. Continue with --resume, or start again with --replace. "
            f"To remove it, run: lookalike forget {home.shell_words} {name}"
        )
    if run.is_dir() and not resume:
        shutil.rmtree(run)


class FinetuneJob:
    """A dataset on which a collection's backbone is fine-tuned.

    Args:
        switch: of the collection, with its stores.
        state: of the collection, read once.
        dataset: what to learn from.
        config: how to learn.
        name: of the lens.
        reporter: told of each stage, and takes lines for people.
    Raises: ExamplesError, for a dataset that says nothing of what belongs together; MissingExtraError, without torch.
    """

    def __init__(
        self,
        switch: BackboneSwitch,
        state: CollectionState,
        dataset: Dataset,
        config: LearnConfig,
        name: str,
        reporter: Reporter,
    ):
        import lookalike.learning.training  # noqa: F401  (torch: its absence is reported before the work)

        if dataset.views:
            raise ExamplesError(
                "fine-tuning needs pictures that belong together, not views of single ones. "
                "Name what belongs together with --from: a folder of classes, the parent of folders with matching "
                "names, or a CSV. Or leave --unfreeze and --recipe out."
            )
        self.switch, self.home, self.lenses = switch, switch.home, switch.lenses
        self.dataset, self.config, self.name, self.reporter = dataset, config, name, reporter
        self.base = switch.backbones.untuned(state.config)
        same = self.base.id == state.backbone.id
        self.snapshot = state.snapshot if same else self.home.open_table(self.base.id).snapshot()
        self.known = state.config
        self.features = replace(self._load(self.base, self.snapshot), others=spread_of(self.snapshot))
        run, bundles = self.home.lens(name) / "run", self.home.at / "backbones"
        self.proofs = ProofLog(self.home.proofs, self.home.lines_added)
        self.key = key_of(dataset, self.features, config, self.base.id, self.home.folder)
        attempt = self.proofs.attempt(self.key)
        own = own_of(self.lenses, self.base.id)
        self.run = FinetunePipeline(self.base, self.features, config, run, bundles, attempt, own)

    def plan(self) -> list[str]:
        """What would be learned from, held out, and what it would cost, in lines for people."""
        return [*self.dataset.notes, *describe_plan(self.features, self.run.plan), *self.run.costs()]

    def learn(self, about: dict[str, Any], *, use: bool) -> Lens:
        """Train, prove, save, and switch where `use` is set and the proof allows.

        Where it is interrupted, a line says how to continue.

        Args:
            about: what else the lens's settings shall say.
            use: switch the collection to the tuned backbone and its lens, if the proof allows.
        Raises: ExamplesError, LensError, TrainingError, LockedError.
        """
        try:
            return self._learn(about, use)
        except (KeyboardInterrupt, CollectionError, Cancelled):
            if self.run.interrupted():
                self.reporter.message("To continue: run the same command with --resume.")
            elif use and self.name in self.home.lenses():
                self.reporter.message(f"To continue: lookalike use {self.home.shell_words} {self.name}")
            raise

    def _learn(self, about: dict[str, Any], use: bool) -> Lens:
        for line in (*self.dataset.notes, *self.features.notes, *self.run.costs()):
            self.reporter.message(line)
        tuned = self.run.train(self.reporter)
        features = self._load(tuned, self.home.open_table(tuned.id).snapshot())
        self._check_unchanged(features)
        result = self.run.prove(tuned, features, self.reporter)
        self.proofs.add(self.key, self.name, result.proof, self.reporter)
        for line in result.notes:
            if line not in self.features.notes:
                self.reporter.message(line)
        lens = result.named(self.name, self.features.names(self.home.folder), about)
        self._save(result, lens, tuned, features, use)
        return lens

    def _load(self, backbone: Backbone, snapshot: Snapshot | None) -> FeatureSet:
        loader = FeatureLoader(self.home.folder, snapshot, backbone)
        return loader.load(self.dataset, self.config.seed, self.reporter)

    def _check_unchanged(self, features: FeatureSet) -> None:
        """Raises: ExamplesError, when a picture changed while the backbone was trained."""
        folder = self.home.folder
        now = dict(zip(features.names(folder), features.content, strict=True))
        before = zip(self.features.names(folder), self.features.content, strict=True)
        if other := [name for name, content in before if now.get(name) != content]:
            more = f" and {len(other) - 1:,} more" if len(other) > 1 else ""
            raise ExamplesError(
                f"{other[0]}{more}: vanished or changed while the backbone learned. To continue, put it back, and add "
                "--resume; or start again with --replace."
            )

    def _save(self, result: LearnResult, lens: Lens, tuned: Backbone, features: FeatureSet, use: bool) -> None:
        """Commit the lens, with the tuned backbone where it is of that one, and switch to it where that is wanted."""
        home, is_tuned = self.home, lens.backbone == tuned.id
        files = lens_report(result, self.name, self.features, home.folder, home.cache, self.reporter)
        if is_tuned:
            with home.write_lock("learn", self.reporter, lambda: "To stop waiting, press Ctrl-C: it can be continued."):
                config = home.require_config()
                record = BackboneRecord(tuned.name, tuned.precision)
                config = replace(config, backbones=self.known.backbones | config.known() | {tuned.id: record})
                home.save(config)
                self._begin_table(tuned, features)
                self.lenses.commit(config, lens, files, use=False)
        else:
            self.lenses.save(lens, files, self.known, use=use, waiting=self.reporter)
        self.run.clean()
        if not is_tuned:
            shutil.rmtree(home.backbone(tuned.id), ignore_errors=True)
        elif use and lens.proof is not None and lens.proof.serves:
            self.switch.activate_lens(lens, reporter=self.reporter)

    def _begin_table(self, tuned: Backbone, features: FeatureSet) -> None:
        """Begin the tuned backbone's table with the pictures that it has embedded for the proof."""
        if self.snapshot is None:
            return
        columns = self.snapshot.columns()
        at = {file: row for row, file in enumerate(columns["file"])}
        rows: dict[str, ImageRow] = {}
        names = features.names(self.home.folder)
        for name, content, vector in zip(names, features.content, features.data.features, strict=True):
            row = at.get(name)
            if row is not None and columns["content"][row] == content:
                rows[name] = ImageRow(**{column: columns[column][row] for column in COLUMNS}, features=vector)
        table, found = self.home.open_table(tuned.id), list(rows.values())
        for start in range(0, len(found), ROWS_AT_ONCE):
            table.append(found[start : start + ROWS_AT_ONCE])
