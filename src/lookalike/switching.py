"""The backbones of one collection: opened again, filled beside the one that serves, cut over to, dropped."""

import shlex
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lookalike.backbone import DEFAULT, Backbone, cache_folder, resolve_bundle
from lookalike.bounds import LIMITS, Limits
from lookalike.bundle import Bundle, read
from lookalike.errors import BundleError, CollectionError, LookalikeError
from lookalike.home import BackboneRecord, CollectionConfig, CollectionFolder
from lookalike.indexing import IndexReport, Progress, index, update_lens_column
from lookalike.lens import Lens
from lookalike.serving import check_serves, lens_of, lenses_of, settings_of
from lookalike.starter import SPECS
from lookalike.table import RefusedTable, Table


def bundle_of(home: CollectionFolder, settings: CollectionConfig, id: str) -> Bundle:
    """The bundle of a backbone that the collection was read with: its own, or found again where it came from.

    Raises: BundleError, when it is nowhere; CollectionError, when another version is there.
    """
    if (home.backbone(id) / "backbone.json").is_file():
        return read(home.backbone(id))
    known = settings.known().get(id)
    if known is None:
        raise BundleError(f"{id}: no backbone of {home.folder}. Index it with --backbone NAME.")
    other: LookalikeError
    try:
        bundle = resolve_bundle(known.locator or known.name)
        if bundle.id == id:
            return bundle
        other = CollectionError(
            f"{home.folder}: made with another version of backbone {known.name}. To move to this one, run: "
            f"lookalike index {home.shell_words} --backbone {shlex.quote(known.locator or known.name)}"
        )
    except LookalikeError as error:
        other = error
    for table in (cache_folder() / "backbones").glob("*/backbone.json"):  # what it was converted to may still be there
        try:
            bundle = read(table.parent)
        except BundleError:
            continue
        if bundle.id == id:
            return bundle
    raise other


def open_backbone(home: CollectionFolder, settings: CollectionConfig, id: str, threads: int | None = None) -> Backbone:
    """A backbone that the collection was read with, ready to read more pictures in the same precision.

    Raises: BundleError, CollectionError, as `bundle_of`.
    """
    precision = settings.known()[id].precision if id in settings.known() else settings.precision
    return Backbone(bundle_of(home, settings, id), threads=threads, precision=precision)


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
        prune: as for `lookalike.indexing.index`.
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


def locator_of(asked: str | Path) -> str:
    """How a backbone can be found again from anywhere: its name, its id on the hub, or its absolute path.

    >>> place_of("efficientnet-lite0")
    'efficientnet-lite0'
    """
    path = Path(asked)
    return str(path.resolve()) if str(asked) not in SPECS and path.exists() else str(asked)


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


def drop_unused(home: CollectionFolder) -> int:
    """Remove the tables that do not serve, and backbones made here that no lens needs; returns the bytes freed.

    Call it under the collection's lock. Plain stays with the backbone that serves from then on, unless that was made
    here from another one.
    """
    settings = settings_of(home)
    made_here = home.backbone(settings.backbone).is_dir()
    original = settings.plain if made_here else settings.backbone
    needed = {settings.backbone, original, *(one["id"] for one in backbones_of_lenses(home))}
    wanted = needed | _parents(home, needed)  # to learn anew begins there
    known = {id: one for id, one in settings.known().items() if id in wanted}
    home.save(replace(settings, original=original, switching=None, backbones=known))
    spare = [path for path in (home.at / "tables").glob("*") if path.name.split(".")[0] != settings.backbone]
    spare += [path for path in (home.at / "backbones").glob("*") if path.name not in needed]
    freed = sum(size_of(path) for path in spare)
    for path in spare:
        shutil.rmtree(path)
    return freed


def unused_backbone_note(home: CollectionFolder) -> str:
    """What to say where the backbone that reads the pictures was tuned here and no lens needs it; else nothing."""
    settings = settings_of(home)
    if not home.backbone(settings.backbone).is_dir():
        return ""
    if settings.backbone in {one["id"] for one in backbones_of_lenses(home)}:
        return ""
    return (
        f"{settings.backbone_name}, a tuned backbone that no lens needs any longer, reads the pictures still. "
        f"To go back: lookalike use {home.shell_words} plain"
    )


def _parents(home: CollectionFolder, ids: set[str]) -> set[str]:
    """The backbones before those of these that were made here."""
    found = set()
    for id in ids:
        with suppress(BundleError):  # made elsewhere, or damaged
            found.add(read(home.backbone(id)).parent or id)
    return found


def backbones_of_lenses(home: CollectionFolder) -> list[dict[str, str]]:
    """The lenses that can be read, each with the id of its backbone."""
    found = []
    for name in home.lenses():
        try:
            found.append({"lens": name, "id": Lens.load(home.lens(name)).backbone})
        except LookalikeError:
            continue
    return found


def tables_of(home: CollectionFolder, settings: CollectionConfig) -> list[dict[str, Any]]:
    """The tables of a collection, the one that serves first: backbone, id, pictures, bytes, what it is for."""
    rows = []
    for id in home.tables():
        known = settings.known().get(id)
        rows.append(
            {
                "backbone": known.name if known else "unknown",
                "id": id,
                "pictures": len(Table(home.table(id), 1).columns()["file"]),
                "bytes": size_of(home.table(id)) + size_of(home.refused(id)),
                "serves": id == settings.backbone,
                "original": id == settings.plain,
                "filling": id == settings.switching,
            }
        )
    return sorted(rows, key=lambda row: (not row["serves"], not row["original"], row["backbone"]))


def size_of(folder: Path) -> int:
    """The bytes of all files of a folder; 0 when it is not there."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
