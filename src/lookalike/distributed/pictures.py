"""The pictures below an address on an object store: listed, fetched ahead of those who decode, kept where asked for."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from lookalike.distributed.listing import as_scan
from lookalike.distributed.object_store import Location, is_address
from lookalike.errors import ImageError
from lookalike.images.decode import check_picture
from lookalike.images.fetched import stand_in
from lookalike.images.formats import HEAD
from lookalike.images.leave_out import NOTHING_ELSE, LeaveOut
from lookalike.images.limits import FLIGHT, LIMITS, Limits
from lookalike.images.picture_source import FolderPictures, PictureSource
from lookalike.images.scan import ImageFile, ScanResult, Sieve

IN_FLIGHT = 16  # gets: a store answers slowly, but many at once
KEPT_BYTES = 1 << 30  # of pictures that were fetched to be opened: beyond, those that came first go
LARGE = 1 << 20  # bytes from which a file's beginning is looked at before the whole is read


class BucketPictures:
    """A `PictureSource` of all pictures below an address.

    Args:
        location: where they lie.
        folder: of this machine, where those are kept that somebody opens by their path; it may vanish at any time.
        own: where their collection is kept, if that lies on an object store.
    """

    def __init__(self, location: Location, folder: Path, own: Location | None = None):
        self.location, self.folder, self.own = location, folder, own
        self._unchecked: int | None = None  # bytes fetched since the folder was looked through
        self._coming: dict[str, tuple[Future[bytes], ExitStack]] = {}
        stand_in(folder, self.fetch)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.location, self.folder, self.own)

    def __str__(self) -> str:
        return str(self.location)

    @property
    def address(self) -> str:
        """As s3://bucket/photos."""
        return str(self.location)

    def require(self) -> None:
        """Raises: StorageError, when it cannot be listed."""
        self.location.check()

    def scan(self, leave_out: LeaveOut = NOTHING_ELSE, sieve: Sieve | None = None) -> ScanResult:
        """Every object that may be a picture, as `scan_folder` has it of files.

        Raises: StorageError, where the listing did not come to its end; CollectionError, for an ignore file that cannot
            be read, and a pattern that is none.
        """
        return as_scan(self.location, leave_out, self.own, sieve)

    def ahead(self, files: Sequence[ImageFile], limits: Limits = LIMITS) -> Iterator[ImageFile]:
        """The files in their order, each with its bytes on the way; the sum of their bytes stays within the limits."""
        with ThreadPoolExecutor(IN_FLIGHT, "lookalike-fetching") as getters:
            try:
                for file in files:
                    held = ExitStack()
                    future: Future[bytes]
                    try:
                        limits.check_bytes(file.bytes)
                        # Taken here, in the order of the files: every file before this one has a reader by now.
                        held.enter_context(FLIGHT.hold_file(file.bytes, limits.in_flight))
                        future = getters.submit(self._get, file)
                    except ImageError as error:
                        future = Future()
                        future.set_exception(error)
                    self._coming[file.file] = future, held
                    yield file
            except BaseException:  # who asked stops early
                for future, held in self._coming.values():
                    future.cancel()
                    held.close()
                self._coming.clear()
                raise

    @contextmanager
    def open(self, file: ImageFile, limits: Limits = LIMITS) -> Iterator[bytes]:
        """The bytes of a file that `ahead` gave."""
        future, held = self._coming.pop(file.file)
        with held:
            yield future.result()

    def read(self, name: str, limits: Limits = LIMITS) -> bytes:
        """The bytes of a file as it is now; nothing is kept of it.

        Raises: ImageError, where there is none, or it is too large; StorageError.
        """
        with _gone_is_an_image_error():
            return self.location.read(name, limits.check_bytes)[0]

    def fetch(self, name: str) -> None:
        """Put a file into the folder, as it is now; where it lies there already, only its date and size are asked.

        The folder stays below about KEPT_BYTES.

        Raises: FileNotFoundError; OSError; StorageError.
        """
        place, seen = self.folder / name, self.location.look(name)
        if seen is None:
            with contextlib.suppress(OSError):
                place.unlink()
            raise FileNotFoundError(2, "no such picture in the bucket", f"{self.location}/{name}")
        with contextlib.suppress(OSError):
            status = place.stat()
            if (status.st_size, status.st_mtime_ns) == (seen.bytes, seen.mtime_ns):
                return
        content, seen = self.location.read(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=place.parent, prefix=".fetched.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.utime(temporary, ns=(seen.mtime_ns, seen.mtime_ns))
            Path(temporary).replace(place)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        self._make_room(len(content))

    def _make_room(self, fetched: int) -> None:
        """Remove what was fetched first; the folder is looked through once in KEPT_BYTES / 8."""
        unchecked = self._unchecked
        self._unchecked = fetched if unchecked is None else unchecked + fetched
        if unchecked is not None and self._unchecked <= KEPT_BYTES // 8:
            return
        self._unchecked = 0
        kept = []
        for path in self.folder.rglob("*"):
            with contextlib.suppress(OSError):  # removed meanwhile
                status = path.stat()
                if stat.S_ISREG(status.st_mode):
                    kept.append((status.st_ctime_ns, status.st_size, path))  # its own date is the object's
        size = sum(one for _, one, _ in kept)
        for _, one, path in sorted(kept)[:-1]:  # the newest is about to be opened
            if size <= KEPT_BYTES * 7 // 8:
                return
            with contextlib.suppress(OSError):
                path.unlink()
            size -= one

    def _get(self, file: ImageFile) -> bytes:
        with _gone_is_an_image_error():
            if file.bytes > LARGE:
                check_picture(file.file, self.location.read_start(file.file, HEAD))
            content, _ = self.location.read(file.file)
        check_picture(file.file, content)
        return content


@contextmanager
def _gone_is_an_image_error() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ImageError("no such file. Check its name, or whether it was moved.", "gone") from error


def pictures_at(place: str, cache: Path, own: Location | None = None) -> PictureSource:
    """The pictures of the place that a collection.json names: of a folder, or below an address.

    Args:
        place: a path or an address.
        cache: of the collection.
        own: where the collection is kept, if that is on an object store.
    """
    if is_address(place):
        return BucketPictures(Location.parse(place), cache / "pictures", own)
    return FolderPictures(Path(place))
