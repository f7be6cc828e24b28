"""Everything in a collection verified, part by part, and what can be made again repaired."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from glob import escape
from pathlib import Path

from lookalike.collection.backbone_store import BackboneStore
from lookalike.collection.config import BackboneRecord, CollectionConfig
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.proof_log import ProofLog
from lookalike.errors import CollectionError, LookalikeError
from lookalike.files import find_leftovers
from lookalike.index.kept_codes import PREFIX
from lookalike.index.prefix_codes import PrefixCodes
from lookalike.index.quantization import Int8Codes
from lookalike.learning.datasets.judgements import Judgements
from lookalike.models.backbone import Backbone
from lookalike.models.bundle import read
from lookalike.models.compiled_cache import CompiledCache
from lookalike.models.lens import Lens
from lookalike.models.registry import DEFAULT, cache_folder, resolve_bundle
from lookalike.progress import SILENT, Reporter, Timer


@dataclass(frozen=True)
class Finding:
    """One thing that is damaged.

    Attributes:
        part: what it is: "collection.json", "table", "refused", "lens", "backbone", "codes", "compiled", "judgements",
            "proofs", "leftover".
        what: where, and what is wrong.
        mend: what mends it; of something that was repaired, what was done.
        repaired: whether it was.
    """

    part: str
    what: str
    mend: str
    repaired: bool = False

    def __str__(self) -> str:
        return f"{self.part}: {self.what}. {self.mend}"


class CollectionCheck:
    """Verifies a collection. Lenses and judgements cannot be made again, so nothing of them is ever removed.

    Args:
        home: of the collection.
        backbones: its backbones.
    """

    def __init__(self, home: CollectionFolder, backbones: BackboneStore):
        self.home, self.backbones = home, backbones

    def run(self, *, repair: bool = False, reporter: Reporter = SILENT) -> list[Finding]:
        """All that is damaged; with `repair`, what can be made again is repaired or removed.

        Args:
            repair: under the collection's lock.
            reporter: told of each part: "checking".
        Raises: CollectionError, when there is no collection; LockedError.
        """
        if not self.home.at.is_dir():
            self.home.require_config()  # says that it was not indexed
        if not repair:
            return list(self._all(False, reporter))
        leftovers = [replace(one, mend="Removed.", repaired=True) for one in self._leftovers(False)]
        with self.home.write_lock("check"):  # it removes them
            return [*self._all(True, reporter), *leftovers]

    def _all(self, repair: bool, reporter: Reporter) -> Iterator[Finding]:
        parts: list[Callable[[bool], Iterator[Finding]]] = [
            self._config,
            self._tables,
            self._lenses,
            self._backbones,
            self._codes,
            self._compiled,
            self._judgements,
            self._proofs,
            self._leftovers,
        ]
        timer = Timer("checking", len(parts))
        for done, part in enumerate(parts, start=1):
            yield from part(repair)
            reporter.progress(timer.at(done))

    def _config(self, repair: bool) -> Iterator[Finding]:
        try:
            if self.home.config() is not None:
                return
            what = f"{self.home.place}/collection.json: missing"
        except CollectionError as error:
            what = str(error).split(". To make it")[0]
        if not repair:
            yield Finding("collection.json", what, f"To make it again: {self._command}")
            return
        made = self._config_of_what_is_there()
        if made is None:
            path = self.home.at / "collection.json"
            if path.exists():
                path.replace(path.with_name("collection.json.damaged"))
            yield Finding(
                "collection.json",
                what,
                "Set aside, for its backbone is not on this machine. To go on with its table, run: "
                f"{self._index} --backbone NAME, with the backbone that it was made with.",
                repaired=True,
            )
            return
        self.home.save(made)
        yield Finding(
            "collection.json",
            what,
            f"Made again, with backbone {made.backbone_name} and plain in use. A lens is put into service with: "
            f"lookalike use {self.home.shell_words} NAME",
            repaired=True,
        )

    def _tables(self, repair: bool) -> Iterator[Finding]:
        for id in self.home.tables():
            for part, table in (("table", self.home.open_table(id)), ("refused", self.home.open_refused(id))):
                damage = table.verify()
                if damage and repair:
                    table.drop_damaged()
                mend = f"Taken out; to embed the pictures anew, run: {self._index}" if repair else self._mend
                for one in damage:
                    rows = f" ({one.rows:,} pictures)" if one.rows else ""
                    yield Finding(part, f"{table.uri}/{one.file}: {one.reason}{rows}", mend, repair)

    def _lenses(self, _: bool) -> Iterator[Finding]:
        for name in self.home.lenses():
            try:
                Lens.load(self.home.lens(name))
            except LookalikeError as error:
                yield Finding("lens", str(error).rstrip("."), f"Its folder stays: {self.home.lens(name)}")

    def _backbones(self, _: bool) -> Iterator[Finding]:
        for path in sorted((self.home.at / "backbones").glob("*/backbone.json")):
            try:
                bundle = read(path.parent)
                if bundle.id != path.parent.name:
                    yield Finding("backbone", f"{path.parent}: holds {bundle.id}", "Learn the lenses on it again.")
                _check_weights(path.parent)
            except (LookalikeError, OSError, ValueError) as error:
                yield Finding("backbone", str(error).rstrip("."), "Learn the lenses on it again.")

    def _codes(self, repair: bool) -> Iterator[Finding]:
        for folder in sorted((self.home.cache / "codes").glob("[!.]*")):
            try:
                Int8Codes.load(folder)
                if (folder / PREFIX).exists():
                    PrefixCodes.load(folder / PREFIX)
            except CollectionError as error:
                if repair:
                    shutil.rmtree(folder, ignore_errors=True)
                what = str(error).split(". Delete it")[0]
                yield Finding("codes", what, "Removed; made again when needed." if repair else self._mend, repair)

    def _compiled(self, repair: bool) -> Iterator[Finding]:
        """The networks of this collection's backbones that were compiled for this machine, in the user's cache."""
        folders: list[Path] = []
        with suppress(LookalikeError):
            config = self.home.config()
            for id in () if config is None else config.known():
                folders += (cache_folder() / "compiled").glob(f"{escape(id)}-*")
        for folder in sorted(folders):
            if CompiledCache(folder).is_damaged():
                if repair:
                    shutil.rmtree(folder, ignore_errors=True)
                mend = "Removed; compiled anew when needed." if repair else self._mend
                yield Finding("compiled", f"{folder}: not what was compiled", mend, repair)

    def _judgements(self, _: bool) -> Iterator[Finding]:
        for note in Judgements(self.home.judgements).notes():
            yield Finding("judgements", f"{self.home.judgements}: {note}", "The other lines are read.")

    def _proofs(self, _: bool) -> Iterator[Finding]:
        for note in ProofLog(self.home.proofs).notes():
            yield Finding("proofs", f"{self.home.proofs}: {note}", "The other lines are counted.")

    def _leftovers(self, _: bool) -> Iterator[Finding]:
        for folder in self.home.replaced_folders:
            for path in find_leftovers(folder):
                yield Finding("leftover", f"{path}: of a run that was killed", "The next index removes it.")

    def _config_of_what_is_there(self) -> CollectionConfig | None:
        """A configuration from the tables: the one with the most pictures is in use, and no lens."""
        sizes = {}
        for id in self.home.tables():
            with suppress(CollectionError):
                snapshot = self.home.open_table(id).snapshot()
                sizes[id] = 0 if snapshot is None else len(snapshot)
        known = {id: record for id in sizes if (record := self._record_of(id)) is not None}
        if not known:
            return None
        id = max(known, key=lambda one: (sizes[one], one))
        folder = self.home.pictures.address
        return CollectionConfig(folder, id, known[id].name, known[id].precision, original=id, backbones=known)

    def _record_of(self, id: str) -> BackboneRecord | None:
        """What is known on this machine of the backbone of a table."""
        places = [self.home.backbone(id), *(cache_folder() / "backbones").glob("*")]
        for place in places:
            with suppress(LookalikeError):
                bundle = read(place)
                if bundle.id == id:
                    default = resolve_bundle(DEFAULT)
                    locator = DEFAULT if default.id == id else "" if place == places[0] else str(place)
                    return BackboneRecord(bundle.name, Backbone(bundle).precision, locator)
        return None

    @property
    def _command(self) -> str:
        return f"lookalike check {self.home.shell_words} --repair"

    @property
    def _index(self) -> str:
        return f"lookalike index {self.home.shell_words}"

    @property
    def _mend(self) -> str:
        return f"To mend it, run: {self._command}"


def _check_weights(folder: Path) -> None:
    """Raises: ValueError, where the files of a bundle cannot be read."""
    import onnx
    from safetensors import SafetensorError, safe_open

    try:
        onnx.load(folder / "model.onnx", load_external_data=False)
    except Exception as error:  # protobuf's own errors, which onnx does not name
        raise ValueError(f"{folder}/model.onnx: cannot be read ({type(error).__name__})") from error
    weights = folder / "weights.safetensors"
    if weights.is_file():
        try:
            with safe_open(weights, "np") as file:
                file.keys()
        except SafetensorError as error:
            raise ValueError(f"{weights}: cannot be read ({error})") from error
