"""The collections that a server has open, and the folders that were opened before."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from platformdirs import user_state_path

from lookalike.collection.collection import Collection
from lookalike.errors import LookalikeError
from lookalike.files import atomic_write, digest
from lookalike.index.pictures import Picture, PictureList
from lookalike.server.errors import Refusal
from lookalike.server.jobs import Jobs
from lookalike.server.uploads import Uploads

MOST_RECENT = 12
LATELY_S = 1.0


class OpenCollection:
    """One collection of the server, with its jobs and the pictures that were sent to ask with.

    Args:
        folder: of the pictures.
        at: where the collection is kept; None for within the folder.

    Attributes:
        collection: asked by requests, one at a time under `lock`; jobs open their own.
    """

    def __init__(self, folder: Path, at: Path | None = None):
        self.folder, self.at = folder.resolve(), None if at is None else at.resolve()
        self.id = collection_id(self.folder, self.at)
        self.collection = self.another()
        self.lock = threading.RLock()
        self.jobs, self.uploads = Jobs(), Uploads()
        self._pictures: PictureList | None = None
        self._asked: tuple[PictureList, float] | None = None  # what was looked up in last, and when

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.name or str(self.folder)

    @property
    def is_online(self) -> bool:
        """Whether the pictures' folder is there."""
        return self.folder.is_dir()

    @property
    def is_indexed(self) -> bool:
        """Whether there is something to ask."""
        return self.collection.home.config() is not None

    def warm_up(self) -> None:
        """Open what the first question would have to wait for: the table, and the network."""
        with contextlib.suppress(LookalikeError):
            if self.is_indexed:
                self.pictures()
                self.collection.embed([np.zeros((64, 64, 3), np.uint8)])

    def another(self) -> Collection:
        """The same collection, opened once more."""
        return Collection(self.folder, at=self.at)

    def pictures(self) -> PictureList:
        """The pictures of the newest version; the same object until another version is written.

        Raises: CollectionError.
        """
        with self.lock:
            found = self.collection.pictures()
            if self._pictures is None or self._pictures.gallery is not found.gallery:
                self._pictures = found
            return self._pictures

    def count(self) -> int:
        """How many pictures there are; 0 before the first index, and where they cannot be read: others may be."""
        with self.lock, contextlib.suppress(LookalikeError):
            return len(self.pictures().gallery) if self.is_indexed else 0
        return 0

    def picture(self, id: str) -> Picture:
        """The first picture of a content. Raises: Refusal, when there is none."""
        return self.files_of(id)[0]

    def files_of(self, id: str) -> Sequence[Picture]:
        """All pictures of a content. Raises: Refusal, when there is none."""
        pictures = self.pictures()
        found = pictures.find(id)
        self._asked = pictures, time.monotonic()
        if not found:
            raise Refusal(404, "picture.unknown", "no such picture in this collection.")
        return found

    def files_lately(self, id: str) -> Sequence[Picture]:
        """The same as it was within the last second, without a look at the disk or a wait for whoever searches.

        Returns: nothing, where nobody has looked within the last second, or there is no such picture.
        """
        asked = self._asked
        if asked is None or time.monotonic() - asked[1] > LATELY_S:
            return []
        return asked[0].find(id)


class Workspace:
    """The collections of a server, by id.

    Args:
        recent: the file with the folders that were opened before; None to remember none.
    """

    def __init__(self, recent: Path | None = None):
        self._open: dict[str, OpenCollection] = {}
        self._recent = recent

    def add(self, folder: Path, at: Path | None = None) -> OpenCollection:
        """Open a collection, or give the one that is open already. Raises: CollectionError."""
        opened = OpenCollection(folder, at)
        opened = self._open.setdefault(opened.id, opened)
        self._remember(opened)
        threading.Thread(target=opened.warm_up, name="warm up").start()  # no daemon: libraries of C++ abort at exit
        return opened

    def get(self, id: str) -> OpenCollection:
        """An open collection. Raises: Refusal."""
        try:
            return self._open[id]
        except KeyError:
            raise Refusal(404, "collection.unknown", "no such collection is open here.") from None

    def all(self) -> list[OpenCollection]:
        """Those that are open, in the order in which they were opened."""
        return list(self._open.values())

    def recent(self) -> dict[str, tuple[Path, Path | None]]:
        """The folders that were opened before, the newest first: id -> folder and where its collection is kept."""
        if self._recent is None:
            return {}
        found = {}
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
            for one in json.loads(self._recent.read_text("utf-8"))[:MOST_RECENT]:
                folder, at = Path(one["folder"]), None if one["at"] is None else Path(one["at"])
                if folder.is_dir():
                    found[collection_id(folder, at)] = (folder, at)
        return found

    def close(self) -> None:
        """Stop every job."""
        for one in self._open.values():
            one.jobs.close()

    def _remember(self, opened: OpenCollection) -> None:
        if self._recent is None:
            return
        folders = {opened.id: (opened.folder, opened.at)} | self.recent()
        lines = [{"folder": str(folder), "at": None if at is None else str(at)} for folder, at in folders.values()]
        with contextlib.suppress(OSError, ValueError):  # a place that cannot be written remembers nothing
            self._recent.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(self._recent, json.dumps(lines[:MOST_RECENT], indent=1).encode())


def recent_file() -> Path | None:
    """Where this user's opened folders are remembered; None where there is no home."""
    try:
        return user_state_path("lookalike") / "recent.json"
    except (OSError, RuntimeError, KeyError):
        return None


def collection_id(folder: Path, at: Path | None) -> str:
    """What names a collection in addresses: it tells nothing about where it lies."""
    names = [os.fsencode(one) for one in (folder, at or "")]
    return digest([names[0], b"\0", names[1]], 8).hex()


def choose_folder() -> Path | None:
    """The folder that a person chooses in the system's own window; None when nothing was chosen.

    Raises: Refusal, where there is no such window.
    """
    title = "lookalike"
    choosers = (
        ["zenity", "--file-selection", "--directory", "--title", title],
        ["kdialog", "--title", title, "--getexistingdirectory", str(Path.home())],
    )
    if sys.platform == "darwin":
        choosers = (["osascript", "-e", "POSIX path of (choose folder)"],) * 2
    for command in choosers:
        if shutil.which(command[0]) is None:
            continue
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        chosen = done.stdout.strip()
        return Path(chosen) if done.returncode == 0 and chosen else None
    raise Refusal(501, "collection.no_chooser", "no window to choose a folder here. Run: lookalike serve FOLDER")
