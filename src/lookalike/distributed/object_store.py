"""Addresses on an object store, and what is listed, read and written there, by obstore."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from lookalike.errors import MissingExtraError, StorageError
from lookalike.index.storage import SCHEMES, is_address, lance_options, storing
from lookalike.models.forks import check_not_forked

__all__ = ["Location", "StoredFile", "is_address", "lance_options"]

LISTED_AT_ONCE = 1000  # as many as a store names in one answer
_SETTINGS = (
    "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SHARED_CREDENTIALS_FILE"
)  # fmt: skip
_SECOND = timedelta(seconds=1)
_FEW_TRIES = {
    "max_retries": 2,
    "backoff": {"init_backoff": _SECOND / 10, "max_backoff": _SECOND, "base": 2},
    "retry_timeout": 10 * _SECOND,
}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One object: its name below the location, its bytes, its date in ns (stores keep seconds), its tag."""

    name: str
    bytes: int
    mtime_ns: int
    tag: str


@dataclass(frozen=True)
class Location:
    """A place on an object store: a bucket and what the names of its objects begin with.

    It holds no connection and no secret, so it can be pickled and printed. Credentials are found where the store's own
    tools find them: variables of the environment, a named profile, the role of the machine.

    Attributes:
        scheme: "s3", "gs" or "az".
        bucket: for az, the container.
        prefix: without / at its ends; "" for the whole bucket.

    >>> place = Location.parse("s3://shop/photos/")
    >>> str(place), str(place.child("2026")), place.name
    ('s3://shop/photos', 's3://shop/photos/2026', 'photos')
    """

    scheme: str
    bucket: str
    prefix: str = ""

    @classmethod
    def parse(cls, address: str) -> "Location":
        """An address, such as s3://bucket/photos, as a Location.

        Raises: StorageError, for what is none.
        """
        scheme, found, rest = address.partition("://")
        bucket, _, prefix = rest.partition("/")
        prefix = prefix.strip("/")
        parts = prefix.split("/") if prefix else []
        if not found or scheme not in SCHEMES or not bucket or any(part in ("", ".", "..") for part in parts):
            raise StorageError(
                f"{address}: not an address of an object store. Write it as s3://BUCKET/PREFIX (or gs://, az://).",
                code="storage.address",
            )
        if any(mark in rest for mark in "?#") or "@" in bucket:
            raise StorageError(
                f"{scheme}://{bucket.rpartition('@')[2]}: an address holds a bucket and a prefix alone. Leave out what "
                "follows ? or #, and set credentials in the environment.",
                code="storage.address",
            )
        return cls(scheme, bucket, prefix)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.prefix.rpartition("/")[2] or self.bucket

    def child(self, name: str) -> "Location":
        """A place below this one."""
        return Location(self.scheme, self.bucket, f"{self.prefix}/{name}".strip("/"))

    def check(self) -> None:
        """Ask for one name, with few tries, so that what is wrong is known in seconds.

        Raises: StorageError, which says what is wrong; MissingExtraError, without the extra "remote".
        """
        with storing("list", str(self)):
            next(
                iter(
                    _obstore().list(
                        _store(self.scheme, self.bucket, _settings(), few=True), self._below(), chunk_size=1
                    )
                ),
                None,
            )

    def list_all(self, below: str = "") -> Iterator[StoredFile]:
        """Every object below this place, by name; what programs write to mark folders is left out.

        Args:
            below: only those whose names begin with this folder.
        Raises: StorageError, at any step: what was listed by then is not all.
        """
        cut = len(self._below())
        with storing("list", str(self)):
            for batch in _obstore().list(self._store, self.child(below)._below(), chunk_size=LISTED_AT_ONCE):
                yield from (_stored(one, cut) for one in batch if not _is_mark(one))

    def list_here(self) -> tuple[list[StoredFile], list[str]]:
        """The objects right here, and the names of the folders, as one looks into a folder.

        Raises: StorageError.
        """
        cut = len(self._below())
        with storing("list", str(self)):
            found = _obstore().list_with_delimiter(self._store, self._below())
        return [_stored(one, cut) for one in found["objects"] if not _is_mark(one)], [
            one[cut:] for one in found["common_prefixes"]
        ]

    def read(self, name: str, check_size: Callable[[int], None] | None = None) -> tuple[bytes, StoredFile]:
        """An object's bytes, and what it was when they were read.

        Args:
            name: of it.
            check_size: called with how many bytes it has before they come; it may raise.
        Raises: FileNotFoundError, where there is none; StorageError; what `check_size` raises.
        """
        with storing("read", str(self.child(name))):
            found = _obstore().get(self._store, self._key(name))
            if check_size is not None:
                check_size(found.meta["size"])
            return bytes(found.bytes()), _stored(found.meta, len(self._below()))

    def read_start(self, name: str, size: int) -> bytes:
        """The first bytes of an object, at most `size`; as `read`."""
        with storing("read", str(self.child(name))):
            return bytes(_obstore().get_range(self._store, self._key(name), start=0, length=size))

    def look(self, name: str) -> StoredFile | None:
        """What an object is, without its bytes; None where there is none.

        Raises: StorageError.
        """
        try:
            with storing("read", str(self.child(name))):
                return _stored(_obstore().head(self._store, self._key(name)), len(self._below()))
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes | Path, *, tag: str | None = None, new: bool = False) -> str | None:
        """Write an object.

        Args:
            name: of it.
            content: its bytes, or the file that holds them.
            tag: only where the object there has this tag; None: whatever is there.
            new: only where there is none.
        Returns: the tag of what was written; None where the condition did not hold, so that nothing was.
        Raises: StorageError.
        """
        obstore, mode = _obstore(), "create" if new else "overwrite" if tag is None else {"e_tag": tag}
        exceptions = obstore.exceptions
        try:
            with storing("write", str(self.child(name))):
                conditional = {} if mode == "overwrite" else {"use_multipart": False}
                found = obstore.put(self._store, self._key(name), content, mode=mode, **conditional)
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
            return None
        except FileNotFoundError:  # what had this tag is gone
            if tag is None:
                raise
            return None
        return str(found["e_tag"])

    def remove(self, name: str) -> None:
        """Remove an object, if it is there.

        Raises: StorageError.
        """
        try:
            with storing("remove", str(self.child(name))):
                _obstore().delete(self._store, self._key(name))
        except FileNotFoundError:
            return

    @property
    def _store(self) -> Any:
        return _store(self.scheme, self.bucket, _settings())

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}".lstrip("/")

    def _below(self) -> str:
        return f"{self.prefix}/" if self.prefix else ""


def _is_mark(meta: Mapping[str, Any]) -> bool:
    """Whether an object only marks a folder: nothing is in it, and its name, which ended in /, has no ending."""
    return not meta["size"] and "." not in meta["path"].rpartition("/")[2]


def _stored(meta: Mapping[str, Any], cut: int) -> StoredFile:
    date = int(meta["last_modified"].timestamp()) * 1_000_000_000
    return StoredFile(meta["path"][cut:], meta["size"], date, str(meta["e_tag"]))


def _obstore() -> Any:
    """obstore, imported where it is used.

    Raises: MissingExtraError; ForkedError.
    """
    check_not_forked("obstore")
    try:
        import obstore
        import obstore.exceptions
        import obstore.store
    except ImportError as error:
        raise MissingExtraError("object storage", "remote") from error
    return obstore


def _settings() -> tuple[str | None, ...]:
    return tuple(os.environ.get(name) for name in _SETTINGS)


@cache
def _store(scheme: str, bucket: str, settings: tuple[str | None, ...], few: bool = False) -> Any:
    """The connection to a bucket, one a process; another one where the settings in the environment are others."""
    stores = _obstore().store
    options: dict[str, Any] = {"retry_config": _FEW_TRIES} if few else {}
    if scheme == "gs":
        return stores.GCSStore(bucket, **options)
    if scheme == "az":
        return stores.AzureStore(bucket, **options)
    if endpoint := os.environ.get("AWS_ENDPOINT_URL"):
        options["endpoint"] = endpoint
        if endpoint.startswith("http:"):
            options["client_options"] = {"allow_http": True}
    if _has_profile():
        options["credential_provider"] = _profile_credentials()
    return stores.S3Store(bucket, **options)


def _has_profile() -> bool:
    """Whether keys are to be taken from a profile, which obstore does not know: one is named, or there is a file."""
    if "AWS_PROFILE" in os.environ:
        return True
    file = os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or Path.home() / ".aws" / "credentials"
    return "AWS_ACCESS_KEY_ID" not in os.environ and Path(file).is_file()


def _profile_credentials() -> Any:
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError as error:
        raise MissingExtraError("an AWS profile", "remote") from error
    return Boto3CredentialProvider()
