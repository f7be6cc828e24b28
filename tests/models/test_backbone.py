"""Images to features: golden values, every kind of source, and a pipeline that keeps order and leaves no thread."""

import io
import json
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image, ImageOps
from support.pictures import drawn

from lookalike.errors import BundleError, ImageError
from lookalike.images.decode import DecodedImage
from lookalike.models.backbone import Backbone

GOLDEN = Path(__file__).parents[1] / "data" / "features.json"


@pytest.mark.parametrize("precision", ["f32", "bf16"])
def test_one_photo_under_every_exif_flag_embeds_alike(real_data, precision):
    """Each is seen as it is when it was turned before. They differ by a digit that is drawn on each."""
    backbone, files = Backbone(precision=precision), sorted((real_data / "exif_rotated").glob("*.jpg"))
    features = backbone.embed(files)
    assert len(features) == 9
    turned = backbone.embed([ImageOps.exif_transpose(Image.open(file)) for file in files])
    assert (features * turned).sum(axis=1).min() > 0.995
    assert (features @ features.T).min() > 0.95


def test_a_picture_saved_again_or_hardly_cut_is_nearly_equal_and_another_is_not(real_data, f32):
    pictures = [Image.open(one).convert("RGB") for one in sorted((real_data / "clothing" / "hat").glob("*.jpg"))[:6]]
    again, cut = [], []
    for one in pictures:
        one.save(file := io.BytesIO(), "JPEG", quality=60)
        again.append(Image.open(file))
        cut.append(one.crop((one.width // 50, one.height // 50, one.width, one.height)))
    features = f32.embed(pictures)
    same = f32.bundle.nearly_equal
    assert same == 0.94
    for changed in (again, cut):
        assert (features * f32.embed(changed)).sum(axis=1).min() > same
    assert np.triu(features @ features.T, k=1).max() < same


def test_features_equal_their_golden_values(f32):
    """Written by: python tools/write_golden_features.py"""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    features = f32.embed([drawn(seed) for seed in range(2)])
    assert f32.id == golden["id"]
    assert_allclose(features[:, golden["columns"]], golden["features"], atol=2e-5)


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


def test_a_pipeline_keeps_order_and_hands_on_images_that_cannot_be_read_and_what_is_no_image(f32):
    def read(job: int) -> DecodedImage | str:
        if job % 5 == 3:
            raise ImageError(str(job)) from ValueError("a decoder's, whose frames hold the picture")
        return "known" if job % 5 == 1 else DecodedImage(drawn(job), 224, 224)

    jobs = list(range(23))
    out = list(f32.pipeline(jobs, read))
    good = f32.embed([drawn(job) for job in jobs])
    assert [job for job, _, _ in out] == jobs
    for job, outcome, features in out:
        if job % 5 == 3:
            assert (str(outcome), features.any()) == (str(job), False)
            assert (outcome.__traceback__, outcome.__cause__, outcome.__context__) == (None, None, None)
        elif job % 5 == 1:
            assert (outcome, features.any()) == ("known", False)
        else:
            assert_allclose(features, good[job], atol=1e-4)


def test_whatever_else_reading_raises_ends_the_pipeline_and_its_threads(f32):
    def read(job: int) -> DecodedImage:
        if job == 9:
            raise ValueError("a fault of the reader")
        return DecodedImage(drawn(job), 224, 224)

    before = set(threading.enumerate())
    with pytest.raises(ValueError, match="a fault of the reader"):
        list(f32.pipeline(range(40), read))
    assert set(threading.enumerate()) <= before


def test_a_pipeline_that_is_closed_early_leaves_no_thread(f32):
    before = set(threading.enumerate())
    with closing(f32.pipeline(range(40), lambda job: DecodedImage(drawn(job), 224, 224))) as pipeline:
        assert next(pipeline)[0] == 0
        assert set(threading.enumerate()) > before
    assert set(threading.enumerate()) <= before


def test_an_unknown_precision_names_the_known_ones():
    with pytest.raises(BundleError, match="bf16 and f32"):
        Backbone(precision="int8")
