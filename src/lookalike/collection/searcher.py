"""What answers for a collection: its state read once, the open network, and the galleries that are ranked."""

import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.collection.backbone_store import BackboneStore
from lookalike.collection.config import CollectionConfig
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.in_words import Asked
from lookalike.collection.lens_permission import is_label_free, learned_cut
from lookalike.collection.lens_store import LensStore
from lookalike.collection.likely import likelihood_for
from lookalike.collection.search_options import SearchOptions
from lookalike.errors import (
    CollectionError,
    DamagedTableWarning,
    LensError,
    LookalikeError,
    OutdatedSnapshotError,
    QueryError,
)
from lookalike.images.sources import are_many, as_source_list
from lookalike.index.damage import is_local
from lookalike.index.exact_knn import FEW
from lookalike.index.gallery import IN_MEMORY_ROWS, Gallery
from lookalike.index.hits import Answers, Hits
from lookalike.index.inside import check_inside
from lookalike.index.query import Query, QueryResolver, Vector
from lookalike.index.refine import refine
from lookalike.index.search import Selection, search
from lookalike.index.snapshot import Snapshot
from lookalike.index.versions import describe, newest_manifest
from lookalike.models.backbone import Backbone
from lookalike.models.forks import check_not_forked
from lookalike.models.lens import PLAIN, Lens
from lookalike.models.registry import DEFAULT
from lookalike.progress import SILENT, Reporter, Timer
from lookalike.text import plural

EXACT_ROWS = 10_000_000  # with more, the approximate index answers


@dataclass(frozen=True)
class CollectionState:
    """One state of a collection, read once by each verb and handed down: whoever writes meanwhile changes nothing here.

    Attributes:
        config: what collection.json said.
        backbone: the network in use.
        snapshot: the newest version of its table; None where there is no table yet.
    """

    config: CollectionConfig
    backbone: Backbone
    snapshot: Snapshot | None

    def files(self) -> list[str]:
        """The pictures of the collection, by name.

        Raises: CollectionError, when the table names files outside the folder.
        """
        if self.snapshot is None:
            return []
        names = self.snapshot.read("file").column("file")
        check_inside(names, self.snapshot.name)
        return list(names.to_pylist())


class Searcher:
    """Owns the open network and the galleries of a collection.

    Args:
        home: of the collection.
        backbones: its backbones.
        lenses: its lenses.
        named: the backbone that the collection was opened with; None for the one that it has.

    Attributes:
        few: galleries of more pictures than this are ranked by codes.
        most: galleries of more pictures than this are larger than memory is meant to hold.
    """

    def __init__(
        self, home: CollectionFolder, backbones: BackboneStore, lenses: LensStore, named: str | Path | None = None
    ):
        self.home, self.backbones, self.lenses = home, backbones, lenses
        self.named, self.few, self.most = named, FEW, IN_MEMORY_ROWS
        self.opened: Backbone | None = None
        self._galleries: dict[str, tuple[object, Gallery]] = {}
        self._held: tuple[object, Snapshot] | None = None  # the version that was read last, and what tells it
        self._told = 0  # pictures that cannot be ranked
        self._told_own = False

    def state(self, config: CollectionConfig | None = None) -> CollectionState:
        """The collection as it is now: collection.json is read once, unless what it says is given.

        Raises: CollectionError, when nothing was indexed yet, or another backbone was named than the one in use.
        """
        if config is not None:
            return self._state_of(config)
        while True:
            config = self.home.require_config()
            try:
                state = self._state_of(config)
            except LookalikeError:
                if not self._is_switched_from(config):
                    raise
                continue
            if state.snapshot is not None or not self._is_switched_from(config):
                return state

    def _state_of(self, config: CollectionConfig) -> CollectionState:
        return CollectionState(config, self.network(config), self._snapshot(config.backbone))

    def _snapshot(self, backbone: str) -> Snapshot | None:
        """The newest version of a table; the one that was read last, where nothing was written since.

        Warns: DamagedTableWarning, where an older version takes its place.
        """
        if self._held is not None:
            check_not_forked("Lance")
        manifest = newest_manifest(self.home.table(backbone))
        if self._held is not None and manifest is not None and self._held[0] == (backbone, manifest):
            return self._held[1]
        snapshot = self.home.open_table(backbone).snapshot()
        if snapshot is not None and snapshot.passed_over:
            warnings.warn(
                f"{self.home.table(backbone)}: the newest version is damaged ({describe(snapshot.passed_over)}), so an "
                f"older one answers. To mend it, run: lookalike index {self.home.shell_words}",
                DamagedTableWarning,
                stacklevel=2,
            )
        self._held = None if snapshot is None else ((backbone, manifest), snapshot)
        return snapshot

    def _is_switched_from(self, config: CollectionConfig) -> bool:
        """Whether another process has switched the backbone since this was read."""
        return self.home.require_config().backbone != config.backbone

    def network(self, config: CollectionConfig | None) -> Backbone:
        """The backbone in use, opened once; before the first index the one that was named, or the default.

        Raises: CollectionError, when another was named; BundleError.
        """
        opened = self.opened
        if opened is not None and (
            config is None or (opened.id, opened.precision) == (config.backbone, config.precision)
        ):
            return opened
        if config is None:
            opened = Backbone(self.named or DEFAULT, threads=self.backbones.threads)
        elif self.named is None:
            opened = self.backbones.open(config, config.backbone)
        else:
            opened = Backbone(self.named, threads=self.backbones.threads, precision=config.precision)
            if opened.id != config.backbone:
                raise CollectionError(
                    f"{self.home.name}: made with backbone {config.backbone_name}, asked for {opened.name}. Leave "
                    f"--backbone out, or switch with: lookalike index {self.home.shell_words} --backbone {self.named}"
                )
        self.opened = opened
        return opened

    def lens(self, state: CollectionState, name: str) -> Lens | None:
        """A lens of the backbone in use; None for plain. Raises: LensError."""
        return None if name == PLAIN else self.lenses.get_for(name, state.config.backbone, state.config)

    def gallery(self, state: CollectionState, name: str | None = PLAIN) -> Gallery:
        """What is ranked under a lens or plain, read again when the table or the lens changed.

        Args:
            state: of the collection.
            name: of the lens, or "plain"; None for the one in service.
        Raises: CollectionError, when there are no pictures; LensError.
        """
        name = name or state.config.lens or PLAIN
        lens = self.lens(state, name)
        if state.snapshot is None:
            raise CollectionError(
                f"{self.home.name}: no pictures yet. Put some there and run: lookalike index {self.home.shell_words}",
                code="collection.empty",
            )
        key = (state.snapshot, None if lens is None else lens.fingerprint)
        kept = self._galleries.get(name)
        if kept is None or kept[0] != key:
            kept = (key, Gallery(state.snapshot, lens, self.home.cache / "codes", self.few, self.most))
            self._galleries[name] = kept
        return kept[1]

    def prepare(self, config: CollectionConfig, backbone: Backbone, reporter: Reporter = SILENT) -> None:
        """Make now what the first search would have to make."""
        self.opened = backbone
        if not is_local(self.home.table(backbone.id)):
            return  # who answers reads the table once; who fills it need not
        with suppress(LookalikeError):  # a damaged lens is in the report, and searches name it again
            gallery = self.gallery(CollectionState(config, backbone, self._snapshot(backbone.id)), None)
            gallery.reporter = reporter
            by_index = len(gallery) > EXACT_ROWS and gallery.can_be_indexed
            if by_index or gallery.index is not None:
                with self.home.write_lock("index"):
                    self.home.open_table(backbone.id).update_index(gallery.rows.column, reporter)
            if by_index:
                gallery.catalog.prepare()
            else:
                gallery.build_codes()

    def search(
        self,
        query: Any,
        options: SearchOptions,
        skipped: dict[str, str] | None = None,
        reporter: Reporter = SILENT,
    ) -> Hits | Answers:
        """Hits for one query, Answers for several (`are_many`): see `Collection.search`.

        Raises: QueryError, CollectionError, LensError.
        """
        if are_many(query):
            query = list(query)  # a generator gives its pictures once, and the search may be repeated
        try:
            return self._search(query, options, skipped, reporter)
        except OutdatedSnapshotError:  # another process cleaned up: once more, in the version that it left
            self._galleries.clear()
            self._held = None
            return self._search(query, options, skipped, reporter)

    def _search(
        self, query: Any, options: SearchOptions, skipped: dict[str, str] | None, reporter: Reporter
    ) -> Hits | Answers:
        state = self.state()
        asked = Asked(options.text, options.positive, options.negative)
        gallery = self.gallery(state, asked.lens(options.lens))
        gallery.reporter = reporter
        if options.approximate and gallery.index is None and len(gallery) > gallery.few:
            state, gallery = self._indexed(state, gallery, reporter)
        approximate = options.approximate or len(gallery) > EXACT_ROWS
        least = learned_cut(gallery.lens) if options.min_similarity == "learned" else options.min_similarity
        folder, cache = self.home.folder, self.home.cache
        whole = options.region is None and not (options.text or options.positive or options.negative)
        whole = whole and not options.reverse  # what is likely was learned of the first hits
        likelihood = likelihood_for(gallery, options.likely, whole=whole)
        unique = state.backbone.bundle.nearly_equal if options.unique else None
        selection = Selection(
            options.k,
            options.others,
            options.where,
            least,
            likelihood,
            options.likely,
            options.reverse,
            unique,
            approximate,
        )
        if not (approximate and gallery.index):  # what finds them are the codes of all
            self._tell_unusable(gallery, reporter)
        if options.lens is None:
            self._tell_own(gallery, reporter)
        rest = (gallery, folder, selection, cache)

        def embed(source: Any) -> Vector:
            return np.asarray(state.backbone.embed([source])[0])

        resolver = QueryResolver(folder, gallery, embed, state.backbone.bundle.side_px)
        if asked.blended:
            return search([asked.query(query, options.region, resolver, state.backbone, state.config.lens)], *rest)[0]
        if options.positive or options.negative:
            return search([self._refined(query, options, resolver)], *rest)[0]
        if not isinstance(query, list):
            return search([resolver.resolve(query, options.region)], *rest)[0]
        if options.region is not None:
            raise QueryError("a region of many pictures: give it with one query.")
        timer = Timer("searching", len(query))

        def report(done: int, total: int) -> None:
            reporter.progress(timer.at(done))

        return search(resolver.resolve_all(query, skipped, report), *rest)

    def _indexed(self, state: CollectionState, gallery: Gallery, reporter: Reporter) -> tuple[CollectionState, Gallery]:
        """The newest state and its gallery, with an approximate index.

        Raises: LensError, QueryError, where there can be none; LockedError.
        """
        name = PLAIN if gallery.lens is None else gallery.lens.name
        if not gallery.is_whole_column:
            raise LensError(
                f"{name}: no column in the table that an approximate index could be of. Run: lookalike index "
                f"{self.home.shell_words}"
            )
        if not gallery.can_be_indexed:
            raise QueryError(
                f"{name}: an approximate index takes a table on this machine and a multiple of 8 values, here are "
                f"{gallery.rows.shape[1]:,}. Leave --approximate out."
            )
        with self.home.write_lock("index"):
            self.home.open_table(state.config.backbone).update_index(gallery.rows.column, reporter)
        state = self.state()
        gallery = self.gallery(state, name)
        gallery.reporter = reporter
        return state, gallery

    @staticmethod
    def _refined(query: Any, options: SearchOptions, resolver: QueryResolver) -> Query:
        """One query of what is positive, the query itself first, and what is negative."""
        positive = [*([] if query is None else as_source_list(query)), *as_source_list(options.positive)]
        if options.region is not None and len(positive) != 1:
            raise QueryError(f"a region of {len(positive)} pictures: crop them first with lookalike.images.crop.crop.")
        return refine(
            [resolver.resolve(one, options.region) for one in positive],
            [resolver.resolve(one) for one in as_source_list(options.negative)],
            resolver.gallery.mean,
        )

    def _tell_unusable(self, gallery: Gallery, reporter: Reporter) -> None:
        """Say once which pictures are left out, and what mends it."""
        found = len(gallery.unusable)
        if reporter is SILENT or found in (0, self._told):
            return
        self._told = found
        reporter.message(
            f"{plural(found, 'picture')} left out ({gallery.files[gallery.unusable[0]]}{', ...' * (found > 1)}): the "
            f"features in the table are no numbers. To mend it, run: lookalike check {self.home.shell_words} --repair"
        )

    def _tell_own(self, gallery: Gallery, reporter: Reporter) -> None:
        """Say once that nobody taught the lens that answers, and what leaves it out."""
        if self._told_own or reporter is SILENT or gallery.lens is None or not is_label_free(gallery.lens):
            return
        self._told_own = True
        reporter.message(f"Through {gallery.lens.name}, learned from these pictures alone. Without it: --lens plain")
