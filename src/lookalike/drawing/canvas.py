"""What every drawing shares: its colours, shapes with smooth edges, and a picture fitted into a box."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from PIL import Image, ImageDraw

from lookalike.drawing.typography import FINE
from lookalike.errors import ShapeError

PAPER, CARD, LINE = "#ffffff", "#f4f4f5", "#e4e4e7"
INK, SOFT, FAINT = "#18181b", "#5f5f6b", "#a1a1aa"

# Okabe and Ito's colours, which people who see few colours can tell apart (jfly.uni-koeln.de/color, 2008).
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"
SERIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, INK, FAINT)
MOST_PIXELS = 200_000_000  # of one drawing: 600 MB while it is drawn
Point = tuple[float, float]  # x to the right and y down, in pixels; fractions count
Box = tuple[float, float, float, float]  # left, top, right, bottom


def paper(width: int, height: int) -> Image.Image:
    """An empty drawing. Raises ShapeError, when it would have more than 200 megapixels."""
    if width * height > MOST_PIXELS:
        raise ShapeError(
            f"a drawing of {width:,} x {height:,} pixels is too large to look at. Draw fewer queries or fewer hits."
        )
    return Image.new("RGB", (width, height), PAPER)


def _painted(picture: Image.Image, box: Box, colour: str, draw: Callable[[ImageDraw.ImageDraw, Point], None]) -> None:
    """Paint one shape in one colour: `draw` gets a pen FINE times finer, and what to subtract before multiplying."""
    left, top = int(box[0] // 1) - 1, int(box[1] // 1) - 1
    mask = Image.new("L", ((int(box[2]) - left + 3) * FINE, (int(box[3]) - top + 3) * FINE))
    draw(ImageDraw.Draw(mask), (left, top))
    picture.paste(colour, (left, top), mask.reduce(FINE))


def _finer(box: Box, origin: Point) -> Box:
    """A box in the pen's pixels; the pen paints its last pixel too, so one less at the right and at the bottom."""
    x, y = origin
    return ((box[0] - x) * FINE, (box[1] - y) * FINE, (box[2] - x) * FINE - 1, (box[3] - y) * FINE - 1)


def panel(picture: Image.Image, box: Box, colour: str, *, radius: float = 0) -> None:
    """A filled rectangle with round corners; one without width or height is nothing."""
    if box[2] <= box[0] or box[3] <= box[1]:
        return
    _painted(picture, box, colour, lambda pen, o: pen.rounded_rectangle(_finer(box, o), radius * FINE, fill=255))


def frame(picture: Image.Image, box: Box, colour: str, *, width: float = 1, radius: float = 0) -> None:
    """A rectangle's outline with round corners, drawn inside the box."""
    _painted(
        picture, box, colour,
        lambda pen, o: pen.rounded_rectangle(_finer(box, o), radius * FINE, outline=255, width=round(width * FINE)),
    )  # fmt: skip


def dot(picture: Image.Image, centre: Point, radius: float, colour: str) -> None:
    """A filled circle."""
    x, y = centre
    box = (x - radius, y - radius, x + radius, y + radius)
    _painted(picture, box, colour, lambda pen, o: pen.ellipse(_finer(box, o), fill=255))


def stroke(picture: Image.Image, points: Sequence[Point], colour: str, *, width: float = 1) -> None:
    """A line through points, with round joints and ends."""
    if not points:
        return
    xs, ys, half = [p[0] for p in points], [p[1] for p in points], width / 2

    def draw(pen: ImageDraw.ImageDraw, origin: Point) -> None:
        fine = [((x - origin[0]) * FINE, (y - origin[1]) * FINE) for x, y in points]
        pen.line(fine, fill=255, width=round(width * FINE), joint="curve")
        for x, y in (fine[0], fine[-1]) if width > 1.5 else ():
            pen.ellipse((x - half * FINE, y - half * FINE, x + half * FINE - 1, y + half * FINE - 1), fill=255)

    _painted(picture, (min(xs) - half, min(ys) - half, max(xs) + half, max(ys) + half), colour, draw)


@lru_cache(maxsize=64)
def round_corners(width: int, height: int, radius: float) -> Image.Image:
    """A mask that cuts a picture's corners round."""
    mask = Image.new("L", (width * FINE, height * FINE))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, width * FINE - 1, height * FINE - 1), radius * FINE, fill=255)
    return mask.reduce(FINE)


def upright_rgb(picture: Image.Image) -> Image.Image:
    """Any PIL picture as RGB, what is transparent on white."""
    if picture.mode == "RGB":
        return picture
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        white = Image.new("RGBA", seen.size, PAPER)
        white.alpha_composite(seen)
        return white.convert("RGB")
    return picture.convert("RGB")


def fitted(picture: Image.Image, side_px: int, *, grow: float = 3) -> Image.Image:
    """A picture brought to fit a square, whole and in its shape, at least 3 pixels thick.

    Small ones grow at most `grow` times, so that they do not blur; below 24 pixels they fill the square and their
    pixels are shown as they are.

    >>> fitted(Image.new("RGB", (1000, 500)), 220).size, fitted(Image.new("RGB", (1, 1)), 220).size
    ((220, 110), (220, 220))
    """
    picture = upright_rgb(picture)
    longer = max(picture.size)
    scale = side_px / longer if longer < 24 else min(side_px / longer, grow)
    size = [min(side_px, max(3, round(side * scale))) for side in picture.size]
    method = Image.Resampling.NEAREST if longer < 24 else Image.Resampling.LANCZOS
    if min(picture.size) * 50 < longer and longer > side_px:  # a thread: average along it only, Lanczos would ring
        method = Image.Resampling.BOX
    return picture if picture.size == tuple(size) else picture.resize((size[0], size[1]), method)
