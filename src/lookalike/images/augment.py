"""Augmented views of a picture: its mirror image, crops, small crops, and crops in another light."""

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from lookalike.images.decode import ImageSource, load
from lookalike.images.limits import LIMITS, Limits

SMALLEST_CROP = 0.5  # of a picture's area, among its views
SMALLEST_PART = 0.2  # of it, in a part
SMALLEST_RETAKE = 0.4  # of it, in a picture taken again


def views(image: Image.Image, n: int, rng: np.random.Generator) -> list[Image.Image]:
    """A picture as it might have been taken as well: itself, its mirror image, then crops of it.

    Args:
        image: as `load` gives it.
        n: how many.
        rng: decides where the crops lie; each keeps the proportions and 50 to 90% of the area, every other is mirrored.
    Returns: n pictures, of different sizes.

    >>> picture = Image.new("RGB", (100, 100))
    >>> [view.size for view in views(picture, 2, np.random.default_rng(0))]
    [(100, 100), (100, 100)]
    """
    mirror = Image.Transpose.FLIP_LEFT_RIGHT
    result = [image, image.transpose(mirror)][:n]
    for i in range(2, n):
        share = rng.uniform(SMALLEST_CROP, 0.9) ** 0.5
        width, height = (max(1, round(side * share)) for side in image.size)
        left, top = rng.integers(image.width - width + 1), rng.integers(image.height - height + 1)
        crop = image.crop((int(left), int(top), int(left) + width, int(top) + height))
        result.append(crop.transpose(mirror) if i % 2 else crop)
    return result


def small_crop(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A crop of 20 to 50% of a picture's area, mirrored half of the time: harder to recognise than its views.

    >>> small_crop(Image.new("RGB", (100, 100)), np.random.default_rng(0)).size
    (63, 63)
    """
    share = rng.uniform(SMALLEST_PART, SMALLEST_CROP) ** 0.5
    width, height = (max(1, round(side * share)) for side in image.size)
    left, top = rng.integers(image.width - width + 1), rng.integers(image.height - height + 1)
    crop = image.crop((int(left), int(top), int(left) + width, int(top) + height))
    return crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else crop


def retakes(image: Image.Image, n: int, rng: np.random.Generator) -> list[Image.Image]:
    """A picture as if taken again: crops of it in another light, every other one mirrored.

    Args:
        image: as `load` gives it.
        n: how many.
        rng: decides; each keeps the proportions and 40 to 90% of the area, .7 to 1.3 of the brightness and .5 to 1.5 of
            the colour.
    Returns: n pictures, of different sizes.

    >>> [view.size for view in retakes(Image.new("RGB", (100, 100)), 2, np.random.default_rng(0))]
    [(85, 85), (90, 90)]
    """
    result = []
    for i in range(n):
        share = rng.uniform(SMALLEST_RETAKE, 0.9) ** 0.5
        width, height = (max(1, round(side * share)) for side in image.size)
        left, top = rng.integers(image.width - width + 1), rng.integers(image.height - height + 1)
        crop = image.crop((int(left), int(top), int(left) + width, int(top) + height))
        crop = ImageEnhance.Brightness(crop).enhance(rng.uniform(0.7, 1.3))
        crop = ImageEnhance.Color(crop).enhance(rng.uniform(0.5, 1.5))
        result.append(crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if i % 2 == 0 else crop)
    return result


def view_squares(
    source: ImageSource, side_px: int, n: int, rng: np.random.Generator, limits: Limits = LIMITS
) -> NDArray[np.uint8]:
    """The views of a picture, each squashed to a square as backbones want it; decoded once.

    Args:
        source: as for `load`.
        side_px: the squares' side.
        n: how many, as `views` gives them: the picture, its mirror image, crops.
        rng: decides where the crops lie.
        limits: as for `load`.
    Returns: (n, side, side, 3) uint8.
    Raises: ImageError, ShapeError.

    >>> view_squares(np.zeros((2, 3), np.uint8), 4, 5, np.random.default_rng(0)).shape
    (5, 4, 4, 3)
    """
    image = load(source, limits, math.ceil(side_px / SMALLEST_CROP**0.5))  # the smallest crop is then not enlarged
    result = np.empty((n, side_px, side_px, 3), np.uint8)
    for square, view in zip(result, views(image, n, rng), strict=True):
        square[:] = np.asarray(view.resize((side_px, side_px), Image.Resampling.BICUBIC))
    return result
