"""Draw a catalogue of products by code: a few hundred photos to search and to teach, with labels for a part of them.

Nine products in ten textile patterns and eight colourways, each photographed more than once under other light, from
another angle and before another background. What two photos have in common is mostly the product and the background:
"same pattern" and "same colour" are for a lens to learn.

    python examples/catalogue.py demo/catalogue

DEST/photos/<product>-<pattern>-<colour>-<shot>.jpg   the collection; names tell the truth, search ignores them
DEST/queries/<product>-<pattern>-<colour>.jpg         products that are not in the collection
DEST/pattern.csv, DEST/colour.csv                     file,label: what people know about six in ten of the products
"""

import argparse
import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from products import PRODUCTS, SIDE, blurred, made_of, product
from textiles import COLOURWAYS, PATTERNS, rgb

PHOTO = 320  # side of a photo, in pixels
SHOTS = 2  # photos of each product
TAUGHT = 0.6  # share of the products whose labels are known
WOODS = ("#c79a6b", "#8a5f3f", "#d9c3a0", "#5b4436")
CLOTHS = ("#d8cbb4", "#a9a9a6", "#8f979e", "#c3bba9", "#e9e4da")
WALLS = ("#e8e1d6", "#cfd4d4", "#d8ccc0", "#c2c4bb", "#f1efe9", "#a3a8ab")
PAPERS = ("#eee4dc", "#dfe6e2", "#e3e0e8", "#dfe5ea", "#efebdf")
Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class Record:
    """One photo of the catalogue: its file, what it shows, and whether its labels are among the examples."""

    file: str
    product: str
    pattern: str
    colour: str
    shot: int
    taught: bool


def draw_catalogue(folder: Path | str, seed: int = 0) -> list[Record]:
    """Draw all photos, queries and labels into a folder; the same seed draws the same pixels.

    Returns: a record for each photo, in the order of their names.
    """
    folder = Path(folder)
    rng = np.random.default_rng(seed)
    for name in ("photos", "queries"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    records = []
    goods = assortment(rng)
    taught = rng.permutation(len(goods)) < round(TAUGHT * len(goods))
    for (kind, pattern, colour), known in zip(goods, taught, strict=True):
        thing = made_of(kind, pattern, colour, rng)
        for shot in range(1, SHOTS + 1):
            file = f"{kind}-{pattern}-{colour}-{shot}.jpg"
            photograph(thing, rng, stands=product(kind).stands).save(folder / "photos" / file, quality=84)
            records.append(Record(file, kind, pattern, colour, shot, bool(known)))
    for kind, pattern, colour in unsold(goods, rng):
        photo = photograph(made_of(kind, pattern, colour, rng), rng, stands=product(kind).stands)
        photo.save(folder / "queries" / f"{kind}-{pattern}-{colour}.jpg", quality=84)
    records.sort(key=lambda record: record.file)
    for label in ("pattern", "colour"):
        with (folder / f"{label}.csv").open("w", newline="", encoding="utf-8") as out:
            rows = csv.writer(out)
            rows.writerow(("file", "label"))
            rows.writerows((f"photos/{r.file}", getattr(r, label)) for r in records if r.taught)
    return records


def assortment(rng: np.random.Generator) -> list[tuple[str, str, str]]:
    """Every product in every pattern in two colourways, all dealt evenly: 180 things."""
    goods = []
    colours = list(COLOURWAYS)
    for kind in PRODUCTS:
        for first in (0, 4):  # the two colourways of a pair are four apart, so they differ
            dealt = [colours[(i + first) % len(colours)] for i in range(len(PATTERNS))]
            goods += [(kind, pattern, colour) for pattern, colour in zip(PATTERNS, dealt, strict=True)]
        rng.shuffle(colours)
    return goods


def unsold(goods: list[tuple[str, str, str]], rng: np.random.Generator) -> list[tuple[str, str, str]]:
    """Things that are not in the assortment, a pattern each, in turn over products and colourways."""
    sold = set(goods)
    kinds, colours = list(PRODUCTS), list(COLOURWAYS)
    chosen = []
    for i, pattern in enumerate(rng.permutation(list(PATTERNS)).tolist()):
        kind = kinds[(i * 2) % len(kinds)]
        free = [c for c in np.roll(colours, i * 3).tolist() if (kind, pattern, c) not in sold]
        chosen.append((kind, pattern, free[0]))
    return chosen


def photograph(thing: Image.Image, rng: np.random.Generator, *, stands: bool) -> Image.Image:
    """A product, (512, 512) RGBA, before a background, from some angle, in some light: (320, 320) RGB."""
    seen = scene(rng) if stands else surface(rng)
    photo = placed(thing, rng, stands=stands)
    cover = np.asarray(photo.getchannel("A"), np.float32) / 255
    dark = cast_on_table(cover, rng) if stands else cast_around(cover, rng)
    seen = seen * (1 - dark)[..., None]
    seen = seen + (np.asarray(photo.convert("RGB"), np.float32) - seen) * cover[..., None]
    return developed(seen, rng)


def placed(thing: Image.Image, rng: np.random.Generator, *, stands: bool) -> Image.Image:
    """The product turned, seen in perspective, nearer or farther, off the middle: (320, 320) RGBA."""
    turn = rng.normal(0, 0.03 if stands else 0.2)
    size = rng.uniform(0.86, 1.12) * PHOTO  # half the side of the product's canvas, on a photo twice as large
    tilt = rng.uniform(-0.13, 0.13, 2) * (0.5 if stands else 1)
    x, y = PHOTO + rng.uniform(-0.12, 0.12, 2) * PHOTO
    if stands:
        y = PHOTO * rng.uniform(1.04, 1.16)
    corners = np.array([(-1.0, -1.0), (1, -1), (1, 1), (-1, 1)])
    near = 1 + corners @ tilt  # the side that is nearer is larger
    turned = corners @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    target, source = turned * near[:, None] * size + (x, y), (corners + 1) * SIDE / 2
    rows = []  # a perspective has eight numbers, and each corner gives two equations; Pillow asks target -> source
    for (tx, ty), (sx, sy) in zip(target, source, strict=True):
        rows += [[tx, ty, 1, 0, 0, 0, -sx * tx, -sx * ty], [0, 0, 0, tx, ty, 1, -sy * tx, -sy * ty]]
    numbers = np.linalg.solve(np.array(rows), source.ravel()).tolist()
    large = thing.transform((2 * PHOTO, 2 * PHOTO), Image.Transform.PERSPECTIVE, numbers, Image.Resampling.BILINEAR)
    return large.reduce(2)


def moved(field: Pixels, down: float, right: float) -> Pixels:
    """A field moved by whole pixels; what comes in from outside is 0."""
    seen = Image.fromarray(field)
    offset = (1, 0, -round(right), 0, 1, -round(down))
    return np.asarray(seen.transform(seen.size, Image.Transform.AFFINE, offset), np.float32)


def cast_around(cover: Pixels, rng: np.random.Generator) -> Pixels:
    """The shadow of what lies: a wide soft one to a side and a narrow one all around, 0 to 1."""
    aside, along = rng.choice([-1, 1]) * rng.uniform(3, 11), rng.uniform(4, 13)
    wide = blurred(moved(cover, along, aside), rng.uniform(4, 9))
    return rng.uniform(0.3, 0.5) * wide + 0.25 * blurred(moved(cover, 2, 0), 2.5)


def cast_on_table(cover: Pixels, rng: np.random.Generator) -> Pixels:
    """The shadow of what stands: its cover laid flat at its foot, thrown to a side, 0 to 1."""
    rows = np.flatnonzero(cover.max(axis=1) > 0.5)
    foot, height = int(rows[-1]), int(rows[-1] - rows[0])
    tall = Image.fromarray(np.ascontiguousarray(cover[rows[0] : foot + 1]))
    flat = np.asarray(tall.resize((PHOTO, max(6, height // 6)), Image.Resampling.BILINEAR))
    top = max(0, foot - len(flat) + 5)
    cast = np.zeros_like(cover)
    cast[top : top + len(flat)] = flat[: PHOTO - top]
    aside = rng.choice([-1, 1]) * rng.uniform(4, 13)
    return 0.42 * blurred(moved(cast, 0, 2.2 * aside), 7) + 0.25 * blurred(moved(cast, 0, 3.2 * aside), 14)


def developed(seen: Pixels, rng: np.random.Generator) -> Image.Image:
    """Light from a side, vignette, white balance, exposure and a little noise."""
    y, x = np.mgrid[0:PHOTO, 0:PHOTO].astype(np.float32) / PHOTO - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(0.05, 0.28) * (x * np.cos(angle) + y * np.sin(angle))
    light *= 1 - rng.uniform(0.1, 0.5) * (x**2 + y**2)
    if rng.random() < 0.25:  # the sun through a window
        bars = np.sin((x * np.cos(0.5) + y * np.sin(0.5)) * rng.uniform(9, 16) + rng.uniform(0, 6))
        light *= 0.86 + 0.2 / (1 + np.exp(-7 * bars))
    warm = rng.normal(0, 0.045)
    balance = np.array([1 + warm, 1 + rng.normal(0, 0.012), 1 - warm], np.float32)
    grey = seen.mean(axis=2, keepdims=True)
    seen = grey + (seen - grey) * rng.uniform(0.88, 1.1)
    seen = seen * light[..., None] * balance * rng.uniform(0.8, 1.14)
    seen += rng.normal(0, rng.uniform(1, 3.5), (PHOTO, PHOTO, 1))
    return Image.fromarray(seen.clip(0, 255).astype(np.uint8))


def surface(rng: np.random.Generator) -> Pixels:
    """A piece of something that products lie on, seen from above, (320, 320, 3)."""
    whole = textures()[rng.integers(len(textures()))]
    if rng.random() < 0.5:
        whole = whole.transpose(Image.Transpose.ROTATE_90)
    side = int(rng.integers(330, 600))
    x, y = rng.integers(0, whole.width - side, 2).tolist()
    piece = whole.resize((PHOTO, PHOTO), Image.Resampling.BILINEAR, (x, y, x + side, y + side))
    return np.asarray(piece, np.float32)


def scene(rng: np.random.Generator) -> Pixels:
    """A wall, out of focus, and a table before it, (320, 320, 3)."""
    walls, tables = textures()[-len(WALLS) - len(PAPERS) :], textures()[: len(WOODS) + len(CLOTHS)]
    wall = walls[rng.integers(len(walls))].resize((PHOTO, PHOTO), Image.Resampling.BILINEAR)
    seen = np.asarray(wall.filter(ImageFilter.GaussianBlur(1.5)), np.float32)
    edge = round(PHOTO * rng.uniform(0.56, 0.72))
    seen = seen * (1 - 0.22 * np.exp(-(((np.arange(PHOTO) - edge) / 40) ** 2)))[:, None, None]
    table = tables[rng.integers(len(tables))].resize((PHOTO, PHOTO - edge), Image.Resampling.BILINEAR, (0, 0, 640, 420))
    seen[edge:] = np.asarray(table, np.float32) * np.linspace(0.84, 1.04, PHOTO - edge)[:, None, None]
    return seen.astype(np.float32)


@cache
def textures() -> tuple[Image.Image, ...]:
    """Woods, cloths, marble, walls and papers, (640, 640) each, drawn once."""
    rng = np.random.default_rng(3)
    drawn = [wood(rgb(c), rng) for c in WOODS] + [linen(rgb(c), rng) for c in CLOTHS] + [marble(rng)]
    drawn += [plaster(rgb(c), rng) for c in WALLS] + [paper(rgb(c), rng) for c in PAPERS]
    return tuple(Image.fromarray(seen.clip(0, 255).astype(np.uint8)) for seen in drawn)


def noise(rng: np.random.Generator, down: int, across: int) -> Pixels:
    """Smooth noise about 0, (640, 640), with so many swells down and across."""
    small = Image.fromarray(rng.normal(size=(down, across)).astype(np.float32))
    return np.asarray(small.resize((640, 640), Image.Resampling.BICUBIC))


def wood(tone: Pixels, rng: np.random.Generator) -> Pixels:
    """Planks from left to right, with grain and dark gaps."""
    grain = 0.05 * noise(rng, 160, 5) + 0.04 * noise(rng, 400, 9) + 0.04 * noise(rng, 14, 3)
    grain = grain + rng.normal(0, 0.07, 5)[np.arange(640) // 128][:, None]
    gap = np.abs(np.arange(640) % 128 - 1) < 2
    return tone * (1 + grain - 0.45 * gap[:, None])[..., None]


def linen(tone: Pixels, rng: np.random.Generator) -> Pixels:
    """Threads crossing, and a few soft swells."""
    threads = 0.045 * noise(rng, 320, 24) + 0.045 * noise(rng, 24, 320) + 0.05 * noise(rng, 5, 4)
    return tone * (1 + threads)[..., None]


def marble(rng: np.random.Generator) -> Pixels:
    """Pale stone with soft grey veins."""
    veins = np.exp(-np.abs(noise(rng, 4, 3) + 0.3 * noise(rng, 12, 9) + 0.12 * noise(rng, 50, 50)) * 5)
    return rgb("#efeeec") * (1 - 0.16 * veins**2 + 0.03 * noise(rng, 7, 5))[..., None]


def plaster(tone: Pixels, rng: np.random.Generator) -> Pixels:
    """A wall, a bit uneven."""
    return tone * (1 + 0.02 * noise(rng, 70, 70) + 0.012 * noise(rng, 300, 300) + 0.03 * noise(rng, 4, 4))[..., None]


def paper(tone: Pixels, rng: np.random.Generator) -> Pixels:
    """A sheet of coloured paper, lighter at one end."""
    fall = np.linspace(1.06, 0.86, 640, dtype=np.float32)[:, None]
    return tone * (fall + 0.006 * noise(rng, 400, 400))[..., None]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dest", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    made = draw_catalogue(given.dest, given.seed)
    print(f"{given.dest}: {len(made)} photos, {len(PATTERNS)} queries, labels for {sum(r.taught for r in made)} photos")
