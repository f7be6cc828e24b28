"""A collection's folder: its layout, its tables, collection.json and the lock."""

import errno
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from lookalike.collection.check_at import FOLDER_NAME, check_at, is_of, is_same, not_of_these
from lookalike.collection.config import CollectionConfig, read_config
from lookalike.collection.write_lock import WriteLock
from lookalike.distributed.pictures import pictures_at
from lookalike.errors import CollectionError, LookalikeError
from lookalike.files import (
    PREVIOUS,
    atomic_write,
    folder_size,
    previous_of,
    remove_folder,
    remove_leftovers,
    try_writing,
)
from lookalike.images.leave_out import is_collection
from lookalike.images.picture_source import FolderPictures, PictureSource
from lookalike.index.refused import RefusedTable
from lookalike.index.storage import is_address
from lookalike.index.table import Table
from lookalike.names import on_disk
from lookalike.progress import Reporter

TABLE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # that of its backbone


class CollectionFolder:
    """The folder in which lookalike keeps what it knows of one folder of pictures.

    Nothing is written before the first `save` or `write_lock`.

    Args:
        root: the folder of the pictures, or a collection's own folder.
        at: where the collection is kept: a new or an empty folder, or the collection of this folder; None for
            root/.lookalike.
        moved: take over a collection at `at` whose pictures were moved to `root`.
        pictures: where they lie, if that is no folder of this machine; then `at` is given.

    Attributes:
        at: the folder of all files of the collection but, where it is kept on an object store, its tables.
        pictures: where they lie.
    Raises: CollectionError, for anything else.

    >>> CollectionFolder(Path("photos")).table("b1")
    'photos/.lookalike/tables/b1.lance'
    """

    def __init__(self, root: Path, at: Path | None = None, moved: bool = False, pictures: PictureSource | None = None):
        root = on_disk(root)
        self.pictures = pictures or FolderPictures(root)
        self._moved = moved
        if at is not None:
            self.at = on_disk(at)
            check_at(self.at, self.pictures, moved)
            if not is_same(self.at, self.folder / FOLDER_NAME):
                self._check_same_pictures(self.config())
        elif root.is_dir() and is_collection(root):  # the collection's own folder was named
            self.at = root
            lies_in = self._lies_in()
            self.pictures = FolderPictures(lies_in) if lies_in else self._pictures_of(self._required_config())
        else:
            self.at = root / FOLDER_NAME

    @property
    def folder(self) -> Path:
        """Where the pictures lie on this machine; those of an object store, once they were fetched."""
        return self.pictures.folder

    @property
    def name(self) -> str:
        """What people call the place of the pictures."""
        return str(self.pictures)

    @property
    def place(self) -> str:
        """What people call the place of the collection."""
        return str(self.at)

    @property
    def shell_words(self) -> str:
        """What names this collection in a shell: FOLDER, and --at DIR where it is kept elsewhere."""
        at = [] if is_same(self.at, self.folder / FOLDER_NAME) else ["--at", self.place]
        return shlex.join([self.name, *at])

    @property
    def cache(self) -> Path:
        """What may be deleted at any time: thumbnails, ranking codes, layouts."""
        return self.at / "cache"

    @property
    def replaced_folders(self) -> list[Path]:
        """The folders in which files and folders are written, replaced and removed whole."""
        names = (
            "tables",
            "lenses",
            "backbones",
            "cache",
            "cache/codes",
            "cache/catalog",
            "cache/layouts",
            "cache/thumbnails",
        )
        return [self.at / name for name in names]

    def table(self, backbone: str) -> str:
        """Where the table of one backbone lies: a path, or an address."""
        return str(self.at / "tables" / f"{backbone}.lance")

    def refused(self, backbone: str) -> str:
        """Where the table of the files that one backbone's indexing could not read lies."""
        return self.table(f"{backbone}.refused")

    def table_size(self, backbone: str) -> int:
        """The bytes of both tables of one backbone."""
        return sum(folder_size(Path(uri)) for uri in (self.table(backbone), self.refused(backbone)))

    def size(self) -> int:
        """The bytes of all that is kept."""
        return folder_size(self.at)

    def remove_tables(self, backbone: str) -> None:
        """Remove both tables of one backbone, as far as they are there."""
        for folder in map(Path, (self.table(backbone), self.refused(backbone))):
            if folder.is_dir():
                remove_folder(folder)

    def lines_added(self) -> None:
        """To be called after judgements or proofs were added to their files."""

    @property
    def work_log(self) -> Path:
        """The names of the files that an index run is reading, under the lock."""
        return self.at / "reading"

    def open_table(self, backbone: str) -> Table:
        """The table of one backbone."""
        return Table(self.table(backbone), self.shell_words)

    def open_refused(self, backbone: str) -> RefusedTable:
        """The table of the files that one backbone's indexing could not read."""
        return RefusedTable(self.refused(backbone), self.shell_words)

    def tables(self) -> list[str]:
        """The ids of the backbones that have a table."""
        found = {path.name.split(".")[0] for path in (self.at / "tables").glob("*.lance") if path.is_dir()}
        return sorted(id for id in found if TABLE_ID.fullmatch(id) and Path(self.table(id)).is_dir())

    def backbone(self, id: str) -> Path:
        """The bundle of a backbone that was made here."""
        return self.at / "backbones" / id

    @property
    def judgements(self) -> Path:
        """What people answered, one line of JSON an answer."""
        return self.at / "judgements.jsonl"

    @property
    def proofs(self) -> Path:
        """How often which examples were proved, one line of JSON a proof."""
        return self.at / "proofs.jsonl"

    @property
    def own_forgotten(self) -> Path:
        """A file that is there once the lens from pictures alone was forgotten: it is not learned again by itself."""
        return self.at / "own.forgotten"

    def lens(self, name: str) -> Path:
        """The folder of one lens; its former folder, where a run was killed while it replaced it; or where it waits."""
        folder = self.saved_lens(name)
        others = (previous_of(folder), self.waiting_lens(name))
        return folder if folder.exists() else next((one for one in others if one.is_dir()), folder)

    def saved_lens(self, name: str) -> Path:
        """Where a lens is saved under the lock."""
        return self.at / "lenses" / name

    def waiting_lens(self, name: str) -> Path:
        """Where a lens lies that was learned while another process held the lock, until it is saved."""
        return self.at / "learned" / name

    def lenses(self) -> list[str]:
        """The lenses that are there, by name."""
        places = [self.saved_lens("*"), self.waiting_lens("*")]
        found = [path.parent.name for place in places for path in place.parent.glob("*/lens.json")]
        named = {name for name in found if not name.startswith(".")}  # dots begin what is still being written
        replaced = {name[1:].removesuffix(PREVIOUS) for name in found if name.endswith(PREVIOUS)}
        return sorted(named | replaced)

    def config(self) -> CollectionConfig | None:
        """What collection.json says; None when nothing was indexed yet.

        Raises: CollectionError, when it is damaged or newer than this version.
        """
        return read_config(self.at / "collection.json", f"{self.place}/collection.json", self.shell_words)

    def require_config(self) -> CollectionConfig:
        """What collection.json says, of a folder that was indexed.

        Raises: CollectionError, when it was not, or as `config` does.
        """
        config = self.config()
        if config is None:
            self.require_pictures()
            line = f"{self.name}: not indexed yet. Run: lookalike index {self.shell_words}"
            raise CollectionError(line, code="collection.empty")
        return config

    def require_pictures(self) -> None:
        """Raises: CollectionError or StorageError, when the pictures' folder is not there."""
        self.pictures.require()

    def are_pictures_there(self) -> bool:
        """Whether the place of the pictures can be reached."""
        try:
            self.require_pictures()
        except LookalikeError:
            return False
        return True

    def with_this_folder(self, config: CollectionConfig) -> CollectionConfig:
        """What collection.json shall say of a folder that moved together with its collection, or before `--moved`.

        Call it under the collection's lock.
        """
        folder = self.pictures.address
        if config.folder == folder or (not is_address(folder) and not self.folder.is_dir()):
            return config
        config = replace(config, folder=folder)
        self.save(config)
        return config

    def require_writable(self, size: int = 0) -> None:
        """Ask before work that takes minutes whether its result can be saved.

        Args:
            size: the bytes that it takes at least.
        Raises: CollectionError.
        """
        try:
            for folder in (self.at, self.at / "lenses", self.at / "tables"):
                if folder.exists():
                    try_writing(folder)
            free = shutil.disk_usage(self.at).free
        except OSError as error:
            raise CollectionError(
                f"{self.at}: cannot be written ({error.strerror}), so nothing was begun. {_mend(error)}",
                code="collection.unwritable",
            ) from error
        if size > free:
            raise CollectionError(
                f"{self.at}: the result takes {size / 1e6:,.0f} MB, but the disk has {free / 1e6:,.0f} MB free. Free "
                "some space.",
                code="collection.unwritable",
            )

    def save(self, config: CollectionConfig) -> None:
        """Write collection.json, whole or not at all."""
        atomic_write(self.at / "collection.json", config.to_json().encode())

    def _required_config(self) -> CollectionConfig:
        config = self.config()
        if config is None:
            raise CollectionError(
                f"{self.place}: a collection without its collection.json. Run: lookalike index FOLDER --at {self.place}"
            )
        return config

    def _lies_in(self) -> Path | None:
        """The folder of pictures in which a folder of the usual name lies; None for another name."""
        if self.at.name == FOLDER_NAME:
            return self.at.parent
        whole = self.at.resolve()  # "." and the like have no name
        return whole.parent if whole.name == FOLDER_NAME else None

    def _check_same_pictures(self, config: CollectionConfig | None) -> None:
        """Raises: CollectionError, when the collection is that of other pictures."""
        if config is not None and not self._moved and not is_of(config.folder, self.pictures):
            raise not_of_these(self.place, config.folder, self.pictures)

    def _pictures_of(self, config: CollectionConfig) -> PictureSource:
        return pictures_at(config.folder, self.cache)

    @contextmanager
    def write_lock(
        self, work: str = "write", waiting: Reporter | None = None, keep: Callable[[], str] | None = None
    ) -> Iterator[None]:
        """Hold the collection's lock: one writer at a time, readers never wait.

        Args:
            work: as for `WriteLock.acquire`.
            waiting: as there; None: do not wait.
            keep: as there.
        Raises: LockedError, which says who holds it; CollectionError, where nothing can be written.
        """
        if not self.at.is_dir():  # nothing is made in the place of a disk that is away
            self.require_pictures()
        try:
            self.at.mkdir(parents=True, exist_ok=True)
            lock = WriteLock(self.at, self.name)
            lock.acquire(work, waiting, keep)
        except OSError as error:
            raise CollectionError(
                f"{self.at}: cannot be written ({error.strerror}). Keep the collection elsewhere with --at DIR."
            ) from error
        try:
            self._remove_leftovers()
            yield
        except OSError as error:
            raise CollectionError(
                f"{self.at}: {_reason(error)}. Free some space or check the disk, then run it again: "
                "what was committed is kept."
            ) from error
        finally:
            lock.release()

    def _remove_leftovers(self) -> None:
        """Undo or finish what killed runs began."""
        for left in self.at.glob(".collection.json.*"):
            left.unlink(missing_ok=True)
        for folder in self.replaced_folders:
            remove_leftovers(folder)
        for table in (self.at / "tables").glob("*.lance"):
            remove_leftovers(table)
            for name in ("data", "_deletions", "_transactions", "_versions"):
                for left in (table / name).glob(".tmp*"):  # what Lance was writing
                    left.unlink(missing_ok=True)


def _mend(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "Free some space."
    return "Mount the disk for writing, or mend the permissions."


def _reason(error: OSError) -> str:
    """What the system said, without the wrapping of the library that passed it on."""
    first = (str(error).splitlines() or [""])[0]
    said = re.sub(r"^LanceError\(\w+\): |( \(os error \d+\))?, \S+\.rs:\d+:\d+$", "", first)
    return error.strerror or said or type(error).__name__
