"""A bundle's tokenizer.json: texts become tokens, and a file that does more than look words up is refused."""

import json
from pathlib import Path

import pytest
from support.drawn_words import TOKENS, write_tokenizer, write_words

from lookalike.errors import BundleError, QueryError
from lookalike.models import tokens
from lookalike.models.bundle import read
from lookalike.models.tokens import Tokens, canonical

pytest.importorskip("tokenizers")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_words(tmp_path / "words")


def test_a_text_is_looked_up_padded_and_cut(folder: Path):
    found = Tokens(read(folder))
    ids, cut = found.of("Red,  GREEN!")
    assert (ids.tolist(), cut) == ([3, 4, 1, 0, 0, 0], False)
    ids, cut = found.of("red " * 10)
    assert (ids.tolist(), cut) == ([3] * (TOKENS - 1) + [1], True)
    assert found.of("")[0].tolist()[-1] == 0
    assert found.of("빨간 unknown")[0].tolist()[0] == 6


def test_canonical_by_hand():
    assert canonical("") == "▁"
    assert canonical(" A▁b's  (C)\n") == "▁ a bs c"


def test_a_text_that_is_too_long_or_no_unicode_is_one_line(folder: Path):
    found = Tokens(read(folder))
    with pytest.raises(QueryError, match="a text of 10,001 characters: a network reads some 60 words"):
        found.of("x" * 10_001)
    with pytest.raises(QueryError, match="a text that is no Unicode"):
        found.of("\ud800")


EVIL = {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": " "}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"normalizer": EVIL}, "it does other things to a text than siglip does"),
        ({"normalizer": {"type": "Sequence", "normalizers": [EVIL]}}, "it does other things to a text"),
        ({"normalizer": None}, "it does other things to a text"),
        (
            {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Removed", "invert": True}},
            "it does other things to a text",
        ),
        ({"post_processor": None}, "it does not say how a text begins and ends"),
        ({"model": {"type": "Unigram", "unk_id": 7, "vocab": [["a", 0.0]]}}, "cannot be used"),
        ({"model": 5}, "cannot be used"),
    ],
)
def test_a_file_that_does_more_or_less_than_look_words_up_is_refused(folder: Path, other, words: str):
    write_tokenizer(folder, **other)
    with pytest.raises(BundleError, match=words) as caught:
        Tokens(read(folder))
    assert len(str(caught.value).splitlines()) == 1
    assert "Convert the model anew" in str(caught.value)


@pytest.mark.parametrize(
    "padding", [None, {**json.loads('{"pad_id": 99, "pad_type_id": 0, "pad_token": "x"}'), "strategy": {"Fixed": 6}}]
)
def test_tokens_of_another_number_or_beyond_the_table_are_refused(folder: Path, padding):
    if padding is not None:
        padding |= {"direction": "Right", "pad_to_multiple_of": None}
    write_tokenizer(folder, padding=padding)
    with pytest.raises(BundleError, match=r"it gives \d tokens up to"):
        Tokens(read(folder)).of("red")


def test_a_file_that_is_too_large_or_missing_or_none_is_one_line(folder: Path, monkeypatch):
    monkeypatch.setattr(tokens, "LARGEST_BYTES", 10)
    with pytest.raises(BundleError, match="larger than 1e-05 MB"):
        Tokens(read(folder))
    monkeypatch.undo()
    for content in (b"", b"\x80\x04.", b"[]"):
        (folder / "tokenizer.json").write_bytes(content)
        with pytest.raises(BundleError, match="cannot be used"):
            Tokens(read(folder))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(BundleError, match="No such file"):
        Tokens(read(folder))
