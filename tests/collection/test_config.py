"""What collection.json holds, as a value."""

import json
from dataclasses import replace

import pytest

from lookalike.collection.config import BackboneRecord, CollectionConfig, NewerFormatError, parse_config

CONFIG = CollectionConfig("x", "i", "n", "f32", "l", "o", "s", {"i": BackboneRecord("n", "f32", "p")})


def test_plain_goes_back_to_the_original_backbone_and_known_ones_include_the_one_in_use():
    assert CONFIG.plain == "o"
    assert CollectionConfig("x", "i", "n", "f32").plain == "i"
    assert CollectionConfig("x", "i", "n", "f32").known() == {"i": BackboneRecord("n", "f32")}
    assert CONFIG.known() == CONFIG.backbones


GOOD = CollectionConfig("/photos", "b" * 32, "net", "f32", backbones={"b" * 32: BackboneRecord("net", "f32", "net")})


def changed(**values: object) -> str:
    table = json.loads(GOOD.to_json())
    table.update(values)
    return json.dumps({key: value for key, value in table.items() if value is not ...})


def test_what_is_written_is_read_as_it_was():
    assert parse_config(GOOD.to_json()) == GOOD
    other = replace(GOOD, folder="/photos/\udce9t\u00e9", lens="kind", original="b" * 32)
    assert parse_config(other.to_json()) == other


@pytest.mark.parametrize(
    "text",
    [
        "", "not JSON", "[]", "null", "3", '"text"', "[" * 100_000, '{"a":' * 50_000, " " * (1 << 21),
        changed(format=...), changed(format="1"), changed(format=0), changed(format=True), changed(format=1.0),
        changed(backbone=...), changed(backbone=3), changed(backbone=None), changed(backbone=["b"]),
        changed(backbone="../elsewhere"), changed(backbone=""), changed(backbone="a" * 65),
        changed(folder=3), changed(folder=None), changed(folder="a\0b"), changed(backbone_name={}),
        changed(precision="f64"), changed(precision=None), changed(lens=3), changed(lens="../kind"), changed(lens=""),
        changed(original=3), changed(original="c" * 32), changed(switching="unknown"), changed(switching=[]),
        changed(backbones=[]), changed(backbones=None), changed(backbones={"b": []}),
        changed(backbones={"../b": {"name": "n", "precision": "f32"}}),
        changed(backbones={"b": {"name": 3, "precision": "f32"}}),
        changed(backbones={"b": {"name": "n", "precision": "f32", "place": 3}}),
        changed(backbones={"b": {"name": "n"}}), changed(surprise=1),
    ],
)  # fmt: skip
def test_text_that_no_version_of_ours_wrote_is_refused_by_one_kind_of_error(text: str):
    with pytest.raises(ValueError, match=r"."):
        parse_config(text)


def test_a_later_format_has_an_error_of_its_own():
    with pytest.raises(NewerFormatError):
        parse_config(changed(format=2))
