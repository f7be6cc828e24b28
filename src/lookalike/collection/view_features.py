"""Features of views of a collection's pictures: what changes when the same thing is taken again."""

import math
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.errors import ImageError
from lookalike.images.augment import SMALLEST_RETAKE, retakes
from lookalike.images.decode import DecodedImage, load, read_bytes
from lookalike.images.limits import LIMITS, Limits
from lookalike.models.backbone import Backbone
from lookalike.progress import SILENT, Reporter, track

BLOCK = 16  # pictures whose views are decoded together


def view_features(
    paths: Sequence[Path],
    each: int,
    backbone: Backbone,
    *,
    limits: Limits = LIMITS,
    reporter: Reporter = SILENT,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Views of pictures, embedded; a picture that cannot be read has none.

    Args:
        paths: n pictures; each is decoded once, and the same picture at the same place has the same views.
        each: views of each.
        backbone: embeds them.
        limits: what a picture may cost.
        reporter: told of each view: "embedding".
    Returns: (v, f) float32, v at most n times `each`; and (v,) int64, of which picture each view is.
    """
    side = backbone.bundle.side_px

    def read(job: tuple[int, Path]) -> tuple[int, list[DecodedImage]]:
        at, path = job
        try:
            image = load(read_bytes(path, limits), limits, math.ceil(side / SMALLEST_RETAKE**0.5))
        except ImageError:
            return at, []
        looks = retakes(image, each, np.random.default_rng([at, each]))
        return at, [DecodedImage(_square(one, side), side, side) for one in looks]

    def views() -> Generator[tuple[int, DecodedImage]]:
        jobs = list(enumerate(paths))
        with ThreadPoolExecutor(backbone.threads) as readers:
            for start in range(0, len(jobs), BLOCK):
                for at, squares in readers.map(read, jobs[start : start + BLOCK]):
                    yield from ((at, one) for one in squares)

    rows, viewed = [], []
    with closing(views()) as jobs, closing(backbone.pipeline(jobs, lambda job: job[1])) as embedded:
        for (at, _), outcome, row in track(embedded, "embedding", each * len(paths), reporter):
            if not isinstance(outcome, ImageError) and np.isfinite(row).all():
                rows.append(row)
                viewed.append(at)
    found = np.stack(rows) if rows else np.zeros((0, backbone.length), np.float32)
    return found, np.array(viewed, np.int64)


def _square(image: Image.Image, side_px: int) -> NDArray[np.uint8]:
    return np.asarray(image.resize((side_px, side_px), Image.Resampling.BICUBIC))
