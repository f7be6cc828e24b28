"""Compiled networks in the user's cache, with digests: one that was damaged is compiled again, never believed."""

import json
import os
import shutil
from pathlib import Path

from lookalike.files import atomic_write, digest

DIGESTS = "digests.json"


class CompiledCache:
    """The folder in which OpenVINO keeps one compiled network.

    Args: folder: of this network alone.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def open(self) -> Path | None:
        """The folder, whole or empty; None where nothing can be written, as in a container's image."""
        try:
            if self.folder.is_dir() and self._sealed() != self._found():
                shutil.rmtree(self.folder)
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            return None
        return self.folder if os.access(self.folder, os.W_OK) else None

    def is_damaged(self) -> bool:
        """Whether it holds something else than was sealed; what was never sealed is thrown away when it is opened."""
        try:
            return (self.folder / DIGESTS).exists() and self._sealed() != self._found()
        except OSError:  # it cannot be read, and is done without
            return False

    def seal(self) -> None:
        """Write down what the folder holds now; call it after something was compiled into it."""
        try:
            found = self._found()
            if found != self._sealed():
                atomic_write(self.folder / DIGESTS, json.dumps(found).encode())
        except OSError:
            return  # a full disk: it is compiled again the next time

    def _sealed(self) -> dict[str, str]:
        try:
            found = json.loads((self.folder / DIGESTS).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _found(self) -> dict[str, str]:
        files = sorted(path for path in self.folder.iterdir() if path.suffix == ".blob")
        return {path.name: digest([path.read_bytes()]).hex() for path in files}
