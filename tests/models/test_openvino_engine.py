"""A network run by OpenVINO: its batches, and a graph that is not what its bundle says."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto
from support import hostile_graphs
from support.drawn_network import TABLE, write_bundle, write_table
from support.pictures import drawn

from lookalike.errors import BundleError
from lookalike.images.decode import DecodedImage
from lookalike.models.backbone import Backbone
from lookalike.models.bundle import read
from lookalike.models.openvino_engine import OpenVinoEngine, has_bf16

RED_AND_GREEN = np.zeros((8, 8, 3), np.uint8)
RED_AND_GREEN[:, :4, 0] = 255
RED_AND_GREEN[:, 4:, 1] = 255


def test_bf16_features_are_nearly_those_of_f32(f32):
    pictures = [drawn(seed) for seed in range(4)]
    assert ((Backbone(precision="bf16").embed(pictures) * f32.embed(pictures)).sum(axis=1) > 0.995).all()


def said(folder: Path) -> str:
    """What is wrong with a bundle, found by running it."""
    with pytest.raises(BundleError) as error:
        Backbone(folder).embed([RED_AND_GREEN])
    assert len(str(error.value).splitlines()) == 1
    assert str(folder) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("side", [8, "side"])
def test_a_bundle_of_the_users_own_runs(tmp_path, side):
    """Half red, half green: the mean is (0.5, 0.5, 0), of length 1: (0.7071, 0.7071, 0)."""
    backbone = Backbone(write_bundle(tmp_path / "own", side=side), precision="f32")
    assert (backbone.name, backbone.id, backbone.length) == ("drawn", "0123456789abcdef", 3)
    np.testing.assert_allclose(backbone.embed([RED_AND_GREEN]), [[0.5**0.5, 0.5**0.5, 0]], atol=1e-6)


def test_a_model_that_is_no_onnx(tmp_path):
    (write_bundle(tmp_path / "own") / "model.onnx").write_bytes(b"<html>404 Not Found</html>")
    assert "model.onnx: cannot be run" in said(tmp_path / "own")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (hostile_graphs.loop, "has loops or branches (Loop), which are never run"),
        (hostile_graphs.branch, "has loops or branches (If), which are never run"),
        (hostile_graphs.scan, "has loops or branches (TensorIterator), which are never run"),
        (hostile_graphs.huge, "makes 1000000000000 values, too many"),
        (hostile_graphs.outside, "cannot be run"),
        (hostile_graphs.unknown, "cannot be run"),
    ],
)
def test_a_graph_that_may_never_end_or_reaches_outside_is_one_line(tmp_path, make, words):
    assert words in said(make(tmp_path / "own"))


@pytest.mark.parametrize(
    "depth, words",
    [
        ({"name": "features"}, "no output 'features' of shape (n, 3). It has mean (1, 3)."),
        ({"length": 4}, "no output 'mean' of shape (n, 4). It has mean (1, 3)."),
    ],
)
def test_an_output_of_another_name_or_length_is_listed_with_what_there_is(tmp_path, depth, words):
    write_table(write_bundle(tmp_path / "own"), depths=[TABLE["depths"][0] | depth])
    assert words in said(tmp_path / "own")


def test_an_output_that_is_no_matrix(tmp_path):
    line = said(write_bundle(tmp_path / "own", pooled=False))
    assert "It has mean (1, 3, 1, 1)." in line
    assert "pool and flatten" in line


def test_an_input_of_another_side(tmp_path):
    write_table(write_bundle(tmp_path / "own"), side_px=16)
    assert "takes u8 [?,8,8,3], but backbone.json promises one picture, u8 [?,16,16,3]" in said(tmp_path / "own")


def test_an_input_of_floats(tmp_path):
    assert "takes f32 [?,8,8,3]" in said(write_bundle(tmp_path / "own", kind=TensorProto.FLOAT))


def test_a_batch_that_is_not_full_gives_a_row_an_image_and_none_gives_none(tmp_path):
    """Grey of 51, 102 and 153 of 255: every row is (1, 1, 1) / sqrt(3), black has no direction."""
    engine = OpenVinoEngine(read(write_bundle(tmp_path / "own")), threads=1, precision="f32")
    engine.batch = 8
    images = [DecodedImage(np.full((8, 8, 3), grey, np.uint8), 8, 8) for grey in (51, 102, 153, 0)]
    started = [engine.start(some) for some in (images, [], images[:1])]
    rows, none, one = [engine.finish(each) for each in started]
    np.testing.assert_allclose(rows, [[3**-0.5] * 3] * 3 + [[0] * 3], atol=1e-6)
    assert none.shape == (0, 3)
    np.testing.assert_allclose(one, rows[:1], atol=1e-6)


@pytest.mark.parametrize("precision", ["bf16", "f32"])
def test_more_batches_are_begun_than_openvino_computes_at_once(tmp_path, precision):
    engine = OpenVinoEngine(read(write_bundle(tmp_path / "own")), threads=64, precision=precision)
    at_once = engine.compiled(engine.batch).get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
    assert engine.in_flight == max(3, at_once + 1)


def test_bf16_can_be_switched_off_by_the_environment(monkeypatch):
    monkeypatch.setenv("LOOKALIKE_BF16", "0")
    assert not has_bf16()
    assert Backbone().precision == "f32"
