"""A collection's folder: its layout, its tables, collection.json and the lock."""

import errno
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from lookalike.collection.config import MOST_CHARACTERS, CollectionConfig, NewerFormatError, parse_config
from lookalike.collection.write_lock import WriteLock
from lookalike.errors import CollectionError
from lookalike.files import PREVIOUS, atomic_write, previous_of, remove_leftovers, try_writing
from lookalike.images.leave_out import is_collection
from lookalike.index.refused import RefusedTable
from lookalike.index.table import Table
from lookalike.names import on_disk
from lookalike.progress import Reporter

FOLDER_NAME = ".lookalike"
TABLE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # that of its backbone


class CollectionFolder:
    """The folder in which lookalike keeps what it knows of one folder of pictures.

    Nothing is written before the first `save` or `write_lock`.

    Args:
        root: the folder of the pictures, or a collection's own folder.
        at: where the collection is kept: a new or an empty folder, or the collection of this folder; None for
            root/.lookalike.
        moved: take over a collection at `at` whose pictures were moved to `root`.
    Raises: CollectionError, for anything else.

    >>> CollectionFolder(Path("photos")).table("b1").as_posix()
    'photos/.lookalike/tables/b1.lance'
    """

    def __init__(self, root: Path, at: Path | None = None, moved: bool = False):
        self.folder = root = on_disk(root)
        self._moved = moved
        if at is not None:
            self.at = on_disk(at)
            self._check_at()
        elif root.is_dir() and is_collection(root):  # the collection's own folder was named
            self.at = root
            self.folder = self._lies_in() or Path(self._required_config().folder)
        else:
            self.at = root / FOLDER_NAME

    @property
    def shell_words(self) -> str:
        """What names this collection in a shell: FOLDER, and --at DIR where it is kept elsewhere."""
        at = [] if _is_same(self.at, self.folder / FOLDER_NAME) else ["--at", str(self.at)]
        return shlex.join([str(self.folder), *at])

    @property
    def cache(self) -> Path:
        """What may be deleted at any time: thumbnails, ranking codes, layouts."""
        return self.at / "cache"

    @property
    def replaced_folders(self) -> list[Path]:
        """The folders in which files and folders are written, replaced and removed whole."""
        names = ("tables", "lenses", "backbones", "cache", "cache/codes", "cache/layouts", "cache/thumbnails")
        return [self.at / name for name in names]

    def table(self, backbone: str) -> Path:
        """Where the table of one backbone lies."""
        return self.at / "tables" / f"{backbone}.lance"

    def refused(self, backbone: str) -> Path:
        """Where the table of the files that one backbone's indexing could not read lies."""
        return self.at / "tables" / f"{backbone}.refused.lance"

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
        return sorted(id for id in found if TABLE_ID.fullmatch(id) and self.table(id).is_dir())

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
        path = self.at / "collection.json"
        try:
            if path.exists() and not path.is_file():  # a folder, a pipe
                raise ValueError("it is no file")
            with path.open("rb") as file:
                return parse_config(file.read(MOST_CHARACTERS + 1).decode("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except NewerFormatError as error:
            raise CollectionError(f"{path}: {error}. Upgrade with: pip install -U lookalike") from error
        except (ValueError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            reason = str(error) if not isinstance(error, OSError | UnicodeDecodeError) else reason
            raise CollectionError(
                f"{path}: cannot be read ({reason}). To make it again, run: lookalike check {self.shell_words} "
                "--repair. Tables, lenses and judgements stay."
            ) from error

    def require_config(self) -> CollectionConfig:
        """What collection.json says, of a folder that was indexed.

        Raises: CollectionError, when it was not, or as `config` does.
        """
        config = self.config()
        if config is None:
            self.require_pictures()
            line = f"{self.folder}: not indexed yet. Run: lookalike index {self.shell_words}"
            raise CollectionError(line, code="collection.empty")
        return config

    def require_pictures(self) -> None:
        """Raises: CollectionError, when the pictures' folder is not there."""
        if self.folder.exists() and not self.folder.is_dir():
            raise CollectionError(f"{self.folder}: a file. Name its folder.")
        if not self.folder.exists():
            line = f"{self.folder}: no such folder. Check the name, or plug its disk in."
            raise CollectionError(line, code="collection.offline")

    def with_this_folder(self, config: CollectionConfig) -> CollectionConfig:
        """What collection.json shall say of a folder that moved together with its collection, or before `--moved`.

        Call it under the collection's lock.
        """
        folder = str(self.folder.resolve())
        if config.folder == folder or not self.folder.is_dir():
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
                f"{self.at}: a collection without its collection.json. Run: lookalike index FOLDER --at {self.at}"
            )
        return config

    def _lies_in(self) -> Path | None:
        """The folder of pictures in which a folder of the usual name lies; None for another name."""
        if self.at.name == FOLDER_NAME:
            return self.at.parent
        whole = self.at.resolve()  # "." and the like have no name
        return whole.parent if whole.name == FOLDER_NAME else None

    def _check_at(self) -> None:
        """Whether a collection of this folder is, or may be, kept where `--at` says.

        Raises: CollectionError, which names both folders.
        """
        at, folder = self.at, self.folder
        if _is_same(at, folder / FOLDER_NAME):
            return
        name_another = "Name a new or an empty folder with --at DIR."
        if at.exists() and not at.is_dir():
            raise CollectionError(f"{at}: a file, so the collection of {folder} cannot be kept there. {name_another}")
        if _is_same(at, folder):
            raise CollectionError(f"{at}: the folder of the pictures {folder} itself. {name_another}")
        if at.resolve().name == FOLDER_NAME:
            raise CollectionError(
                f"{at}: this name is for the collection of {at.resolve().parent}, not of {folder}. {name_another}"
            )
        if not at.is_dir() or not any(at.iterdir()):
            if self._moved:
                raise CollectionError(f"{at}: no collection that {folder} could take over. Leave --moved out.")
            return
        if not is_collection(at):
            raise CollectionError(f"{at}: not empty, and no collection of {folder}. {name_another}")
        config = self.config()
        if config is None or self._moved or _is_same(Path(config.folder), folder):
            return
        words = shlex.join([str(folder), "--at", str(at)])
        raise CollectionError(
            f"{at}: the collection of {config.folder}, not of {folder}. Name another folder with --at DIR; or, if the "
            f"pictures were moved from there to here, run: lookalike index {words} --moved"
        )

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
            lock = WriteLock(self.at, self.folder)
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


def _is_same(one: Path, other: Path) -> bool:
    """Whether two paths name the same place, there or not."""
    try:
        if one.exists() and other.exists():
            return one.samefile(other)
        return one.resolve() == other.resolve()
    except OSError:
        return False


def _mend(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "Free some space."
    return "Mount the disk for writing, or mend the permissions."


def _reason(error: OSError) -> str:
    """What the system said, without the wrapping of the library that passed it on."""
    first = (str(error).splitlines() or [""])[0]
    said = re.sub(r"^LanceError\(\w+\): |( \(os error \d+\))?, \S+\.rs:\d+:\d+$", "", first)
    return error.strerror or said or type(error).__name__
