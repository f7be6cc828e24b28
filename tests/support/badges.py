"""Pictures to teach with: badges of many kinds, each before several grounds, where plain search is unsure."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from support.pictures import aged

SIDE = 96
KINDS, LOOKS = 30, 3
NAMES = [f"kind-{kind:02d}" for kind in range(KINDS)]


def badge(kind: int, look: int, side: int = 0) -> Image.Image:
    """One badge: its shape and colours are its kind's, its place, size and ground the look's; a side adds a frame."""
    of_kind, of_look = np.random.default_rng(1000 + kind), np.random.default_rng((kind, look, side))
    ground = Image.fromarray(of_look.integers(0, 256, (5, 5, 3), dtype=np.uint8))
    picture = ground.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(picture)
    fill, ink = (tuple(int(value) for value in of_kind.integers(0, 256, 3)) for _ in range(2))
    corners = int(of_kind.integers(3, 8))
    x, y = (int(place) for place in of_look.integers(34, 62, 2))
    radius = int(of_look.integers(22, 32))
    pen.regular_polygon((x, y, radius), corners, rotation=int(of_look.integers(0, 30)), fill=fill, outline=ink)
    pen.ellipse((x - radius // 3, y - radius // 3, x + radius // 3, y + radius // 3), fill=ink)
    if side:
        pen.rectangle((0, 0, SIDE - 1, SIDE - 1), outline=(255, 255, 255), width=6)
    return picture


def classes(folder: Path, kinds: int = 30, looks: int = 3) -> Path:
    """A folder a kind."""
    for kind in range(kinds):
        for look in range(looks):
            _save(badge(kind, look), folder / f"kind-{kind:02d}" / f"{look}.png")
    return folder


def sides(folder: Path, kinds: int = 40) -> Path:
    """Two folders with matching names."""
    for kind in range(kinds):
        _save(badge(kind, 0), folder / "left" / f"{kind:02d}.png")
        _save(badge(kind, 1, side=1), folder / "right" / f"{kind:02d}.png")
    return folder


def flat(folder: Path, kinds: int = 30) -> Path:
    """One folder, a picture a kind."""
    for kind in range(kinds):
        _save(badge(kind, 0), folder / f"{kind:02d}.png")
    return folder


def table(path: Path, header: str, rows: list[tuple[str, ...]]) -> Path:
    """A CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)
    return path


def _save(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    aged(path)


def kind_of(file: str) -> str:
    """The kind of a badge, by its name in a folder of classes."""
    return file.split("/")[0]
