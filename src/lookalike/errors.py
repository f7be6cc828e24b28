"""Every error that lookalike raises on purpose, each saying where, what, and how to mend it in one line."""

import errno
import re
from typing import Any

# What libraries say in words: the loader, malloc, C++ (OpenVINO, torch), Rust (Lance), Python's threads.
_OUT_OF_MEMORY = re.compile(
    r"failed to map segment|cannot allocate|can.?t alloc|not enough memory|out of memory|memory allocation of"
    r"|bad_alloc|can't start new thread",
    re.IGNORECASE,
)


class LookalikeError(Exception):
    """The root: the command line prints it as one line to stderr and exits 1; the server answers with a 4xx.

    Args:
        args: the line for people.
        code: what tells the reason apart for programs and for translation, such as "lens.unknown"; by default that of
            the class.
        details: what else a program may want to know, which JSON can hold.

    >>> LensError("stripes: no such lens.", code="lens.unknown").code, QueryError("k is 0.").code
    ('lens.unknown', 'query')
    """

    code = "error"

    def __init__(self, *args: object, code: str | None = None, details: dict[str, Any] | None = None):
        super().__init__(*args)
        self.details = details or {}
        if code is not None:
            self.code = code


class ShapeError(LookalikeError, ValueError):
    """Arrays whose shapes or dtypes do not fit together."""

    code = "shape"


class ImageError(LookalikeError):
    """A picture that cannot be read: broken, too large, or no picture at all.

    Attributes:
        reason: what is wrong and how to mend it, without the file's name.
        kind: "broken", "too large", "needs an extra", "unsupported" (a picture in a format that is not read),
            "not a picture" (and its ending does not pretend so), "killed" (a run was killed while it was read),
            "unreadable" (the system refused it: a permission, a disk, a network), "no memory" (less was free than it
            takes), or "gone" (it vanished). The code is made of it: "image.too_large".
        content: the hash of the file's bytes, where they could be read and not decoded; else None.
    """

    content: bytes | None = None

    def __init__(self, reason: str, kind: str = "broken", file: str | None = None):
        super().__init__(reason if file is None else f"{file}: {reason}", code=f"image.{kind.replace(' ', '_')}")
        self.reason, self.kind = reason, kind


class BundleError(LookalikeError):
    """A backbone on disk that is incomplete, damaged, hostile or not known by that name."""

    code = "backbone"


class CollectionError(LookalikeError):
    """A collection that cannot be opened, or cannot do what was asked of it as it stands."""

    code = "collection"


class DamagedTableError(CollectionError):
    """A table whose files are missing, cut or cannot be read; says what mends it."""

    code = "collection.damaged"


class OutdatedSnapshotError(CollectionError):
    """A version of a table whose files another process removed while it was read: the newest one can be read."""

    code = "collection.outdated"


class LockedError(CollectionError):
    """Another process is writing to the collection; details: its program, process, host, work and since when."""

    code = "collection.locked"


class StorageError(LookalikeError):
    """An object store that says no, or nothing at all: its code tells which, as "storage.denied"; holds no secret."""

    code = "storage"


class QueryError(LookalikeError):
    """Something that cannot be searched with, or a filter that cannot be understood."""

    code = "query"


class ExamplesError(LookalikeError):
    """Examples that cannot be read as pairs, classes, triplets or judgements."""

    code = "examples"


class AmbiguousNameError(QueryError, ExamplesError):
    """A name that several files have, each in another form of Unicode, and none exactly so."""

    code = "name.ambiguous"


class LensError(LookalikeError):
    """A lens that is not there, does not fit the collection's backbone, or is damaged."""

    code = "lens"


class TrainingError(LookalikeError):
    """Learning that went wrong: collapse, numbers that are no numbers, or nothing to learn from."""

    code = "training"


class NoActiveTripletsError(TrainingError):
    """Learning in which no triplet was ever active: everything is as far apart as the loss asks for."""

    code = "training.no_active_triplets"


class DamagedTableWarning(UserWarning):
    """An older version of a table answers, because the newest one is damaged; the next index mends it."""


class MissingExtraError(LookalikeError, ImportError):
    """A part of lookalike whose optional dependency is not installed."""

    code = "extra.missing"

    def __init__(self, what: str, extra: str):
        super().__init__(f"{what} needs the extra '{extra}'. Install it with: pip install 'lookalike[{extra}]'")
        self._made_of = what, extra

    def __reduce__(self) -> tuple[Any, ...]:  # a worker process hands its errors on
        return type(self), self._made_of


class MemoryLimitError(LookalikeError, MemoryError):
    """Less memory than the work needs: of the machine, of a container, or by `ulimit -v`."""

    code = "memory"

    def __init__(self, what: str = "this"):
        super().__init__(
            f"not enough memory for {what}. Close other programs, or raise the limit (ulimit -v, or a container's)."
        )
        self._what = what

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._what,)


class ForkedError(LookalikeError):
    """Something that a process forked from another one cannot use, because its parent had used it before."""

    code = "forked"


class Cancelled(LookalikeError):  # noqa: N818  (a request, not a fault)
    """Raised by a Reporter to stop the work: what was committed stays, and nothing keeps running."""

    code = "cancelled"


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or what it was raised from, says that there was too little memory.

    >>> is_out_of_memory(RuntimeError("std::bad_alloc")), is_out_of_memory(RuntimeError("bad shape"))
    (True, False)
    """
    while error is not None:
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
            return True
        if not isinstance(error, LookalikeError | KeyError) and _OUT_OF_MEMORY.search(str(error)):
            return True
        error = error.__cause__ or error.__context__
    return False
