"""Draw a small catalogue by code: products with textile patterns, photographed under many conditions.

python examples/catalogue.py FOLDER
"""

import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 480  # drawn at this size, kept at two thirds of it

COLOURS = {
    "coral": ("#f9e4d4", "#e4572e"),
    "ocean": ("#dfeaf2", "#1b5e8c"),
    "forest": ("#e9f0e1", "#2f6b3c"),
    "mustard": ("#fff4d6", "#d39b12"),
    "plum": ("#f1e3ee", "#75306b"),
    "graphite": ("#eceae6", "#33363d"),
}


def stripes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sin(x * 34) > 0.1


def dots(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    u, v = x * 5, y * 5
    return (u % 1 - 0.5) ** 2 + ((v + 0.5 * (np.floor(u) % 2)) % 1 - 0.5) ** 2 < 0.09


def checks(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (np.sin(x * 26) > 0.2).astype(float) * 0.5 + (np.sin(y * 26) > 0.2) * 0.5


def zigzag(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sin((y + np.abs((x * 2.5) % 1 - 0.5) * 0.55) * 20) > 0.1


def waves(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sin((y + 0.09 * np.sin(x * 9)) * 20) > 0.35


def flowers(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    u, v = (x * 3) % 1 - 0.5, (y * 3 + 0.5 * (np.floor(x * 3) % 2)) % 1 - 0.5
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    return (radius < 0.25 + 0.13 * np.cos(5 * angle)) & (radius > 0.08)


PATTERNS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "stripes": stripes,
    "dots": dots,
    "checks": checks,
    "zigzag": zigzag,
    "waves": waves,
    "flowers": flowers,
}


def mug(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse([300, 170, 420, 320], outline=255, width=30)
    draw.rounded_rectangle([110, 120, 340, 380], 28, fill=255)


def cushion(draw: ImageDraw.ImageDraw) -> None:
    edge = np.linspace(-1, 1, 40)
    bow = 165 - 16 * (1 - edge**2)
    side = [(240 + 165 * t, 240 - b) for t, b in zip(edge, bow, strict=True)]
    right = [(240 + b, 240 + 165 * t) for t, b in zip(edge, bow, strict=True)]
    draw.polygon(side + right + [(480 - a, 480 - b) for a, b in side + right], fill=255)


def bag(draw: ImageDraw.ImageDraw) -> None:
    draw.arc([160, 50, 320, 260], 180, 360, fill=255, width=16)
    draw.polygon([(105, 155), (375, 155), (400, 410), (80, 410)], fill=255)


def shirt(draw: ImageDraw.ImageDraw) -> None:
    half = [(190, 80), (135, 100), (50, 200), (112, 248), (145, 215), (145, 415)]
    draw.polygon(half + [(480 - x, y) for x, y in reversed(half)] + [(265, 110), (215, 110)], fill=255)


def plate(draw: ImageDraw.ImageDraw) -> None:
    draw.ellipse([65, 65, 415, 415], fill=255)


PRODUCTS = {"mug": mug, "cushion": cushion, "bag": bag, "shirt": shirt, "plate": plate}


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float)


def shot(kind: str, pattern: str, colour: str, rng: np.random.Generator) -> Image.Image:
    """One photo: the product under its own angle, crop, light and background."""
    mask = Image.new("L", (SIDE, SIDE))
    PRODUCTS[kind](ImageDraw.Draw(mask))
    turn, size = np.deg2rad(rng.uniform(-25, 25)), rng.uniform(0.85, 1.2)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    bend = 1 + 0.25 * rng.uniform(-1, 1) * x + 0.25 * rng.uniform(-1, 1) * y  # a mild perspective
    u = (np.cos(turn) * x - np.sin(turn) * y) / size * bend
    v = (np.sin(turn) * x + np.cos(turn) * y) / size * bend
    ink = PATTERNS[pattern](u + rng.uniform(), v + rng.uniform()).astype(float)[..., None]
    ground, top = (rgb(one) for one in COLOURS[colour])
    cloth = ground * (1 - ink) + top * ink

    # The mask is looked up at the same bent places, so that shape and pattern turn together.
    columns = ((u + 0.5) * SIDE).clip(0, SIDE - 1).astype(int)
    rows = ((v + 0.5) * SIDE).clip(0, SIDE - 1).astype(int)
    inside = (np.abs(u) < 0.5) & (np.abs(v) < 0.5)
    shape = Image.fromarray((np.asarray(mask)[rows, columns] * inside).astype(np.uint8))
    alpha = np.asarray(shape.filter(ImageFilter.GaussianBlur(1)), float)[..., None] / 255
    depth = np.asarray(shape.filter(ImageFilter.GaussianBlur(22)), float)[..., None] / 255
    fall = np.asarray(shape.filter(ImageFilter.GaussianBlur(14)), float)[..., None] / 255

    wall = rgb(str(rng.choice(["#d9cfc1", "#c4cdd4", "#e6dcd8", "#b9b6ae", "#cfd6c8", "#8f8478", "#f0eee9"])))
    grain = rng.normal(0, 1, (SIDE, 1, 1)) * rng.uniform(0, 7) + rng.normal(0, 2, (SIDE, SIDE, 1))
    back = wall + grain - 40 * (y[..., None] + 0.5) * rng.uniform(0, 1)
    back = back * (1 - 0.45 * np.roll(fall, (14, 10), (0, 1)))
    picture = back * (1 - alpha) + cloth * (0.55 + 0.5 * depth) * alpha
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + 0.35 * (np.cos(angle) * x + np.sin(angle) * y)[..., None]
    picture = picture * light * rng.uniform(0.75, 1.1) * (1 + rng.normal(0, 0.04, 3))
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8)).resize((320, 320), Image.Resampling.LANCZOS)


def draw_catalogue(folder: Path, shots: int = 2, seed: int = 0) -> list[Path]:
    """Draw every product in every pattern and colour, `shots` photos each; the same seed draws the same pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    paths = []
    for kind, pattern, colour in product(PRODUCTS, PATTERNS, COLOURS):
        for number in range(1, shots + 1):
            path = folder / f"{kind}-{pattern}-{colour}-{number}.jpg"
            shot(kind, pattern, colour, rng).save(path, quality=88)
            paths.append(path)
    return paths


if __name__ == "__main__":
    drawn = draw_catalogue(Path(sys.argv[1]))
    print(f"{len(drawn)} pictures in {sys.argv[1]}")
