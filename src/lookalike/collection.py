"""Collection: a folder of pictures that answers "which are the ones like this?"; the verbs, each a few lines."""

import shutil
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import CollectionError, LensError, MissingExtraError, QueryError
from lookalike.hits import Hit, Hits, grid_of, picture_of
from lookalike.home import Home, Settings, write_whole
from lookalike.table import RefusedTable, Table

if TYPE_CHECKING:
    from lookalike.backbone import Backbone
    from lookalike.indexing import Done, Progress
    from lookalike.queries import Query
    from lookalike.ranking import Ranking

NEARLY_EQUAL = 0.98


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
        self._memory: tuple[int, list[str], Ranking] | None = None

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
            limits = Limits(pixels=int(megapixels * 1e6))
            return index(
                self.folder, self.table, self.refused, self.backbone, prune=prune, limits=limits, report=report
            )

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
            lens: "plain", the only one this version serves.
            others: leave out every picture of the query's own content.
            where: an SQL condition on file, width, height, bytes, mtime; applied before ranking.
            min_similarity: leave out hits below it.
        Raises: QueryError, CollectionError, LensError.
        """
        if lens not in (None, "plain"):
            raise LensError(f"{lens}: no such lens in {self.folder}. Search with 'plain'.")
        if k is not None and k < 1:
            raise QueryError(f"k is {k}: ask for at least one hit.")
        if isinstance(query, list):
            return [self._answer(self._query(one), k, others, where, min_similarity) for one in query]
        return self._answer(self._query(query), k, others, where, min_similarity)

    def _answer(self, query: "Query", k: int | None, others: bool, where: str | None, least: float | None) -> Hits:
        files, ranking = self._ranking()
        among = np.ones(len(files), bool)
        if where is not None:
            matching = self.table.matching(where)
            among &= np.array([file in matching for file in files], bool)
        same = np.array([query.content is not None and self._contents[file] == query.content for file in files], bool)
        if others:
            among &= ~same
        indices, similarities = ranking.top(query.features, k, among)
        hits = [
            # A picture is itself, whatever the last bit of a cosine says.
            Hit(files[i], 1.0 if same[i] else float(value), self.folder / files[i])
            for i, value in zip(indices, similarities, strict=True)
            if least is None or same[i] or value >= least
        ]
        hits.sort(key=lambda hit: (-hit.similarity, hit.file))
        return Hits(hits, query=query.name, source=query.source)

    def _query(self, asked: Any) -> "Query":
        from lookalike.queries import resolve

        self._ranking()
        return resolve(
            asked,
            folder=self.folder,
            contents=self._contents,
            length=self.backbone.length,
            stored=lambda file: self.table.features([file])[1][0],
            embed=lambda source: self.backbone.embed([source])[0],
        )

    def _ranking(self) -> "tuple[list[str], Ranking]":
        """All rows in memory, read again when the table has a newer version."""
        from lookalike.ranking import Ranking

        if self.home.settings() is None:
            raise CollectionError(f"{self.folder}: not indexed yet. Run: lookalike index {self.folder}")
        table = self.table
        version = table.version()
        if self._memory is None or self._memory[0] != version:
            files, rows = table.features()
            columns = table.columns()
            self._contents = dict(zip(columns["file"], columns["content"], strict=True))
            self._memory = (version, files, Ranking(rows))
        return self._memory[1], self._memory[2]

    def embed(self, sources: Sequence[Any], *, lens: str = "plain") -> NDArray[np.float32]:
        """The features of pictures, in the collection or not: (n, f) float32, rows of length 1.

        Raises: PictureError, for the first one that cannot be read; LensError.
        """
        if lens != "plain":
            raise LensError(f"{lens}: no such lens in {self.folder}. Use 'plain'.")
        return self.backbone.embed(sources)

    def to_pandas(self) -> Any:
        """A DataFrame with columns file and features, a (f,) float32 array a row.

        Raises: MissingExtraError, without pandas.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError("a DataFrame", "tables") from error
        files, rows = self.table.features()
        return pd.DataFrame({"file": files, "features": list(rows.astype(np.float32))})

    def export(self, out: str | Path) -> int:
        """Write files and features to *.parquet, *.csv or *.npy; returns the number of rows."""
        from lookalike.exports import export

        self._ranking()
        files, rows = self.table.features()
        export(files, rows, Path(out))
        return len(files)

    def duplicates(self, least: float = NEARLY_EQUAL) -> list[tuple[str, str, float]]:
        """Pairs of pictures of equal content (1.0) or nearly equal features, the most similar first."""
        from lookalike.ranking import pairs_above

        files, ranking = self._ranking()
        pairs = []
        for i, alike, values in pairs_above(ranking.rows, least, ranking.codes):
            for j, value in zip(alike, values, strict=True):
                equal = self._contents[files[i]] == self._contents[files[j]]
                pairs.append((files[i], files[j], 1.0 if equal else min(float(value), 0.9999)))
        return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))

    def status(self) -> dict[str, Any]:
        """Counts, refused files with reasons, backbone and sizes."""
        settings = self.home.settings()
        if settings is None:
            raise CollectionError(f"{self.folder}: not indexed yet. Run: lookalike index {self.folder}")
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

    def map(self, out: str | Path) -> Path:
        """Draw the collection in two dimensions (PCA of its features), with its thumbnails; returns where it is."""
        from PIL import Image

        from lookalike.drawing import drawn_of, picture_map, principal_plane

        files, _ = self._ranking()
        if not files:
            raise CollectionError(f"{self.folder}: no pictures to draw. Run: lookalike index {self.folder}")
        thumbnails = [Image.new("RGB", (1, 1))] * len(files)
        for i in drawn_of(len(files)):
            found = picture_of(self.folder / files[i], side_px=64)
            thumbnails[i] = Image.new("RGB", (64, 64), "#d0d0d0") if isinstance(found, str) else found
        return _save(picture_map(principal_plane(self.table.features()[1].astype(np.float32)), thumbnails), Path(out))

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
