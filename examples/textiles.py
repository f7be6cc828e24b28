"""Textile patterns and colourways of the catalogue: every pattern is a tile that repeats, drawn in any colourway."""

from collections.abc import Callable, Iterator
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

TILE = 512  # side of a tile, in pixels; it is drawn twice as large and averaged down
FINE = 2 * TILE

# name -> ground, main, second, accent. Cream to dark of one hue, so that a colourway has one name.
COLOURWAYS: dict[str, tuple[str, str, str, str]] = {
    "tomato": ("#ffd9cb", "#d8371f", "#f58d70", "#8f1d10"),
    "mustard": ("#fff0b8", "#e8a610", "#f7cf5c", "#946400"),
    "forest": ("#d9edd0", "#2f7d45", "#86bd80", "#174a28"),
    "teal": ("#c8f0ee", "#07868c", "#5cc4c2", "#014a50"),
    "navy": ("#d6e0fb", "#1f3f9e", "#7693e0", "#0c1c55"),
    "plum": ("#ecd5f1", "#7f2f8b", "#be80c9", "#46124e"),
    "blush": ("#ffe2e8", "#ee7d9b", "#f8b3c4", "#b04066"),
    "charcoal": ("#efeeec", "#3a3d42", "#9b9ea3", "#191b1e"),
}

# What a tile is drawn in: red, green and blue stand for main, second and accent; what is left is ground.
GROUND, MAIN, SECOND, ACCENT = (0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)
Pen = ImageDraw.ImageDraw
Point = tuple[float, float]


def rgb(colour: str) -> NDArray[np.float32]:
    """'#ff8000' -> (3,) float32, 0 to 255."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.float32)


def cloth(pattern: str, colourway: str, *, swapped: bool = False) -> NDArray[np.uint8]:
    """A tile of a pattern in a colourway, (512, 512, 3); swapped: light on dark where it is dark on light."""
    ground, main, second, accent = map(rgb, COLOURWAYS[colourway])
    if swapped:
        ground, main, second, accent = main, ground, second * 0.35 + ground * 0.65, accent
    cover = tile(pattern).astype(np.float32) / 255  # (512, 512, 3): how much of a pixel is main, second, accent
    painted = ground + cover @ np.stack([main - ground, second - ground, accent - ground])
    return painted.clip(0, 255).astype(np.uint8)


def tile(pattern: str) -> NDArray[np.uint8]:
    """The cover of main, second and accent, (512, 512, 3), the same every time."""
    if pattern not in _DRAWN:
        picture = Image.new("RGB", (FINE, FINE), GROUND)
        PATTERNS[pattern](ImageDraw.Draw(picture), np.random.default_rng(7))
        _DRAWN[pattern] = np.asarray(picture.reduce(2))
    return _DRAWN[pattern]


_DRAWN: dict[str, NDArray[np.uint8]] = {}


def _wrapped(x: float, y: float, reach: float) -> Iterator[Point]:
    """A place and its copies past the edges, so that the tile repeats without a seam."""
    for dx in (-FINE, 0, FINE):
        for dy in (-FINE, 0, FINE):
            if -reach < x + dx < FINE + reach and -reach < y + dy < FINE + reach:
                yield x + dx, y + dy


def _scattered(rng: np.random.Generator, across: int, jitter: float) -> Iterator[Point]:
    """Places on a brick-like raster, each moved a little."""
    step = FINE / across
    for row in range(across):
        for column in range(across):
            dx, dy = rng.uniform(-jitter, jitter, 2) * step
            yield (column + 0.5 * (row % 2) + 0.25) * step + dx, (row + 0.5) * step + dy


def stripes(pen: Pen, _: np.random.Generator) -> None:
    for x in range(0, FINE, 128):
        pen.rectangle((x, 0, x + 63, FINE), MAIN)
        pen.rectangle((x + 90, 0, x + 101, FINE), SECOND)


def dots(pen: Pen, _: np.random.Generator) -> None:
    for row in range(8):
        for column in range(8):
            for x, y in _wrapped((column + 0.5 * (row % 2)) * 128, row * 128, 60):
                pen.ellipse((x - 38, y - 38, x + 38, y + 38), MAIN)


def gingham(pen: Pen, _: np.random.Generator) -> None:
    for at in range(0, FINE, 128):
        pen.rectangle((at, 0, at + 63, FINE), SECOND)
        pen.rectangle((0, at, FINE, at + 63), SECOND)
    for x in range(0, FINE, 128):
        for y in range(0, FINE, 128):
            pen.rectangle((x, y, x + 63, y + 63), MAIN)


def zigzag(pen: Pen, _: np.random.Generator) -> None:
    for i, top in enumerate(range(-256, FINE + 256, 128)):
        wide = [(x, top + (80 if x // 64 % 2 else 0)) for x in range(-64, FINE + 65, 64)]
        pen.polygon(wide + [(x, y + 62) for x, y in reversed(wide)], MAIN if i % 2 else SECOND)
        pen.polygon([(x, y + 84) for x, y in wide] + [(x, y + 98) for x, y in reversed(wide)], ACCENT)


def waves(pen: Pen, _: np.random.Generator) -> None:
    for top in range(-128, FINE + 128, 128):
        swell = [(x, top + 34 * sin(2 * pi * x / 256)) for x in range(-16, FINE + 17, 8)]
        pen.polygon(swell + [(x, y + 46) for x, y in reversed(swell)], MAIN)
        pen.polygon([(x, y + 70) for x, y in swell] + [(x, y + 92) for x, y in reversed(swell)], SECOND)


def herringbone(pen: Pen, _: np.random.Generator) -> None:
    for column in range(8):
        left, lean = column * 128, 128 if column % 2 else -128
        for i, y in enumerate(range(-256, FINE + 256, 64)):
            box = [(left + 5, y), (left + 122, y + lean), (left + 122, y + lean + 48), (left + 5, y + 48)]
            pen.polygon(box, MAIN if i % 2 else SECOND)


def scallops(pen: Pen, _: np.random.Generator) -> None:
    for row in range(-2, 20):
        for column in range(-1, 10):
            x, y = (column + 0.5 * (row % 2)) * 128, row * 64
            for radius, colour in ((66, GROUND), (60, MAIN), (44, GROUND), (34, SECOND), (18, MAIN)):
                pen.ellipse((x - radius, y - radius, x + radius, y + radius), colour)


def triangles(pen: Pen, rng: np.random.Generator) -> None:
    colours = [MAIN, MAIN, SECOND, ACCENT, GROUND, GROUND]
    for row in range(8):
        for column in range(8):
            x, y = column * 128, row * 128
            up, down = (colours[i] for i in rng.integers(0, 6, 2))
            for dx in (0, FINE, -FINE):
                shift = x + dx + 64 * (row % 2)
                pen.polygon([(shift, y + 128), (shift + 64, y), (shift + 128, y + 128)], up)
                pen.polygon([(shift + 64, y), (shift + 192, y), (shift + 128, y + 128)], down)


def terrazzo(pen: Pen, rng: np.random.Generator) -> None:
    for i, (x, y) in enumerate(_scattered(rng, 10, 0.34)):
        size, turn, corners = rng.uniform(24, 60), rng.uniform(0, 2 * pi), int(rng.integers(4, 7))
        bends = np.sort(rng.uniform(0, 0.7, corners) + np.arange(corners)) * 2 * pi / corners + turn
        chip = [(size * cos(a) * 1.15, size * sin(a) * 0.8) for a in bends]
        colour = (MAIN, SECOND, MAIN, ACCENT)[i * 7 % 4]
        for at in _wrapped(x, y, 90):
            pen.polygon([(at[0] + dx, at[1] + dy) for dx, dy in chip], colour)


def stars(pen: Pen, rng: np.random.Generator) -> None:
    for i, (x, y) in enumerate(_scattered(rng, 6, 0.1)):
        size, turn = (62, 40)[i % 2] * rng.uniform(0.9, 1.1), rng.uniform(0, 2 * pi)
        points = [(r * sin(turn + k * pi / 5), r * cos(turn + k * pi / 5)) for k in range(10)
                  for r in [size if k % 2 == 0 else size * 0.42]]  # fmt: skip
        for at in _wrapped(x, y, 80):
            pen.polygon([(at[0] + dx, at[1] + dy) for dx, dy in points], MAIN if i % 2 == 0 else SECOND)


def _petal(length: float, width: float, turn: float, away: float = 0) -> list[Point]:
    """A pointed oval that starts `away` from the origin."""
    outline = [(away + length * t, width * sin(pi * t) ** 0.8) for t in np.linspace(0, 1, 14)]
    outline += [(x, -y) for x, y in reversed(outline)]
    return [(x * cos(turn) - y * sin(turn), x * sin(turn) + y * cos(turn)) for x, y in outline]


def _put(pen: Pen, at: Point, outline: list[Point], colour: tuple[int, int, int]) -> None:
    for x, y in _wrapped(*at, 140):
        pen.polygon([(x + dx, y + dy) for dx, dy in outline], colour)


def floral(pen: Pen, rng: np.random.Generator) -> None:
    for i, at in enumerate(_scattered(rng, 5, 0.12)):
        turn, size = rng.uniform(0, 2 * pi), rng.uniform(62, 84)
        for k in (0.5, 2.9, 4.4):
            _put(pen, at, _petal(size * 0.8, 15, turn + k, size * 0.75), ACCENT)
        for k in range(5):
            _put(pen, at, _petal(size, size * 0.36, turn + k * 2 * pi / 5), SECOND if i % 3 == 0 else MAIN)
        for x, y in _wrapped(*at, 100):
            pen.ellipse((x - 17, y - 17, x + 17, y + 17), ACCENT)
            pen.ellipse((x - 9, y - 9, x + 9, y + 9), GROUND)


def leaves(pen: Pen, rng: np.random.Generator) -> None:
    for i, (x, y) in enumerate(_scattered(rng, 4, 0.06)):
        turn = (0.9 if i % 2 else -2.2) + rng.uniform(-0.4, 0.4)
        colour = MAIN if i % 3 else SECOND
        stem = [(x + r * cos(turn), y + r * sin(turn)) for r in (-120, 110)]
        for dx in (-FINE, 0, FINE):
            for dy in (-FINE, 0, FINE):
                pen.line([(px + dx, py + dy) for px, py in stem], ACCENT, 7)
        for r in (-80, -30, 20, 70):
            at = (x + r * cos(turn), y + r * sin(turn))
            for side in (-0.95, 0.95):
                _put(pen, at, _petal(82 - abs(r) * 0.25, 21, turn + side), colour)


PATTERNS: dict[str, Callable[[Pen, np.random.Generator], None]] = {
    draw.__name__: draw
    for draw in (
        stripes, dots, gingham, zigzag, herringbone, scallops, terrazzo, stars, floral, leaves,
    )
}  # fmt: skip
DIRECTED = ("stripes", "zigzag", "waves", "herringbone", "scallops")  # these may also run the other way
