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
from lookalike.distributed.object_store import Location
from lookalike.errors import LookalikeError
from lookalike.files import atomic_write, digest
from lookalike.index.pictures import Picture, PictureList
from lookalike.index.storage import is_address
from lookalike.server.errors import Refusal
from lookalike.server.jobs import Jobs
from lookalike.server.picture_files import read_picture
from lookalike.server.store_check import StoreCheck
from lookalike.server.uploads import Uploads

MOST_RECENT = 12
LATELY_S = 1.0
Place = Path | str  # a folder, or the address of an object store


class OpenCollection:
    """One collection of the server, with its jobs and the pictures that were sent to ask with.

    Args:
        folder: of the pictures, or an address.
        at: where the collection is kept; None for within the folder.

    Attributes:
        collection: asked by requests, one at a time under `lock`; jobs open their own.
        table_store, picture_store: tell in seconds where an object store is away.
    Raises: CollectionError; StorageError.
    """

    def __init__(self, folder: Place, at: Place | None = None):
        self.folder, self.at = whole_place(folder), None if at is None else whole_place(at)
        self.id = collection_id(self.folder, self.at)
        self.collection = self.another()
        self.table_store = StoreCheck.of_table(self.collection.home)
        self.picture_store = StoreCheck.of_pictures(self.collection.home)
        self.lock = threading.RLock()
        self.jobs, self.uploads = Jobs(), Uploads()
        self._pictures: PictureList | None = None
        self._asked: tuple[PictureList, float] | None = None  # what was looked up in last, and when

    @property
    def name(self) -> str:
        """The last part of where the pictures lie."""
        place = self.collection.home.name if is_address(self.folder) else self.folder
        return name_of(place)

    @property
    def is_online(self) -> bool:
        """Whether the pictures' folder is there, or the bucket answers."""
        with contextlib.suppress(LookalikeError):
            self.table_store.require()
            self.picture_store.require()
            return self.picture_store.is_needed or self.collection.home.folder.is_dir()
        return False

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
            self.table_store.require()
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

    def read(self, pictures: Sequence[Picture]) -> tuple[Picture, bytes]:
        """The first picture of a content whose file still holds it, and its bytes. Raises: as `read_picture`."""
        self.picture_store.require()
        return read_picture(pictures, self.collection.home.pictures)

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

    def add(self, folder: Place, at: Place | None = None) -> OpenCollection:
        """Open a collection, or give the one that is open already. Raises: CollectionError; StorageError."""
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

    def recent(self) -> dict[str, tuple[Place, Place | None]]:
        """The folders that were opened before, the newest first: id -> folder and where its collection is kept."""
        if self._recent is None:
            return {}
        found: dict[str, tuple[Place, Place | None]] = {}
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
            for one in json.loads(self._recent.read_text("utf-8"))[:MOST_RECENT]:
                folder, at = as_place(one["folder"]), None if one["at"] is None else as_place(one["at"])
                if is_address(folder) or Path(folder).is_dir():
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


def as_place(text: str) -> Place:
    """A path, or an address as it is."""
    return text if is_address(text) else Path(text)


def whole_place(place: Place) -> Place:
    """The path from the root, without links, or the address without / at its end."""
    return str(Location.parse(str(place))) if is_address(place) else Path(place).resolve()


def name_of(place: Place) -> str:
    """The last part of a path or an address.

    >>> name_of("s3://shop/photos"), name_of(Path("/"))
    ('photos', '/')
    """
    return Location.parse(str(place)).name if is_address(place) else Path(place).name or str(place)


def collection_id(folder: Place, at: Place | None) -> str:
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
