"""Collection: a folder of pictures that answers "which are the ones like this?"; the verbs, each a few lines."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Unpack, overload

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.backbone_store import BackboneStore, locator_of
from lookalike.collection.dataset_source import ExamplesSource, LearnKeywords, LearnRequest, split_keywords
from lookalike.collection.judgement_verbs import CollectionJudgements
from lookalike.collection.lens_store import LensStore
from lookalike.collection.remote_folder import open_home
from lookalike.collection.search_options import SearchKeywords, SearchOptions
from lookalike.collection.searcher import Searcher
from lookalike.collection.status import status
from lookalike.distributed.engine import WorkersKeywords
from lookalike.errors import CollectionError
from lookalike.images.decode import ImageSource
from lookalike.images.limits import Limits
from lookalike.index.hits import Answers, Hits
from lookalike.index.index_report import IndexReport
from lookalike.index.pictures import Picture
from lookalike.index.refused import RefusedTable
from lookalike.index.storage import is_address
from lookalike.index.table import Table
from lookalike.learning.config import LearnConfig, LearnOptions
from lookalike.learning.datasets.tables import Layout
from lookalike.models.backbone import Backbone
from lookalike.models.layers import Layer
from lookalike.models.lens import PLAIN, Lens
from lookalike.progress import Reporter, ReporterLike, as_reporter

if TYPE_CHECKING:
    from lookalike.collection.check import Finding
    from lookalike.collection.learn import Learner
    from lookalike.collection.switch_backbone import BackboneSwitch, UpdateOptions
    from lookalike.index.embed_files import Sift
    from lookalike.index.lens_column import FillColumn


class Collection(CollectionJudgements):
    """A folder of pictures with what lookalike knows of it; each verb reads its state once. It has a len and names.

    Args:
        folder: the pictures' folder, or a collection's own folder; or an address, as s3://bucket/photos.
        at: where to keep the collection, a folder or an address; by default FOLDER/.lookalike.
        backbone: for a new collection, or to switch to with `index`; for a new one efficientnet-lite0 when left out.
        threads: of the processor; None for all.
        moved: take over the collection at `at` for pictures that were moved to `folder`; the next `index` keeps it so.
    Raises: CollectionError, when it is damaged, or `at` is neither empty nor the collection of this folder.

    Pickled, it is its place and these options: another process opens it anew, with what is committed by then. A process
    that was forked may use it where its parent has not yet; else it raises ForkedError.

    >>> Collection("photos").home.at.as_posix()
    'photos/.lookalike'
    """

    def __init__(
        self, folder: str | Path, *, at: str | Path | None = None, backbone: str | Path | None = None,
        threads: int | None = None, moved: bool = False,
    ):  # fmt: skip
        self.home = open_home(folder, at, moved)
        self.folder = self.home.folder
        self._options = threads, moved
        self._backbones = BackboneStore(self.home, threads)
        self._lenses = LensStore(self.home)
        self._searcher = Searcher(self.home, self._backbones, self._lenses, backbone)

    def __reduce__(self) -> tuple[Any, ...]:
        named, (threads, moved) = self._searcher.named, self._options
        home = self.home
        place: str | Path = home.name if is_address(home.name) else self.folder.absolute()
        at: str | Path = home.place if is_address(home.place) else home.at.absolute()
        backbone = None if named is None else locator_of(named)
        return partial(type(self), place, at=at, backbone=backbone, threads=threads, moved=moved), ()

    @property
    def backbone(self) -> Backbone:
        """The network that embeds this collection's pictures; another one after a switch, whoever switched."""
        return self._searcher.network(self.home.config())

    @property
    def table(self) -> Table:
        """The pictures' table."""
        return self.home.open_table(self.backbone.id)

    @property
    def refused(self) -> RefusedTable:
        """The files that could not be read."""
        return self.home.open_refused(self.backbone.id)

    def index(
        self, *, prune: bool = False, megapixels: float = 100, drop_old: bool = False, exclude: Sequence[str] = (),
        own: bool = True, report: ReporterLike = None, **on: Unpack[WorkersKeywords],
    ) -> IndexReport:  # fmt: skip
        """Bring the collection up to date with its folder: only content that is new is embedded.

        Where the collection was opened with another backbone than the one it has, that one's table is filled while the
        old one serves, and takes its place at the end; an interrupted run is continued by the next one.

        Args:
            prune: forget missing files even when more than half of them are missing.
            megapixels: larger pictures are refused.
            drop_old: afterwards, remove the tables of backbones that are not in use.
            exclude: patterns in gitignore's syntax: what they name is left out in this run.
            own: from 300 pictures on, learn the lens `own` from them alone, once.
            report: a Reporter or a function that takes Progress: "indexing" or "switching", "embedding" of views.
            on: on, workers and shard: let workers of Ray do it, see `WorkersKeywords`.
        Raises: CollectionError, when the folder is not there; LockedError, when another process writes.
        """
        from lookalike.collection import switch_backbone
        from lookalike.distributed import workers

        self.home.require_pictures()
        limits, reporter = Limits(pixels=int(megapixels * 1e6), option="--pixels"), as_reporter(report)
        with workers.workers_of(on, reporter) as who:
            options = switch_backbone.UpdateOptions(
                prune, limits, drop_old, tuple(exclude), own, None, who.embedder, who.fill
            )
            return self._update(options, reporter)

    def watch(
        self, *, quiet_s: float = 2.0, every_s: float = 60.0, megapixels: float = 100, own: bool = True,
        stop: Event | None = None, report: ReporterLike = None,
    ) -> Iterator[IndexReport]:  # fmt: skip
        """Keep the collection up to date while its folder changes; gives what each look found, the first one at once.

        A folder or disk that is away, another process that writes: it waits, and takes nothing for removed.

        Args:
            quiet_s: a file is read when its size and date have been the same for so long.
            every_s: look through the folder so often even when nothing is heard of, as from a network drive.
            megapixels: larger pictures are refused.
            own: learn the lens `own` as `index` does.
            stop: an Event of threading, which ends it when set; so do `close` of the iterator and Ctrl-C.
            report: a Reporter, which takes a line on each thing that is waited for, or a function, as for `index`.
        Raises: MissingExtraError, without the extra "watch"; what `index` raises, from the first look alone.
        """
        from lookalike.collection import switch_backbone, watch

        reporter, limits = as_reporter(report), Limits(pixels=int(megapixels * 1e6), option="--pixels")
        if is_address(self.home.pictures.address):
            raise CollectionError(f"{self.home.name}: a bucket tells nobody of changes. Run index from time to time.")
        self.home.require_pictures()

        def look(sift: "Sift") -> IndexReport:
            return self._update(switch_backbone.UpdateOptions(limits=limits, own=own, sift=sift), reporter)

        options = watch.WatchOptions(quiet_s, every_s, stop or Event())
        return watch.Watcher(self.home, look, options, reporter).run()

    def _update(self, options: "UpdateOptions", reporter: Reporter) -> IndexReport:
        searcher = self._searcher
        done = self._switch().update_index(searcher.named, searcher.opened, options, reporter)
        searcher.prepare(done.config, done.backbone, reporter)
        return done.report

    @overload
    def search(
        self, query: list[Any] | tuple[Any, ...], k: int | None = 5, *, skipped: dict[str, str] | None = None,
        report: ReporterLike = None, **options: Unpack[SearchKeywords],
    ) -> Answers: ...  # fmt: skip
    @overload
    def search(
        self, query: ImageSource | Picture | NDArray[np.floating[Any]] | None = None, k: int | None = 5,
        **options: Unpack[SearchKeywords],
    ) -> Hits: ...  # fmt: skip
    def search(
        self, query: Any = None, k: int | None = 5, *, skipped: dict[str, str] | None = None,
        report: ReporterLike = None, **options: Unpack[SearchKeywords],
    ) -> Hits | Answers:  # fmt: skip
        """The k pictures most like a query, as Hits; a list of queries gives a list of Hits, in their order.

        Args:
            query: a path, a file of the collection, a picture's bytes, a PIL image, pixels (uint8) or features (float).
            k: how many; None for all.
            lens: its name, or "plain"; None for the one in service.
            others: leave out every picture of the query's own content.
            where: an SQL condition on file, width, height, bytes, mtime; applied before ranking.
            min_similarity: leave out hits below it, -1 to 1; "learned" for the value that the lens's proof found to
                separate right from wrong.
            likely: leave out hits that are less likely right than this, 0 to 1, by what the lens's proof learned.
            positive, negative: pictures that the hits should be like, and unlike; then there is one query of them all,
                and none of them is a hit. Hits come in the order of a regression through them (`index.refine`), with
                their similarity to the nearest of the positive ones, the query among them.
            text: what the hits should show, in words, or several of these; alone, or beside pictures; always plain.
                With words, or a `Weighted` in positive or negative, there is no regression: order and similarity are
                the weighted mean of all.
            reverse: the least similar first.
            unique: of copies and nearly equal pictures among the hits only the first; `hidden` of the Hits counts them.
            approximate: by an index, made where there is none; always above 10 million; the Hits' note says so.
            region: left, top, width, height of the part of the query that is meant, in shares (0 to 1) of the picture.
            skipped: for a list of queries: takes query -> reason of those that cannot be read, in place of raising.
            report: a Reporter, which is told once of pictures that cannot be ranked, or a function that takes Progress:
                "searching", for a list of queries.
        Raises: QueryError, CollectionError, LensError.
        """
        return self._searcher.search(query, SearchOptions(k, **options), skipped, as_reporter(report))

    def lens(self, name: str) -> Lens:
        """One of the collection's lenses.

        Raises: LensError, when it is not there, damaged, or of another backbone than the one in use.
        """
        config = self.home.require_config()
        return self._lenses.get_for(name, config.backbone, config)

    def lenses(self) -> list[dict[str, Any]]:
        """Every lens: name, whether it is in service, date, data, dims, verdict, and its proof in words."""
        return self._lenses.describe(self.home.require_config())

    def learn(
        self, source: ExamplesSource = None, *, name: str | None = None, as_: Layout | None = None,
        replace: bool = False, use: bool = False, resume: bool = False, report: ReporterLike = None,
        **options: Unpack[LearnKeywords],
    ) -> Lens:  # fmt: skip
        """Learn a lens from examples, prove it on queries held out before, and keep it whatever the verdict.

        Args:
            source: folders and CSV files, a DataFrame, a dict, rows (docs/examples.md), or a Dataset. None: the
                judgements once there are 20, else the collection's pictures alone.
            name: of the lens; by default after the source.
            as_: how to read folders that could be read in more than one way.
            replace: take the place of a lens of that name.
            use: put it into service, if its proof allows.
            resume: continue an interrupted learning with `unfreeze` or `recipe`.
            report: a Reporter, which also takes lines on what is learned from, or a function that takes Progress.
            options: quick, loss, dims, seed and others of `LearnConfig`; on and workers, see `WorkersKeywords`.
        Raises: ExamplesError, LensError, TrainingError, LockedError.
        """
        from lookalike.distributed import workers

        (how, where), reporter = split_keywords(options), as_reporter(report)
        config, request = LearnConfig.from_options(**how), LearnRequest(source, as_, name, replace, use, resume)
        with workers.workers_of(where, reporter) as who:
            lens = self._learner(who.fill).learn(self._searcher.state(), request, config, reporter)
        if use and config.finetunes:
            self._searcher.named = None  # what is in use now was named by this
        return lens

    def check(
        self, source: ExamplesSource = None, *, as_: Layout | None = None, report: ReporterLike = None,
        **options: Unpack[LearnOptions],
    ) -> list[str]:  # fmt: skip
        """What `learn` would learn from and hold out, in lines for people."""
        config, request = LearnConfig.from_options(**options), LearnRequest(source, as_)
        return self._learner().check(self._searcher.state(), request, config, as_reporter(report))

    def use(self, name: str, *, anyway: bool = False, report: ReporterLike = None) -> None:
        """Search through this lens from now on where none is named; "plain" for none.

        A lens of another backbone, and plain where that is not the original one, switches the collection: that one's
        table is brought up to date with the folder while the old one serves, and takes its place at the end.

        Args:
            name: of the lens, or "plain".
            anyway: even where the lens is not better than plain.
            report: a Reporter, which also takes lines, or a function that takes Progress: "switching".
        Raises: LensError, when it is not better than plain and `anyway` is not set; CollectionError; LockedError.
        """
        reporter = as_reporter(report)
        lens = None if name == PLAIN else self._lenses.get(name)
        done = self._switch().activate_lens(lens, anyway=anyway, reporter=reporter)
        self._searcher.named = None  # what is in use now was named by this
        for line in () if done is None else (*done.notes, *done.damaged.values()):
            reporter.message(line)

    def forget(self, name: str, *, report: ReporterLike = None) -> None:
        """Remove a lens, or what is kept of an interrupted learning.

        Args:
            name: of the lens.
            report: a Reporter, which takes a line where a tuned backbone stays that no lens needs any longer.
        Raises: LensError, when it is not there.
        """
        config = self._lenses.remove(name)
        if line := self._backbones.unused_note(config, self._lenses.backbones().values()):
            as_reporter(report).message(line)

    def embed(self, sources: Sequence[Any], *, lens: str = PLAIN) -> NDArray[np.float32]:
        """The features of pictures, in the collection or not, or what a lens makes of them.

        Returns: (n, f) or (n, d) float32, rows of length 1.
        Raises: ImageError, for the first one that cannot be read; LensError.
        """
        config = self.home.config()
        through = None if lens == PLAIN else self._searcher.lens(self._searcher.state(config), lens)  # before the work
        features = self._searcher.network(config).embed(sources)
        return features if through is None else through.apply(features)

    def status(self) -> dict[str, Any]:
        """Counts, refused files with reasons, backbone, the tables of all backbones, and sizes."""
        return status(self.home, self._backbones, self._searcher.state())

    def verify(self, *, repair: bool = False, report: ReporterLike = None) -> "list[Finding]":
        """All that is damaged; with `repair`, what can be made again is. Lenses and judgements always stay."""
        from lookalike.collection import check

        return check.CollectionCheck(self.home, self._backbones).run(repair=repair, reporter=as_reporter(report))

    def compact(self) -> tuple[int, int]:
        """Put the small pieces of the table together, and remove what only older versions of it need.

        On an object store only this does so; in a folder `index` does by itself where many have gathered.

        Returns: the number of pieces before and after.
        Raises: CollectionError; LockedError, when another process writes.
        """
        with self.home.write_lock("compact"):
            config = self.home.require_config()
            table = self.home.open_table(config.backbone)
            pieces = table.compact(asked=True)
            table.clean()
            return pieces

    def layers(self, unfreeze: str | int | None = None) -> list[Layer]:
        """The layers of the backbone; `unfreeze`: the first that would learn, a name, its start up to a dot, or index.

        Raises: BundleError, when there is no such layer.
        """
        return self._backbones.layers(self.home.config(), self._searcher.named, unfreeze)

    def _switch(self) -> "BackboneSwitch":
        from lookalike.collection import switch_backbone  # what writes, loaded by those who write

        return switch_backbone.BackboneSwitch(self.home, self._backbones, self._lenses)

    def _learner(self, fill: "FillColumn | None" = None) -> "Learner":
        from lookalike.collection import learn  # the rest of lookalike.learning, loaded by those who learn

        return learn.Learner(self.home, self._backbones, LensStore(self.home, fill) if fill else self._lenses)
