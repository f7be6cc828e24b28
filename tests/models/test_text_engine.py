"""The network of texts of a bundle: where texts lie among pictures, by hand, and what is refused."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from support.drawn_words import SHARE, texts, write_colours, write_words

from lookalike import Backbone
from lookalike.errors import BundleError, MissingExtraError, QueryError
from lookalike.models.bundle import read
from lookalike.models.text_engine import TextEngine

pytest.importorskip("tokenizers")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_words(tmp_path / "words")


def test_texts_lie_where_their_words_add_up(folder: Path):
    """red + green is (1, 1, 0), of length 1: 0.7071 each; red and dark are (0.5, -0.5, -0.5)."""
    found = TextEngine(read(folder), 1).embed(["red", "Green, red!", "red dark", "nothing"])
    third = 3**-0.5
    expected = [[1, 0, 0], [0.5**0.5, 0.5**0.5, 0], [third, -third, -third], [0, 0, 0]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_text_has_with_a_picture_the_cosine_of_the_joint_space_times_the_length_of_its_part(folder, tmp_path):
    backbone = Backbone(folder, precision="f32")
    assert backbone.has_words
    assert backbone.bundle.joint == (slice(3, 6), pytest.approx(SHARE))
    colours = write_colours(tmp_path / "colours")
    features = backbone.embed([colours / "red.png", colours / "yellow.png"])
    text = backbone.embed_text(["red green"])
    assert not text[:, :3].any()
    mean = np.array([[255, 20, 20], [255, 255, 20]]) / 255
    cosine = (mean / np.linalg.norm(mean, axis=1, keepdims=True)) @ [0.5**0.5, 0.5**0.5, 0]
    np.testing.assert_allclose((features @ text.T)[:, 0] / SHARE, cosine, atol=1e-5)
    assert backbone.embed_text([]).shape == (0, 6)


def test_a_backbone_without_words_names_those_that_have_them():
    backbone = Backbone()
    assert not backbone.has_words
    with pytest.raises(QueryError) as caught:
        backbone.embed_text(["red"])
    assert str(caught.value) == (
        "the backbone efficientnet-lite0 knows no words. Of those with names here, clip and siglip2 do: "
        "index with --backbone siglip2."
    )
    assert caught.value.code == "query.words"


def test_another_process_opens_it_anew(folder: Path):
    backbone = Backbone(folder)
    before = backbone.embed_text(["blue"])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(backbone)).embed_text(["blue"]), before)


def test_without_the_extra_the_line_names_it(folder: Path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    with pytest.raises(MissingExtraError, match="asking in words needs the extra 'words'"):
        Backbone(folder).embed_text(["red"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ({"depth": "rest"}, "'text' names the depth 'rest', which is none of power 1"),
        ({"depth": "other"}, "'text' names the depth 'other', which is none of power 1"),
        ({"tokenizer": "python"}, "'tokenizer' of 'text' must be one of clip, siglip, siglip2, not 'python'"),
        ({"pool": "code"}, "'pool' of 'text' must be one of last, first, largest"),
        ({"tokens": 100_000}, "'tokens' of 'text' must be 512 at most"),
        ({"vocabulary": 0}, "'vocabulary' must be a whole number"),
        ({"width": "3"}, "'width' must be a whole number"),
        ({"vocabulary": 9}, "not a table of 9 x 3 values in float16"),
        ({"width": 4}, "not a table of 8 x 4 values"),
        ({"tokens": 5}, "cannot be run|it gives 6 tokens"),
    ],
)
def test_what_backbone_json_says_wrong_of_texts_is_one_line(tmp_path: Path, text, words: str):
    with pytest.raises(BundleError, match=words) as caught:
        TextEngine(read(write_words(tmp_path / "words", **text)), 1).embed(["red"])
    assert len(str(caught.value).splitlines()) == 1


def test_a_graph_that_is_another_is_refused(folder: Path):
    for content, words in (
        (texts(output="other"), r"has no output text of shape \(1, 3\), the length of depth 'mean'"),
        ((folder / "model.onnx").read_bytes(), "takes image, not tokens and pick"),
        (b"junk", "cannot be run"),
    ):
        (folder / "text.onnx").write_bytes(content)
        with pytest.raises(BundleError, match=words):
            TextEngine(read(folder), 1).embed(["red"])


def test_a_table_that_is_none_is_refused_and_no_pickle_is_read(folder: Path):
    np.save(folder / "tokens.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(BundleError, match=r"tokens\.npy: cannot be read"):
        TextEngine(read(folder), 1)
    (folder / "tokens.npy").write_bytes(b"\x93NUMPY\x01\x00")
    with pytest.raises(BundleError, match=r"tokens\.npy: cannot be read"):
        TextEngine(read(folder), 1)
    np.save(folder / "tokens.npy", np.full((8, 3), np.inf, np.float16))
    with pytest.raises(BundleError, match="gives values that are no numbers"):
        TextEngine(read(folder), 1).embed(["red"])
