"""Where a model lies, before it is a bundle: a folder in transformers' format, or the one that a hub id brings."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.errors import BundleError
from lookalike.files import digest

CONFIG, PREPROCESSOR, WEIGHTS = "config.json", "preprocessor_config.json", "model.safetensors"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "spiece.model", "vocab.json", "merges.txt")
LARGEST_JSON = 4_000_000  # bytes; a config.json with the names of 22,000 classes has 1.5 MB
IN_ONE_FILE = "AutoModel.from_pretrained(..).save_pretrained('FOLDER', max_shard_size='10GB')"


@dataclass(frozen=True)
class ModelFiles:
    """A model's files on this disk.

    Attributes:
        name: as the user gave it; the first words of every error about it.
        called: what its bundle is called.
        folder: holds config.json, preprocessor_config.json and model.safetensors.
        key: tells these files from others; what its bundle is kept under.
        licence: as its model card says it.
        origin: where it came from.
        layers: its table of layers, where that is not the one that torch gives.
    """

    name: str
    called: str
    folder: Path
    key: str
    licence: str
    origin: str
    layers: tuple[dict[str, Any], ...] = ()

    def config(self) -> dict[str, Any]:
        """config.json."""
        return read_json(self.name, self.folder / CONFIG)

    def preprocessor(self) -> dict[str, Any]:
        """preprocessor_config.json."""
        return read_json(self.name, self.folder / PREPROCESSOR)


def from_folder(folder: Path) -> ModelFiles:
    """A folder in transformers' format.

    Raises: BundleError, which says in one line what it lacks.
    """
    name = str(folder)
    check_files(name, {one.name for one in folder.iterdir() if one.is_file()})
    words = [folder / file for file in TOKENIZER_FILES if (folder / file).is_file()]
    key = digest_of_files([*(folder / file for file in (CONFIG, PREPROCESSOR, WEIGHTS)), *words])
    card = folder / "README.md"
    text = first_text(card) if card.is_file() else ""
    return ModelFiles(name, folder.resolve().name, folder, key, licence_of(text), str(folder.resolve()))


def check_files(name: str, there: set[str]) -> None:
    """What a model's folder must hold; only safetensors are loaded, because a pickle can run code.

    Raises: BundleError.
    """
    if CONFIG not in there:
        what = "a model of timm's" if "model.safetensors" in there else "no backbone"
        raise BundleError(
            f"{name}: {what}, it has no config.json. Name a folder in transformers' format (config.json, "
            "preprocessor_config.json, model.safetensors) or a bundle (model.onnx, backbone.json)."
        )
    if WEIGHTS not in there:
        if f"{WEIGHTS}.index.json" in there:
            raise BundleError(f"{name}: its weights lie in several files. Save them in one: {IN_ONE_FILE}")
        pickles = sorted(file for file in there if file.endswith((".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack")))
        what = f"only {pickles[0]}, which can run code when it is read" if pickles else "no weights"
        raise BundleError(
            f"{name}: {what}; model.safetensors is missing. Where you trust it, save it anew: {IN_ONE_FILE}"
        )
    if PREPROCESSOR not in there:
        raise BundleError(
            f"{name}: preprocessor_config.json is missing, so nothing says how its pixels are scaled. "
            "Copy it from where the model came from, beside config.json."
        )


def digest_of_files(files: list[Path]) -> str:
    """BLAKE2b over the contents of files, in their order: 32 hexadecimal digits."""
    return digest(_digest_of_file(path) for path in files).hex()


def _digest_of_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, hashlib.blake2b).digest()


def first_text(card: Path) -> str:
    """The first 64 kB of a text; the licence stands there."""
    with card.open("rb") as file:
        return file.read(1 << 16).decode("utf-8", errors="replace")


def licence_of(card: str) -> str:
    r"""The licence that the first lines of a model card name; "unknown" when they name none.

    >>> licence_of("---\nlicense: apache-2.0\ntags: []\n---\n# A model")
    'apache-2.0'
    """
    front = re.match(r"---\s*\n(.*?)\n---", card, re.DOTALL)
    found = re.search(r"^license:\s*['\"]?([\w.-]+)", front[1], re.MULTILINE) if front else None
    return found[1] if found else "unknown"


def read_json(name: str, path: Path, largest: int = LARGEST_JSON) -> dict[str, Any]:
    """A table of settings of a model of this name, from a file of at most `largest` bytes. Raises: BundleError."""
    try:
        if path.stat().st_size > largest:
            raise BundleError(f"{name}: {path.name} is larger than {largest / 1e6:g} MB. Copy it again.")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{name}: {path.name} cannot be read ({error}). Copy it again.") from error
    if not isinstance(found, dict):
        raise BundleError(f"{name}: {path.name} holds no table of settings. Copy it again.")
    return found
