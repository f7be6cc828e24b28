"""The products of the catalogue: each a few parts with a shape, a place on the cloth, and its own light and gloss."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import pi

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from textiles import COLOURWAYS, DIRECTED, TILE, cloth, rgb

SIDE = 512  # of the canvas that a product is drawn on, in pixels; on it x and y run from -1 to 1, y down
Field = NDArray[np.float32]
Y, X = (np.mgrid[0:SIDE, 0:SIDE].astype(np.float32) + 0.5) / (SIDE / 2) - 1


@dataclass(frozen=True)
class Part:
    """A shape (cover 0 to 1) with the cloth coordinates of its pixels, or one colour; light multiplies, gloss adds."""

    cover: Field
    light: Field
    gloss: Field | None = None
    u: Field | None = None  # None: not of cloth, but of `colour`
    v: Field | None = None
    colour: str = "#ffffff"  # "#rrggbb", or "ground", "main", "second", "accent" of the colourway


@dataclass(frozen=True)
class Product:
    """Its parts from back to front; `stands`: photographed from the front on a table, else lying, from above."""

    parts: Sequence[Part]
    stands: bool


def soft(values: Field, edge: float = 0.004) -> Field:
    """1 where values are below 0, 0 above, with a smooth edge about as wide as a pixel."""
    return (0.5 - values / (2 * edge)).clip(0, 1).astype(np.float32)


def outline(points: Sequence[tuple[float, float]], corner: float = 0.0) -> Field:
    """The cover of a polygon; its corners are round from so far away on either side (Chaikin's rule)."""
    path = np.array(points)
    if corner:
        edge = np.roll(path, -1, axis=0) - path
        cut = np.minimum(corner / np.hypot(*edge.T), 0.5)[:, None]
        path = np.stack([path + cut * edge, path + (1 - cut) * edge], axis=1).reshape(-1, 2)
        for _ in range(3):
            after = np.roll(path, -1, axis=0)
            path = np.stack([0.75 * path + 0.25 * after, 0.25 * path + 0.75 * after], axis=1).reshape(-1, 2)
    mask = Image.new("L", (SIDE * 3, SIDE * 3))
    ImageDraw.Draw(mask).polygon([tuple(p) for p in (path + 1) * SIDE * 1.5], fill=255)
    return np.asarray(mask.reduce(3), np.float32) / 255


def blurred(cover: Field, radius: float) -> Field:
    """A cover out of focus; the radius is in pixels."""
    picture = Image.fromarray((cover.clip(0, 1) * 255).astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255


def folds(seed: int, along: float, across: float, strength: float) -> Field:
    """Light on cloth that does not lie flat: smooth noise stretched along a direction, about 1."""
    rng = np.random.default_rng(seed)
    small = rng.normal(size=(max(3, int(across)), max(3, int(along)))).astype(np.float32)
    wide = Image.fromarray(small).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return (1 + strength * np.asarray(wide)).astype(np.float32)


def ellipse(x: float, y: float, rx: float, ry: float) -> Field:
    """Below 0 inside an ellipse, above 0 outside; about a distance near its edge."""
    return ((np.hypot((X - x) / rx, (Y - y) / ry) - 1) * min(rx, ry)).astype(np.float32)


def turned(radius: Field, top: float, bottom: float, sag: float, at: float = 0.0) -> Part:
    """A body turned on a lathe: radius by height, seen slightly from above, so that rows of its pattern sag."""
    across = ((X - at) / np.maximum(radius, 1e-3)).clip(-1, 1)
    hang = sag * np.sqrt(1 - across**2)
    cover = soft(np.abs(X - at) - radius) * soft(top - Y) * soft(Y - bottom - hang)
    angle = np.arcsin(across)
    light = 0.42 + 0.66 * np.cos(angle - 0.45).clip(0, 1) ** 0.8
    gloss = 62 * np.exp(-(((across + 0.52) / 0.09) ** 2)) + 16 * np.exp(-(((across - 0.8) / 0.06) ** 2))
    return Part(cover, light.astype(np.float32), gloss.astype(np.float32), angle * radius.max(), Y - hang)


def mug() -> Product:
    bend = np.hypot((X - 0.34) * 1.0, (Y - 0.02) * 0.88)
    across = ((bend - 0.27) / 0.075).clip(-1, 1)
    handle = Part(soft(np.abs(bend - 0.27) - 0.075), (0.55 + 0.5 * np.sqrt(1 - (across + 0.3).clip(-1, 1) ** 2)),
                  (70 * np.exp(-(((across + 0.35) / 0.2) ** 2))).astype(np.float32), colour="main")  # fmt: skip
    body = turned(np.full_like(X, 0.42) - 0.02 * Y, -0.5, 0.5, 0.1, -0.1)
    rim = ellipse(-0.1, -0.5, 0.43, 0.105)
    inside = ellipse(-0.1, -0.497, 0.395, 0.083)
    return Product([
        handle, body,
        Part(soft(rim), (1.0 + 0.05 * X).astype(np.float32), colour="ground"),
        Part(soft(inside), (0.52 + 0.75 * (X + 0.4).clip(0, 1)).astype(np.float32), colour="ground"),
    ], stands=True)  # fmt: skip


def vase() -> Product:
    t = ((Y + 0.5) / 1.3).clip(0, 1)
    neck = 0.19 + 0.07 * (1 - t / 0.16).clip(0, 1) ** 2
    belly = 0.31 * np.sin(pi * ((t - 0.1) / 0.98).clip(0, 1) ** 0.85) ** 1.3
    body = turned((neck + belly).astype(np.float32), -0.5, 0.76, 0.05)
    mouth, hole = ellipse(0, -0.5, 0.262, 0.058), ellipse(0, -0.498, 0.225, 0.042)
    one = np.ones_like(X)
    twigs = [twig(x, lean) for x, lean in ((-0.06, -0.26), (0.07, 0.24), (0.0, -0.03))]
    rim = [Part(soft(mouth), one, colour="ground"), Part(soft(hole), one * 0.35, colour="main")]
    return Product([body, *rim, *twigs], stands=True)


def twig(foot: float, lean: float) -> Part:
    """A dry twig with buds, from the mouth of the vase up."""
    t = ((-0.5 - Y) / 0.42).clip(0, 1)
    cover = soft(np.abs(X - foot - lean * t**1.4) - 0.007) * soft(Y + 0.495) * soft(-0.92 - Y)
    for k in (0.4, 0.6, 0.8, 1.0):
        x, y, side = foot + lean * k**1.4, -0.5 - 0.42 * k, 0.03 if int(k * 10) % 4 else -0.03
        cover = np.maximum(cover, soft(ellipse(x + side, y, 0.03, 0.046)))
    return Part(cover, (0.8 + 0.5 * blurred(cover, 3)).astype(np.float32), colour="#b08f5c")


def giftbox() -> Product:
    front = outline([(-0.62, -0.22), (0.2, -0.14), (0.2, 0.72), (-0.62, 0.6)])
    side = outline([(0.2, -0.14), (0.66, -0.26), (0.66, 0.56), (0.2, 0.72)])
    top = outline([(-0.62, -0.22), (-0.12, -0.4), (0.66, -0.26), (0.2, -0.14)])
    one = np.ones_like(X)
    shade = (1.02 - 0.12 * (Y + 0.2)).astype(np.float32)
    parts = [
        Part(front, shade, None, X + 0.62, Y - 0.11 * X),
        Part(side, 0.7 * shade, None, (X - 0.2) * 1.6, Y + 0.28 * X),
        Part(top, one * 1.13, None, X - 1.8 * Y, (Y + 0.4) * 2.4 + X * 0.2),
    ]
    ribbons = [
        (outline([(-0.29, -0.188), (-0.13, -0.172), (-0.13, 0.672), (-0.29, 0.648)]), 0.98),
        (outline([(0.38, -0.187), (0.48, -0.213), (0.48, 0.623), (0.38, 0.657)]), 0.72),
        (outline([(-0.29, -0.188), (0.19, -0.345), (0.33, -0.32), (-0.13, -0.172)]), 1.1),
        (outline([(0.38, -0.187), (-0.38, -0.305), (-0.25, -0.352), (0.48, -0.213)]), 1.1),
    ]
    parts += [Part(cover, one * light, colour="accent") for cover, light in ribbons]
    for side in (-1, 1):  # a bow: two loops seen from the front, each open in its middle
        loop = outline(
            [(0.03, -0.3), (0.03 + side * 0.3, -0.55), (0.03 + side * 0.5, -0.42), (0.03 + side * 0.4, -0.24)], 0.09
        )
        eye = outline(
            [
                (0.03 + side * 0.16, -0.34),
                (0.03 + side * 0.34, -0.45),
                (0.03 + side * 0.4, -0.36),
                (0.03 + side * 0.32, -0.29),
            ],
            0.06,
        )
        parts += [Part(loop, 0.6 + 0.6 * blurred(loop, 10), colour="accent"), Part(eye, one * 0.5, colour="accent")]
    knot = soft(ellipse(0.03, -0.31, 0.075, 0.065))
    parts.append(Part(knot, 0.7 + 0.6 * blurred(knot, 8), colour="accent"))
    return Product(parts, stands=True)


def plate() -> Product:
    r = np.hypot(X, Y)
    sun = (X * 0.6 + Y * 0.8) / np.maximum(r, 1e-3)  # towards the light, which comes from the upper left
    light = 1.0 - 0.05 * sun * r
    for ring, strength in ((0.56, 0.17), (0.8, -0.1)):
        light = light + strength * sun * np.exp(-(((r - ring) / 0.03) ** 2))
    gloss = 46 * np.exp(-(((X + 0.33) / 0.2) ** 2 + ((Y + 0.36) / 0.1) ** 2)) * soft(r - 0.56)
    white = Part(soft(r - 0.86), (1.0 - 0.1 * sun * r).astype(np.float32), colour="ground")
    return Product(
        [white, Part(soft(r - 0.815), light.astype(np.float32), gloss.astype(np.float32), X, Y)], stands=False
    )


def cushion() -> Product:
    pinch = 0.07
    x, y = X / (0.78 - pinch * (1 - Y**2)), Y / (0.78 - pinch * (1 - X**2))
    edge = (np.maximum(np.abs(x), np.abs(y)) - 1) * 0.75
    bulge = ((1 - x**2) * (1 - y**2)).clip(0, 1) ** 0.5
    down, right = np.gradient(bulge, 2 / SIDE)
    light = (0.93 - 0.11 * right.clip(-3, 3) * 0.6 - 0.13 * down.clip(-3, 3) * 0.8 + 0.14 * bulge) * folds(
        5, 4, 5, 0.035
    )
    for cx, cy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):  # creases run from the corners to the middle
        away = np.hypot(x - cx, y - cy)
        light = light - 0.1 * np.exp(-(((x * cy - y * cx) / 0.05) ** 2)) * np.exp(-((away / 0.42) ** 2))
    piping = Part(soft(edge - 0.012), (0.85 - 0.2 * (X + Y) * 0.5).astype(np.float32), colour="main")
    u, v = np.arcsin(x.clip(-1, 1) * 0.85), np.arcsin(y.clip(-1, 1) * 0.85)
    return Product([piping, Part(soft(edge + 0.012), light.astype(np.float32), None, u * 0.95, v * 0.95)], stands=False)


def tshirt() -> Product:
    half = [
        (0.0, -0.62),
        (0.2, -0.7),
        (0.34, -0.7),
        (0.56, -0.58),
        (0.95, -0.14),
        (0.68, 0.1),
        (0.5, -0.1),
        (0.48, 0.76),
    ]
    shape = outline([*half, *[(-x, y) for x, y in reversed(half[1:])]], 0.06)
    crease = folds(11, 7, 3, 0.07)
    light = (0.99 - 0.06 * X) * crease * (1 - 0.16 * blurred(soft(np.abs(np.abs(X) - 0.47) - 0.012) * soft(Y - 0.5), 6))
    light = light * (0.72 + 0.28 * blurred(shape, 9).clip(0, 1) ** 0.7)
    back = Part(soft(ellipse(0, -0.64, 0.2, 0.085)), np.full_like(X, 0.58), colour="ground")
    neck = ellipse(0, -0.675, 0.205, 0.15)
    front = Part(
        shape * (1 - soft(neck)), light.astype(np.float32), None, X + 0.05 * crease, Y + 0.04 * folds(12, 5, 4, 0.5)
    )
    collar = Part(
        soft(np.abs(neck + 0.002) - 0.024) * soft(-0.68 - Y), (0.95 + 0.0 * X).astype(np.float32), colour="main"
    )
    hems = soft(np.abs(Y - 0.715) - 0.004) * shape
    return Product([back, front, collar, Part(hems, np.full_like(X, 0.8), colour="main")], stands=False)


def tote() -> Product:
    body = outline([(-0.56, -0.22), (0.56, -0.22), (0.62, 0.84), (-0.62, 0.84)], 0.07)
    light = (0.98 - 0.07 * X) * folds(21, 6, 3, 0.06) * (0.74 + 0.26 * blurred(body, 10) ** 0.6)
    strap = np.abs(np.hypot(X / 0.36, (Y + 0.25) / 0.64) - 1) * 0.4
    shape = soft(strap - 0.042) * soft(Y + 0.24)
    rear_strap = np.abs(np.hypot((X - 0.03) / 0.34, (Y + 0.25) / 0.56) - 1) * 0.4
    hem = body * soft(Y + 0.12)
    tabs = outline([(-0.43, -0.25), (-0.33, -0.25), (-0.33, 0.0), (-0.43, 0.0)]) + outline(
        [(0.33, -0.25), (0.43, -0.25), (0.43, 0.0), (0.33, 0.0)]
    )
    return Product([
        Part(soft(rear_strap - 0.036) * soft(Y + 0.24), np.full_like(X, 0.68), colour="accent"),
        Part(body, light.astype(np.float32), None, X * (1 - 0.08 * Y), Y + 0.02 * folds(22, 4, 4, 1)),
        Part(hem, (0.96 * folds(23, 9, 2, 0.03)).astype(np.float32), colour="main"),
        Part(np.maximum(shape, tabs), (1.02 - 0.1 * strap / 0.04).astype(np.float32), colour="main"),
    ], stands=False)  # fmt: skip


def notebook() -> Product:
    def sheet(left: float, top: float, right: float, bottom: float, r: float = 0.035) -> Field:
        dx, dy = (
            np.abs(X - (left + right) / 2) - (right - left) / 2 + r,
            np.abs(Y - (top + bottom) / 2) - (bottom - top) / 2 + r,
        )
        return soft(np.hypot(dx.clip(0, 9), dy.clip(0, 9)) + np.minimum(np.maximum(dx, dy), 0) - r)

    one = np.ones_like(X)
    sheen = 26 * np.exp(-(((X + 0.7 * Y + 0.35) / 0.22) ** 2))
    cover = sheet(-0.6, -0.82, 0.58, 0.8)
    pages = (0.93 + 0.07 * np.sign(np.sin(Y * 260))).astype(np.float32)
    spine = (0.86 + 0.3 * np.sin((X + 0.6) * 16)).clip(0.7, 1.1)
    band = 0.8 + 0.3 * np.cos((X - 0.46) * 60)
    return Product([
        Part(sheet(-0.58, -0.8, 0.625, 0.84), one * 0.62, colour="main"),
        Part(sheet(-0.58, -0.8, 0.612, 0.825), pages, colour="#f4efe4"),
        Part(cover, (1.0 - 0.08 * X).astype(np.float32), sheen.astype(np.float32), X, Y),
        Part(cover * soft(X + 0.42), spine.astype(np.float32), colour="accent"),
        Part(sheet(-0.12, -0.5, 0.3, -0.22, 0.02), one, colour="#fbf8f1"),
        Part(sheet(-0.06, -0.4, 0.24, -0.388, 0.004) + sheet(-0.06, -0.33, 0.14, -0.318, 0.004), one, colour="#8b8578"),
        Part(soft(np.abs(X - 0.46) - 0.016) * cover, band.astype(np.float32), colour="accent"),
    ], stands=False)  # fmt: skip


def scarf() -> Product:
    """A band laid over its own bend: down on the left, around, and down on the right, a little shorter."""
    middle, half, top = 0.31, 0.2, -0.38
    bend = np.hypot(X, Y - top)
    above = top > Y
    across = np.where(above, bend - middle, np.abs(X) - middle - 0.1 * (Y - top)).astype(np.float32)
    along = np.where(above, (np.arctan2(X, top - Y) / pi * 2 * middle * 1.57), np.sign(X) * (middle * 1.57 + Y - top))
    end = np.where(X < 0, 0.72, 0.56)
    ripple = np.sin(across * 36 + 0.8 * np.sin(along * 2.2))
    light = ((0.94 + 0.12 * ripple) * folds(3, 4, 4, 0.035)).astype(np.float32)
    band = soft(np.abs(across) - half)
    light *= 0.78 + 0.22 * blurred(band, 8)
    cover = band * soft((Y - end).astype(np.float32))
    thread = soft(np.abs((across * 34) % 1 - 0.5) - 0.3, 0.08)
    fringe = band * thread * soft((Y - end - 0.12 - 0.012 * np.sin(across * 57)).astype(np.float32)) * soft(end - Y)
    return Product([
        Part(fringe.astype(np.float32), light * 0.95, colour="main"),
        Part(cover, light, None, across + 0.008 * ripple, along.astype(np.float32)),
    ], stands=False)  # fmt: skip


PRODUCTS = {make.__name__: make for make in (mug, vase, giftbox, plate, cushion, tshirt, tote, notebook, scarf)}


@cache
def product(name: str) -> Product:
    """A product's parts, made once."""
    return PRODUCTS[name]()


def made_of(name: str, pattern: str, colourway: str, rng: np.random.Generator) -> Image.Image:
    """A product cut from a cloth, (512, 512) RGBA; the cloth's scale, turn and place are drawn by chance."""
    swatch = cloth(pattern, colourway, swapped=bool(rng.random() < 0.5))
    scale = 270 * rng.uniform(0.85, 1.2)  # tile pixels from the middle of the canvas to its edge
    turn = rng.uniform(-0.1, 0.1) + (pi / 2 if pattern in DIRECTED and rng.random() < 0.35 else 0)
    shift_u, shift_v = rng.uniform(0, TILE, 2)
    colours = dict(zip(("ground", "main", "second", "accent"), COLOURWAYS[colourway], strict=True))
    seen, alpha = np.zeros((SIDE, SIDE, 3), np.float32), np.zeros((SIDE, SIDE, 1), np.float32)
    for part in product(name).parts:
        rows, columns = np.flatnonzero(part.cover.any(1)), np.flatnonzero(part.cover.any(0))
        box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        if part.u is None or part.v is None:
            paint = rgb(colours.get(part.colour, part.colour)) * part.light[box][..., None]
        else:
            u, v = part.u[box] * scale, part.v[box] * scale
            at_x = (u * np.cos(turn) - v * np.sin(turn) + shift_u).astype(np.int32) % TILE
            at_y = (u * np.sin(turn) + v * np.cos(turn) + shift_v).astype(np.int32) % TILE
            paint = swatch[at_y, at_x] * part.light[box][..., None]
        if part.gloss is not None:
            paint = paint + part.gloss[box][..., None]
        cover = part.cover[box][..., None].clip(0, 1)
        seen[box] += (paint - seen[box]) * cover
        alpha[box] += (1 - alpha[box]) * cover
    return Image.fromarray(np.dstack([seen.clip(0, 255), alpha * 255]).astype(np.uint8))
