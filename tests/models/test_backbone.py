"""From pixels to features: the formula by hand, the network beside torch and golden values, every kind of source."""

import io
import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from lookalike.errors import BundleError, ImageError
from lookalike.images.decode import DecodedImage
from lookalike.models.backbone import Backbone
from lookalike.models.bundle import Bundle, StageOutput
from lookalike.models.efficientnet import SPECS, STRIDES, build_bundle
from lookalike.models.features import combine_stages
from lookalike.models.registry import cache_folder, resolve_bundle
from lookalike.models.torch_pickle import read_weights

GOLDEN = Path(__file__).parents[1] / "data" / "features.json"


def bundle(*depths: StageOutput) -> Bundle:
    return Bundle(path=Path(), name="drawn", id="0", side_px=8, depths=depths)


def test_one_row_of_two_depths_worked_by_hand():
    """sqrt(9), -sqrt(16) has length 5: 0.6, -0.8; the other is 1; weighted 1 and 2 they have length sqrt(5)."""
    depths = {"a": np.array([[9.0, -16.0]], np.float32), "b": np.array([[7.0]], np.float32)}
    features = combine_stages(depths, bundle(StageOutput("a", 2, 1.0), StageOutput("b", 1, 2.0)))
    assert_allclose(features, np.array([[0.6, -0.8, 2.0]]) / 5**0.5, rtol=1e-6)
    assert features.dtype == np.float32


def test_a_soft_root_worked_by_hand():
    """Rows of mean size 4, so e = 4: sqrt(12 + 4) - 2 = 2 beside zeros; -(sqrt(5 + 4) - 2) = -1 beside sqrt(6) - 2."""
    depths = {"a": np.array([[12.0, 0.0, 0.0], [-5.0, 2.0, 5.0]], np.float32)}
    features = combine_stages(depths, bundle(StageOutput("a", 3, 1.0, soft=1.0)))
    second = np.array([-1.0, 6**0.5 - 2, 1.0])
    assert_allclose(features, [[1, 0, 0], second / np.linalg.norm(second)], rtol=1e-5)


def test_power_1_leaves_the_values_as_they_are():
    depths = {"a": np.array([[3.0, -4.0]], np.float32)}
    assert_allclose(combine_stages(depths, bundle(StageOutput("a", 2, 5.0, power=1.0))), [[0.6, -0.8]], rtol=1e-6)


def test_a_row_of_nothing_but_zeros_gives_zeros_and_no_warning():
    depths = {"a": np.zeros((1, 2), np.float32)}
    assert_allclose(combine_stages(depths, bundle(StageOutput("a", 2, 1.0, soft=0.3))), [[0, 0]])


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_one_photo_under_every_exif_flag_embeds_alike(real_data, precision):
    """Asked: cosine above 0.99. A digit that differs is drawn on each; without it they would reach 0.997."""
    features = Backbone(precision=precision).embed(sorted((real_data / "exif_rotated").glob("*.jpg")))
    assert len(features) == 9
    assert (features @ features.T).min() > 0.99


def drawn(seed: int, side: int = 224) -> np.ndarray:
    """Blocks of colour under a wave: the same for everyone, with something for every depth to see."""
    rng = np.random.default_rng(seed)
    blocks = np.kron(rng.integers(0, 200, (7, 7, 3)), np.ones((side // 7, side // 7, 1)))
    wave = 27 * (1 + np.sin(np.arange(side) / rng.integers(2, 9)))
    return (blocks + wave[:, None, None] + wave[None, :, None] / 2).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def f32() -> Backbone:
    return Backbone(precision="f32")


def test_features_equal_their_golden_values(f32):
    """Written by: python tools/write_golden_features.py"""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    features = f32.embed([drawn(seed) for seed in range(2)])
    assert f32.id == golden["id"]
    assert_allclose(features[:, golden["columns"]], golden["features"], atol=2e-5)


def test_bf16_features_are_nearly_those_of_f32(f32):
    pictures = [drawn(seed) for seed in range(4)]
    assert ((Backbone(precision="bf16").embed(pictures) * f32.embed(pictures)).sum(axis=1) > 0.995).all()


@pytest.mark.parametrize("name", list(SPECS))
def test_every_depth_equals_that_of_a_torch_network_of_the_same_weights(name):
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
        a, b = ours[:, start : start + depth.length], theirs[depth.name].numpy()
        start += depth.length
        cosine = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        assert (cosine > 0.9999).all(), (depth.name, cosine)


def packaged(name: str) -> Path:
    spec = find_spec(SPECS[name].package)
    if spec is None:
        pytest.skip(f"needs the package of {name}")
    return next(Path(spec.submodule_search_locations[0]).rglob("*.pth"))


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
                depths.setdefault(f"exp{stage}", x.mean((2, 3)))
            x = step(x, f"{at}_depthwise_conv", f"{at}_bn1", stride=stride if turn == 0 else 1)
            x = step(x, f"{at}_project_conv", f"{at}_bn2", relu6=False)
            x = x + entrance if turn else x
            block += 1
        depths[f"st{stage}"] = x.mean((2, 3))
    return depths | {"features": step(x, "_conv_head", "_bn1").mean((2, 3))}


def test_lite2_is_another_backbone_by_name():
    packaged("efficientnet-lite2")
    backbone = Backbone("efficientnet-lite2")
    features = backbone.embed([drawn(0)])
    assert (backbone.name, backbone.bundle.side_px, features.shape) == ("efficientnet-lite2", 260, (1, backbone.length))
    assert backbone.id != resolve_bundle("efficientnet-lite0").id


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_one_by_one_and_in_batches_features_agree(precision):
    backbone = Backbone(precision=precision)
    pictures = [drawn(seed) for seed in range(11)]
    alone = np.vstack([backbone.embed([one]) for one in pictures])
    assert ((alone * backbone.embed(pictures)).sum(axis=1) > (0.99999 if precision == "f32" else 0.999)).all()


def test_paths_bytes_pil_images_and_arrays_have_the_same_features(tmp_path, f32):
    image = Image.fromarray(drawn(3))
    image.save(tmp_path / "a.png")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    sources = [tmp_path / "a.png", str(tmp_path / "a.png"), buffer.getvalue(), image, drawn(3)]
    features = f32.embed(sources)
    assert features.shape == (5, f32.length)
    assert_allclose(features, np.repeat(features[:1], 5, axis=0), atol=1e-6)
    assert_allclose(np.linalg.norm(features, axis=1), 1, atol=1e-5)


def test_no_pictures_have_no_rows(f32):
    assert f32.embed([]).shape == (0, f32.length)


def test_an_unreadable_picture_is_named_and_nothing_hangs(tmp_path, f32):
    (tmp_path / "b.jpg").write_bytes(b"")
    with pytest.raises(ImageError, match=r"b\.jpg: empty file"):
        f32.embed([drawn(0), tmp_path / "b.jpg", *[drawn(1)] * 20])


def test_a_pipeline_keeps_order_and_gives_what_a_job_raised_in_its_place(f32):
    def read_(job: int) -> DecodedImage:
        if job % 5 == 3:
            raise ValueError(job)
        return DecodedImage(drawn(job), 224, 224)

    jobs = list(range(23))
    out = list(f32.pipeline(jobs, read_))
    good = f32.embed([drawn(job) for job in jobs])
    assert [job for job, _, _ in out] == jobs
    for job, outcome, features in out:
        if job % 5 == 3:
            assert isinstance(outcome, ValueError)
            assert not features.any()
        else:
            assert_allclose(features, good[job], atol=1e-4)


def test_views_of_pictures_are_embedded_as_if_each_was_a_picture(tmp_path, f32):
    """The first view is the picture; the second of one that mirrors itself is the same."""
    left = drawn(5)
    twin = np.concatenate([left[:, :112], left[:, :112][:, ::-1]], axis=1)
    views = f32.embed_views([left, twin, left], 4, seed=1)
    assert views.shape == (3, 4, f32.length)
    similarity = (views[:, :1] * views).sum(axis=2)
    assert (((views[:2, 0] * f32.embed([left, twin])).sum(axis=1)) > 0.9999).all()
    assert similarity[1, 1] > 0.9999
    assert similarity[0, 1] < 0.9999
    assert (views[0, 2:] * views[2, 2:]).sum(axis=1).max() < 0.99999  # another place, other crops
    assert_allclose(f32.embed_views([left, twin, left], 4, seed=1), views, atol=1e-5)


def test_a_copy_of_the_weights_stands_in_for_the_package(tmp_path, f32):
    copy = tmp_path / "copy.pth"
    copy.write_bytes(packaged("efficientnet-lite0").read_bytes())
    assert resolve_bundle(copy).id == f32.id
    assert build_bundle("efficientnet-lite0", tmp_path / "anew", weights=copy).id == f32.id


def test_other_weights_are_refused_by_their_hash(tmp_path):
    (tmp_path / "other.pth").write_bytes(b"other")
    with pytest.raises(BundleError, match="not the weights of efficientnet-lite0"):
        build_bundle("efficientnet-lite0", tmp_path / "anew", weights=tmp_path / "other.pth")
    with pytest.raises(BundleError, match=r"other\.pth: not the weights of"):
        resolve_bundle(tmp_path / "other.pth")
    assert not (tmp_path / "anew").exists()


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "file"))
    assert cache_folder() == tmp_path / "file"
    with pytest.raises(BundleError, match="Set LOOKALIKE_CACHE"):
        resolve_bundle("efficientnet-lite0")


def test_an_unknown_precision_names_the_known_ones():
    with pytest.raises(BundleError, match="bf16 and f32"):
        Backbone(precision="int8")
