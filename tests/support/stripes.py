"""A folder of stripes that a tiny network learns to tell apart, and how it learns in tests."""

from pathlib import Path

from PIL import Image

from support import drawn_convolutions
from support.pictures import aged

HOW = {"unfreeze": "stem", "epochs": 60, "rate": 0.01, "quick": True}  # an epoch is one step here
KINDS, LOOKS = 60, 6


def stripes(folder: Path, kinds: int = KINDS, seed: int = 0) -> Path:
    """A folder a kind; plain search through the tiny network is unsure of them."""
    pictures, group = drawn_convolutions.pictures(kinds, LOOKS, seed=seed)
    for number, (picture, kind) in enumerate(zip(pictures, group, strict=True)):
        path = folder / f"kind-{kind:02d}/{number % LOOKS}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
        aged(path)
    return folder
