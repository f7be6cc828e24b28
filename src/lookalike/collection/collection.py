"""Collection: a folder of pictures that answers "which are the ones like this?"; the verbs, each a few lines."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.config import CollectionConfig
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.learn import Teachable
from lookalike.errors import CollectionError, LookalikeError, MissingExtraError, QueryError
from lookalike.index.hits import Answers, Hits, answers_grid, copy_hits
from lookalike.index.refused import RefusedTable
from lookalike.index.table import Table
from lookalike.models.lens import PLAIN

if TYPE_CHECKING:
    from lookalike.images.decode import ImageSource
    from lookalike.index.gallery import Gallery
    from lookalike.index.indexer import IndexReport
    from lookalike.models.backbone import Backbone
    from lookalike.models.layers import Layer
    from lookalike.models.lens import Lens
    from lookalike.progress import Progress


Cut = float | Literal["learned"] | None
NEARLY_EQUAL = 0.98


class Collection(Teachable):
    """A folder of pictures, together with what lookalike knows of it.

    Args:
        folder: the pictures' folder, or a collection's own folder.
        at: where to keep the collection; by default FOLDER/.lookalike.
        backbone: for a new collection, or to switch to with `index`; for a new one efficientnet-lite0 when left out.
        threads: of the processor; None for all.
    Raises: CollectionError, when it is damaged.

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
        self.home = CollectionFolder(Path(folder), Path(at) if at is not None else None)
        self.folder = self.home.folder
        self._asked, self._threads = backbone, threads
        self._opened: Backbone | None = None
        self._galleries: dict[str, tuple[object, Gallery]] = {}

    @property
    def backbone(self) -> "Backbone":
        """The network that reads this collection's pictures; another one after a switch, whoever switched."""
        return self._network(self.home.config())

    def _network(self, settings: CollectionConfig | None) -> "Backbone":
        from lookalike.collection.backbone_store import open_backbone
        from lookalike.models.backbone import Backbone
        from lookalike.models.registry import DEFAULT

        made = self._opened
        if made is not None and (
            settings is None or (made.id, made.precision) == (settings.backbone, settings.precision)
        ):
            return made
        if settings is None:
            made = Backbone(self._asked or DEFAULT, threads=self._threads)
        elif self._asked is None:
            made = open_backbone(self.home, settings, settings.backbone, self._threads)
        else:
            made = Backbone(self._asked, threads=self._threads, precision=settings.precision)
            if made.id != settings.backbone:
                raise CollectionError(
                    f"{self.folder}: made with backbone {settings.backbone_name}, asked for {made.name}. Leave "
                    f"--backbone out, or switch with: lookalike index {self.home.shell_words} --backbone {self._asked}"
                )
        self._opened = made
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
        drop_old: bool = False,
        report: "Callable[[Progress], None] | None" = None,
    ) -> "IndexReport":
        """Bring the collection up to date with its folder: only content that is new is embedded.

        Where the collection was opened with another backbone than the one it has, that one's table is filled while the
        old one serves, and takes its place at the end; a run that was killed goes on.

        Args:
            prune: forget missing files even when more than half of them are missing.
            megapixels: larger pictures are refused.
            drop_old: remove the tables of the backbones that do not serve afterwards.
            report: called with the progress after each picture.
        Raises: CollectionError, when the folder is not there; LockedError, when another process writes.
        """
        from lookalike.collection.backbone_store import drop_unused as drop
        from lookalike.collection.switch_backbone import update_index
        from lookalike.images.limits import Limits

        self._need_folder()
        limits = Limits(pixels=int(megapixels * 1e6))
        with self.home.write_lock():
            made, done = update_index(
                self.home, self._asked, self._opened, self._threads, prune=prune, limits=limits, report=report
            )
            self._opened = made
            if drop_old:
                done.freed = drop(self.home)
        with contextlib.suppress(LookalikeError):  # a damaged lens is said above, and searches say it again
            self._gallery(self._settings().lens or PLAIN).build_codes()
        return done

    def lens(self, name: str) -> "Lens":
        """One of the collection's lenses.

        Raises: LensError, when it is not there, damaged, or of another backbone than the one that reads the pictures.
        """
        from lookalike.collection.lens_store import lens_of

        settings = self.home.config()
        return lens_of(self.home, name, self.backbone.id if settings is None else settings.backbone)

    @overload
    def search(
        self, query: list[Any] | tuple[Any, ...], k: int | None = 5, *, lens: str | None = None, others: bool = False,
        where: str | None = None, min_similarity: Cut = None, skipped: dict[str, str] | None = None,
        report: Callable[[int, int], None] | None = None,
    ) -> Answers: ...  # fmt: skip
    @overload
    def search(
        self, query: "ImageSource | NDArray[np.floating[Any]]", k: int | None = 5, *, lens: str | None = None,
        others: bool = False, where: str | None = None, min_similarity: Cut = None,
    ) -> Hits: ...  # fmt: skip
    def search(
        self,
        query: Any,
        k: int | None = 5,
        *,
        lens: str | None = None,
        others: bool = False,
        where: str | None = None,
        min_similarity: Cut = None,
        skipped: dict[str, str] | None = None,
        report: Callable[[int, int], None] | None = None,
    ) -> Hits | Answers:
        """The k pictures most like a query, as Hits; a list of queries gives a list of Hits, in their order.

        Args:
            query: a path, a file of the collection, a picture's bytes, a PIL image, pixels (uint8) or features (float).
            k: how many; None for all.
            lens: its name, or "plain"; None for the one that the collection uses.
            others: leave out every picture of the query's own content.
            where: an SQL condition on file, width, height, bytes, mtime; applied before ranking.
            min_similarity: leave out hits below it, -1 to 1; "learned" for the value that the lens's proof found to
                separate right from wrong.
            skipped: for a list of queries: takes query -> reason of those that cannot be read, in place of raising.
            report: for a list of queries: called with how many were read, and of how many.
        Raises: QueryError, CollectionError, LensError.
        """
        from lookalike.index.query import resolve_queries, resolve_query
        from lookalike.index.search import search

        settings = self._settings()  # read once: whoever switches meanwhile, this search sees one state
        name = lens or settings.lens or PLAIN
        if min_similarity == "learned":
            from lookalike.collection.lens_store import learned_cut

            min_similarity = learned_cut(None if name == PLAIN else self.lens(name))
        gallery, backbone = self._gallery(name, settings), self._network(settings)
        how = (gallery, self.folder, k, others, where, min_similarity, self.home.cache)

        def embed(source: Any) -> NDArray[Any]:
            return np.asarray(backbone.embed([source])[0])

        if not isinstance(query, list | tuple):
            return search([resolve_query(query, self.folder, gallery, embed)], *how)[0]
        return search(resolve_queries(query, self.folder, gallery, embed, skipped, report), *how)

    def _need_folder(self) -> None:
        if self.folder.is_dir():
            return
        mend = (
            "a file. Name its folder."
            if self.folder.exists()
            else "no such folder. Check the name, or plug its disk in."
        )
        raise CollectionError(f"{self.folder}: {mend}")

    def _settings(self) -> CollectionConfig:
        """What collection.json says.

        Raises: CollectionError, when the folder was not indexed yet.
        """
        settings = self.home.config()
        if settings is None:
            self._need_folder()
            at = "" if self.home.at.parent == self.folder else f" --at {self.home.at}"
            raise CollectionError(f"{self.folder}: not indexed yet. Run: lookalike index {self.folder}{at}")
        return settings

    def _gallery(self, name: str = PLAIN, settings: CollectionConfig | None = None) -> "Gallery":
        """What is ranked under a lens or plain, read again when the table or the lens is another."""
        from lookalike.collection.lens_store import lens_of
        from lookalike.index.gallery import Gallery
        from lookalike.models.lens import weights_of

        settings = settings or self._settings()
        self._network(settings)  # one that was asked for and is another is refused
        lens = None if name == PLAIN else lens_of(self.home, name, settings.backbone)
        snapshot = Table(self.home.table(settings.backbone), 0).snapshot()
        if snapshot is None:
            raise CollectionError(
                f"{self.folder}: no pictures yet. Put some there and run: lookalike index {self.folder}"
            )
        state = (settings.backbone, snapshot.version, None if lens is None else weights_of(lens))
        kept = self._galleries.get(name)
        if kept is None or kept[0] != state:
            kept = (state, Gallery(snapshot, lens, self.home.cache / "codes"))
            self._galleries[name] = kept
        return kept[1]

    def embed(self, sources: Sequence[Any], *, lens: str = PLAIN) -> NDArray[np.float32]:
        """The features of pictures, in the collection or not, or what a lens makes of them.

        Returns: (n, f) or (n, d) float32, rows of length 1.
        Raises: ImageError, for the first one that cannot be read; LensError.
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
        """Write files and features, or a lens's embedding, to *.parquet, *.csv or *.npy; returns the number of rows.

        To *.onnx goes the model itself, backbone and lens as one graph; then the number is 0.
        """
        from lookalike.index.export import export, export_model

        if Path(out).suffix == ".onnx":
            export_model(self.backbone.bundle, None if lens == PLAIN else self.lens(lens), Path(out))
            return 0
        gallery = self._gallery(lens)
        export(gallery.files, gallery.rows.whole(), Path(out))
        return len(gallery)

    def duplicates(self, least: float = NEARLY_EQUAL) -> list[tuple[str, str, float]]:
        """Pairs of pictures of equal content (1.0) or nearly equal features, the most similar first.

        Raises: QueryError, when `least` is no similarity.
        """
        from lookalike.index.exact_knn import similar_pairs

        if not -1 <= least <= 1:
            raise QueryError(f"a least similarity of {least}: similarities lie between -1 and 1.")

        gallery = self._gallery()
        files, ranking = gallery.files, gallery.knn
        pairs = []
        for i, alike, values in similar_pairs(ranking.rows, least, ranking.codes):
            for j, value in zip(alike, values, strict=True):
                equal = (gallery.contents[i] == gallery.contents[j]).all()
                pairs.append((files[i], files[j], 1.0 if equal else min(float(value), 0.9999)))
        return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))

    def status(self) -> dict[str, Any]:
        """Counts, refused files with reasons, backbone, the tables of all backbones, and sizes."""
        from lookalike.collection.backbone_store import size_of, tables_of

        settings = self._settings()
        columns = self.table.columns()
        return {
            "folder": str(self.folder),
            "collection": str(self.home.at),
            "pictures": len(columns["file"]),
            "contents": len(set(columns["content"])),
            "backbone": settings.backbone_name,
            "precision": settings.precision,
            "bytes": size_of(self.home.at),
            "tables": tables_of(self.home, settings),
            "refused": {one.file: one.reason for one in self.refused.rows()},
        }

    def layers(self, unfreeze: str | int | None = None) -> "list[Layer]":
        """The layers of the collection's backbone, and which of them learn when it is unfrozen from one on.

        Args:
            unfreeze: the first that learns: a name, the start of names up to a dot, or an index; None: none learns.
        Raises: BundleError, when there is no such layer.
        """
        from lookalike.collection.backbone_store import bundle_of
        from lookalike.models.layers import layers_of
        from lookalike.models.registry import DEFAULT, resolve_bundle

        settings = self.home.config()
        if settings is None:
            self._need_folder()
            return layers_of(resolve_bundle(self._asked or DEFAULT), unfreeze)
        return layers_of(bundle_of(self.home, settings, settings.backbone), unfreeze)

    def draw(self, answers: Sequence[Hits], out: str | Path | None = None) -> Path:
        """Draw answers into a PNG, by default into the collection's cache; returns where it is."""
        from lookalike.drawing.png import save

        return save(answers_grid(answers), Path(out) if out is not None else self.home.cache / "grid.png")

    def map(self, out: str | Path, *, lens: str = PLAIN, report: Callable[[int, int], None] | None = None) -> Path:
        """Draw the collection in two dimensions (PCA of what a lens or plain sees), with its thumbnails.

        Args:
            out: a PNG.
            lens: whose embedding it goes by.
            report: called with how many thumbnails are there, and of how many.
        Returns: where it is.
        Raises: CollectionError, when there is nothing to draw, or out cannot be written; LensError.
        """
        gallery = self._gallery(lens)
        if not gallery.files:
            raise CollectionError(f"{self.folder}: no pictures to draw. Run: lookalike index {self.folder}")
        title = self.folder.resolve().name + ("" if lens == PLAIN else f" through {lens}")
        from lookalike.collection.map import draw_map
        from lookalike.drawing.png import save

        drawn = draw_map(gallery, self.folder, self.home.cache, title=title, report=report)
        return save(drawn, Path(out))

    def copy_hits(self, answers: Hits | Sequence[Hits], destination: str | Path) -> list[Path]:
        """Copy the hits' files into a folder, numbered by rank; of several queries, into a folder a query.

        Returns: the copies.
        Raises: CollectionError, when one of them is there already, or a file cannot be read or written.
        """
        return copy_hits([answers] if isinstance(answers, Hits) else answers, Path(destination))
