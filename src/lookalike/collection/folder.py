"""A collection's folder: its layout, its tables, collection.json and the lock."""

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from lookalike.collection.config import FORMAT, BackboneRecord, CollectionConfig
from lookalike.collection.write_lock import WriteLock
from lookalike.errors import CollectionError
from lookalike.files import PREVIOUS, atomic_write, previous_of, remove_leftovers
from lookalike.index.refused import RefusedTable
from lookalike.index.table import Table
from lookalike.progress import Reporter

FOLDER_NAME = ".lookalike"
TABLE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # that of its backbone


class CollectionFolder:
    """The folder in which lookalike keeps what it knows of one folder of pictures.

    Nothing is written before the first `save` or `write_lock`.

    >>> CollectionFolder(Path("photos")).table("b1").as_posix()
    'photos/.lookalike/tables/b1.lance'
    """

    def __init__(self, root: Path, at: Path | None = None):
        self.at = at if at is not None else root / FOLDER_NAME
        self.folder = root
        if at is None and (root / "collection.json").is_file():  # the collection's own folder was named
            self.at = root
            config = self.config()
            self.folder = root.parent if root.name == FOLDER_NAME or config is None else Path(config.folder)

    @property
    def shell_words(self) -> str:
        """What names this collection in a shell: FOLDER, and --at DIR where it is kept elsewhere."""
        at = [] if self.at == self.folder / FOLDER_NAME else ["--at", str(self.at)]
        return shlex.join([str(self.folder), *at])

    @property
    def cache(self) -> Path:
        """What may be deleted at any time: thumbnails, ranking codes."""
        return self.at / "cache"

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

    def lens(self, name: str) -> Path:
        """The folder of one lens; its former folder, where a run was killed while it replaced it."""
        folder = self.at / "lenses" / name
        previous = previous_of(folder)
        return previous if previous.is_dir() and not folder.exists() else folder

    def lenses(self) -> list[str]:
        """The lenses that are there, by name."""
        found = [path.parent.name for path in (self.at / "lenses").glob("*/lens.json")]
        named = {name for name in found if not name.startswith(".")}  # dots begin what is still being written
        replaced = {name[1:].removesuffix(PREVIOUS) for name in found if name.endswith(PREVIOUS)}
        return sorted(named | replaced)

    def config(self) -> CollectionConfig | None:
        """What collection.json says; None when nothing was indexed yet.

        Raises: CollectionError, when it is damaged or newer than this version.
        """
        path = self.at / "collection.json"
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            version = found["format"]
            if isinstance(version, int) and version > FORMAT:
                raise CollectionError(
                    f"{path}: format {version}, this lookalike knows up to {FORMAT}. "
                    "Upgrade with: pip install -U lookalike"
                )
            known = {id: BackboneRecord(**one) for id, one in found.pop("backbones", {}).items()}
            return CollectionConfig(**found, backbones=known)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            raise CollectionError(
                f"{path}: cannot be read ({type(error).__name__}). Delete {self.at} and index the folder again."
            ) from error

    def require_config(self) -> CollectionConfig:
        """What collection.json says, of a folder that was indexed.

        Raises: CollectionError, when it was not, or as `config` does.
        """
        config = self.config()
        if config is None:
            self.require_pictures()
            raise CollectionError(f"{self.folder}: not indexed yet. Run: lookalike index {self.shell_words}")
        return config

    def require_pictures(self) -> None:
        """Raises: CollectionError, when the pictures' folder is not there."""
        if self.folder.exists() and not self.folder.is_dir():
            raise CollectionError(f"{self.folder}: a file. Name its folder.")
        if not self.folder.exists():
            raise CollectionError(f"{self.folder}: no such folder. Check the name, or plug its disk in.")

    def save(self, config: CollectionConfig) -> None:
        """Write collection.json, whole or not at all."""
        text = json.dumps(asdict(config), indent=2, ensure_ascii=False)
        atomic_write(self.at / "collection.json", (text + "\n").encode())

    @contextmanager
    def write_lock(self, work: str = "write", waiting: Reporter | None = None) -> Iterator[None]:
        """Hold the collection's lock: one writer at a time, readers never wait.

        Args:
            work: as for `WriteLock.acquire`.
            waiting: as there; None: do not wait.
        Raises: LockedError, which says who holds it; CollectionError, where nothing can be written.
        """
        try:
            self.at.mkdir(parents=True, exist_ok=True)
            lock = WriteLock(self.at, self.folder)
            lock.acquire(work, waiting)
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
        for name in ("tables", "lenses", "backbones", "cache/codes"):
            remove_leftovers(self.at / name)


def _reason(error: OSError) -> str:
    """What the system said, without the wrapping of the library that passed it on."""
    first = (str(error).splitlines() or [""])[0]
    said = re.sub(r"^LanceError\(\w+\): |( \(os error \d+\))?, \S+\.rs:\d+:\d+$", "", first)
    return error.strerror or said or type(error).__name__
