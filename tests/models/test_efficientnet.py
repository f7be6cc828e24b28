"""The default family: its graph beside a torch network of the same weights, and the weights it takes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.elsewhere import seen_by_place
from support.pictures import drawn

from lookalike.models.backbone import Backbone
from lookalike.models.efficientnet import EARLIER, SPECS, STRIDES, build_bundle
from lookalike.models.registry import resolve_bundle
from lookalike.models.torch_pickle import read_weights


@pytest.mark.parametrize("name", list(SPECS))
def test_every_depth_equals_that_of_a_torch_network_of_the_same_weights(name, packaged):
    torch = pytest.importorskip("torch")
    file = packaged(name)
    bundle = resolve_bundle(name)
    bundle = replace(bundle, depths=tuple(replace(one, weight=1.0, power=1.0, soft=0.0) for one in bundle.depths))
    pictures = [drawn(seed) for seed in range(3)] + [np.full((224, 224, 3), 255, np.uint8)]
    squares = np.stack([np.asarray(Image.fromarray(one).resize((bundle.side_px,) * 2)) for one in pictures])
    ours = Backbone(bundle, precision="f32").embed(list(squares))
    with torch.no_grad():
        theirs = reference(torch, read_weights(file), SPECS[name].repeats, torch.from_numpy(squares))
    start = 0
    for depth in bundle.depths:
        a, b = ours[:, start : start + depth.length], theirs[depth.name]
        start += depth.length
        cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        assert (cosine > 0.9999).all(), (depth.name, cosine)


def reference(torch: Any, weights: dict[str, np.ndarray], repeats: tuple[int, ...], image: Any) -> dict[str, Any]:
    """EfficientNet-Lite step by step, BatchNorm not folded and TensorFlow's padding by hand: pooled depths by name."""
    functional = torch.nn.functional
    w = {name: torch.from_numpy(value) for name, value in weights.items()}
    depths: dict[str, Any] = {}

    def step(x: Any, kernel: str, norm: str, stride: int = 1, relu6: bool = True) -> Any:
        k = w[f"{kernel}.weight"]
        missing = max((-(-x.shape[2] // stride) - 1) * stride + k.shape[2] - x.shape[2], 0)
        before, after = missing // 2, missing - missing // 2
        groups = k.shape[0] if k.shape[1] == 1 and k.shape[2] > 1 else 1
        x = functional.conv2d(functional.pad(x, (before, after, before, after)), k, stride=stride, groups=groups)
        running = w[f"{norm}.running_mean"], w[f"{norm}.running_var"]
        x = functional.batch_norm(x, *running, w[f"{norm}.weight"], w[f"{norm}.bias"], eps=1e-3)
        return functional.relu6(x) if relu6 else x

    x = step((image.permute(0, 3, 1, 2).float() - 127) / 128, "_conv_stem", "_bn0", stride=2)
    block = 0
    for stage, (stride, repeat) in enumerate(zip(STRIDES, repeats, strict=True)):
        for turn in range(repeat):
            at, entrance = f"_blocks.{block}.", x
            if f"{at}_expand_conv.weight" in w:
                x = step(x, f"{at}_expand_conv", f"{at}_bn0")
                if not turn:
                    depths |= {f"exp{stage}": x.mean((2, 3)).numpy()} | seen_by_place(f"exp{stage}", x.numpy())
            x = step(x, f"{at}_depthwise_conv", f"{at}_bn1", stride=stride if turn == 0 else 1)
            x = step(x, f"{at}_project_conv", f"{at}_bn2", relu6=False)
            x = x + entrance if turn else x
            block += 1
        depths[f"st{stage}"] = x.mean((2, 3)).numpy()
    last = step(x, "_conv_head", "_bn1").numpy()
    return depths | {"features": seen_by_place("last", last)["last.centre"]}


def test_the_earlier_version_can_still_be_made(packaged, tmp_path):
    """Collections that were not indexed since know it by this id."""
    packaged("efficientnet-lite0")
    earlier = build_bundle("efficientnet-lite0", tmp_path, recipe=EARLIER)
    assert earlier.id == "febea6a2b548b4c0f44bf00d997c8adb"
    assert (earlier.length, resolve_bundle("efficientnet-lite0").length) == (2816, 3488)


def test_lite2_is_another_backbone_by_name(packaged):
    packaged("efficientnet-lite2")
    backbone = Backbone("efficientnet-lite2")
    features = backbone.embed([drawn(0)])
    assert (backbone.name, backbone.bundle.side_px, features.shape) == ("efficientnet-lite2", 260, (1, backbone.length))
    assert backbone.id != resolve_bundle("efficientnet-lite0").id
