"""Writing files and folders whole or not at all, files of lines that only grow, and digests of what files hold."""

import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where nobody can remove what is open
    fcntl = None  # type: ignore[assignment]

REMOVED, PREVIOUS = ".removed", ".previous"
# A dot, the name, and what tempfile adds or one of the endings above.
_LEFTOVER = re.compile(r"\..+\.([a-z0-9_]{8}|removed|previous)", re.DOTALL)
_RANDOM = 8  # letters that tempfile adds


def atomic_write(path: Path, content: bytes) -> None:
    """Write a file so that a reader, or a crash, meets the old one or the new one and nothing between.

    What a killed call left beside it is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = fitting_name(f".{path.name}", path.parent, keep_ending=False, room=10)
    _remove_stale(path.parent, f"{beside}.")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{beside}.")
    try:
        with _held(Path(temporary)):
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            mask = os.umask(0)
            os.umask(mask)
            Path(temporary).chmod(0o666 & ~mask)  # mkstemp keeps others out; a picture is to be shown
            Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def fitting_name(name: str, folder: Path, *, keep_ending: bool = True, room: int = 0) -> str:
    """A name that a file can have in a folder: where it is too long, its stem is cut, by whole letters.

    Args:
        name: without folders. What tells it from others has to stand at its beginning.
        folder: where it shall lie; it, or the folders above it, need not be there yet.
        keep_ending: whether what follows the last dot stays; else it may be cut too.
        room: bytes to leave for what is added to the name.

    >>> len(fitting_name("x" * 300 + ".jpeg", Path())), fitting_name("a.b", Path())
    (255, 'a.b')
    """
    most = _longest_name(folder) - room
    dot = name.rfind(".")
    stem, ending = (name[:dot], name[dot:]) if keep_ending and dot > 0 and len(name) - dot <= 20 else (name, "")
    while stem and len(os.fsencode(stem + ending)) > most:
        stem = stem[:-1]
    return stem + ending


def _longest_name(folder: Path) -> int:
    """The most bytes that a name may have in a folder, or in the nearest one above it that is there."""
    for above in (folder, *folder.absolute().parents):
        try:
            return os.pathconf(above, "PC_NAME_MAX")
        except (AttributeError, ValueError):  # Windows, and disks that don't say
            break
        except OSError:
            continue
    return 255


def append_lines(path: Path, lines: Sequence[str]) -> None:
    """Add lines at the end of a file in one write, on the disk when this returns; the file is made where there is none.

    A line that a crash broke off stays a line of its own. Several processes may add at once.

    Args:
        path: a file; not a link, which could lead to a file that is not ours.
        lines: without their ends; of what is no UTF-8 in them the escape is written.
    Raises: OSError, also when the disk is full.
    """
    text = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        raise OSError(errno.ELOOP, "it is a link to another place")
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(path, flags, 0o666)
    try:
        if (end := os.lseek(handle, 0, os.SEEK_END)) > 0:
            os.lseek(handle, end - 1, os.SEEK_SET)
            if os.read(handle, 1) != b"\n":
                text = b"\n" + text
        if os.write(handle, text) < len(text):
            raise OSError(errno.ENOSPC, "the disk is full")
        os.fsync(handle)
    finally:
        os.close(handle)
    if not end:  # the file is new: its name is to outlast a power cut too
        sync_folder(path.parent)


def read_lines(path: Path, longest: int, last_bytes: int | None = None) -> Iterator[bytes | None]:
    """The lines of a file with their ends; None in place of one that is too long to be ours. None where there is none.

    Args:
        path: the file.
        longest: bytes of a line that are read.
        last_bytes: read no more than so many bytes at the end of the file; what they cut off a line is left out.
    Raises: OSError, also for what is no file.
    """
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise OSError(errno.EINVAL, "it is no file")
    try:
        with path.open("rb") as file:
            if last_bytes is not None and file.seek(0, os.SEEK_END) > last_bytes:
                file.seek(-last_bytes - 1, os.SEEK_END)
                while (cut := file.readline(longest)) and not cut.endswith(b"\n"):
                    pass
            else:
                file.seek(0)
            while line := file.readline(longest):
                fits = True
                while len(line) == longest and not line.endswith(b"\n"):
                    fits, line = False, file.readline(longest)
                yield line if fits else None
    except FileNotFoundError:
        return


def replace_folder(folder: Path, write: Callable[[Path], None], *, keep_existing: bool = False) -> None:
    """Write a folder whole or not at all; a folder that is there already is replaced.

    Args:
        folder: where it shall lie; the folders above it are made. Killed between two renames, its former content lies
            at `previous_of(folder)` until `remove_leftovers` puts it back.
        write: called with an empty folder beside it, into which it writes. All of it is forced to the disk afterwards.
        keep_existing: leave a folder that is there already, or that another process puts there meanwhile, as it is.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{folder.name}."
    _remove_stale(folder.parent, prefix)
    previous = previous_of(folder)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=prefix) as temporary, _held(Path(temporary)):
        new = Path(temporary, "new")
        new.mkdir()
        write(new)
        sync_tree(new)
        if not keep_existing and folder.exists():
            shutil.rmtree(previous, ignore_errors=True)
            folder.rename(previous)
        try:
            new.rename(folder)
        except OSError:
            if previous.is_dir() and not folder.exists():
                previous.rename(folder)
            if not (keep_existing and folder.is_dir()):
                raise
        sync_folder(folder.parent)
    shutil.rmtree(previous, ignore_errors=True)


def previous_of(folder: Path) -> Path:
    """Where a folder that is being replaced lies until the new one is in its place."""
    return folder.with_name(f".{folder.name}{PREVIOUS}")


def remove_folder(folder: Path) -> None:
    """Remove a folder so that a reader, or a crash, meets it whole or not at all: it is renamed first.

    What a crash leaves goes with `remove_leftovers`.
    """
    doomed = folder.with_name(f".{folder.name}{REMOVED}")
    shutil.rmtree(doomed, ignore_errors=True)
    folder.rename(doomed)
    sync_folder(folder.parent)
    shutil.rmtree(doomed)


def remove_leftovers(folder: Path) -> None:
    """Undo or finish what killed calls of `atomic_write`, `replace_folder` and `remove_folder` began in a folder.

    Only for who may write there alone.
    """
    for path in find_leftovers(folder):
        if path.name.endswith(PREVIOUS) and not (replaced := path.with_name(path.name[1 : -len(PREVIOUS)])).exists():
            path.rename(replaced)
        else:
            _remove_free(path)


def try_writing(folder: Path) -> None:
    """Write and remove a small file, to find out before some work whether its result can be written.

    Args:
        folder: which exists; permissions alone do not tell of quotas, full disks and network drives.
    Raises: OSError.
    """
    with tempfile.TemporaryFile(dir=folder) as file:  # without a name, which a power cut could bring back
        file.write(bytes(4096))


def why_unwritable(path: Path) -> str:
    """What is known to prevent that a file or a folder is made at a path, asked before the work; "" for nothing."""
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir():
        return f"{above} is a file"
    return "" if os.access(above, os.W_OK | os.X_OK) else f"nothing can be written in {above}"


def find_leftovers(folder: Path) -> list[Path]:
    """What stands in a folder for something that was being written or removed when a run was killed."""
    found = []
    for path in sorted(folder.glob(".*")):
        if _LEFTOVER.fullmatch(path.name):
            with _claimed(path) as free:
                found += [path] * free
    return found


def _remove_stale(folder: Path, prefix: str) -> None:
    """Remove what killed calls left that wrote the file or folder whose temporary names begin so."""
    with os.scandir(folder) as entries:
        left = [entry.name for entry in entries if entry.name.startswith(prefix)]
    for name in left:
        if _LEFTOVER.fullmatch(name) and len(name) == len(prefix) + _RANDOM:
            _remove_free(folder / name)


def _remove_free(path: Path) -> None:
    """Remove a file or a folder that no living process is writing."""
    with _claimed(path) as free:
        if not free:
            return
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(FileNotFoundError, PermissionError):
                path.unlink()


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Within it, `_claimed` finds in any process that this is being written; the system ends it with the process."""
    with _opened(path) as opened:
        if opened is not None:
            with suppress(OSError):  # a disk that knows no locks
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


@contextmanager
def _claimed(path: Path) -> Iterator[bool]:
    """Whether no living process is writing this file or folder, as far as can be told."""
    free = True
    with _opened(path) as opened:
        if opened is not None:
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                free = error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
        yield free


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    """A file or folder, open for locks; None where there are none, or it cannot be opened."""
    opened = None
    if fcntl is not None:
        with suppress(OSError):
            opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        yield opened
    finally:
        if opened is not None:
            os.close(opened)


def folder_size(folder: Path) -> int:
    """The bytes of all files of a folder; 0 when it is not there."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def sync_file(path: Path) -> None:
    """Force what a file holds to the disk."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk, where the system can: after a power cut they are there."""
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):  # some network disks sync files only
            raise
    finally:
        os.close(opened)


def sync_tree(folder: Path) -> None:
    """Force all files below a folder to the disk, then the folders that name them, the innermost first."""
    for inner, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync_file(Path(inner, name))
        sync_folder(Path(inner))


def digest(parts: Iterable[bytes], length: int = 16) -> bytes:
    """BLAKE2b of bytes that come in parts, `length` bytes: parts that join to the same bytes have the same digest.

    >>> digest([b"ab", b"c"]) == digest([b"abc"])
    True
    """
    total = hashlib.blake2b(digest_size=length)
    for part in parts:
        total.update(part)
    return total.digest()
