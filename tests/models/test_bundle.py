"""Backbones of the user's own: one that is right runs, and each way in which one can be wrong gets its line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto
from support.drawn_network import TABLE, write_bundle, write_table

from lookalike.errors import BundleError
from lookalike.models.backbone import Backbone
from lookalike.models.bundle import Bundle, StageOutput, identify, read, write
from lookalike.models.registry import resolve_bundle

RED_AND_GREEN = np.zeros((8, 8, 3), np.uint8)
RED_AND_GREEN[:, :4, 0] = 255
RED_AND_GREEN[:, 4:, 1] = 255


def said(folder: Path) -> str:
    """What is wrong with a bundle, found by reading it or by running it."""
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


@pytest.mark.parametrize("file", ["model.onnx", "backbone.json"])
def test_a_missing_file_is_named(tmp_path, file):
    (write_bundle(tmp_path / "own") / file).unlink()
    assert file in said(tmp_path / "own")


def test_a_model_that_is_no_onnx(tmp_path):
    (write_bundle(tmp_path / "own") / "model.onnx").write_bytes(b"<html>404 Not Found</html>")
    assert "model.onnx: cannot be run" in said(tmp_path / "own")


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


@pytest.mark.parametrize(
    "other, words",
    [
        ({"name": None}, "'name' is missing"),
        ({"id": None}, "'id' is missing"),
        ({"id": "../../elsewhere"}, "'id' must be 1 to 64 letters"),
        ({"side_px": "8"}, "'side_px' must be a whole number"),
        ({"side_px": 0}, "'side_px' must be a whole number"),
        ({"depths": []}, "'depths' is empty"),
        ({"depths": [{"name": "mean", "length": 3}]}, "'weight' is missing"),
        ({"depths": [TABLE["depths"][0] | {"weight": 0}]}, "'weight' of depth 'mean' is 0.0"),
        ({"depths": [TABLE["depths"][0] | {"power": 1.5}]}, "'power' of depth 'mean' is 1.5"),
        ({"depths": [TABLE["depths"][0] | {"soft": -1}]}, "'soft' of depth 'mean' is -1.0"),
        ({"depths": [TABLE["depths"][0] | {"weight": float("nan")}]}, "'weight' of depth 'mean' is nan"),
        ({"depths": 7}, "not iterable"),
        ({"resize": "crop"}, "resize 'crop' is not known"),
    ],
)
def test_a_wrong_key_is_named(tmp_path, other: dict[str, Any], words: str):
    write_table(write_bundle(tmp_path / "own"), **other)
    line = said(tmp_path / "own")
    assert words in line
    assert "backbone.json" in line


@pytest.mark.parametrize("text", ["{", "[]", "\udcff"])
def test_a_table_that_is_none(tmp_path, text):
    (write_bundle(tmp_path / "own") / "backbone.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    said(tmp_path / "own")


def test_what_is_written_is_read_and_stays_when_written_again(tmp_path):
    depths = (StageOutput("a", 2, 1.0, power=0.7, soft=0.3), StageOutput("b", 1, 0.5))
    bundle = Bundle(tmp_path / "made", "made", "1f", 8, depths, layers=({"name": "a"},), licence="MIT", source="here")
    write(bundle, b"model")
    write(bundle, b"other")
    assert read(bundle.path) == bundle
    assert bundle.model.read_bytes() == b"model"
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_the_id_hangs_on_every_tensor_and_on_the_formula_and_not_on_their_order():
    one, two = np.arange(3, dtype=np.float32), np.ones(2, np.float32)
    before = identify({"a": one, "b": two}, {"soft": 0.3})
    assert before == identify({"b": two, "a": one}, {"soft": 0.3})
    changed = [
        identify({"a": one, "b": two}, {"soft": 0.4}),
        identify({"a": one + 1, "b": two}, {"soft": 0.3}),
        identify({"a": one[:, None], "b": two}, {"soft": 0.3}),
        identify({"c": one, "b": two}, {"soft": 0.3}),
    ]
    assert len({before, *changed}) == 5


def test_an_unknown_name_lists_those_that_there_are():
    with pytest.raises(BundleError, match=r"resnet: no backbone of that name\. There are efficientnet-lite0"):
        resolve_bundle("resnet")
