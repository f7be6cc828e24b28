"""The lenses of a collection: saved with their proof, listed, checked before use, removed."""

import io
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from lookalike.collection.config import CollectionConfig
from lookalike.collection.dataset_source import source_of
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.lens_permission import is_allowed, words_of
from lookalike.errors import Cancelled, LensError, LookalikeError
from lookalike.files import atomic_write, remove_folder, replace_folder, sync_folder
from lookalike.index.lens_column import FillColumn, update_lens_column
from lookalike.learning.closed_form.label_free import NAME
from lookalike.models.lens import Lens, check_name
from lookalike.models.proof import Proof
from lookalike.progress import Reporter

MOST_READ = 4  # lenses that a store keeps in memory, a few MB each
Files = Mapping[str, str | Image.Image]  # what is kept beside a lens: texts and pictures, by file name


class LensStore:
    """The lenses of one collection.

    Configurations are handed in: a verb reads collection.json once.

    Args:
        home: of the collection.
        fill: brings the column of a lens up to date.
    """

    def __init__(self, home: CollectionFolder, fill: FillColumn = update_lens_column):
        self.home, self.fill = home, fill
        self._read: dict[str, tuple[object, Lens]] = {}  # by name, each with what tells its files from others

    def get(self, name: str) -> Lens:
        """A lens, whichever backbone it was learned on; read anew where its files are others than before.

        Raises: LensError, when it is not there or damaged.
        """
        there = self.home.lenses()
        if name not in there:
            known = f"There are {', '.join(there)} and plain" if there else "There is only plain"
            raise LensError(f"{name}: no such lens in {self.home.name}. {known}.", code="lens.unknown")
        state = _state_of(self.home.lens(name))
        if (kept := self._read.pop(name, None)) is None or kept[0] != state:
            try:
                lens = Lens.load(self.home.lens(name))
            except LensError:
                state = _state_of(self.home.lens(name))  # another process may have replaced it while it was read
                lens = Lens.load(self.home.lens(name))
            kept = (state, replace(lens, name=name))  # a copied folder goes by the name it has here
        self._read[name] = kept
        for other in list(self._read)[:-MOST_READ]:
            self._read.pop(other, None)
        return kept[1]

    def get_for(self, name: str, backbone: str, config: CollectionConfig) -> Lens:
        """A lens that was learned on this backbone (its id).

        Raises: LensError, when it is not there, damaged, or of another backbone.
        """
        lens = self.get(name)
        if lens.backbone != backbone:
            raise LensError(self._other_backbone(lens, backbone, config), code="lens.other_backbone")
        return lens

    def weights_digest(self, name: str) -> str:
        """What tells the weights of a lens from others without reading them: the digest that lens.json has of them.

        Raises: LensError, when the lens is not there or damaged.
        """
        try:
            digest = json.loads((self.home.lens(name) / "lens.json").read_bytes())["digests"]["weights.safetensors"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            digest = None
        if not isinstance(digest, str):
            self.get(name)  # says what is wrong
            raise LensError(f"{self.home.lens(name)}: damaged lens, lens.json lacks its digests. Learn it again.")
        return digest

    def all_for(self, backbone: str, config: CollectionConfig) -> tuple[list[Lens], dict[str, str]]:
        """The lenses that can be used with a backbone, and name -> reason of those that are damaged or of no backbone
        that is known here; lenses of other known backbones are left out.
        """
        good, bad, others = [], {}, config.known().keys() - {backbone}
        for name in self.home.lenses():
            try:
                lens = self.get(name)
            except LensError as error:
                bad[name] = str(error)
                continue
            if lens.backbone == backbone:
                good.append(lens)
            elif lens.backbone not in others:
                bad[name] = self._other_backbone(lens, backbone, config)
        return good, bad

    def backbones(self) -> dict[str, str]:
        """The lenses that can be read, by name, each with the id of its backbone."""
        found = {}
        for name in self.home.lenses():
            try:
                found[name] = self.get(name).backbone
            except LookalikeError:
                continue
        return found

    def describe(self, config: CollectionConfig) -> list[dict[str, Any]]:
        """Every lens: name, whether it is in use, date, data, dims, verdict, and what its proof says.

        `source` is what it was learned from, see `source_of`; `backbone` the name of the backbone that it was learned
        on, `here` whether that one is in use.
        """
        known, rows = config.known(), []
        for name in self.home.lenses():
            row: dict[str, Any] = {"name": name, "serves": name == config.lens, "backbone": None, "here": False}
            try:
                lens = self.get(name)
                row["backbone"] = known[lens.backbone].name if lens.backbone in known else lens.backbone
                row["here"] = lens.backbone == config.backbone
                row |= {"date": str(lens.settings.get("date", "")), "data": lens.settings.get("data", [])}
                row["source"] = source_of(lens.settings)
                row |= {"dims": lens.dims, "verdict": lens.proof and lens.proof.verdict, "words": words_of(lens)}
                row["allowed"] = is_allowed(lens)
            except LookalikeError as error:
                row |= {"date": "", "data": [], "source": None, "dims": None, "verdict": None, "words": str(error)}
                row["allowed"] = False
            rows.append(row)
        return rows

    def check_free(self, name: str, *, replacing: bool, resuming: bool = False) -> None:
        """Raises: LensError, when no lens may be learned under this name: it is no name, or taken."""
        check_name(name)
        if name.startswith("-"):
            raise LensError(f"{name!r} cannot name a lens: the shell takes it for an option. Begin it with a-z or 0-9.")
        if replacing or name not in self.home.lenses():
            return
        if resuming:
            raise LensError(
                f"{name}: a lens of {self.home.name} already. If it is learned, put it into service with: "
                f"lookalike use {self.home.shell_words} {name}. If it was to be replaced, add --replace.",
                code="lens.taken",
            )
        raise LensError(
            f"{name}: a lens of {self.home.name} already. Choose another with --name, or add --replace.",
            code="lens.taken",
        )

    def save(
        self, lens: Lens, files: Files, learned: CollectionConfig, *, use: bool, waiting: Reporter | None = None
    ) -> CollectionConfig:
        """Commit a lens under the collection's lock, for the backbone that it was learned on.

        Args:
            lens: to keep, with its proof.
            files: texts and pictures for its folder, by file name.
            learned: the configuration that it was learned under; somebody may have switched the backbone since.
            use: use it from now on, if its proof allows and its backbone is in use.
            waiting: told for whom it waits while another process writes; None: it does not wait. Where the waiting is
                ended, the lens is kept, and can be used as if it was saved.
        Returns: the configuration afterwards.
        Raises: LensError, when it would replace the lens in use without being better than plain; LockedError.
        """
        kept = self.home.waiting_lens(lens.name)

        def keep() -> str:
            try:
                replace_folder(kept, lambda new: _write(lens, files, new))
            except OSError as error:
                return f"It cannot be kept elsewhere meanwhile ({error.strerror}): Ctrl-C gives it up."
            return f"To stop waiting, press Ctrl-C: {lens.name} is kept."

        try:
            with self.home.write_lock("learn", waiting, keep):
                config = self._with_backbone(self.home.require_config(), lens, learned)
                refused: LensError | None = None
                try:
                    config = self.commit(config, lens, files, use=use)
                except LensError as error:
                    refused = error
                if kept.is_dir():  # saved, or refused in words
                    remove_folder(kept)
                if refused is not None:
                    raise refused
                return config
        except (KeyboardInterrupt, Cancelled):
            if waiting is not None and kept.is_dir():
                command = f"lookalike use {self.home.shell_words} {lens.name}"
                waiting.message(f"{lens.name} is kept. To put it into service, run: {command}")
            raise

    def adopt(self) -> list[str]:
        """Save the lenses whose learning was ended while it waited for the lock. Call it under the lock.

        Returns: a line for each, which names it: one whose name was taken meanwhile gets a number.
        """
        lines = []
        for path in sorted(self.home.waiting_lens("*").parent.glob("[!.]*/lens.json")):
            name = path.parent.name
            names = (name, *(f"{name[:36]}-{number}" for number in range(2, 1000)))
            free = next(one for one in names if not self.home.saved_lens(one).exists())
            self.home.saved_lens(free).parent.mkdir(exist_ok=True)
            path.parent.rename(self.home.saved_lens(free))
            sync_folder(self.home.saved_lens(free).parent)
            lines.append(f"The lens {free} was saved: its learning was ended while it waited.")
        return lines

    def _with_backbone(self, config: CollectionConfig, lens: Lens, learned: CollectionConfig) -> CollectionConfig:
        """The configuration with the lens's backbone, which somebody may have dropped since it was learned."""
        if lens.backbone not in config.known() and lens.backbone in learned.known():
            known = config.known() | {lens.backbone: learned.known()[lens.backbone]}
            config = replace(config, backbones=known)
            self.home.save(config)
        return config

    def commit(self, config: CollectionConfig, lens: Lens, files: Files, *, use: bool) -> CollectionConfig:
        """What `save` does under the lock: the lens's folder, its column, and whether it is used from now on.

        A crash leaves the old lens, the new one, or none. A column of other weights is recognised by their
        fingerprint, and computed again at the next index.
        """
        here = lens.backbone == config.backbone
        if config.lens == lens.name and not (here and is_allowed(lens)):
            raise LensError(
                f"{lens.name}: {words_of(lens)} The lens of that name stays in service. To keep this one as "
                "well, learn it under another name."
            )
        folder = self.home.saved_lens(lens.name)

        def write(new: Path) -> None:
            _write(lens, files, new)
            if (folder / "run").is_dir() and "tuning" in lens.settings:  # what it was learned in
                shutil.copytree(folder / "run", new / "run", copy_function=_link_or_copy)

        replace_folder(folder, write)
        self.fill(self.home.open_table(lens.backbone), lens)
        if lens.name == NAME:
            self.home.own_forgotten.unlink(missing_ok=True)
        if here and is_allowed(lens) and (use or config.lens == lens.name):
            config = replace(config, lens=lens.name)
            self.home.save(config)
        return config

    def save_proof(self, lens: Lens, proof: Proof, files: Files) -> None:
        """Give a lens another proof, and keep the one of its learning as proof-held-out.json.

        Args:
            lens: as it was read: its weights are what was proved.
            proof: the new one.
            files: texts and pictures that take the place of those in its folder, by file name.
        Raises: LensError, when it was learned anew meanwhile; LockedError.
        """
        with self.home.write_lock("blind test"):
            if self.get(lens.name).fingerprint != lens.fingerprint:
                raise LensError(f"{lens.name}: learned anew while it was tested. Test it again.")
            folder = self.home.lens(lens.name)

            def write(new: Path) -> None:
                shutil.copytree(folder, new, copy_function=_link_or_copy, dirs_exist_ok=True)
                if lens.proof is not None and lens.proof.blind is None:
                    (new / "proof.json").rename(new / "proof-held-out.json")
                replace(lens, proof=proof).save(new)
                _write_files(new, files)

            replace_folder(folder, write)

    def remove(self, name: str) -> CollectionConfig:
        """Remove a lens, a damaged one too, and what is kept of an interrupted run: its folder and its columns.

        Where it was in use, plain is used from then on.

        Returns: the configuration afterwards.
        Raises: LensError, when it is not there; LockedError.
        """
        with self.home.write_lock("forget"):
            config = self.home.require_config()
            if name not in self.home.lenses():
                check_name(name)  # what is no name may lead elsewhere
                if not (self.home.lens(name) / "run").is_dir():
                    there = ", ".join(self.home.lenses()) or "none"
                    raise LensError(
                        f"{name}: no such lens in {self.home.name}. There are: {there}.", code="lens.unknown"
                    )
            if config.lens == name:
                config = replace(config, lens=None)
                self.home.save(config)
            for id in self.home.tables():  # before the folder: killed between, the same command goes on
                self.home.open_table(id).drop_lens(name)
            if name == NAME:
                atomic_write(self.home.own_forgotten, b"")
            remove_folder(self.home.lens(name))
            return config

    def _other_backbone(self, lens: Lens, backbone: str, config: CollectionConfig) -> str:
        other = config.known().get(lens.backbone)
        if other is None:
            return (
                f"{self.home.lens(lens.name)}: learned on backbone {lens.backbone or 'unknown'}, this collection has "
                f"{backbone}. Learn it again here."
            )
        return (
            f"{lens.name}: learned on backbone {other.name}, but {self.home.name} uses another one now. "
            f"To switch back, run: lookalike use {self.home.shell_words} {lens.name}"
        )


def _state_of(folder: Path) -> object:
    """What changes when a file of a lens is written: place, inode, date and size of each."""
    found: list[object] = [folder]
    for name in ("lens.json", "weights.safetensors", "proof.json"):
        try:
            seen = (folder / name).stat()
        except OSError:
            found.append(None)
        else:
            found.append((seen.st_ino, seen.st_mtime_ns, seen.st_size))
    return found


def _write(lens: Lens, files: Files, folder: Path) -> None:
    lens.save(folder)
    _write_files(folder, files)


def _write_files(folder: Path, files: Files) -> None:
    for name, content in files.items():
        atomic_write(folder / name, content.encode() if isinstance(content, str) else _png(content))


def _link_or_copy(source: str, target: str) -> None:
    """A second name for a file, or a copy where the disk has no such names."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
