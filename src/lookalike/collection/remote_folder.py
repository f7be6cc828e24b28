"""A collection that is kept on an object store: its tables there, its small files also in a folder of this machine."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout

from lookalike.collection.config import CollectionConfig
from lookalike.collection.folder import TABLE_ID, CollectionFolder
from lookalike.collection.write_lock import LockHolder, WriteLock
from lookalike.distributed.lease import Lease
from lookalike.distributed.mirror import LAST, Mirror
from lookalike.distributed.object_store import Location, is_address
from lookalike.distributed.pictures import pictures_at
from lookalike.errors import CollectionError, LockedError, StorageError
from lookalike.files import digest
from lookalike.images.picture_source import FolderPictures, PictureSource
from lookalike.index.refused import RefusedTable
from lookalike.index.table import Table
from lookalike.models.registry import cache_folder
from lookalike.names import on_disk
from lookalike.progress import Reporter, Timer

FRESH_S = 1.0  # what was read from the store a moment ago is not asked again
_LOOK_S, _MOST_S = 0.05, 30.0  # while another process of this machine reads the small files


def open_home(folder: str | Path, at: str | Path | None = None, moved: bool = False) -> CollectionFolder:
    """The collection of a folder or of an address.

    Args:
        folder: of the pictures, or the collection's own.
        at: where the collection is kept; None: beside the pictures.
        moved: as for `CollectionFolder`.
    Raises: CollectionError; StorageError.

    >>> open_home("photos").at.as_posix()
    'photos/.lookalike'
    """
    kept = Location.parse(str(at)) if is_address(at) else None
    if not is_address(folder):
        if kept is None:
            return CollectionFolder(Path(folder), None if at is None else Path(at), moved)
        return RemoteFolder(kept, FolderPictures(on_disk(Path(folder))), moved)
    location = Location.parse(str(folder))
    if kept is not None:
        return RemoteFolder(kept, pictures_at(str(location), _mirror_of(kept) / "cache", kept), moved)
    if at is not None:
        return CollectionFolder(Path(at), Path(at), moved, pictures_at(str(location), Path(at) / "cache"))
    return RemoteFolder(location, None, moved)


class RemoteFolder(CollectionFolder):
    """What lookalike keeps of a collection below an address; its small files also lie in a folder of the user's cache.

    Args:
        location: where the collection is kept.
        pictures: where they lie; None for those of the collection that is there.
        moved: take over the collection for pictures that were moved.
    Raises: StorageError, where the store refuses; CollectionError.
    """

    def __init__(self, location: Location, pictures: PictureSource | None, moved: bool = False):
        self.location, self._moved = location, moved
        self.at = _mirror_of(location)
        self._mirror = Mirror(location, self.at)
        self._lease: Lease | None = None
        self._pulled_s = -FRESH_S
        if pictures is not None and pictures.address == str(location):
            raise CollectionError(f"{location}: the place of the pictures itself. Name another one with --at.")
        location.check()
        self.pictures = pictures or pictures_at(str(location), self.cache)  # until it is known which
        config = self.config()
        if pictures is None:
            self.pictures = self._own_pictures(config)
        else:
            self._check_empty(config)
            self._check_same_pictures(config)

    @property
    def shell_words(self) -> str:
        """What names this collection in a shell."""
        return self.place if self.name == self.place else super().shell_words

    @property
    def place(self) -> str:
        """The address of the collection."""
        return str(self.location)

    def table(self, backbone: str) -> str:
        """The address of the table of one backbone."""
        return f"{self.location}/tables/{backbone}.lance"

    def table_size(self, backbone: str) -> int:
        """The bytes of both tables of one backbone, other versions of them included."""
        tables = self.location.child("tables")
        names = (f"{backbone}.lance", f"{backbone}.refused.lance")
        return sum(one.bytes for name in names for one in tables.list_all(name))

    def size(self) -> int:
        """The bytes of all that is kept in the store."""
        return sum(one.bytes for one in self.location.list_all())

    def tables(self) -> list[str]:
        """The ids of the backbones that have a table."""
        _, folders = self.location.child("tables").list_here()
        found = {name.removesuffix(".lance") for name in folders if name.endswith(".lance")}
        return sorted(id for id in found if TABLE_ID.fullmatch(id))

    def remove_tables(self, backbone: str) -> None:
        """Remove both tables of one backbone."""
        self._check_lease()
        tables = self.location.child("tables")
        for name in (f"{backbone}.lance", f"{backbone}.refused.lance"):
            for one in list(tables.list_all(name)):
                tables.remove(one.name)

    def open_table(self, backbone: str) -> Table:
        """The table of one backbone; it takes commits while the lock is held."""
        return Table(self.table(backbone), self.shell_words, self._check_lease)

    def open_refused(self, backbone: str) -> RefusedTable:
        """The table of the files that one backbone's indexing could not read, likewise."""
        return RefusedTable(self.refused(backbone), self.shell_words, self._check_lease)

    def config(self) -> CollectionConfig | None:
        """What collection.json says in the store; None when nothing was indexed yet.

        Raises: CollectionError; StorageError.
        """
        self._refresh()
        return super().config()

    def save(self, config: CollectionConfig) -> None:
        """Write collection.json, and bring the store to the state of all small files."""
        super().save(config)
        self._check_lease()
        self._mirror.push()

    def lines_added(self) -> None:
        """Bring judgements and proofs that were added to the store."""
        self._mirror.push_lines()

    def require_writable(self, size: int = 0) -> None:
        """Nothing to ask: the lock is an object, so who may not write is told by that."""

    @contextmanager
    def write_lock(
        self, work: str = "write", waiting: Reporter | None = None, keep: Callable[[], str] | None = None
    ) -> Iterator[None]:
        """Hold the collection's lock in the store, and that of its files on this machine.

        Args:
            work: as for `CollectionFolder.write_lock`.
            waiting: as there.
            keep: as there.
        Raises: LockedError, which says who holds it; StorageError; CollectionError.
        """
        self.at.mkdir(parents=True, exist_ok=True)
        lock = WriteLock(self.at, self.place)
        self._without_readers(lambda: lock.acquire(work, waiting, keep))
        try:
            lease = Lease(self.location, asdict(LockHolder.this_process(work)))
            self._acquire(lease, waiting, keep)
            self._lease = lease
            try:
                self._mirror.pull()
                self._remove_leftovers()
                yield
                self._push()
            except BaseException:
                with suppress(StorageError, LockedError):  # what was raised first counts
                    self._push()
                raise
            finally:
                self._lease = None
                with suppress(StorageError):  # it ends by itself after its term
                    lease.release()
        finally:
            lock.release()

    def _push(self) -> None:
        self._check_lease()
        self._mirror.push()

    def _acquire(self, lease: Lease, waiting: Reporter | None, keep: Callable[[], str] | None) -> None:
        told = False
        while True:
            try:
                lease.acquire(self._refusal)
                return
            except LockedError as error:
                if waiting is None:
                    raise
                if not told:
                    kept = "" if keep is None else f" {keep()}"
                    waiting.message(f"{str(error).split('. Wait')[0]}. Waiting until it is done.{kept}")
                    told = True
                waiting.progress(Timer("waiting", total=1).at(0))

    def _refusal(self, content: bytes) -> LockedError:
        """The error that another process writes, which said this of itself."""
        who = LockHolder.parse(content)
        line = f"{self.place}: {who or 'another process'} is writing to it. Wait until it is done, or end it."
        return LockedError(line, details=None if who is None else asdict(who))

    def _check_lease(self) -> None:
        """Raises: LockedError, when this process may not write any longer."""
        if self._lease is not None:
            self._lease.check()

    def _refresh(self) -> None:
        """Read the small files from the store, unless that was just done, or a writer of this machine has them."""
        if time.monotonic() - self._pulled_s < FRESH_S:
            return
        try:
            self.at.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.at / "lock", timeout=0)
            self._without_readers(lock.acquire)
        except (Timeout, LockedError):
            return
        except OSError as error:
            raise CollectionError(
                f"{self.at}: cannot be written ({error.strerror}). Set LOOKALIKE_CACHE to another folder."
            ) from error
        try:
            self._mirror.pull()
            self._pulled_s = time.monotonic()
        finally:
            lock.release()

    def _without_readers(self, acquire: Callable[[], object]) -> None:
        """Take a lock of this machine that readers take as well, for a moment; raises for a writer."""
        ends = time.monotonic() + _MOST_S
        while True:
            try:
                acquire()
                return
            except (Timeout, LockedError):
                if (self.at / "lock.holder").exists() or time.monotonic() > ends:
                    raise
                time.sleep(_LOOK_S)

    def _own_pictures(self, config: CollectionConfig | None) -> PictureSource:
        if config is None:
            raise CollectionError(
                f"{self.place}: no collection there. If these are pictures, say where their collection is kept: "
                f"lookalike index {self.place} --at s3://BUCKET/PREFIX (or a folder).",
                code="collection.empty",
            )
        return pictures_at(config.folder, self.cache, self.location)

    def _check_empty(self, config: CollectionConfig | None) -> None:
        """Raises: CollectionError, when something else is kept there."""
        if config is not None:
            return
        if self._moved:
            raise CollectionError(f"{self.place}: no collection that {self.name} could take over. Leave --moved out.")
        files, folders = self.location.list_here()
        others = {one.name for one in files} - {"lease", "lock", LAST}
        if others or set(folders) - {"tables", "lenses", "backbones"}:
            raise CollectionError(
                f"{self.place}: not empty, and no collection of {self.name}. Name another place with --at."
            )


def _mirror_of(location: Location) -> Path:
    """The folder of this machine that holds the small files of a collection; another store's is another."""
    name = digest([f"{location} {os.environ.get('AWS_ENDPOINT_URL', '')}".encode()], 8).hex()
    return cache_folder() / "collections" / f"{location.name[:40]}-{name}"
