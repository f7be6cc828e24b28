"""The page on formats names all that is stored."""

from dataclasses import fields
from pathlib import Path

from lookalike.collection.config import CollectionConfig
from lookalike.index.refused import RefusedFile
from lookalike.index.snapshot import COLUMNS
from lookalike.models.proof import Proof


def test_every_column_and_key_is_in_the_page_on_formats():
    page = (Path(__file__).parents[2] / "docs/formats.md").read_text(encoding="utf-8")
    names = {*COLUMNS, "features", "lens:NAME"}
    names |= {field.name for field in fields(CollectionConfig)} | {field.name for field in fields(RefusedFile)}
    names |= {field.name for field in fields(Proof)}
    missing = {name for name in names if f"`{name}`" not in page}
    assert not missing
