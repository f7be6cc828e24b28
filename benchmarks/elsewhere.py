"""What backbones from elsewhere cost: converting them once, their size, and pictures a second beside the default.

    python benchmarks/elsewhere.py [--rounds 3] [NAME ...]

Networks of the sizes of well-known ones, with random weights (the time and the size do not hang on them), saved in
transformers' format and converted. Prints seconds and MB of the bundle, the number of features, and pictures a second
of processor time at batch 8 in bf16 and in float32, as shares of efficientnet-lite0's in the same round (medians).
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lookalike import Backbone
from lookalike.models.convert import convert


def save(name: str, folder: Path) -> Path:
    """A network of the size of a known one, in transformers' format."""
    import transformers as t

    base = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
    small = {"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 6, "mlp_ratio": 4}
    made = {
        "resnet-50": lambda: t.ResNetModel(t.ResNetConfig()),
        "convnext-tiny": lambda: t.ConvNextModel(t.ConvNextConfig()),
        "dinov2-small": lambda: t.Dinov2Model(t.Dinov2Config(**small, patch_size=14, image_size=518)),
        "vit-base-patch16": lambda: t.ViTModel(t.ViTConfig(**base, patch_size=16)),
        "clip-vit-base-patch32": lambda: t.CLIPVisionModel(t.CLIPVisionConfig(**base, patch_size=32)),
        "siglip2-base-patch16": lambda: t.SiglipVisionModel(t.SiglipVisionConfig(**base, patch_size=16)),
    }[name]()
    made.save_pretrained(folder)
    table = {"size": 224, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(table))
    return folder


def rate(backbone: Backbone, pictures: list[np.ndarray]) -> float:
    """Pictures a second of processor time."""
    started = time.process_time()
    backbone.embed(pictures)
    return len(pictures) / (time.process_time() - started)


def main() -> None:
    """Convert and compare."""
    names = ["resnet-50", "convnext-tiny", "dinov2-small", "clip-vit-base-patch32", "siglip2-base-patch16"]
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=names, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    print("name, seconds to convert (of processor time), MB, features, of the default's rate in bf16, in f32")
    with tempfile.TemporaryDirectory() as root:
        default = {precision: Backbone(precision=precision) for precision in ("bf16", "f32")}
        for name in options.names:
            folder = save(name, Path(root) / name)
            wall, own = time.perf_counter(), time.process_time()
            bundle = convert(folder, Path(root) / "kept")
            wall, own = time.perf_counter() - wall, time.process_time() - own
            size = sum(one.stat().st_size for one in bundle.path.iterdir()) / 1e6
            pictures = [rng.integers(0, 256, (bundle.side_px, bundle.side_px, 3), dtype=np.uint8) for _ in range(32)]
            shares = {}
            for precision, first in default.items():
                backbone = Backbone(bundle, precision=precision)
                for one in (first, backbone):
                    one.embed(pictures[:16])  # compiled
                pairs = [(rate(backbone, pictures), rate(first, pictures)) for _ in range(options.rounds)]
                shares[precision] = statistics.median(ours / theirs for ours, theirs in pairs)
            print(
                f"{name}, {wall:.0f} ({own:.0f}), {size:.0f}, {bundle.length}, "
                f"{shares['bf16']:.2f}, {shares['f32']:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    sys.exit(main())
