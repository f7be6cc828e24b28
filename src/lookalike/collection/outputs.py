"""What leaves a collection: lists and tables, files, drawings, copies."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.layout import kept_layout, layout
from lookalike.collection.map import draw_map
from lookalike.collection.picture_names import PictureNames
from lookalike.collection.searcher import Searcher
from lookalike.drawing.png import drawable, save
from lookalike.index.copies import copy_hits
from lookalike.index.export import check_exportable, data_frame, export, export_model
from lookalike.index.gallery import Gallery
from lookalike.index.hits import Hits, answers_grid, as_answers
from lookalike.index.near_duplicates import DuplicateGroup, near_duplicates
from lookalike.index.pictures import PictureList
from lookalike.models.lens import PLAIN
from lookalike.progress import ReporterLike, as_reporter


class CollectionOutputs(PictureNames):
    """The verbs that give something away and change nothing; a part of `Collection`."""

    _searcher: Searcher

    def to_pandas(self, lens: str = PLAIN) -> Any:
        """A DataFrame with columns file and features: a (f,) float32 array a row, or (d,) under a lens.

        Raises: MissingExtraError, without pandas; LensError.
        """
        files, rows = self._gallery(lens).usable_rows()
        return data_frame({"file": files, "features": list(rows.astype(np.float32))})

    def export(self, out: str | Path, *, lens: str = PLAIN) -> int:
        """Write files and features, or a lens's embedding, to *.parquet, *.csv or *.npy; returns the number of rows.

        To *.onnx goes the model itself, backbone and lens as one graph; then the number is 0.
        """
        check_exportable(Path(out))
        state = self._searcher.state()
        if Path(out).suffix == ".onnx":
            export_model(state.backbone.bundle, self._searcher.lens(state, lens), Path(out))
            return 0
        files, rows = self._searcher.gallery(state, lens).usable_rows()
        export(files, rows, Path(out))
        return len(files)

    def duplicates(self, least: float | None = None) -> list[DuplicateGroup]:
        """Groups of pictures of equal content (1.0) or nearly equal features, each with the one to keep.

        Args: least: the least similarity of two pictures; None: what the backbone counts as nearly equal.
        Raises: QueryError, when `least` is no similarity.
        """
        state = self._searcher.state()
        least = state.backbone.bundle.nearly_equal if least is None else least
        return near_duplicates(self._searcher.gallery(state), least)

    def pictures(self) -> PictureList:
        """The pictures one by one, page by page, or by the hash of their content."""
        return PictureList(self._gallery(), self.folder)

    def draw(self, answers: Hits | Sequence[Hits], out: str | Path | None = None) -> Path:
        """Draw answers into a PNG, by default into the collection's cache; returns where it is."""
        return save(answers_grid(answers), self.home.cache / "grid.png" if out is None else Path(out))

    def layout(
        self, *, lens: str = PLAIN, seed: int = 0, report: ReporterLike = None
    ) -> tuple[list[str], NDArray[np.float32]]:
        """Where each picture lies in two dimensions, like beside like; kept in the cache until the pictures change.

        Args:
            lens: by whose embedding pictures are alike.
            seed: of what is random; the same seed gives the same layout on the same machine.
            report: a Reporter or a function that takes Progress: "laying out". Where it raises, nothing is kept.
        Returns: n files, sorted, and (n, 2) float32, 0 to 1, both axes to the same scale.
        Raises: CollectionError, when there are no pictures; MissingExtraError, without the extra "map"; LensError.
        """
        gallery = self._gallery(lens)
        points = layout(gallery, self.home.cache, seed=seed, reporter=as_reporter(report))
        return list(gallery.files), points

    def kept_layout(self, *, lens: str = PLAIN) -> NDArray[np.float32] | None:
        """What `layout` made before of these very pictures, (n, 2) in the order of their files, or None."""
        return kept_layout(self._gallery(lens), self.home.cache)

    def map(self, out: str | Path, *, lens: str = PLAIN, report: ReporterLike = None) -> Path:
        """Draw the collection in two dimensions with its thumbnails, by its `layout`; by PCA without the extra "map".

        Args:
            out: a PNG.
            lens: whose embedding is drawn.
            report: a Reporter or a function that takes Progress: "laying out" and "drawing".
        Returns: where it is.
        Raises: CollectionError, when there is nothing to draw, or out cannot be written; LensError.
        """
        title = self.folder.resolve().name + ("" if lens == PLAIN else f" through {lens}")
        out, gallery, reporter = drawable(Path(out)), self._gallery(lens), as_reporter(report)
        return save(draw_map(gallery, self.folder, self.home.cache, title=title, reporter=reporter), out)

    def copy_hits(self, answers: Hits | Sequence[Hits], destination: str | Path) -> list[Path]:
        """Copy the hits' files into a folder, numbered by rank; of several queries, into a folder a query.

        Returns: the copies. Raises: CollectionError, when one of them is there already, or cannot be read or written.
        """
        return copy_hits(as_answers(answers), Path(destination))

    def _gallery(self, lens: str = PLAIN) -> Gallery:
        return self._searcher.gallery(self._searcher.state(), lens)
