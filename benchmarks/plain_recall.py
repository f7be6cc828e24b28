"""recall@1 of plain search on the real pictures, beside an 8 x 8 thumbnail, a colour histogram and a perceptual hash.

    LOOKALIKE_DATA=... python benchmarks/plain_recall.py [--quick]

Protocols: grocery: val_* ask train_*. caltech101, clothing, omniglot: every picture asks all others, its class (its
character) is right. emoji: each design asks each other one, mean of 12. totally_looks_like: left asks right and right
asks left, among 1,200. The perceptual hash (imagehash.phash) is left out where imagehash is not installed.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from nine_tasks import Pictures

from lookalike.images.decode import load


def thumbnail(path: Path) -> np.ndarray:
    small = np.asarray(load(path, side_px=8).resize((8, 8)), np.float32).ravel()
    return small - small.mean()


def histogram(path: Path) -> np.ndarray:
    levels = np.asarray(load(path, side_px=64).resize((64, 64))).reshape(-1, 3) // 64
    return np.sqrt(np.bincount(levels @ [16, 4, 1], minlength=64).astype(np.float32))


def perceptual_hash(path: Path) -> np.ndarray:
    import imagehash

    return imagehash.phash(load(path)).hash.ravel().astype(np.float32) * 2 - 1


def protocols(name: str, files: list[str]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Queries, gallery (indices), and the label of every file."""
    parts = [Path(file).parts for file in files]
    everyone = np.arange(len(files))
    if name in ("emoji", "totally_looks_like"):
        side = np.array([part[0] for part in parts])
        label = np.array([Path(file).stem for file in files])
        for a in np.unique(side):
            for b in np.unique(side):
                if a != b:
                    yield everyone[side == a], everyone[side == b], label
    elif name == "grocery":
        asks = np.array([part[-1].startswith("val_") for part in parts])
        yield everyone[asks], everyone[~asks], np.array([part[0] for part in parts])
    else:
        yield everyone, everyone, np.array(["/".join(part[:-1]) for part in parts])


def recall_at_1(x: np.ndarray, name: str, files: list[str]) -> float:
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
    found = []
    for queries, gallery, label in protocols(name, files):
        similarity = x[queries] @ x[gallery].T
        similarity[queries[:, None] == gallery[None]] = -np.inf
        found.append((label[gallery[similarity.argmax(1)]] == label[queries]).mean())
    return float(np.mean(found))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument(
        "--quick", action="store_true", help="the features alone, without what they are compared with"
    )
    asked = arguments.parse_args()
    others: dict[str, Callable[[Path], np.ndarray]] = {"8 x 8": thumbnail, "histogram": histogram}
    try:
        import imagehash  # noqa: F401

        others["phash"] = perceptual_hash
    except ImportError:
        pass
    others = {} if asked.quick else others
    ratios = []
    print(f"{'recall@1':20}", *(f"{name:>11}" for name in ("plain", "last depth", *others)))
    for name in ("grocery", "caltech101", "clothing", "omniglot", "emoji", "totally_looks_like"):
        p = Pictures(name)
        columns = [p.features, p.last, *(np.stack([of(path) for path in p.paths]) for of in others.values())]
        found = [recall_at_1(x, name, p.files) for x in columns]
        ratios.append(found[0] / found[1])
        print(f"{name:20}", *(f"{one:11.3f}" for one in found), flush=True)
    print(f"plain of last depth, mean {np.mean(ratios):.3f}")


if __name__ == "__main__":
    main()
