"""The small files of a collection on an object store, kept alike in a folder of this machine."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lookalike.distributed.object_store import Location, StoredFile
from lookalike.errors import CollectionError, LockedError
from lookalike.files import atomic_write

STATE = "mirror.json"
FOLDERS = ("backbones", "lenses")  # whose files are kept alike; the table, codes and pictures are not
GROWING = ("judgements.jsonl", "proofs.jsonl")  # lines that several processes may add at once
LAST = "collection.json"  # names what all other files are for
_OWN = {"lease", "lock", "lock.holder", "reading", STATE, "mirror.lock"}  # of this machine alone


@dataclass(frozen=True)
class _Known:
    """A file as it was when both sides were alike: the object's tag, the local size and date."""

    tag: str
    bytes: int
    mtime_ns: int


class Mirror:
    """A local folder and an address whose small files are brought to the same state.

    Both directions are for who holds a lock of the folder; `push` of all files also for who holds the collection's.

    Args:
        location: where the collection is kept.
        folder: of this machine; made when it is needed.
    """

    def __init__(self, location: Location, folder: Path):
        self.location, self.folder = location, folder

    def pull(self) -> None:
        """Bring the folder to the state of the store; what was changed here and not pushed yet stays.

        Raises: StorageError, CollectionError.
        """
        there = self._listed()
        known = self._read_state()
        try:
            for name, stored in there.items():
                before = known.get(name)
                if before is not None and before.tag == stored.tag and (self.folder / name).is_file():
                    continue
                if name in GROWING:
                    self._merge_lines(name, known)
                else:
                    self._fetch(name, known)
            for name in known.keys() - there.keys():
                if not self._is_changed(name, known.pop(name)):
                    (self.folder / name).unlink(missing_ok=True)
                    self._remove_empty(name)
        finally:
            self._write_state(known)

    def push(self) -> None:
        """Bring the store to the state of the folder, collection.json last; for who holds the collection's lock.

        Raises: StorageError; LockedError, where somebody wrote there without the lock.
        """
        known = self._read_state()
        here = sorted(self._here(), key=lambda name: (name == LAST, name.endswith(".json"), name))
        try:
            for name in here:
                before = known.get(name)
                if before is not None and not self._is_changed(name, before):
                    continue
                if name in GROWING:
                    self._merge_lines(name, known)
                    continue
                tag = None if before is None else before.tag
                content = (self.folder / name).read_bytes()
                status = (self.folder / name).stat()
                written = self.location.write(name, content, tag=tag, new=tag is None)
                if written is None and self._content_there(name) != content:
                    raise LockedError(
                        f"{self.location}/{name}: somebody else wrote it meanwhile, without the lock. Run it again."
                    )
                known[name] = _Known(written or self._tag(name), len(content), status.st_mtime_ns)
            for name in sorted(known.keys() - set(here)):
                self.location.remove(name)
                del known[name]
        finally:
            self._write_state(known)

    def push_lines(self) -> None:
        """Bring the lines that were added here to the store, behind those that others added; needs no lock of it.

        Raises: StorageError.
        """
        known = self._read_state()
        try:
            for name in GROWING:
                if (self.folder / name).is_file() and (name not in known or self._is_changed(name, known[name])):
                    self._merge_lines(name, known)
        finally:
            self._write_state(known)

    def _merge_lines(self, name: str, known: dict[str, _Known]) -> None:
        """Give both sides the lines of both, those of the store first."""
        place = self.folder / name
        while True:
            here = place.read_bytes() if place.is_file() else b""
            before = known.get(name)
            added = here[before.bytes :] if before is not None else here
            try:
                there, seen = self.location.read(name)
                tag: str | None = seen.tag
            except FileNotFoundError:
                there, tag = b"", None
            if before is None and there and here.startswith(there):  # the state was lost, not the file
                added = here[len(there) :]
            whole = there + (b"\n" if added and there and not there.endswith(b"\n") else b"") + added
            if whole != there:
                tag = self.location.write(name, whole, tag=tag, new=tag is None)
            if tag is not None:
                break
        if whole != here:
            atomic_write(place, whole)
        known[name] = _Known(tag, len(whole), place.stat().st_mtime_ns)

    def _listed(self) -> dict[str, StoredFile]:
        """The small files in the store, by name."""
        files, folders = self.location.list_here()
        found = [one for one in files if one.name not in _OWN and not one.name.startswith(".")]
        for folder in FOLDERS:
            if folder in folders:
                found += [one for one in self.location.list_all(folder) if _is_kept(one.name)]
        return {one.name: one for one in found}

    def _here(self) -> Iterator[str]:
        """The names of the small files in the folder."""
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.is_file() and path.name not in _OWN and not path.name.startswith("."):
                yield path.name
        for folder in FOLDERS:
            for path in (self.folder / folder).rglob("*"):
                name = path.relative_to(self.folder).as_posix()
                if path.is_file() and _is_kept(name):
                    yield name

    def _fetch(self, name: str, known: dict[str, _Known]) -> None:
        if not _is_kept(name):
            return
        try:
            content, seen = self.location.read(name)
        except FileNotFoundError:  # removed meanwhile
            known.pop(name, None)
            return
        atomic_write(self.folder / name, content)
        known[name] = _Known(seen.tag, len(content), (self.folder / name).stat().st_mtime_ns)

    def _is_changed(self, name: str, before: _Known) -> bool:
        try:
            status = (self.folder / name).stat()
        except OSError:
            return False  # removed here: it comes again
        return (status.st_size, status.st_mtime_ns) != (before.bytes, before.mtime_ns)

    def _content_there(self, name: str) -> bytes | None:
        try:
            return self.location.read(name)[0]
        except FileNotFoundError:
            return None

    def _tag(self, name: str) -> str:
        seen = self.location.look(name)
        return "" if seen is None else seen.tag

    def _remove_empty(self, name: str) -> None:
        for folder in (self.folder / name).parents:
            if folder == self.folder:
                return
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _read_state(self) -> dict[str, _Known]:
        try:
            found = json.loads((self.folder / STATE).read_bytes())
            return {str(name): _Known(str(a), int(b), int(c)) for name, (a, b, c) in found["files"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def _write_state(self, known: dict[str, _Known]) -> None:
        files = {name: (one.tag, one.bytes, one.mtime_ns) for name, one in sorted(known.items())}
        try:
            atomic_write(
                self.folder / STATE, json.dumps({"address": str(self.location), "files": files}, indent=0).encode()
            )
        except OSError as error:
            raise CollectionError(
                f"{self.folder}: cannot be written ({error.strerror}). Free some space, or set LOOKALIKE_CACHE to "
                "another folder."
            ) from error


def _is_kept(name: str) -> bool:
    """Whether a file of a name is kept alike: no part of it leads elsewhere, is being written, or is a run's own."""
    parts = name.split("/")
    return not any(part in ("", "..", "run") or part.startswith(".") for part in parts) and "\\" not in name
