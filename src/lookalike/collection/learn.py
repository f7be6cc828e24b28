"""A collection learns: from a dataset to a proved lens, stored for the backbone that it was learned on."""

from dataclasses import replace
from typing import Any

from lookalike.collection.backbone_store import BackboneStore
from lookalike.collection.dataset_source import LearnRequest, dataset_from, name_after
from lookalike.collection.feature_loader import FeatureLoader
from lookalike.collection.finetune import FinetuneJob, check_resume
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.lens_report import lens_report
from lookalike.collection.lens_store import LensStore
from lookalike.collection.other_pictures import other_features
from lookalike.collection.own_lens import own_of, spread_of
from lookalike.collection.proof_log import ProofLog, key_of
from lookalike.collection.searcher import CollectionState
from lookalike.collection.switch_backbone import BackboneSwitch
from lookalike.errors import LensError
from lookalike.learning.closed_form.label_free import NAME
from lookalike.learning.config import ClosedForm, LearnConfig, LowRank
from lookalike.learning.datasets.dataset import Dataset
from lookalike.learning.datasets.judgements import Judgements
from lookalike.learning.pipeline import describe_plan, learn_lens, plan_learning
from lookalike.models.lens import Lens
from lookalike.progress import Reporter

CLICKED = (
    "how likely a hit is right is not said: what was clicked had been found by search before. A blind test can tell."
)


class Learner:
    """Learns lenses for a collection.

    Args:
        home: of the collection.
        backbones: its backbones.
        lenses: its lenses.
    """

    def __init__(self, home: CollectionFolder, backbones: BackboneStore, lenses: LensStore):
        self.home, self.backbones, self.lenses = home, backbones, lenses

    def learn(self, state: CollectionState, request: LearnRequest, config: LearnConfig, reporter: Reporter) -> Lens:
        """Learn a lens, prove it, and save it for the backbone of `state`, whoever switches meanwhile.

        Args:
            state: of the collection, read once.
            request: what to learn from, and what becomes of the lens.
            config: how to learn.
            reporter: told of each stage: "embedding", "validating", "proving", "learning", "drawing"; where the
                backbone is fine-tuned also "caching", "tuning" and "switching". Takes lines on what is learned from.
        Raises: ExamplesError, LensError, TrainingError, LockedError.
        """
        if request.resume and not config.finetunes:
            raise LensError(
                "--resume continues a fine-tuning. Name its layer again with --unfreeze LAYER, or its --recipe."
            )
        rows = 0 if state.snapshot is None else len(state.snapshot)
        config = config.for_size(rows)
        self.home.require_writable(_bytes_of_lens(config.dims, state.backbone.length, rows))
        judged = Judgements(self.home.judgements).lines()
        dataset, data = self._dataset(state, request, judged)
        name = request.name or _name_of(data)
        self.lenses.check_free(name, replacing=request.replace, resuming=request.resume)
        about: dict[str, Any] = {"data": data, "layout": dataset.layout}
        if dataset.layout == "judgements":
            about["judgements"] = judged  # lines of the file: what was learned from can be read again
        if config.finetunes:
            check_resume(self.home, state.config, name, resume=request.resume, replacing=request.replace)
            job = self._job(state, dataset, config, name, reporter)
            return job.learn(about, use=request.use)
        if dataset.views:
            config = _without_labels(config)
            about["pictures"] = len(dataset.paths)
        loader = FeatureLoader(self.home.folder, state.snapshot, state.backbone)
        features = loader.load(dataset, config.seed, reporter)
        for line in (*dataset.notes, *features.notes):
            reporter.message(line)
        log = ProofLog(self.home.proofs, self.home.lines_added)
        key = key_of(dataset, features, config, state.backbone.id, self.home.folder)
        own = own_of(self.lenses, state.backbone.id)
        if not dataset.views:
            features = replace(features, others=spread_of(state.snapshot))
        plan = plan_learning(features, config, log.attempt(key), own)
        if not dataset.views:
            plan = replace(plan, others=other_features(state.snapshot, features.content, config.seed))
        result = learn_lens(features, config, plan, reporter)
        if dataset.layout == "judgements":
            result = replace(result, proof=result.proof.without_likelihood(CLICKED))
        log.add(key, name, result.proof, reporter)
        for line in result.notes:
            if line not in features.notes:
                reporter.message(line)
        about |= {"backbone": state.backbone.id, "backbone_name": state.backbone.name}
        lens = result.named(name, features.names(self.home.folder), about)
        files = lens_report(result, name, features, self.home.folder, self.home.cache, reporter)
        after = self.lenses.save(lens, files, state.config, use=request.use, waiting=reporter)
        if after.backbone != lens.backbone:
            reporter.message(
                f"{name} was learned on backbone {state.backbone.name}; the collection was switched to "
                f"{after.backbone_name} meanwhile. To use it, run: lookalike use {self.home.shell_words} {name}"
            )
        return lens

    def check(
        self, state: CollectionState, request: LearnRequest, config: LearnConfig, reporter: Reporter
    ) -> list[str]:
        """What `learn` would learn from and hold out, in lines for people; nothing is learned.

        Raises: ExamplesError, LensError.
        """
        dataset, data = self._dataset(state, request)
        if config.finetunes:
            return self._job(state, dataset, config, request.name or _name_of(data), reporter).plan()
        if dataset.views:
            config = _without_labels(config)
        loader = FeatureLoader(self.home.folder, state.snapshot, state.backbone)
        features = loader.load(dataset, config.seed, reporter)
        key = key_of(dataset, features, config, state.backbone.id, self.home.folder)
        plan = plan_learning(features, config, ProofLog(self.home.proofs).attempt(key))
        return [*dataset.notes, *describe_plan(features, plan)]

    def _dataset(
        self, state: CollectionState, request: LearnRequest, judged: int | None = None
    ) -> tuple[Dataset, list[str]]:
        """What is learned from. judged: so many lines of judgements are read; None for all."""
        judgements = Judgements(self.home.judgements, until=judged)
        words = self.home.shell_words
        return dataset_from(request.source, request.as_, self.home.folder, judgements, state.files(), words)

    def _job(
        self, state: CollectionState, dataset: Dataset, config: LearnConfig, name: str, reporter: Reporter
    ) -> FinetuneJob:
        switch = BackboneSwitch(self.home, self.backbones, self.lenses)
        return FinetuneJob(switch, state, dataset, config, name, reporter)


def _name_of(data: list[str]) -> str:
    """What a lens is called that nobody named."""
    return NAME if data == ["views"] else name_after(data)


def _without_labels(config: LearnConfig) -> LearnConfig:
    """The configuration for pictures that have no labels: they are learned from in closed form.

    Raises: LensError, for settings of the correction.
    """
    if isinstance(config.method, LowRank) and config.method != LowRank():
        raise LensError(
            "pictures without labels are learned from in closed form: it has no loss, margin, epochs or rate. Leave "
            "them out, or give examples with --from."
        )
    return replace(config, method=ClosedForm())


def _bytes_of_lens(dims: int | None, features: int, rows: int) -> int:
    """What a lens takes on disk: its matrix in float32, and its column in float16."""
    d = dims or features
    return 4 * features * d + 2 * rows * d
