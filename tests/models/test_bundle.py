"""Bundles on disk: written whole, read back equal, and each way in which one can be wrong gets its line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.drawn_network import TABLE, write_bundle, write_table

from lookalike.errors import BundleError
from lookalike.models.bundle import Bundle, StageOutput, identify, read, write


def said(folder: Path) -> str:
    """What is wrong with a bundle, found by reading it."""
    with pytest.raises(BundleError) as error:
        read(folder)
    assert len(str(error.value).splitlines()) == 1
    assert str(folder) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("file", ["model.onnx", "backbone.json"])
def test_a_missing_file_is_named(tmp_path, file):
    (write_bundle(tmp_path / "own") / file).unlink()
    assert file in said(tmp_path / "own")


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
        ({"depths": [TABLE["depths"][0] | {"lens_weight": -1}]}, "'lens_weight' of depth 'mean' is -1.0"),
        ({"depths": [TABLE["depths"][0] | {"power": 1.5}]}, "'power' of depth 'mean' is 1.5"),
        ({"depths": [TABLE["depths"][0] | {"soft": -1}]}, "'soft' of depth 'mean' is -1.0"),
        ({"depths": [TABLE["depths"][0] | {"weight": float("nan")}]}, "'weight' of depth 'mean' is nan"),
        ({"depths": 7}, "not iterable"),
        ({"resize": "crop"}, "resize 'crop' is not known"),
        ({"nearly_equal": 2}, "'nearly_equal' is 2.0. Similarities lie between -1 and 1"),
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
    depths = (StageOutput("a", 2, 1.0, power=0.7, soft=0.3), StageOutput("b", 1, 0.5, lens_weight=2.0))
    bundle = Bundle(tmp_path / "made", "made", "1f", 8, depths, layers=({"name": "a"},), licence="MIT", source="here")
    write(bundle, b"model")
    write(bundle, b"other")
    assert read(bundle.path) == bundle
    assert [("lens_weight" in one.table()) for one in depths] == [False, True]
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
