"""The pictures of a gallery one by one and page by page: by the hash of their content, by file, date, or at random."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import QueryError
from lookalike.images.fetched import present
from lookalike.index.gallery import Gallery

Order = Literal["file", "mtime", "random"]
ORDERS: tuple[str, ...] = get_args(Order)


@dataclass(frozen=True)
class Picture:
    """One picture of a collection; an os.PathLike, as a Hit is.

    Attributes:
        file: its name in the collection. path: where it lies.
        content: the hash of its bytes, 16 bytes; id: the same in hex.
        width, height: in pixels, upright.
        mtime_ns: when the file was last changed, in ns since 1970.
    """

    file: str
    path: Path
    content: bytes
    width: int
    height: int
    mtime_ns: int

    def __fspath__(self) -> str:
        return str(present(self.path))

    @property
    def id(self) -> str:
        """The hash of the content, 32 hex digits."""
        return self.content.hex()


@dataclass(frozen=True)
class PicturePage:
    """Some pictures in their order.

    Attributes:
        version: of the table. total: how many there are in all pages.
        offset: of the first one.
        pictures: in their order.
    """

    version: int
    total: int
    offset: int
    pictures: Sequence[Picture]


class PictureList:
    """What a gallery knows of each picture but its vector.

    Args:
        gallery: the pictures of one version of a table.
        folder: where their files lie.
    """

    def __init__(self, gallery: Gallery, folder: Path):
        self.gallery, self.folder = gallery, folder

    def page(
        self, offset: int = 0, limit: int | None = None, *, where: str | None = None, order: Order = "file"
    ) -> PicturePage:
        """The pictures from one place on.

        Args:
            offset: how many to pass over, 0 or more.
            limit: how many at most; None for all.
            where: an SQL condition on file, width, height, bytes, mtime.
            order: by file, or as they lie in the table where that is larger than memory; by mtime, the newest first; or
                random, the same in every page of a table's version.
        Raises: QueryError.
        """
        if offset < 0 or (limit is not None and limit < 0):
            raise QueryError(f"offset {offset}, limit {limit}: expected numbers from 0 on.")
        stop = None if limit is None else offset + limit
        if order == "file":  # places are in that order: nothing is made for those that are passed over
            places = None if where is None else np.flatnonzero(self.gallery.filter(where))
        else:
            places = self._order(order)
            places = places if where is None else places[self.gallery.filter(where)[places]]
        total = len(self.gallery) if places is None else len(places)
        wanted = np.arange(*slice(offset, stop).indices(total)) if places is None else places[offset:stop]
        return PicturePage(self.gallery.version, total, offset, self._all_at(wanted))

    def at(self, place: int) -> Picture:
        """The picture at one place of the gallery."""
        if self.gallery.is_mapped:
            return self._all_at(np.array([place]))[0]
        file, (width, height) = self.gallery.files[place], self._sizes[place].tolist()
        content, date = self.gallery.contents[place].tobytes(), int(self._dates[place])
        return Picture(file, self.folder / file, content, width, height, date)

    def named(self, files: Sequence[str]) -> list[Picture | None]:
        """The pictures of some names, in this order; None for what is not here.

        Raises: AmbiguousNameError, as `Gallery.row_of`.
        """
        places = self.gallery.rows_of(files)
        found = iter(self._all_at(np.array([one for one in places if one is not None], np.int64)))
        return [None if one is None else next(found) for one in places]

    def find(self, id: str) -> list[Picture]:
        """The pictures of one content, by file; none, where the id is none or not here.

        Args:
            id: 32 hex digits.
        """
        if len(id) != 32 or not set(id) <= set("0123456789abcdef"):
            return []
        if self.gallery.is_mapped:
            return self._all_at(self.gallery.copies_of(bytes.fromhex(id)))
        first, second = np.frombuffer(bytes.fromhex(id), np.uint64)
        keys, places = self._by_content
        found = places[np.searchsorted(keys, first) : np.searchsorted(keys, first, side="right")]
        return [self.at(int(one)) for one in np.sort(found[self.gallery.contents[found, 1] == second])]

    def _all_at(self, places: NDArray[np.int64]) -> list[Picture]:
        """The pictures at some places, in this order."""
        if not self.gallery.is_mapped:
            return [self.at(int(one)) for one in places]
        return [Picture(path=self.folder / one["file"], **one) for one in self.gallery.details(places)]

    def _order(self, order: str) -> NDArray[np.int64]:
        count = len(self.gallery)
        if order == "mtime":
            return np.argsort(-self._dates, kind="stable")
        if order == "random":
            return np.random.default_rng(self.gallery.version).permutation(count)
        raise QueryError(f"order {order!r}: not known. There are {', '.join(ORDERS)}.")

    @cached_property
    def _by_content(self) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """The first halves of the hashes, sorted, and the places that they belong to."""
        places = np.argsort(self.gallery.contents[:, 0], kind="stable")
        return self.gallery.contents[places, 0], places

    @cached_property
    def _sizes(self) -> NDArray[np.int32]:
        return self.gallery.sizes

    @cached_property
    def _dates(self) -> NDArray[np.int64]:
        return self.gallery.dates
