"""Collection: a folder of pictures that answers "which are the ones like this?"; the verbs, each a few lines."""

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import CollectionError, LensError, MissingExtraError, QueryError
from lookalike.hits import Hits, grid_of, picture_of
from lookalike.home import Home, Settings, write_whole
from lookalike.table import RefusedTable, Table

if TYPE_CHECKING:
    from lookalike.backbone import Backbone
    from lookalike.gallery import Gallery
    from lookalike.indexing import Done, Progress
    from lookalike.lens import Lens

NEARLY_EQUAL = 0.98
PLAIN = "plain"


class Collection:
    """A folder of pictures, together with what lookalike knows of it.

    Args:
        folder: the pictures' folder, or a collection's own folder.
        at: where to keep the collection; by default FOLDER/.lookalike.
        backbone: for a new collection; efficientnet-lite0 when left out.
        threads: of the processor; None for all.
    Raises: CollectionError, when it was made with another backbone, or is damaged.

    >>> Collection("photos").home.at.as_posix()
    'photos/.lookalike'
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        at: str | Path | None = None,
        backbone: str | Path | None = None,
        threads: int | None = None,
    ):
        self.home = Home(Path(folder), Path(at) if at is not None else None)
        self.folder = self.home.folder
        self._asked, self._threads = backbone, threads
        self._galleries: dict[str, tuple[object, Gallery]] = {}

    @cached_property
    def backbone(self) -> "Backbone":
        """The network that reads this collection's pictures."""
        from lookalike.backbone import DEFAULT, Backbone

        settings = self.home.settings()
        if settings is None:
            return Backbone(self._asked or DEFAULT, threads=self._threads)
        made = Backbone(self._asked or settings.backbone_name, threads=self._threads, precision=settings.precision)
        if made.id != settings.backbone:
            raise CollectionError(
                f"{self.folder}: made with backbone {settings.backbone_name}, asked for {made.name}. "
                "Leave --backbone out, or make a second collection with --at DIR."
            )
        return made

    @property
    def table(self) -> Table:
        """The pictures' table."""
        return Table(self.home.table(self.backbone.id), self.backbone.length)

    @property
    def refused(self) -> RefusedTable:
        """The files that could not be read."""
        return RefusedTable(self.home.refused(self.backbone.id))

    def index(
        self,
        *,
        prune: bool = False,
        megapixels: float = 100,
        report: "Callable[[Progress], None] | None" = None,
    ) -> "Done":
        """Bring the collection up to date with its folder: only content that is new is embedded.

        Args:
            prune: forget missing files even when more than half of them are missing.
            megapixels: larger pictures are refused.
            report: called with the progress after each picture.
        Raises: CollectionError, when the folder is not there; LockedError, when another process writes.
        """
        from lookalike.bounds import Limits
        from lookalike.indexing import index

        if not self.folder.is_dir():
            raise CollectionError(f"{self.folder}: no such folder. Check the name, or plug its disk in.")
        with self.home.writing():
            if self.home.settings() is None:
                made = self.backbone
                self.home.save(Settings(str(self.folder.resolve()), made.id, made.name, made.precision))
            lenses, damaged = self._lenses()
            done = index(
                self.folder,
                self.table,
                self.refused,
                self.backbone,
                lenses=lenses,
                prune=prune,
                limits=Limits(pixels=int(megapixels * 1e6)),
                report=report,
            )
            done.damaged.update(damaged)
            return done

    def lens(self, name: str) -> "Lens":
        """One of the collection's lenses.

        Raises: LensError, when it is not there, damaged, or of another backbone.
        """
        from lookalike.lens import Lens

        there = self.home.lenses()
        if name not in there:
            known = f"There are {', '.join(there)} and plain" if there else "There is only plain"
            raise LensError(f"{name}: no such lens in {self.folder}. {known}.")
        found = Lens.load(self.home.lens(name))
        if found.backbone != self.backbone.id:
            raise LensError(
                f"{self.home.lens(name)}: learned on backbone {found.backbone or 'unknown'}, this collection has "
                f"{self.backbone.id}. Learn it again here."
            )
        return dataclasses.replace(found, name=name)  # a copied folder goes by the name it has here

    def _lenses(self) -> "tuple[list[Lens], dict[str, str]]":
        """All lenses that can serve, and why the others cannot."""
        good, bad = [], {}
        for name in self.home.lenses():
            try:
                good.append(self.lens(name))
            except LensError as error:
                bad[name] = str(error)
        return good, bad

    def search(
        self,
        query: Any,
        k: int | None = 5,
        *,
        lens: str | None = None,
        others: bool = False,
        where: str | None = None,
        min_similarity: float | None = None,
    ) -> Any:
        """The k pictures most like a query, as Hits; a list of queries gives a list of Hits, in their order.

        Args:
            query: a path, a file of the collection, a picture's bytes, a PIL image, pixels (uint8) or features (float).
            k: how many; None for all.
            lens: its name, or "plain"; None for the one that the collection uses.
            others: leave out every picture of the query's own content.
            where: an SQL condition on file, width, height, bytes, mtime; applied before ranking.
            min_similarity: leave out hits below it.
        Raises: QueryError, CollectionError, LensError.
        """
        from lookalike.queries import resolve
        from lookalike.searching import search

        gallery = self._gallery(lens or self._settings().lens or PLAIN)
        asked = query if isinstance(query, list) else [query]
        resolved = [
            resolve(one, self.folder, gallery, lambda source: self.backbone.embed([source])[0]) for one in asked
        ]
        answers = search(resolved, gallery, self.folder, k, others=others, where=where, min_similarity=min_similarity)
        return answers if isinstance(query, list) else answers[0]

    def _settings(self) -> Settings:
        settings = self.home.settings()
        if settings is None:
            raise CollectionError(f"{self.folder}: not indexed yet. Run: lookalike index {self.folder}")
        return settings

    def _gallery(self, name: str = PLAIN) -> "Gallery":
        """What is ranked under a lens or plain, read again when the table or the lens is another."""
        from lookalike.gallery import Gallery
        from lookalike.indexing import weights_of

        self._settings()
        lens = None if name == PLAIN else self.lens(name)
        snapshot = self.table.snapshot()
        if snapshot is None:
            raise CollectionError(
                f"{self.folder}: no pictures yet. Put some there and run: lookalike index {self.folder}"
            )
        state = (snapshot.version, None if lens is None else weights_of(lens))
        kept = self._galleries.get(name)
        if kept is None or kept[0] != state:
            kept = (state, Gallery(snapshot, lens, self.home.cache / "codes"))
            self._galleries[name] = kept
        return kept[1]

    def embed(self, sources: Sequence[Any], *, lens: str = PLAIN) -> NDArray[np.float32]:
        """The features of pictures, in the collection or not, or what a lens makes of them.

        Returns: (n, f) or (n, d) float32, rows of length 1.
        Raises: PictureError, for the first one that cannot be read; LensError.
        """
        through = None if lens == PLAIN else self.lens(lens)  # an unknown one is refused before the work
        features = self.backbone.embed(sources)
        return features if through is None else through.apply(features)

    def to_pandas(self, lens: str = PLAIN) -> Any:
        """A DataFrame with columns file and features: a (f,) float32 array a row, or (d,) under a lens.

        Raises: MissingExtraError, without pandas; LensError.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError("a DataFrame", "tables") from error
        gallery = self._gallery(lens)
        return pd.DataFrame({"file": gallery.files, "features": list(gallery.rows.whole().astype(np.float32))})

    def export(self, out: str | Path, *, lens: str = PLAIN) -> int:
        """Write files and features, or a lens's embedding, to *.parquet, *.csv or *.npy; returns the number of rows."""
        from lookalike.exports import export

        gallery = self._gallery(lens)
        export(gallery.files, gallery.rows.whole(), Path(out))
        return len(gallery)

    def duplicates(self, least: float = NEARLY_EQUAL) -> list[tuple[str, str, float]]:
        """Pairs of pictures of equal content (1.0) or nearly equal features, the most similar first."""
        from lookalike.ranking import pairs_above

        gallery = self._gallery()
        files, ranking = gallery.files, gallery.ranking
        pairs = []
        for i, alike, values in pairs_above(ranking.rows, least, ranking.codes):
            for j, value in zip(alike, values, strict=True):
                equal = (gallery.contents[i] == gallery.contents[j]).all()
                pairs.append((files[i], files[j], 1.0 if equal else min(float(value), 0.9999)))
        return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))

    def status(self) -> dict[str, Any]:
        """Counts, refused files with reasons, backbone and sizes."""
        settings = self._settings()
        columns = self.table.columns()
        size = sum(file.stat().st_size for file in self.home.at.rglob("*") if file.is_file())
        return {
            "folder": str(self.folder),
            "collection": str(self.home.at),
            "pictures": len(columns["file"]),
            "contents": len(set(columns["content"])),
            "backbone": settings.backbone_name,
            "precision": settings.precision,
            "bytes": size,
            "refused": {one.file: one.reason for one in self.refused.rows()},
        }

    def queries(self, asked: Sequence[str]) -> list[str]:
        """Names of queries, folders among them taken apart into their pictures in natural order.

        Raises: QueryError, for a folder without files.
        """
        from lookalike.finding import walk

        names: list[str] = []
        for one in asked:
            if Path(one).is_dir():
                inside = [str(found.path) for found in walk(Path(one)).found]
                if not inside:
                    raise QueryError(f"{one}: an empty folder. Name a picture, or a folder with pictures.")
                names += inside
            else:
                names.append(one)
        return names

    def draw(self, answers: Sequence[Hits], out: Path | None = None) -> Path:
        """Draw answers into a PNG, by default into the collection's cache; returns where it is."""
        return _save(grid_of(answers), out or self.home.cache / "grid.png")

    def map(self, out: str | Path, *, lens: str = PLAIN) -> Path:
        """Draw the collection in two dimensions (PCA of what a lens or plain sees), with its thumbnails."""
        from PIL import Image

        from lookalike.drawing import drawn_of, picture_map, principal_plane

        gallery = self._gallery(lens)
        files = gallery.files
        if not files:
            raise CollectionError(f"{self.folder}: no pictures to draw. Run: lookalike index {self.folder}")
        thumbnails = [Image.new("RGB", (1, 1))] * len(files)
        for i in drawn_of(len(files)):
            found = picture_of(self.folder / files[i], side_px=64)
            thumbnails[i] = Image.new("RGB", (64, 64), "#d0d0d0") if isinstance(found, str) else found
        return _save(picture_map(principal_plane(gallery.rows.whole().astype(np.float32)), thumbnails), Path(out))

    def copy_hits(self, hits: Hits, destination: Path) -> list[Path]:
        """Copy the hits' files into a folder, numbered by rank so that nothing is overwritten."""
        destination.mkdir(parents=True, exist_ok=True)
        copies = []
        for rank, hit in enumerate(hits, start=1):
            to = destination / f"{rank:03d}-{Path(hit.file).name}"
            if to.exists():
                raise CollectionError(f"{to}: is there already. Name an empty folder with --copy-to.")
            copies.append(Path(shutil.copy2(hit.path, to)))
        return copies


def _save(picture: Any, out: Path) -> Path:
    import io

    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    try:
        write_whole(out, buffer.getvalue())
    except OSError as error:
        raise CollectionError(f"{out}: cannot be written ({error.strerror}). Choose another place.") from error
    return out
