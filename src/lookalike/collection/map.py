"""A collection in two dimensions, drawn with its thumbnails."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lookalike.images.thumbnails import thumbnail_image

if TYPE_CHECKING:
    from PIL.Image import Image

    from lookalike.index.gallery import Gallery


MAP_PX = 132  # of those for maps, where none is shown larger


def draw_map(
    gallery: "Gallery",
    folder: Path,
    cache: Path | None = None,
    *,
    title: str = "",
    report: Callable[[int, int], None] | None = None,
) -> "Image":
    """Pictures in two dimensions, by the principal components of what is searched, like beside like.

    Args:
        gallery: the pictures, and the features or the embedding that the map goes by.
        folder: where their files lie. What cannot be read is a grey square.
        cache: where `thumbnail` keeps things.
        title: in large type; the number of pictures stands under it.
        report: called with how many pictures are there, and of how many.
    Raises: ShapeError, when there is nothing to draw.
    """
    from concurrent.futures import ThreadPoolExecutor

    from PIL import Image

    from lookalike.drawing import drawn_of, image_map
    from lookalike.learning.closed_form.pca import principal_plane

    def small(place: int) -> "Image.Image | str":
        return thumbnail_image(folder / gallery.files[place], gallery.contents[place].tobytes(), cache, MAP_PX)

    n, drawn = len(gallery), drawn_of(len(gallery)).tolist()
    thumbnails = [Image.new("RGB", (1, 1), "#d4d4d8")] * n
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, (place, found) in enumerate(zip(drawn, pool.map(small, drawn), strict=True), start=1):
            if not isinstance(found, str):
                thumbnails[place] = found
            if report is not None:
                report(done, len(drawn))
    plane = principal_plane(gallery.rows.whole().astype(np.float32))
    return image_map(plane, thumbnails, title=title, subtitle=f"{n:,} picture{'s' * (n != 1)}")
