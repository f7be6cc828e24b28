"""Backbones by name, folder, file or id on the hub -> a bundle."""

import os
import re
from pathlib import Path

from lookalike.errors import BundleError
from lookalike.models.bundle import Bundle, read
from lookalike.models.named import NAMED

DEFAULT = "efficientnet-lite0"
KERAS = {".h5", ".hdf5"}


def cache_folder() -> Path:
    """Where backbones are kept for all collections: LOOKALIKE_CACHE, else the user's cache folder.

    Raises: BundleError, for a user without a home folder.
    """
    from platformdirs import user_cache_path

    if named := os.environ.get("LOOKALIKE_CACHE"):
        return Path(named)
    try:
        return user_cache_path("lookalike")
    except (RuntimeError, KeyError) as error:
        raise BundleError(
            "this user has no home folder to keep backbones in. Set LOOKALIKE_CACHE to a folder."
        ) from error


def resolve_bundle(name: str | Path) -> Bundle:
    """A backbone by name, by its folder or file, or by its id on the hub; what is no bundle yet is converted once.

    Args:
        name: of the default's family, or a copy of its .pth file; one of `NAMED`; a folder with a bundle or in
            transformers' format; OWNER/MODEL of the hub; Keras' ResNet weights (.h5).
    Raises: BundleError, which says what can be named; MissingExtraError, when a conversion needs torch.
    """
    from lookalike.models import convert, efficientnet

    kept = cache_folder() / "backbones"
    path = Path(name)
    try:
        if str(name) in efficientnet.SPECS:
            return efficientnet.build_bundle(str(name), kept)
        if str(name) in NAMED:
            return convert.convert(NAMED[str(name)].address, kept)
        if path.is_dir() and ((path / "backbone.json").is_file() or not (path / "config.json").is_file()):
            return read(path)
        if path.is_dir() or (path.is_file() and path.suffix in KERAS) or _of_hub(str(name)):
            return convert.convert(name, kept)
        if path.is_file() and (known := efficientnet.named_by_hash(path)):
            return efficientnet.build_bundle(known, kept, weights=path)
    except OSError as error:
        raise BundleError(f"{kept}: cannot be written ({error.strerror}). Set LOOKALIKE_CACHE to a folder.") from error
    if path.is_file():
        raise BundleError(
            f"{path}: not the weights of {' or '.join(efficientnet.SPECS)}. Name one of these, or a bundle."
        )
    raise BundleError(
        f"{name}: no backbone of that name. There are {', '.join([*efficientnet.SPECS, *NAMED])}, a folder with a "
        "bundle or in transformers' format, a model of the hub (OWNER/MODEL), or Keras' ResNet weights (.h5)."
    )


def earlier_bundle(name: str) -> Bundle:
    """A member of the default's family as collections have it that were indexed with its earlier version.

    Args:
        name: of the default's family.
    Raises: BundleError, as `resolve_bundle` does.
    """
    from lookalike.models import efficientnet

    return efficientnet.build_bundle(name, cache_folder() / "backbones", recipe=efficientnet.EARLIER)


def _of_hub(name: str) -> bool:
    """Whether a name can be a hub id: OWNER/MODEL, and OWNER is no folder here in which MODEL is missing."""
    found = re.fullmatch(r"(\w[\w.-]*)/[\w.-]+(@[\w./-]+)?", name)
    return found is not None and not Path(found[1]).exists()
