"""The tables of a collection brought up to date, and the switch to another backbone or lens."""

import shlex
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

from lookalike.collection.backbone_store import BackboneStore, locator_of
from lookalike.collection.config import BackboneRecord, CollectionConfig
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.lens_permission import check_allowed
from lookalike.collection.lens_store import LensStore
from lookalike.collection.own_lens import OwnLens
from lookalike.errors import CollectionError
from lookalike.images.leave_out import LeaveOut
from lookalike.images.limits import LIMITS, Limits
from lookalike.images.scan import is_below
from lookalike.index.embed_files import Embedder, IndexOptions, Sift
from lookalike.index.index_report import IndexReport
from lookalike.index.indexer import Indexer
from lookalike.index.lens_column import FillColumn, update_lens_column
from lookalike.index.refused import RefusedTable
from lookalike.index.table import Table
from lookalike.models.backbone import Backbone
from lookalike.models.lens import Lens
from lookalike.models.registry import DEFAULT
from lookalike.progress import SILENT, RenamedStage, Reporter


@dataclass(frozen=True)
class UpdateOptions:
    """What an index run may do.

    Attributes:
        prune: forget missing files even when more than half of them are missing.
        limits: what a picture may cost.
        drop_old: remove the tables that are not in use afterwards.
        exclude: patterns of files and folders to leave out.
        own: learn the lens from the pictures alone where it is due.
        sift: what of the changes is taken up, see `Settling.sift`; None for all.
        embedder: what embeds; None for this process.
        fill: brings the columns of lenses up to date.
    """

    prune: bool = False
    limits: Limits = LIMITS
    drop_old: bool = False
    exclude: tuple[str, ...] = ()
    own: bool = True
    sift: Sift | None = None
    embedder: Embedder | None = None
    fill: FillColumn = update_lens_column

    def for_table(self, home: CollectionFolder) -> IndexOptions:
        """What of it concerns one table."""
        return IndexOptions(
            self.prune,
            self.limits,
            leave_out=LeaveOut(self.exclude, home.at),
            work_log=home.work_log,
            codes=home.cache / "codes",
            cache=home.cache,
            sift=self.sift,
            embedder=self.embedder,
            fill=self.fill,
        )


@dataclass(frozen=True)
class IndexOutcome:
    """What an index run or a switch led to: the configuration and the backbone in use now, and what was done."""

    config: CollectionConfig
    backbone: Backbone
    report: IndexReport


class BackboneSwitch:
    """Updates the table in use, or fills another backbone's table beside it and cuts over in one write.

    Args:
        home: of the collection.
        backbones: its backbones.
        lenses: its lenses.
    """

    def __init__(self, home: CollectionFolder, backbones: BackboneStore, lenses: LensStore):
        self.home, self.backbones, self.lenses = home, backbones, lenses

    def update_index(
        self,
        named: str | Path | None,
        opened: Backbone | None = None,
        options: UpdateOptions | None = None,
        reporter: Reporter = SILENT,
    ) -> IndexOutcome:
        """Make a collection, update the table in use, or switch to another backbone, under the collection's lock.

        Args:
            named: the backbone to index with; None for the one that the collection has.
            opened: a backbone that is open already.
            options: what the run may do.
            reporter: told after each picture: "indexing", or "switching" to another backbone; then "embedding" of
                views.
        Raises: CollectionError, BundleError, LockedError.
        """
        options = options or UpdateOptions()
        with self.home.write_lock("index"):
            adopted = self.lenses.adopt()
            before = self.home.config()
            outcome = self._update(before, named, opened, options, reporter)
            outcome.report.notes[:0] = adopted
            if options.own:
                own = OwnLens(self.home, LensStore(self.home, options.fill), options.limits)
                config, lines = own.update(before, outcome.config, outcome.backbone, reporter)
                outcome.report.notes += lines
                outcome = replace(outcome, config=config)
            if options.drop_old:
                config, freed = self.backbones.drop_unused(outcome.config, self.lenses.backbones().values())
                outcome.report.freed = freed
                outcome = replace(outcome, config=config)
            return outcome

    def switch_backbone(
        self,
        config: CollectionConfig,
        backbone: Backbone,
        lens: Lens | None = None,
        locator: str = "",
        options: UpdateOptions | None = None,
        reporter: Reporter = SILENT,
    ) -> IndexOutcome:
        """Fill the table of another backbone while the old one serves, then cut over by one write of collection.json.

        Call it under the collection's lock. What is committed to the new table stays, so the same call continues after
        an interruption; a table that is there already is updated first.

        Args:
            config: of the collection, as it is now.
            backbone: to switch to.
            lens: learned on it, in service from then on; None for plain.
            locator: how it can be found again; left out for one that is known already.
            options: with `prune`, cut over even when more than half of the pictures in the old table are missing.
            reporter: told after each picture: "switching".
        Raises: CollectionError, when the folder is not there, or most of its pictures are not: the old backbone stays.
        """
        options = options or UpdateOptions()
        known = config.known()
        before = known.get(backbone.id, BackboneRecord("", ""))
        known[backbone.id] = BackboneRecord(backbone.name, backbone.precision, locator or before.locator or before.name)
        begun = replace(config, original=config.plain, switching=backbone.id, backbones=known)
        self.home.save(begun)
        newer = self.backbones.newer(config)
        is_newer = newer is not None and newer.id == backbone.id
        table, refused = self._tables(backbone)
        lenses, damaged = self.lenses.all_for(backbone.id, begun)
        if self.home.are_pictures_there() or not len(table.columns()["file"]):
            indexer = Indexer(self.home.pictures, table, refused, backbone, lenses, options.for_table(self.home))
            report = indexer.run(RenamedStage(reporter, "switching"))
            if not options.prune:
                self._check_complete(config, table, refused, indexer.scan.excluded)
        else:
            report = IndexReport(
                notes=[f"{self.home.name} is not there: its pictures are those of the last index under {backbone.name}"]
            )
            if lens is not None:
                update_lens_column(table, lens)
        report.damaged.update(damaged)
        report.notes += (
            self._newer_notes(config, backbone, options) if is_newer else self._notes(config, backbone, lens)
        )
        after = replace(
            begun,
            # Plain goes on with the newer version, not with the one that it takes the place of.
            original=backbone.id if is_newer and begun.original == config.backbone else begun.original,
            backbone=backbone.id,
            backbone_name=backbone.name,
            precision=backbone.precision,
            lens=None if lens is None else lens.name,
            switching=None,
        )
        self.home.save(after)
        return IndexOutcome(after, backbone, report)

    def activate_lens(
        self, lens: Lens | None, *, anyway: bool = False, reporter: Reporter = SILENT
    ) -> IndexReport | None:
        """Search through this lens from now on where none is named; None for plain, of the original backbone.

        A lens whose folder was copied here from another collection of the same backbone gets its column now. Where its
        backbone is not the one in use, that one's table is updated, and the collection switches to it.

        Returns: what a switch did; None where none was needed.
        Raises: LensError, when it is not proved to be better than plain and `anyway` is not set, or of a backbone that
            is not known here; CollectionError; LockedError.
        """
        check_allowed(lens, anyway)
        with self.home.write_lock("use"):
            self.lenses.adopt()
            config = self.home.require_config()
            id = config.plain if lens is None else lens.backbone
            if id != config.backbone:
                if lens is not None and id not in config.known() and not self.home.backbone(id).is_dir():
                    self.lenses.get_for(lens.name, config.backbone, config)  # says that it is not for this collection
                backbone = self.backbones.open(config, id)
                return self.switch_backbone(config, backbone, lens, reporter=reporter).report
            if lens is not None:
                update_lens_column(self.home.open_table(id), lens)
            self.home.save(replace(config, lens=None if lens is None else lens.name))
            return None

    def _update(
        self,
        config: CollectionConfig | None,
        named: str | Path | None,
        opened: Backbone | None,
        options: UpdateOptions,
        reporter: Reporter,
    ) -> IndexOutcome:
        if config is not None:
            config = self.home.with_this_folder(config)
        if config is None:
            opened = opened or Backbone(named or DEFAULT, threads=self.backbones.threads)
            known = {opened.id: BackboneRecord(opened.name, opened.precision, locator_of(named or DEFAULT))}
            config = CollectionConfig(
                self.home.pictures.address,
                opened.id,
                opened.name,
                opened.precision,
                original=opened.id,
                backbones=known,
            )
            self.home.save(config)
        elif named is not None:
            opened = Backbone(named, threads=self.backbones.threads)
            record = config.known().get(opened.id)
            if record is not None and record.precision != opened.precision:
                opened = Backbone(opened.bundle, threads=self.backbones.threads, precision=record.precision)
            if opened.id != config.backbone:
                locator = locator_of(named)
                return self.switch_backbone(config, opened, locator=locator, options=options, reporter=reporter)
            config = replace(config, switching=None)  # whoever names the one in use wants no other
            self.home.save(config)
        note = ""
        if named is None and (newer := self.backbones.newer(config)) is not None:
            if config.lens is None:
                opened = Backbone(newer, threads=self.backbones.threads, precision=config.precision)
                return self.switch_backbone(config, opened, options=options, reporter=reporter)
            note = self._newer_note(config)
        if opened is None or (opened.id, opened.precision) != (config.backbone, config.precision):
            opened = self.backbones.open(config, config.backbone)
        lenses, damaged = self.lenses.all_for(opened.id, config)
        table, refused = self._tables(opened)
        indexer = Indexer(self.home.pictures, table, refused, opened, lenses, options.for_table(self.home))
        report = indexer.run(reporter)
        report.damaged.update(damaged)
        report.notes += [note] if note else []
        if config.switching is not None:
            command = self._continuing(config, config.switching)
            report.notes.append(f"A switch of backbones was interrupted. To continue it, run: {command}")
        return IndexOutcome(config, opened, report)

    def _tables(self, backbone: Backbone) -> tuple[Table, RefusedTable]:
        return self.home.open_table(backbone.id), self.home.open_refused(backbone.id)

    def _continuing(self, config: CollectionConfig, id: str) -> str:
        """The command that continues an interrupted switch to a backbone."""
        if self.home.backbone(id).is_dir():
            for lens, backbone in self.lenses.backbones().items():
                if backbone == id:
                    return f"lookalike use {self.home.shell_words} {lens}"
        record = config.known()[id]
        return f"lookalike index {self.home.shell_words} --backbone {shlex.quote(record.locator or record.name)}"

    def _check_complete(
        self, config: CollectionConfig, table: Table, refused: RefusedTable, excluded: AbstractSet[str]
    ) -> None:
        """Raises: CollectionError, when most pictures of the table in use are missing in the new one."""
        there = {
            file for file in self.home.open_table(config.backbone).columns()["file"] if not is_below(file, excluded)
        }
        missing = there - set(table.columns()["file"]) - {one.file for one in refused.rows()}
        if len(missing) * 2 > len(there):
            raise CollectionError(
                f"{self.home.name}: {len(missing):,} of {len(there):,} pictures are missing, so "
                f"{config.backbone_name} stays in use. Plug the disk in, or add --prune to index if they are gone for "
                "good."
            )

    def _newer_note(self, config: CollectionConfig) -> str:
        """There is a newer version of the backbone, but a lens on this one is in service."""
        name = config.backbone_name
        return (
            f"There is a newer version of {name}, which finds more. The lens {config.lens} was learned on this one, so "
            f"this one stays. To move: lookalike index {self.home.shell_words} --backbone "
            f"{shlex.quote(config.known()[config.backbone].locator or name)}, then learn the lens again."
        )

    def _newer_notes(self, config: CollectionConfig, backbone: Backbone, options: UpdateOptions) -> list[str]:
        """What the switch to a newer version of the same backbone means, in a line for people."""
        line = f"All pictures were read again with a newer version of {backbone.name}, which finds more."
        names = sorted(name for name, id in self.lenses.backbones().items() if id == config.backbone)
        if names:
            some = f"The lens {names[0]} was" if len(names) == 1 else f"The lenses {', '.join(names)} were"
            line += (
                f" {some} learned on the earlier one and cannot be used with it. Learn again, or go back: "
                f"lookalike use {self.home.shell_words} {config.lens or names[0]}"
            )
        elif not options.drop_old:
            line += f" To free the space of the earlier one: lookalike index {self.home.shell_words} --drop-old"
        return [line]

    def _notes(self, config: CollectionConfig, backbone: Backbone, lens: Lens | None) -> list[str]:
        """What the switch means, in lines for people."""
        through = "plain" if lens is None else lens.name
        lines = [
            f"The collection uses backbone {backbone.name} now, {config.backbone_name} no longer; "
            f"{through} is in service."
        ]
        if config.lens is not None and lens is None:
            lines.append(
                f"The lens {config.lens} was learned on {config.backbone_name} and cannot be used with "
                f"{backbone.name}. To go back: lookalike use {self.home.shell_words} {config.lens}"
            )
        return lines
