"""The lenses of a collection: kept with their proof, listed, put into service, forgotten."""

import io
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lookalike.collection.config import CollectionConfig
from lookalike.collection.folder import CollectionFolder
from lookalike.errors import CollectionError, LensError, LookalikeError
from lookalike.files import atomic_write
from lookalike.index.indexer import update_lens_column
from lookalike.index.table import Table
from lookalike.models.lens import Lens, check_name
from lookalike.models.proof import Proof

if TYPE_CHECKING:
    from PIL.Image import Image


def lens_of(home: CollectionFolder, name: str, backbone: str) -> Lens:
    """A lens of a collection, learned on this backbone (its id).

    Raises: LensError, when it is not there, damaged, or of another backbone.
    """
    found = any_lens(home, name)
    if found.backbone == backbone:
        return found
    settings = home.config()
    other = None if settings is None else settings.known().get(found.backbone)
    if other is None:
        raise LensError(
            f"{home.lens(name)}: learned on backbone {found.backbone or 'unknown'}, this collection has {backbone}. "
            "Learn it again here."
        )
    raise LensError(
        f"{name}: learned on backbone {other.name}, which does not read the pictures of {home.folder} now. "
        f"To switch to it, run: lookalike use {home.shell_words} {name}"
    )


def any_lens(home: CollectionFolder, name: str) -> Lens:
    """A lens of a collection, whichever backbone it was learned on.

    Raises: LensError, when it is not there or damaged.
    """
    there = home.lenses()
    if name not in there:
        known = f"There are {', '.join(there)} and plain" if there else "There is only plain"
        raise LensError(f"{name}: no such lens in {home.folder}. {known}.")
    return replace(Lens.load(home.lens(name)), name=name)  # a copied folder goes by the name it has here


def lenses_of(home: CollectionFolder, backbone: str) -> tuple[list[Lens], dict[str, str]]:
    """All lenses that can serve with a backbone, and why others cannot; those of a known other one are left out."""
    good, bad = [], {}
    settings = home.config()
    known = {} if settings is None else settings.known()
    for name in home.lenses():
        try:
            if any_lens(home, name).backbone not in known.keys() - {backbone}:
                good.append(lens_of(home, name, backbone))
        except LensError as error:
            bad[name] = str(error)
    return good, bad


def check_new(home: CollectionFolder, name: str, replacing: bool, resuming: bool = False) -> None:
    """Whether a lens may be learned under this name.

    Raises: LensError, for a name that is none, or is taken.
    """
    check_name(name)
    settings_of(home)
    if resuming and not replacing and name in home.lenses():
        raise LensError(
            f"{name}: a lens of {home.folder} already. If it is learned, put it into service with: "
            f"lookalike use {home.shell_words} {name}. If it was to be replaced, add --replace."
        )
    if not replacing and name in home.lenses():
        raise LensError(f"{name}: a lens of {home.folder} already. Choose another with --name, or add --replace.")


def keep(home: CollectionFolder, table: Table, lens: Lens, beside: "Mapping[str, str | Image]", *, use: bool) -> bool:
    """Commit a lens under the collection's lock: its folder, its column, and whether it serves.

    A crash leaves the old lens, the new one, or none; a column that is not the lens's own is known by its weights, and
    is made anew at the next index.

    Args:
        home: of the collection.
        table: of its backbone; where that does not read the pictures, the lens is kept and cannot serve yet.
        lens: to keep, with its proof.
        beside: texts and pictures for its folder, by file name.
        use: put it into service, if its proof allows.
    Returns: whether it serves now.
    Raises: LensError, when it would take the place of a lens in service without being better than plain.
    """
    with home.write_lock():
        settings = settings_of(home)
        here = lens.backbone == settings.backbone
        if settings.lens == lens.name and not (here and serves_by(lens.proof)):
            raise LensError(
                f"{lens.name}: {words_of(lens.proof)} The lens of that name stays in service. To keep this one beside "
                "it, learn it under another name."
            )
        folder = home.lens(lens.name)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{lens.name}.") as temporary:
            new = Path(temporary, "new")
            new.mkdir()
            lens.save(new)
            for name, content in beside.items():
                atomic_write(new / name, content.encode() if isinstance(content, str) else _png(content))
            if (folder / "run").is_dir() and "tuning" in lens.settings:
                (folder / "run").rename(new / "run")  # what it was learned in
            if folder.exists():
                folder.rename(Path(temporary, "old"))
            new.rename(folder)
        update_lens_column(table, lens)
        serves = here and serves_by(lens.proof) and (use or settings.lens == lens.name)
        if serves:
            home.save(replace(settings, lens=lens.name))
        return serves


def check_serves(lens: Lens | None, anyway: bool) -> None:
    """Whether a lens may be put into service.

    Raises: LensError, when it is not better than plain, or not proved, and `anyway` is not set.
    """
    if lens is not None and not anyway and not serves_by(lens.proof):
        raise LensError(f"{lens.name}: {words_of(lens.proof)} Not put into service; to do so still, add --anyway.")


def forget(home: CollectionFolder, name: str) -> None:
    """Remove a lens, damaged ones too, and what is kept of a learning that was broken off: its folder and its columns.

    Plain serves where it did.

    Raises: LensError, when it is not there.
    """
    with home.write_lock():
        settings = settings_of(home)
        if name not in home.lenses():
            check_name(name)  # what is no name may lead elsewhere
            if not (home.lens(name) / "run").is_dir():
                there = ", ".join(home.lenses()) or "none"
                raise LensError(f"{name}: no lens of {home.folder} to forget. There are: {there}.")
        if settings.lens == name:
            home.save(replace(settings, lens=None))
        shutil.rmtree(home.lens(name))
        for id in home.tables():
            Table(home.table(id), 1).drop_lens(name)


def listed(home: CollectionFolder) -> list[dict[str, Any]]:
    """Every lens of a collection: name, whether it serves, date, data, dims, verdict, and what its proof says.

    `backbone` is what the backbone is called that it was learned on, `here` whether that one reads the pictures now.
    """
    settings = settings_of(home)
    known = settings.known()
    rows = []
    for name in home.lenses():
        row: dict[str, Any] = {"name": name, "serves": name == settings.lens, "backbone": None, "here": False}
        try:
            lens = Lens.load(home.lens(name))
            row["backbone"] = known[lens.backbone].name if lens.backbone in known else lens.backbone
            row["here"] = lens.backbone == settings.backbone
            row |= {"date": str(lens.settings.get("date", "")), "data": lens.settings.get("data", [])}
            row |= {"dims": lens.dims, "verdict": lens.proof and lens.proof.verdict, "words": words_of(lens.proof)}
        except LookalikeError as error:
            row |= {"date": "", "data": [], "dims": None, "verdict": None, "words": str(error)}
        rows.append(row)
    return rows


def serves_by(proof: Proof | None) -> bool:
    """Whether a lens with this proof may serve without being told."""
    return proof is not None and proof.serves


def words_of(proof: Proof | None) -> str:
    """What a proof says, in words."""
    return "Not proved." if proof is None else proof.words


def learned_cut(lens: Lens | None) -> float:
    """The similarity that best separated right from wrong in a lens's proof.

    Raises: LensError, for plain, and where nothing was proved.
    """
    proof = None if lens is None else lens.proof
    if proof is None or proof.cut_off is None:
        name = "plain" if lens is None else lens.name
        raise LensError(f"{name}: no similarity was learned with it. Give a number with --min-similarity.")
    return proof.cut_off


def settings_of(home: CollectionFolder) -> CollectionConfig:
    """What collection.json says. Raises: CollectionError, when nothing was indexed yet."""
    settings = home.config()
    if settings is None:
        raise CollectionError(f"{home.folder}: not indexed yet. Run: lookalike index {home.shell_words}")
    return settings


def _png(picture: "Image") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
