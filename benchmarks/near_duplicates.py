"""Above which similarity two pictures are one: what a picture has with itself, saved again, beside other pictures.

    LOOKALIKE_DATA=... python benchmarks/near_duplicates.py

40 pictures each of caltech101, clothing and grocery. Printed for each version of the backbone: the similarity of a
picture with itself after each change (least, 5th percentile, median), the share at or above the version's own
threshold, and the largest similarity of two different pictures.
"""

import io
import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike import Backbone
from lookalike.models.registry import DEFAULT, earlier_bundle, resolve_bundle

Picture = NDArray[np.uint8]


def saved_again(picture: Image.Image) -> Picture:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=50)
    return np.asarray(Image.open(file).convert("RGB"))


def half_as_wide(picture: Image.Image) -> Picture:
    return np.asarray(
        picture.resize((max(8, picture.width // 2), max(8, picture.height // 2)), Image.Resampling.LANCZOS)
    )


def cut(picture: Image.Image) -> Picture:
    w, h = picture.size
    return np.asarray(picture.crop((round(w * 0.02), round(h * 0.02), round(w * 0.98), round(h * 0.98))))


def brighter(picture: Image.Image) -> Picture:
    return np.clip(np.asarray(picture, np.float32) * 1.1, 0, 255).astype(np.uint8)


CHANGES = {"JPEG at 50": saved_again, "half the pixels": half_as_wide, "2% cut off": cut, "10% brighter": brighter}


def main() -> None:
    data = Path(os.environ.get("LOOKALIKE_DATA", ""))
    if not (data / "caltech101").is_dir():
        sys.exit("set LOOKALIKE_DATA to the folder of the real pictures.")
    pictures = []
    for name in ("caltech101", "clothing", "grocery"):
        files = sorted((data / name).rglob("*.jpg"))
        pictures += [Image.open(one).convert("RGB") for one in files[:: len(files) // 40][:40]]
    for version in (earlier_bundle(DEFAULT), resolve_bundle(DEFAULT)):
        backbone = Backbone(version)
        whole = backbone.embed([np.asarray(one) for one in pictures]).astype(np.float32)
        among = whole @ whole.T
        np.fill_diagonal(among, -1)
        same = version.nearly_equal
        print(f"\n{version.id[:6]}: {version.length:,} values, threshold {same}; two others: at most {among.max():.3f}")
        for change, changed in CHANGES.items():
            like = (whole * backbone.embed([changed(one) for one in pictures])).sum(axis=1)
            least, low, usual = like.min(), np.quantile(like, 0.05), np.median(like)
            print(f"  {change:16} {least:.3f} {low:.3f} {usual:.3f}   {np.mean(like >= same):4.0%}")


if __name__ == "__main__":
    main()
