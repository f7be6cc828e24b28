"""What a search in words costs beyond the network of texts: tokens, lookup, ranking; recorded in docs/benchmarks.md.

    python benchmarks/text.py [--pictures 50000] [--rounds 15] [--kept DIR]

The network is one of CLIP's size (ViT-B/32's network of texts: 12 layers of 512, 49,408 tokens, 77 a text) with random
weights, converted as any other is, with a vocabulary of random pairs; the table has made-up features of the true
length. Each round asks for other words. Beyond: a search less the network alone, run on the same tokens in the same
round. With --kept, what was made there is used again.
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lookalike import Collection
from lookalike.collection.config import CollectionConfig
from lookalike.collection.folder import CollectionFolder
from lookalike.index.table import ImageRow, Table
from lookalike.models.backbone import Backbone

TOKENS = 49_408
VISION = {"hidden_size": 768, "num_hidden_layers": 4, "intermediate_size": 768, "image_size": 224, "patch_size": 32}


def save_tokenizer(folder: Path) -> None:
    """A vocabulary of CLIP's kind and size: all bytes, then random pairs of what is there."""
    from tokenizers import pre_tokenizers

    rng = np.random.default_rng(0)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = dict.fromkeys([*letters, *(f"{one}</w>" for one in letters)])
    inner, merges = list(letters), []
    while len(pieces) < TOKENS - 2:
        one = inner[int(rng.integers(len(inner)))]
        other = (inner if rng.random() < 0.6 else letters)[int(rng.integers(len(letters)))]
        other = other if rng.random() < 0.5 else f"{other}</w>"
        if one + other in pieces or len(one + other) > 24 or other not in pieces:
            continue
        merges.append((one, other))
        pieces[one + other] = None
        if not other.endswith("</w>"):
            inner.append(one + other)
    vocabulary = {piece: place for place, piece in enumerate([*pieces, "<|startoftext|>", "<|endoftext|>"])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *map(" ".join, merges)]), encoding="utf-8")


def save_model(folder: Path) -> Path:
    """A CLIP with random weights in transformers' format."""
    import torch
    import transformers

    if not (folder / "model.safetensors").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(0)
        config = transformers.CLIPConfig(vision_config=VISION)
        transformers.CLIPModel(config).save_pretrained(folder)
        save_tokenizer(folder)
        scaling = {"size": 224, "image_mean": [0.5] * 3, "image_std": [0.25] * 3}
        (folder / "preprocessor_config.json").write_text(json.dumps(scaling), encoding="utf-8")
    return folder


def synthetic(folder: Path, backbone: Backbone, pictures: int) -> Collection:
    """A collection of made-up features, clustered as real ones are."""
    home = CollectionFolder(folder)
    if home.config() is None:
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(0)
        centres = rng.standard_normal((max(2, pictures // 50), backbone.length)).astype(np.float32)
        table = Table(home.table(backbone.id))
        for start in range(0, pictures, 2000):
            rows = []
            for i in range(start, min(start + 2000, pictures)):
                features = centres[i % len(centres)] + rng.standard_normal(backbone.length).astype(np.float32)
                content = hashlib.blake2b(str(i).encode(), digest_size=16).digest()
                name = f"{i // 1000:03d}/{i:06d}.png"
                rows.append(ImageRow(name, content, 100, i, 4, 4, features / np.linalg.norm(features)))
            table.append(rows)
        table.compact()
        home.save(CollectionConfig(str(folder), backbone.id, backbone.name, backbone.precision))
    return Collection(folder, backbone=backbone.bundle.path)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds on the clock and of the processor."""
    before, clock = time.process_time(), time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - clock), 1000 * (time.process_time() - before)


def show(what: str, times: list[tuple[float, float]]) -> None:
    clock, processor = (sorted(column) for column in zip(*times, strict=True))
    print(
        f"{what:34}{statistics.median(clock):10.1f}{clock[0]:10.1f}{statistics.median(processor):12.1f}"
        f"  ({processor[0]:.1f} to {processor[-1]:.1f})"
    )


def run(place: Path, pictures: int, rounds: int) -> None:
    started = time.perf_counter()
    backbone = Backbone(save_model(place / "clip"))
    photos = synthetic(place / f"photos-{pictures}", backbone, pictures)
    print(f"{pictures:,} rows of {backbone.length}; made in {time.perf_counter() - started:.0f} s")
    engine, rng = photos.backbone.text_engine, np.random.default_rng(1)
    compiled = engine.compiled()
    whole, alone, beyond, tokens, again = [], [], [], [], []
    for turn in range(rounds + 1):
        text = " ".join("".join(rng.choice(list("aeiourstln"), 5)) for _ in range(6))
        ids, _ = engine.tokens.of(text)
        given = {
            "tokens": engine.embed_tokens(ids),
            "pick": np.eye(1, len(ids), dtype=np.float32),
        }
        network = timed(lambda given=given: compiled.create_infer_request().infer(given))
        looked = timed(lambda text=text: engine.tokens.of(text))
        asked = timed(lambda text=text: photos.search(text=text, k=20))
        vector = photos.backbone.embed_text([text])[0]
        ranked = timed(lambda vector=vector: photos.search(vector, k=20))
        if turn:  # the first reads the rows, the codes and the network
            whole.append(asked)
            alone.append(network)
            beyond.append((asked[0] - network[0], asked[1] - network[1]))
            tokens.append(looked)
            again.append(ranked)
    print(f"{'ms':34}{'median':>10}{'fastest':>10}{'processor':>12}")
    show("a search in words", whole)
    show("the network of texts alone", alone)
    show("beyond it", beyond)
    show("of that: tokens", tokens)
    show("of that: ranking a vector", again)
    words = [sys.executable, "-m", "lookalike", "search", str(photos.folder), "--text", "red bag, striped"]
    fresh = []
    for _ in range(3):
        before, clock = sum(os.times()[2:4]), time.perf_counter()
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        fresh.append((1000 * (time.perf_counter() - clock), 1000 * (sum(os.times()[2:4]) - before)))
    show("a fresh process", fresh)
    print(f"load {os.getloadavg()[0]:.0f}, {os.cpu_count()} processors, {photos.backbone.precision}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--kept", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        os.environ.setdefault("LOOKALIKE_CACHE", str((options.kept or Path(temporary)) / "cache"))
        run(options.kept or Path(temporary), options.pictures, options.rounds)
