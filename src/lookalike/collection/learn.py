"""The verbs by which people teach a collection: learn, check, judge, lenses, use, forget."""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.collection.config import CollectionConfig
from lookalike.collection.folder import CollectionFolder
from lookalike.errors import QueryError
from lookalike.index.table import Table
from lookalike.models.lens import PLAIN

if TYPE_CHECKING:
    from lookalike.collection.dataset_source import ExamplesSource, Layout
    from lookalike.index.gallery import Gallery
    from lookalike.learning.datasets.dataset import Dataset
    from lookalike.learning.datasets.judgements import Judgements
    from lookalike.learning.feature_set import FeatureSet
    from lookalike.models.backbone import Backbone
    from lookalike.models.lens import Lens
    from lookalike.progress import Progress, Stage


class Teachable(ABC):
    """What teaching adds to a collection; the abstract names are what it needs of one."""

    home: CollectionFolder
    folder: Path
    _asked: str | Path | None
    _threads: int | None

    @property
    @abstractmethod
    def backbone(self) -> "Backbone": ...
    @property
    @abstractmethod
    def table(self) -> Table: ...
    @abstractmethod
    def lens(self, name: str) -> "Lens": ...
    @abstractmethod
    def _settings(self) -> CollectionConfig: ...
    @abstractmethod
    def _gallery(self, name: str = PLAIN) -> "Gallery": ...

    def learn(
        self,
        source: "ExamplesSource" = None,
        *,
        name: str | None = None,
        as_: "Layout | None" = None,
        replace: bool = False,
        use: bool = False,
        resume: bool = False,
        report: "Callable[[Stage], None] | None" = None,
        say: Callable[[str], None] | None = None,
        **how: Any,
    ) -> "Lens":
        """Learn a lens from examples, prove it on queries held out before, and keep it whatever the verdict.

        Args:
            source: folders and CSV files (docs/examples.md), or Examples. None: the judgements once there are 20, else
                the pictures' own views.
            name: of the lens; by default after the source.
            as_: how to read folders that could be read in more than one way.
            replace: take the place of a lens of that name.
            use: put it into service, if its proof allows.
            resume: go on with a learning with `unfreeze` or `recipe` that was broken off.
            report: called with each stage as it goes on.
            say: called with each line on what is learned from and what is left out.
            how: quick, loss, margin, epochs, rate, dims, hold_out, seed, unfreeze, recipe: see
                `lookalike.learning.pipeline.How`.
        Raises: ExamplesError, LensError, TrainingError, LockedError.
        """
        from lookalike.collection.dataset_source import name_after
        from lookalike.collection.lens_report import lens_report
        from lookalike.collection.lens_store import check_new, keep
        from lookalike.learning.config import LearnConfig
        from lookalike.learning.pipeline import learn_lens

        examples, data = self._lesson(source, as_)
        name = name or name_after(data)
        check_new(self.home, name, replace, resume)
        settings = LearnConfig(**how)
        told = say or (lambda line: None)
        snapshot = self.table.snapshot()
        settings = settings.for_size(0 if snapshot is None else len(snapshot))
        if settings.finetunes or resume:
            from lookalike.collection.finetune import FinetuneJob, check_resume

            check_resume(self.home, name, settings, resume=resume, replacing=replace)
            lesson = FinetuneJob(self.home, examples, settings, name, self._threads, report)
            lens = lesson.learn({"data": data}, use=use, say=told)
            if use:
                self._asked = None  # what is in service now was asked for by this
            return lens
        material = self._gathered(examples, settings.seed, report)
        for line in (*examples.notes, *material.notes):
            told(line)
        about = {"backbone": self.backbone.id, "backbone_name": self.backbone.name, "data": data}
        about |= {"reading": examples.layout}
        taught = learn_lens(material, settings, name=name, folder=self.folder, about=about, report=report)
        for line in taught.notes:
            told(line)
        beside = lens_report(taught, material, self.folder, self.home.cache)
        keep(self.home, self.table, taught.lens, beside, use=use)
        return taught.lens

    def check(
        self,
        source: "ExamplesSource" = None,
        *,
        as_: "Layout | None" = None,
        report: "Callable[[Stage], None] | None" = None,
        **how: Any,
    ) -> list[str]:
        """What `learn` would learn from and hold out, in lines for people."""
        from lookalike.learning.config import LearnConfig
        from lookalike.learning.pipeline import describe_plan

        examples, data = self._lesson(source, as_)
        settings = LearnConfig(**how)
        if settings.finetunes:
            from lookalike.collection.dataset_source import name_after
            from lookalike.collection.finetune import FinetuneJob

            return FinetuneJob(self.home, examples, settings, name_after(data), self._threads, report).plan()
        return [*examples.notes, *describe_plan(self._gathered(examples, settings.seed, report), settings)]

    def _lesson(self, source: "ExamplesSource", as_: "Layout | None") -> "tuple[Dataset, list[str]]":
        from lookalike.collection.dataset_source import dataset_from
        from lookalike.learning.datasets.judgements import Judgements

        self._settings()
        return dataset_from(source, as_, self.folder, Judgements(self.home.judgements), self.table.columns()["file"])

    def _gathered(self, examples: "Dataset", seed: int, report: "Callable[[Stage], None] | None") -> "FeatureSet":
        from lookalike.collection.feature_loader import load_features

        return load_features(examples, self.folder, self.table, self.backbone, seed=seed, report=report)

    @property
    def judgements(self) -> "Judgements":
        """What people answered: `.standing()`, `.undo()`."""
        from lookalike.learning.datasets.judgements import Judgements

        return Judgements(self.home.judgements)

    def judge(self, query: str | Path, yes: Sequence[str | Path], no: Sequence[str | Path] = (), who: str = "") -> int:
        """Say that pictures belong with a query, or, where a no is given, are more like it than every no.

        Args:
            query: a file of the collection, by its name there or as a path; so are yes and no.
            yes: one or more.
            no: any number.
            who: whose answer it is.
        Returns: how many judgements were added.
        Raises: QueryError, for a picture that is not in the collection; ExamplesError.
        """
        files = set(self._gallery().files)
        named = [self._file(one, files) for one in (query, *yes, *no)]
        return self.judgements.add(named[0], named[1 : 1 + len(yes)], named[1 + len(yes) :], who or None)

    def judge_from(self, path: str | Path) -> int:
        """Add the judgements of a CSV with columns query, yes and, where wanted, no: all of them or none."""
        from lookalike.learning.datasets.judgements import read_judgements_csv

        files = set(self._gallery().files)
        rows = read_judgements_csv(Path(path))
        return self.judgements.add_all(
            [(self._file(a, files), self._file(b, files), c and self._file(c, files)) for a, b, c in rows]
        )

    def _file(self, name: str | Path, files: "set[str]") -> str:
        """The collection's name of a picture. Raises: QueryError."""
        if str(name) in files:
            return str(name)
        with contextlib.suppress(ValueError, OSError):
            inside = Path(name).resolve().relative_to(self.folder.resolve()).as_posix()
            if inside in files:
                return inside
        raise QueryError(f"{name}: not a picture of {self.folder}. Name a file as `search` prints it, or index first.")

    def lenses(self) -> list[dict[str, Any]]:
        """Every lens: name, whether it serves, date, data, dims, verdict, and its proof in words."""
        from lookalike.collection.lens_store import listed

        return listed(self.home)

    def use(
        self,
        name: str,
        *,
        anyway: bool = False,
        report: "Callable[[Progress], None] | None" = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        """Search through this lens from now on where none is named; "plain" for none.

        A lens of another backbone, and plain where that is not the original one, switches the collection: that one's
        table is brought up to date with the folder while the old one serves, and takes its place at the end.

        Args:
            name: of the lens, or "plain".
            anyway: even where the lens is not better than plain.
            report: called with the progress as pictures are embedded.
            say: called with each line on what a switch means.
        Raises: LensError, when it is not better than plain and `anyway` is not set; CollectionError; LockedError.
        """
        from lookalike.collection.lens_store import any_lens
        from lookalike.collection.switch_backbone import activate_lens

        lens = None if name == PLAIN else any_lens(self.home, name)
        done = activate_lens(self.home, lens, anyway=anyway, threads=self._threads, report=report)
        self._asked = None  # what is in service now was asked for by this
        for line in () if done is None else (*done.notes, *done.damaged.values()):
            (say or (lambda line: None))(line)

    def forget(self, name: str, *, say: Callable[[str], None] | None = None) -> None:
        """Remove a lens, or what is kept of a learning that was broken off.

        Args:
            name: of the lens.
            say: called with a line where a tuned backbone reads on that no lens needs any longer.
        Raises: LensError, when it is not there.
        """
        from lookalike.collection.backbone_store import unused_backbone_note
        from lookalike.collection.lens_store import forget

        forget(self.home, name)
        if say is not None and (line := unused_backbone_note(self.home)):
            say(line)
