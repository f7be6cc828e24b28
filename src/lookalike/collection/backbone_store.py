"""The backbones of one collection: opened, found again, listed, dropped."""

import shlex
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from lookalike.collection.config import CollectionConfig
from lookalike.collection.folder import CollectionFolder
from lookalike.errors import BundleError, CollectionError, LookalikeError
from lookalike.files import folder_size, remove_folder
from lookalike.models.backbone import Backbone
from lookalike.models.bundle import Bundle, read
from lookalike.models.efficientnet import SPECS
from lookalike.models.layers import Layer, layers_of
from lookalike.models.named import NAMED
from lookalike.models.registry import DEFAULT, cache_folder, earlier_bundle, resolve_bundle


class BackboneStore:
    """The backbones that one collection was indexed with.

    Args:
        home: of the collection.
        threads: of the processor, for backbones that are opened; None for all.
    """

    def __init__(self, home: CollectionFolder, threads: int | None = None):
        self.home, self.threads = home, threads

    def bundle(self, config: CollectionConfig, id: str) -> Bundle:
        """The bundle of a backbone: made in this collection, or found again on this machine.

        No network is asked and nothing is converted, whatever collection.json says: only `index --backbone` does that.

        Raises: BundleError, when it is nowhere; CollectionError, when another version is there.
        """
        made = self.home.backbone(id)
        if (made / "backbone.json").is_file():
            return _checked(read(made), id)
        record = config.known().get(id)
        if record is None:
            raise BundleError(f"{id}: no backbone of {self.home.name}. Index it with --backbone NAME.")
        place = record.locator or record.name
        command = f"lookalike index {self.home.shell_words} --backbone {shlex.quote(place)}"
        other: LookalikeError
        try:
            bundle = _local_bundle(place)
            if bundle is not None and bundle.id == id:
                return bundle
            if place in SPECS and (earlier := earlier_bundle(place)).id == id:
                return earlier
            other = (
                BundleError(f"{record.name}: no backbone of that name on this machine. To get it again, run: {command}")
                if bundle is None
                else CollectionError(
                    f"{self.home.name}: made with another version of backbone {record.name}. To move to this one, "
                    f"run: {command}"
                )
            )
        except LookalikeError as error:
            other = error
        for path in (cache_folder() / "backbones").glob("*/backbone.json"):  # it may have been converted here
            with suppress(BundleError):
                bundle = read(path.parent)
                if bundle.id == id:
                    return bundle
        raise other

    def newer(self, config: CollectionConfig) -> Bundle | None:
        """The version that has taken the place of the backbone in use; None where there is none, or not its weights."""
        record = config.known()[config.backbone]
        place = record.locator or record.name
        if place not in SPECS or self.home.backbone(config.backbone).is_dir():
            return None
        with suppress(BundleError):
            bundle = resolve_bundle(place)
            if bundle.id != config.backbone:
                return bundle
        return None

    def layers(
        self, config: CollectionConfig | None, named: str | Path | None, unfreeze: str | int | None
    ) -> list[Layer]:
        """The layers of the backbone in use, or, before the first index, of the one that was named or the default.

        Raises: BundleError, when there is no layer called `unfreeze`.
        """
        if config is not None:
            return layers_of(self.bundle(config, config.backbone), unfreeze)
        self.home.require_pictures()
        return layers_of(resolve_bundle(named or DEFAULT), unfreeze)

    def open(self, config: CollectionConfig, id: str) -> Backbone:
        """A backbone ready to embed more pictures, in the precision that it has here.

        Raises: BundleError, CollectionError, as `bundle`.
        """
        record = config.known().get(id)
        precision = config.precision if record is None else record.precision
        return Backbone(self.bundle(config, id), threads=self.threads, precision=precision)

    def untuned(self, config: CollectionConfig) -> Backbone:
        """The backbone in use, or, where that one was fine-tuned here, the one before it.

        Raises: BundleError, CollectionError.
        """
        found = self.open(config, config.backbone)
        while self.home.backbone(found.id).is_dir() and found.bundle.parent:
            found = self.open(config, found.bundle.parent)
        return found

    def drop_unused(self, config: CollectionConfig, lenses: Iterable[str]) -> tuple[CollectionConfig, int]:
        """Remove the tables that are not in use, and backbones made here that no lens needs.

        Call it under the collection's lock. Plain stays with the backbone in use from then on, unless that one was
        made here from another.

        Args:
            config: of the collection.
            lenses: the ids of the backbones of its lenses.
        Returns: the configuration afterwards, and the bytes freed.
        """
        made_here = self.home.backbone(config.backbone).is_dir()
        original = config.plain if made_here else config.backbone
        needed = {config.backbone, original, *lenses}
        wanted = needed | self._parents(needed)  # fine-tuning starts there
        ours = config.known().keys() | needed
        known = {id: record for id, record in config.known().items() if id in wanted}
        config = replace(config, original=original, switching=None, backbones=known)
        ids = [id for id in self.home.tables() if id in ours - {config.backbone}]
        spare = [self.home.backbone(id) for id in self._made_here() - needed]
        freed = sum(map(folder_size, spare)) + sum(map(self.home.table_size, ids))
        for id in ids:
            self.home.remove_tables(id)
        for path in spare:
            remove_folder(path)
        self.home.save(config)  # last: killed before, the same command goes on
        return config, freed

    def unused_note(self, config: CollectionConfig, lenses: Iterable[str]) -> str:
        """A line where the backbone in use was fine-tuned here and no lens needs it; else ''."""
        if not self.home.backbone(config.backbone).is_dir() or config.backbone in set(lenses):
            return ""
        return (
            f"The fine-tuned backbone {config.backbone_name} is still in use, although no lens needs it. "
            f"To go back: lookalike use {self.home.shell_words} plain"
        )

    def describe_tables(self, config: CollectionConfig) -> list[dict[str, Any]]:
        """The tables, the one in use first: backbone, id, pictures, bytes, what it is for."""
        rows = []
        for id in self.home.tables():
            record = config.known().get(id)
            table = self.home.open_table(id).snapshot()
            rows.append(
                {
                    "backbone": record.name if record else "unknown",
                    "id": id,
                    "pictures": 0 if table is None else len(table),
                    "bytes": self.home.table_size(id),
                    "serves": id == config.backbone,
                    "original": id == config.plain,
                    "filling": id == config.switching,
                }
            )
        return sorted(rows, key=lambda row: (not row["serves"], not row["original"], row["backbone"]))

    def _made_here(self) -> set[str]:
        """The ids of the backbones whose bundles lie in this collection, damaged ones left out."""
        found = set()
        for path in (self.home.at / "backbones").glob("*/backbone.json"):
            with suppress(BundleError):
                if read(path.parent).id == path.parent.name:
                    found.add(path.parent.name)
        return found

    def _parents(self, ids: set[str]) -> set[str]:
        """The backbones before those of these that were made here."""
        found = set()
        for id in ids:
            with suppress(BundleError):  # made elsewhere, or damaged
                found.add(read(self.home.backbone(id)).parent or id)
        return found


def _checked(bundle: Bundle, id: str) -> Bundle:
    if bundle.id != id:
        raise BundleError(
            f"{bundle.path}: holds the backbone {bundle.id}, not the one that its folder is named after. Remove this "
            "folder, and learn the lenses on it again."
        )
    return bundle


def _local_bundle(place: str) -> Bundle | None:
    """The backbone at a place that collection.json names: of the default's family, or a bundle's folder; else None.

    Raises: BundleError, when it is there and damaged.
    """
    if place in SPECS:
        return resolve_bundle(place)
    if place.startswith(("//", "\\\\")):  # another machine
        return None
    path = Path(place)
    return read(path) if (path / "backbone.json").is_file() and (path / "model.onnx").is_file() else None


def locator_of(name: str | Path) -> str:
    """How a backbone can be found again from anywhere: its name, its id on the hub, or its absolute path.

    >>> locator_of("efficientnet-lite0")
    'efficientnet-lite0'
    """
    path = Path(name)
    return str(path.resolve()) if str(name) not in {*SPECS, *NAMED} and path.exists() else str(name)
