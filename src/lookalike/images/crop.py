"""A part of a picture: what people mean when they draw a frame around it."""

import math
from collections.abc import Sequence

from PIL import Image

from lookalike.errors import QueryError
from lookalike.images.decode import ImageSource, load
from lookalike.images.limits import LIMITS, Limits

Region = tuple[float, float, float, float]


def crop(
    source: ImageSource, region: Sequence[float], side_px: int | None = None, limits: Limits = LIMITS
) -> Image.Image:
    """The pixels of a region, upright.

    Args:
        source: a picture, as `load` takes it.
        region: left, top, width, height, in shares (0 to 1) of the upright picture.
        side_px: when given, a larger region may come back smaller, neither side shorter than this.
        limits: as for `load`.
    Returns: RGB, at least one pixel.
    Raises: QueryError, when the region does not lie in the picture; ImageError, when it cannot be read.

    >>> import numpy as np
    >>> crop(np.zeros((40, 80), np.uint8), (0.5, 0, 0.25, 1)).size
    (20, 40)
    """
    left, top, width, height = check_region(region)
    whole = load(source, limits, None if side_px is None else math.ceil(side_px / min(width, height)))
    x0, y0 = (min(int(part * side), side - 1) for part, side in zip((left, top), whole.size, strict=True))
    x1 = max(x0 + 1, min(whole.width, round((left + width) * whole.width)))
    y1 = max(y0 + 1, min(whole.height, round((top + height) * whole.height)))
    return whole.crop((x0, y0, x1, y1))


def check_region(region: Sequence[float]) -> Region:
    """Four numbers as a region. Raises: QueryError, when they are none; a rounding error over the edge is cut off.

    >>> check_region((0, 0, 1, 0.5))
    (0.0, 0.0, 1.0, 0.5)
    """
    try:
        left, top, width, height = (float(one) for one in region)
    except (TypeError, ValueError):
        left = math.nan
        width = height = top = left
    inside = left >= 0 and top >= 0 and left + width <= 1.001 and top + height <= 1.001  # false for NaN
    if not inside or width < 0.002 or height < 0.002:
        raise QueryError(
            f"region {region!r}: expected left, top, width, height in shares of the picture, 0 to 1, at least 0.002 "
            "wide and high.",
            code="query.region",
        )
    return left, top, min(width, 1 - left), min(height, 1 - top)
