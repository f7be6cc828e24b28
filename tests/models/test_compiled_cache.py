"""Compiled networks in the cache: believed only as they were written, and done without where nothing can be."""

from pathlib import Path

import numpy as np
import pytest
from support import drawn_network

from lookalike import Backbone
from lookalike.models.compiled_cache import CompiledCache


@pytest.fixture
def sealed(tmp_path: Path) -> CompiledCache:
    cache = CompiledCache(tmp_path / "compiled/x")
    folder = cache.open()
    assert folder is not None
    (folder / "1.blob").write_bytes(b"machine code")
    cache.seal()
    return cache


def blobs(cache: CompiledCache) -> list[str]:
    folder = cache.open()
    return [] if folder is None else sorted(path.name for path in folder.glob("*.blob"))


def test_what_was_sealed_is_found_again(sealed: CompiledCache):
    assert not sealed.is_damaged()
    assert blobs(sealed) == ["1.blob"]


@pytest.mark.parametrize(
    "change", ["a bit", "cut", "one more", "missing", "no digests", "digests are no JSON", "a list"]
)
def test_anything_else_is_thrown_away(sealed: CompiledCache, change: str):
    blob, digests = sealed.folder / "1.blob", sealed.folder / "digests.json"
    {
        "a bit": lambda: blob.write_bytes(b"machinE code"),
        "cut": lambda: blob.write_bytes(b"machine"),
        "one more": lambda: (sealed.folder / "2.blob").write_bytes(b"x"),
        "missing": blob.unlink,
        "no digests": digests.unlink,
        "digests are no JSON": lambda: digests.write_bytes(b"{"),
        "a list": lambda: digests.write_bytes(b"[]"),
    }[change]()
    assert sealed.is_damaged() is (change != "no digests")  # which a run leaves that ended before it sealed
    assert blobs(sealed) == []


def test_where_nothing_can_be_written_there_is_no_cache(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    assert CompiledCache(tmp_path / "file/x").open() is None


def test_a_backbone_runs_what_was_compiled_for_it_and_nothing_else_that_lies_there(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    first, _ = drawn_network.write_pair(tmp_path)
    pixels = [np.full((8, 8, 3), value, np.uint8) for value in (10, 90, 160, 200)]  # whole batches, of two or of four
    expected = Backbone(first).embed(pixels)
    (blob,) = (tmp_path / "cache/compiled").rglob("*.blob")
    assert list(blob.parent.glob("digests.json"))
    strange = blob.with_name("strange.blob")
    strange.write_bytes(b"not ours")
    assert np.array_equal(Backbone(first).embed(pixels), expected)
    assert not strange.exists()
    assert blob.exists()


def test_a_cache_that_is_a_file_costs_nothing_but_the_cache(tmp_path: Path, monkeypatch):
    first, _ = drawn_network.write_pair(tmp_path)
    (tmp_path / "cache").write_text("in the way")
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    assert Backbone(first).embed([np.zeros((8, 8, 3), np.uint8)]).shape == (1, 3)
