"""The backbones of one collection: opened, found again, listed, dropped."""

import shlex
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lookalike.collection.config import CollectionConfig
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.lens_store import settings_of
from lookalike.errors import BundleError, CollectionError, LookalikeError
from lookalike.index.table import Table
from lookalike.models.backbone import Backbone
from lookalike.models.bundle import Bundle, read
from lookalike.models.efficientnet import SPECS
from lookalike.models.lens import Lens
from lookalike.models.registry import cache_folder, resolve_bundle


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


def locator_of(asked: str | Path) -> str:
    """How a backbone can be found again from anywhere: its name, its id on the hub, or its absolute path.

    >>> locator_of("efficientnet-lite0")
    'efficientnet-lite0'
    """
    path = Path(asked)
    return str(path.resolve()) if str(asked) not in SPECS and path.exists() else str(asked)


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
