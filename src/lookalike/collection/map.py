"""A collection in two dimensions, drawn with its thumbnails."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.collection.layout import layout
from lookalike.drawing.image_map import drawn_of, image_map
from lookalike.errors import CollectionError, MissingExtraError
from lookalike.images.thumbnails import thumbnail_image
from lookalike.index.gallery import Gallery
from lookalike.learning.closed_form.pca import principal_plane
from lookalike.progress import SILENT, Reporter, track
from lookalike.text import plural

MAP_PX = 132  # of those for maps, where none is shown larger


def draw_map(
    gallery: Gallery, folder: Path, cache: Path | None = None, *, title: str = "", reporter: Reporter = SILENT
) -> Image.Image:
    """Pictures in two dimensions, like beside like: by their layout, or without the extra "map" by `principal_plane`.

    Args:
        gallery: the pictures, and the features or the embedding that the map shows.
        folder: where their files lie. What cannot be read is a grey square.
        cache: where `thumbnail` and `layout` keep things.
        title: in large type; the number of pictures stands under it.
        reporter: told of "laying out" and of each thumbnail: "drawing"; without the extra, of what to install.
    Raises: CollectionError, when there is nothing to draw.
    """
    if not len(gallery):
        raise CollectionError(f"{folder}: no pictures to draw. Index it first.")

    def small(row: int) -> Image.Image | str:
        return thumbnail_image(folder / gallery.files[row], gallery.contents[row].tobytes(), cache, MAP_PX)

    points = _points(gallery, cache, reporter)
    n, drawn = len(gallery), drawn_of(len(gallery)).tolist()
    thumbnails = [Image.new("RGB", (1, 1), "#d4d4d8")] * n
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            found = zip(drawn, pool.map(small, drawn), strict=True)
            for row, picture in track(found, "drawing", len(drawn), reporter):
                if not isinstance(picture, str):
                    thumbnails[row] = picture
        finally:
            pool.shutdown(cancel_futures=True)
    return image_map(points, thumbnails, title=title, subtitle=plural(n, "picture"))


def _points(gallery: Gallery, cache: Path | None, reporter: Reporter) -> NDArray[np.float32]:
    """Where pictures lie: (n, 2)."""
    try:
        return layout(gallery, cache, reporter=reporter)
    except MissingExtraError:
        reporter.message(
            "Drawn by principal components, which part most neighbours. For a map that keeps more of them together: "
            "pip install 'lookalike[map]'"
        )
        return principal_plane(gallery.rows.whole().astype(np.float32))
