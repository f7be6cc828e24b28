"""Where a collection's pictures lie: a folder, or what else can list and give them."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from lookalike.errors import CollectionError
from lookalike.images.decode import open_bytes
from lookalike.images.leave_out import NOTHING_ELSE, LeaveOut
from lookalike.images.limits import LIMITS, Limits
from lookalike.images.scan import ImageFile, ScanResult, Sieve, scan_folder


class PictureSource(Protocol):
    """Lists pictures and gives their bytes. `str` of it is what people call it.

    Attributes:
        folder: where they lie on this machine; for those elsewhere, where they are kept once they were fetched.
        address: what collection.json calls it, the same from wherever it is asked.
    """

    folder: Path

    @property
    def address(self) -> str: ...

    def require(self) -> None:
        """Raises: CollectionError or StorageError, when it cannot be reached."""

    def scan(self, leave_out: LeaveOut = NOTHING_ELSE, sieve: Sieve | None = None) -> ScanResult:
        """What there is, in any order; with a sieve, as `scan_folder`, only the files that it keeps.

        Raises: StorageError, where the listing did not come to its end; CollectionError, as `scan_folder`.
        """

    def ahead(self, files: Sequence[ImageFile], limits: Limits = LIMITS) -> Iterable[ImageFile]:
        """The same files in the same order; each is fetched by the time that it comes, where that takes time."""

    def open(self, file: ImageFile, limits: Limits = LIMITS) -> AbstractContextManager[bytes]:
        """A file's bytes, as `open_bytes`; once for each that `ahead` gave."""


class FolderPictures:
    """The pictures of a folder.

    >>> str(FolderPictures(Path("photos")))
    'photos'
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def __str__(self) -> str:
        return str(self.folder)

    @property
    def address(self) -> str:
        """The folder's path from the root."""
        return str(self.folder.resolve())

    def require(self) -> None:
        """Raises: CollectionError, when the folder is not there."""
        if self.folder.exists() and not self.folder.is_dir():
            raise CollectionError(f"{self.folder}: a file. Name its folder.")
        if not self.folder.exists():
            line = f"{self.folder}: no such folder. Check the name, or plug its disk in."
            raise CollectionError(line, code="collection.offline")

    def scan(self, leave_out: LeaveOut = NOTHING_ELSE, sieve: Sieve | None = None) -> ScanResult:
        """What lies in the folder, see `scan_folder`.

        Raises: CollectionError, when it is not there by the end of the scan.
        """
        found = scan_folder(self.folder, leave_out, ordered=False, sieve=sieve)
        if not self.folder.is_dir():
            raise CollectionError(f"{self.folder}: no such folder. Plug the disk in, or check the name.")
        return found

    def ahead(self, files: Sequence[ImageFile], limits: Limits = LIMITS) -> Sequence[ImageFile]:
        """The files: the system reads ahead by itself."""
        return files

    def open(self, file: ImageFile, limits: Limits = LIMITS) -> AbstractContextManager[bytes]:
        """See `open_bytes`."""
        return open_bytes(file.path, limits)
