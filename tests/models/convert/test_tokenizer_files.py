"""Tokenizers of all three kinds: the tokens that transformers gives, from each form of their files; hostile ones."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.words import TEXTS, save_tokenizer, theirs

from lookalike.errors import BundleError
from lookalike.models.convert.model_files import ModelFiles
from lookalike.models.convert.tokenizer_files import has_tokenizer, read
from lookalike.models.tokens import canonical, read_tokenizer

pytest.importorskip("transformers")
pytest.importorskip("sentencepiece")
LENGTHS = {"clip": 77, "siglip": 64, "siglip2": 64}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Where the tokenizer of each kind lies; not to be changed."""
    folders = {kind: tmp_path_factory.mktemp(kind) for kind in LENGTHS}
    for kind, folder in folders.items():
        save_tokenizer(kind, folder)
    return folders


def source(folder: Path) -> ModelFiles:
    return ModelFiles("drawn", "drawn", folder, "key", "", "")


def ours(kind: str, folder: Path, out: Path) -> np.ndarray:
    found = read(source(folder), "clip" if kind == "clip" else "siglip", LENGTHS[kind])
    (out / "tokenizer.json").write_bytes(found.content)
    tokenizer = read_tokenizer(out / "tokenizer.json", found.kind)
    return np.array([tokenizer.encode(canonical(one) if found.kind == "siglip" else one).ids for one in TEXTS])


@pytest.mark.parametrize("kind", LENGTHS)
def test_tokens_are_those_of_transformers(saved, kind: str, tmp_path: Path):
    expected = theirs(kind, saved[kind], TEXTS, LENGTHS[kind])
    assert read(source(saved[kind]), "clip" if kind == "clip" else "siglip", 64).kind == kind
    np.testing.assert_array_equal(ours(kind, saved[kind], tmp_path), expected)


def test_clip_from_the_two_lists_that_older_models_have(saved, tmp_path: Path):
    expected = theirs("clip", saved["clip"], TEXTS, 77)
    table = json.loads((saved["clip"] / "tokenizer.json").read_text())["model"]
    (tmp_path / "vocab.json").write_text(json.dumps(table["vocab"]))
    assert not has_tokenizer(tmp_path)
    pairs = [one if isinstance(one, str) else " ".join(one) for one in table["merges"]]
    (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *pairs, ""]))
    assert has_tokenizer(tmp_path)
    np.testing.assert_array_equal(ours("clip", tmp_path, tmp_path), expected)


def test_siglip_from_a_tokenizer_json_alone(saved, tmp_path: Path):
    """The form that others have made of its sentencepiece file: pieces, and what is one letter."""
    expected = theirs("siglip", saved["siglip"], TEXTS, 64)
    whole = json.loads(read(source(saved["siglip"]), "siglip", 64).content)
    table = {"model": whole["model"], "normalizer": whole["normalizer"]["normalizers"][0]}
    (tmp_path / "tokenizer.json").write_text(json.dumps(table))
    np.testing.assert_array_equal(ours("siglip", tmp_path, tmp_path), expected)


def test_padding_on_the_left_where_the_settings_say_so(saved, tmp_path: Path):
    folder = Path(shutil.copytree(saved["siglip2"], tmp_path / "model"))
    table = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**table, "padding_side": "left"}))
    found = ours("siglip2", folder, tmp_path)
    assert found[0, 0] == 0
    np.testing.assert_array_equal(found, theirs("siglip2", folder, TEXTS, 64))


@pytest.mark.parametrize(
    ("said", "around"),
    [({}, []), ({"add_eos_token": True}, ["<eos>"]), ({"add_bos_token": True}, ["<bos>"])],
)
def test_without_a_template_the_settings_say_what_stands_around_a_text(saved, tmp_path: Path, said, around):
    folder = Path(shutil.copytree(saved["siglip2"], tmp_path / "model"))
    for file, change in (("tokenizer.json", {"post_processor": None}), ("tokenizer_config.json", said)):
        (folder / file).write_text(json.dumps({**json.loads((folder / file).read_text()), **change}))
    (tmp_path / "tokenizer.json").write_bytes(read(source(folder), "siglip", 64).content)
    tokens = read_tokenizer(tmp_path / "tokenizer.json", "siglip2").encode("cat").tokens
    assert [one for one in tokens if one in {"<bos>", "<eos>"}] == around


@pytest.mark.parametrize("kind", LENGTHS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"model": 5}',
        b'{"model": {"type": "BPE", "vocab": [], "merges": [[1]]}}',
        b'{"model": {"vocab": {"a": "b"}, "merges": ["a b c"]}}',
        b'{"model": {"type": "Unigram", "vocab": [["<unk>", 0], ["</s>", "x"]], "unk_id": 9}}',
        b'{"model": {"type": "Unigram", "vocab": [["<unk>", 0], ["</s>", 0]], "unk_id": 9}}',
        b'{"model": {"type": "BPE", "vocab": {"<eos>": 0, "<pad>": 1}, "merges": [["q", "z"]]}}',
        b'{"model": {"type": "BPE", "vocab": {"<eos>": 0, "<pad>": 1}, "merges": []}, "added_tokens": [5]}',
    ],
)
def test_a_tokenizer_that_is_none_is_one_line(tmp_path: Path, kind: str, content: bytes):
    (tmp_path / "tokenizer.json").write_bytes(content)
    (tmp_path / "spiece.model").write_bytes(content)
    with pytest.raises(BundleError) as caught:
        ours(kind, tmp_path, tmp_path)
    assert len(str(caught.value).splitlines()) == 1
