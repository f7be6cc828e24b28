"""The backbones of one collection: opened again, filled beside the one that serves, cut over to, dropped."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lookalike.collection.backbone_store import backbones_of_lenses, locator_of, open_backbone
from lookalike.collection.config import BackboneRecord, CollectionConfig
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.lens_store import check_serves, lens_of, lenses_of, settings_of
from lookalike.errors import CollectionError
from lookalike.images.limits import LIMITS, Limits
from lookalike.index.indexer import IndexReport, index, update_lens_column
from lookalike.index.refused import RefusedTable
from lookalike.index.table import Table
from lookalike.models.backbone import Backbone
from lookalike.models.lens import Lens
from lookalike.models.registry import DEFAULT
from lookalike.progress import Progress


def update_index(
    home: CollectionFolder,
    asked: str | Path | None,
    made: Backbone | None = None,
    threads: int | None = None,
    *,
    prune: bool = False,
    limits: Limits = LIMITS,
    report: Callable[[Progress], None] | None = None,
) -> tuple[Backbone, IndexReport]:
    """What `index` does: make a collection, bring the table that serves up to date, or switch to another backbone.

    Call it under the collection's lock.

    Args:
        home: of the collection.
        asked: the backbone that was named; None for the one that the collection has.
        made: one that was opened already.
        threads: of the processor.
        prune: as for `lookalike.index.indexer.index`.
        limits: likewise.
        report: likewise.
    Returns: the backbone that serves now, and what was done.
    Raises: CollectionError, BundleError.
    """
    settings = home.config()
    if settings is None:
        made = made or Backbone(asked or DEFAULT, threads=threads)
        known = {made.id: BackboneRecord(made.name, made.precision, locator_of(asked or DEFAULT))}
        folder = str(home.folder.resolve())
        settings = CollectionConfig(folder, made.id, made.name, made.precision, original=made.id, backbones=known)
        home.save(settings)
    elif asked is not None:
        made = Backbone(asked, threads=threads)
        known = settings.known()
        if made.id in known and known[made.id].precision != made.precision:
            made = Backbone(made.bundle, threads=threads, precision=known[made.id].precision)
        if made.id != settings.backbone:
            done = switch_backbone(home, made, place=locator_of(asked), prune=prune, limits=limits, report=report)
            return made, done
        settings = replace(settings, switching=None)  # whoever names the one that serves wants no other
        home.save(settings)
    if made is None or (made.id, made.precision) != (settings.backbone, settings.precision):
        made = open_backbone(home, settings, settings.backbone, threads)
    lenses, damaged = lenses_of(home, made.id)
    done = index(
        home.folder,
        Table(home.table(made.id), made.length),
        RefusedTable(home.refused(made.id)),
        made,
        lenses=lenses,
        prune=prune,
        limits=limits,
        report=report,
    )
    done.damaged.update(damaged)
    if settings.switching is not None:
        done.notes.append(f"A switch of backbones was not finished. To go on: {_going_on(home, settings)}")
    return made, done


def _going_on(home: CollectionFolder, settings: CollectionConfig) -> str:
    """The command that goes on with a switch that was broken off."""
    id = str(settings.switching)
    for one in backbones_of_lenses(home):
        if one["id"] == id and home.backbone(id).is_dir():
            return f"lookalike use {home.shell_words} {one['lens']}"
    known = settings.known()[id]
    return f"lookalike index {home.shell_words} --backbone {shlex.quote(known.locator or known.name)}"


def switch_backbone(
    home: CollectionFolder,
    made: Backbone,
    *,
    lens: Lens | None = None,
    place: str = "",
    prune: bool = False,
    limits: Limits = LIMITS,
    report: Callable[[Progress], None] | None = None,
) -> IndexReport:
    """Fill the table of another backbone while the old one serves, then cut over by collection.json in one write.

    Call it under the collection's lock. What is committed to the new table stays, so that the same call goes on after
    a kill; a table that is there already is brought up to date with the folder first.

    Args:
        home: of the collection.
        made: the backbone to switch to.
        lens: learned on it, which serves from then on; None for plain.
        place: how it can be found again; left out for one that is known already.
        prune: cut over even when more than half of the pictures that serve are missing.
        limits: what a picture may cost.
        report: called after each picture.
    Raises: CollectionError, when the folder is not there, or most of its pictures are not: then the old one serves on.
    """
    settings = settings_of(home)
    known = settings.known()
    before = known.get(made.id, BackboneRecord("", ""))
    known[made.id] = BackboneRecord(made.name, made.precision, place or before.locator or before.name)
    home.save(replace(settings, original=settings.plain, switching=made.id, backbones=known))
    table = Table(home.table(made.id), made.length)
    lenses, damaged = lenses_of(home, made.id)
    if home.folder.is_dir() or not len(table.columns()["file"]):
        refused = RefusedTable(home.refused(made.id))
        done = index(home.folder, table, refused, made, lenses=lenses, prune=prune, limits=limits, report=report)
        _check_whole(home, settings, table, refused, prune)
    else:
        done = IndexReport(
            notes=[f"{home.folder} is not there: its pictures are those of the last index under {made.name}"]
        )
        if lens is not None:
            update_lens_column(table, lens)
    done.damaged.update(damaged)
    done.notes += _said(home, settings, made, lens)
    home.save(
        replace(
            settings,
            backbone=made.id,
            backbone_name=made.name,
            precision=made.precision,
            lens=None if lens is None else lens.name,
            original=settings.plain,
            switching=None,
            backbones=known,
        )
    )
    return done


def activate_lens(
    home: CollectionFolder,
    lens: Lens | None,
    *,
    anyway: bool = False,
    threads: int | None = None,
    report: Callable[[Progress], None] | None = None,
) -> IndexReport | None:
    """Search through this lens from now on where none is named; None for plain, of the original backbone.

    A lens whose folder was copied here from another collection of the same backbone gets its column now. Where the
    backbone is another than the one that serves, its table is brought up to date and cut over to.

    Returns: what a switch did; None where none was needed.
    Raises: LensError, when it is not better than plain, or not proved, and `anyway` is not set, or of a backbone that
        is not known here; CollectionError; LockedError.
    """
    check_serves(lens, anyway)
    with home.write_lock():
        settings = settings_of(home)
        id = settings.plain if lens is None else lens.backbone
        if id != settings.backbone:
            if lens is not None and id not in settings.known() and not home.backbone(id).is_dir():
                lens_of(home, lens.name, settings.backbone)  # says that it is not for this collection
            return switch_backbone(home, open_backbone(home, settings, id, threads), lens=lens, report=report)
        if lens is not None:
            update_lens_column(Table(home.table(id), 1), lens)
        home.save(replace(settings, lens=None if lens is None else lens.name))
        return None


def _check_whole(
    home: CollectionFolder, settings: CollectionConfig, table: Table, refused: RefusedTable, prune: bool
) -> None:
    """Whether what serves now would be there after the switch."""
    serves = set(Table(home.table(settings.backbone), 1).columns()["file"])
    missing = serves - set(table.columns()["file"]) - {one.file for one in refused.rows()}
    if not prune and len(missing) * 2 > len(serves):
        raise CollectionError(
            f"{home.folder}: {len(missing):,} of {len(serves):,} pictures are missing, so {settings.backbone_name} "
            "serves on. Plug the disk in, or add --prune to index if they are really gone."
        )


def _said(home: CollectionFolder, settings: CollectionConfig, made: Backbone, lens: Lens | None) -> list[str]:
    """What the switch means, in lines for people."""
    through = "plain" if lens is None else lens.name
    lines = [f"{made.name} reads the pictures now, {settings.backbone_name} no longer; {through} serves."]
    if settings.lens is not None and lens is None:
        lines.append(
            f"The lens {settings.lens} was learned on {settings.backbone_name} and does not serve here. To go back: "
            f"lookalike use {home.shell_words} {settings.lens}"
        )
    return lines
