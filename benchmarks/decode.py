"""From a picture's bytes to the backbone's 224 x 224 input, against Pillow without draft mode.

    LOOKALIKE_DATA=... python benchmarks/decode.py [--rounds 7] [--pictures 6]

The 12-megapixel pictures are real photos of grocery/, enlarged, with grain as a sensor gives it, saved anew. Prints for
each kind of file its size, pictures a second of processor time of both ways (a busy machine changes little), their
ratio (median of alternating rounds, and its range), and how far the pixels are from a full decode with antialiased
bicubic resizing (mean difference, in levels of 255).
The more bytes a JPEG has, the less draft mode saves: it must still undo the entropy coding of them all.
The last lines: what it costs to keep the thumbnail of the same pixels as `index` does, and what that takes on disk.
"""

import argparse
import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from lookalike.images.decode import content_hash, decode_square
from lookalike.images.thumbnails import SIDE_PX, encoded, keep_thumbnail

SIDE = 224
Pixels = NDArray[np.uint8]


def plain(content: bytes) -> Pixels:
    """What a careful program does without draft mode: decode in full, turn upright, RGB, resize."""
    with Image.open(io.BytesIO(content)) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    return np.asarray(upright.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def ours(content: bytes) -> Pixels:
    """The same through lookalike."""
    return decode_square(content, SIDE).array


def rate(read: Callable[[bytes], Any], contents: Sequence[bytes]) -> float:
    """Pictures a second of processor time."""
    started = time.process_time()
    for one in contents:
        read(one)
    return len(contents) / (time.process_time() - started)


def compare(name: str, contents: Sequence[bytes], rounds: int) -> None:
    """One line of the table."""
    rates = [(rate(plain, contents), rate(ours, contents)) for _ in range(rounds)]
    ratios = sorted(mine / theirs for theirs, mine in rates)
    away = np.mean([np.abs(ours(one).astype(int) - plain(one)).mean() for one in contents])
    megabytes = sum(map(len, contents)) / len(contents) / 1e6
    theirs, mine = (statistics.median(column) for column in zip(*rates, strict=True))
    print(
        f"{name:26} {megabytes:6.2f} {theirs:8.1f} {mine:10.1f}"
        f" {statistics.median(ratios):7.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) {away:10.2f}",
        flush=True,
    )


def keeping(name: str, contents: Sequence[bytes], rounds: int) -> None:
    """What keeping thumbnails adds to decoding, and how far they are from those made of the whole picture."""
    hashes = {one: content_hash(one) for one in contents}
    with tempfile.TemporaryDirectory() as folder:
        empty = (Path(folder) / str(number) for number in range(10**6))
        rates = []
        for _ in range(rounds):
            cache = next(empty)
            keep = partial(_kept, hashes=hashes, cache=cache)
            rates.append((rate(ours, contents), rate(keep, contents)))
        more = sorted(1000 / keeps - 1000 / without for without, keeps in rates)
        kept = {path.name.split("-")[0]: path for path in cache.rglob("*.jpg")}
        away = [
            np.abs(_pixels(kept[hash.hex()].read_bytes()) - _pixels(encoded(one, SIDE_PX))).mean()
            for one, hash in hashes.items()
            if hash.hex() in kept
        ]
        size = np.mean([path.stat().st_size for path in kept.values()]) / 1000 if kept else 0.0
    print(
        f"{name:26} + {statistics.median(more):.2f} ms ({more[0]:.2f} to {more[-1]:.2f}) of processor time,"
        f" {size:.0f} KB, difference {np.mean(away) if away else 0:.2f}",
        flush=True,
    )


def _kept(content: bytes, hashes: dict[bytes, bytes], cache: Path) -> None:
    decode_square(content, SIDE, also=partial(keep_thumbnail, content=hashes[content], cache=cache))


def _pixels(jpeg: bytes) -> NDArray[np.int64]:
    with Image.open(io.BytesIO(jpeg)) as image:
        return np.asarray(image).astype(int)


def large(photo: Path, rng: np.random.Generator, format: str, **settings: Any) -> bytes:
    """A 4032 x 3024 picture, as phones make them, from a small photo."""
    with Image.open(photo) as image:
        big = image.convert("RGB").resize((4032, 3024), Image.Resampling.BICUBIC)
    grain = rng.normal(0, 4, (3024, 4032, 1)).astype(np.float32)
    noisy = Image.fromarray((np.asarray(big) + grain).clip(0, 255).astype(np.uint8))
    buffer = io.BytesIO()
    noisy.save(buffer, format, **settings)
    return buffer.getvalue()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pictures", type=int, default=6)
    asked = parser.parse_args()
    if not os.environ.get("LOOKALIKE_DATA"):
        print("Set LOOKALIKE_DATA to the folder of the real pictures.")
        return
    photos = sorted((Path(os.environ["LOOKALIKE_DATA"]) / "grocery").rglob("*.jpg"))
    rng = np.random.default_rng(0)
    some = [photos[i] for i in rng.permutation(len(photos))[:300]]
    n = asked.pictures
    print(f"{'':26} {'MB':>6} {'Pillow/s':>8} {'ours/s':>10} {'ratio':>7} {'(range)':>14} {'difference':>12}")
    for quality in (75, 85, 92):
        made = [large(photo, rng, "JPEG", quality=quality) for photo in some[:n]]
        compare(f"12 MP JPEG, quality {quality}", made, asked.rounds)
    keeping("12 MP JPEG, thumbnail kept", made, asked.rounds)
    made = [large(photo, rng, "JPEG", quality=85, progressive=True) for photo in some[: max(1, n // 3)]]
    compare("12 MP JPEG, progressive", made, asked.rounds)
    made = [large(photo, rng, "PNG", compress_level=1) for photo in some[: max(1, n // 3)]]
    compare("12 MP PNG", made, asked.rounds)
    contents = [photo.read_bytes() for photo in some]
    compare("JPEGs of 224 px", contents, asked.rounds)
    keeping("JPEGs of 224 px, none kept", contents, asked.rounds)


if __name__ == "__main__":
    main()
