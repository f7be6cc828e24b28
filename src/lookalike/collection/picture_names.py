"""A collection as a container of its pictures' names: len, in, and a loop over them."""

from collections.abc import Iterator
from pathlib import Path

from lookalike.collection.folder import CollectionFolder
from lookalike.collection.judging import FileNames
from lookalike.index.gallery import IN_MEMORY_ROWS
from lookalike.index.inside import check_inside
from lookalike.index.mapped_catalog import MappedCatalog
from lookalike.index.snapshot import Snapshot
from lookalike.names import NameIndex, Names


class PictureNames:
    """What a Collection knows of its pictures without opening its backbone; a part of `Collection`.

    Each call reads the collection anew. Before the first index there are no pictures.
    """

    home: CollectionFolder
    folder: Path

    def __len__(self) -> int:
        """How many pictures there are."""
        snapshot = self._newest()
        return 0 if snapshot is None else len(snapshot)

    def __iter__(self) -> Iterator[str]:
        """The pictures' names, sorted; in the order of the table where that is larger than memory."""
        return iter(self._names().files)

    def __contains__(self, picture: object) -> bool:
        """Whether a picture is here: by its name in any form of Unicode, as a path, or as a Hit."""
        return FileNames(self.folder, self._names()).knows(picture)

    def __bool__(self) -> bool:
        """True, also where there are no pictures yet: `len` says how many there are."""
        return True

    def _names(self) -> Names:
        snapshot = self._newest()
        if snapshot is None:
            return NameIndex([])
        if len(snapshot) > IN_MEMORY_ROWS:
            return MappedCatalog(snapshot, self.home.cache / "catalog")
        names = snapshot.read("file").column("file")
        check_inside(names, snapshot.name)
        return NameIndex(sorted(names.to_pylist()))

    def _newest(self) -> Snapshot | None:
        config = self.home.config()
        return None if config is None else self.home.open_table(config.backbone).snapshot()
