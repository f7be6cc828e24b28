"""Small pictures drawn from a seed."""

import os
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image

_DATES = count(1_000_000_000)  # September 2001


def draw(path: Path, seed: int, size: tuple[int, int] = (64, 48)) -> Path:
    """A small picture of coloured blocks, different for every seed."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(blocks).resize(size, Image.Resampling.NEAREST).save(path)
    return aged(path)


def aged(path: Path) -> Path:
    """Give a file a date long before an index run, later than that of the one before: newer ones are read twice."""
    date = next(_DATES)
    os.utime(path, (date, date))
    return path


def scene(width: int = 40, height: int = 30) -> Image.Image:
    """A smooth picture that is another one when turned or mirrored: red grows to the right, green downwards."""
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([across, down, np.full_like(across, 90)], axis=-1).round().astype(np.uint8))


def drawn(seed: int, side: int = 224) -> np.ndarray:
    """Blocks of colour under a wave: the same for everyone, with something for every stage to see."""
    rng = np.random.default_rng(seed)
    blocks = np.kron(rng.integers(0, 200, (7, 7, 3)), np.ones((side // 7, side // 7, 1)))
    wave = 27 * (1 + np.sin(np.arange(side) / rng.integers(2, 9)))
    return (blocks + wave[:, None, None] + wave[None, :, None] / 2).clip(0, 255).astype(np.uint8)
