"""The backbones of a collection: found again, opened in their precision, dropped when nothing needs them."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.drawn_network import FIRST, SECOND, write_bundle, write_pair, write_table

from lookalike.collection.backbone_store import BackboneStore, folder_size, locator_of
from lookalike.collection.config import BackboneRecord, CollectionConfig
from lookalike.collection.folder import CollectionFolder
from lookalike.errors import BundleError, CollectionError


@pytest.fixture
def config(tmp_path: Path) -> CollectionConfig:
    places = write_pair(tmp_path / "networks")
    records = {
        id: BackboneRecord(place.name, "f32", str(place)) for id, place in zip((FIRST, SECOND), places, strict=True)
    }
    return CollectionConfig(str(tmp_path), FIRST, "first", "f32", backbones=records)


@pytest.fixture
def store(tmp_path: Path) -> BackboneStore:
    return BackboneStore(CollectionFolder(tmp_path), threads=1)


def test_a_backbone_is_opened_from_where_it_came(store: BackboneStore, config: CollectionConfig):
    opened = store.open(config, SECOND)
    assert (opened.id, opened.precision, opened.threads) == (SECOND, "f32", 1)
    with pytest.raises(BundleError, match="no backbone of"):
        store.bundle(config, "c" * 32)


def test_another_version_in_its_place_is_refused(store: BackboneStore, config: CollectionConfig, tmp_path: Path):
    write_table(tmp_path / "networks/second", name="second", id="d" * 32)
    with pytest.raises(CollectionError, match="another version of backbone second"):
        store.bundle(config, SECOND)


def test_before_a_tuned_backbone_stands_its_parent(store: BackboneStore, config: CollectionConfig):
    made = store.home.backbone("e" * 32)
    write_bundle(made)
    write_table(made, name="tuned", id="e" * 32, parent=FIRST)
    tuned = replace(config, backbone="e" * 32, backbone_name="tuned")
    assert store.untuned(tuned).id == store.untuned(config).id == FIRST
    assert "tuned is still in use" in store.unused_note(tuned, [FIRST])
    assert store.unused_note(tuned, ["e" * 32]) == store.unused_note(config, []) == ""


def test_dropping_keeps_what_is_in_use_and_what_lenses_need(store: BackboneStore, config: CollectionConfig):
    for id in (FIRST, SECOND):
        Path(store.home.table(id)).mkdir(parents=True)
        Path(store.home.table(id), "data").write_bytes(bytes(100))
    after, freed = store.drop_unused(replace(config, switching=SECOND), [])
    assert (freed, store.home.tables()) == (100, [FIRST])
    assert (after.switching, list(after.backbones)) == (None, [FIRST])
    assert store.home.config() == after
    kept, _ = store.drop_unused(config, [SECOND])
    assert set(kept.backbones) == {FIRST, SECOND}


def test_a_folder_is_found_again_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(write_bundle(tmp_path / "network").parent)
    assert locator_of("network") == str(tmp_path / "network")
    assert locator_of("owner/model") == "owner/model"
    assert folder_size(tmp_path / "nowhere") == 0
