"""A map of a collection, with a thumbnail for each picture."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.drawn_network import write_bundle
from support.pictures import draw
from support.recording import Recording

from lookalike import Collection
from lookalike.collection import map as map_module
from lookalike.errors import CollectionError


def test_every_thumbnail_is_reported_and_the_map_is_a_png(photos: Path, tmp_path: Path):
    collection = Collection(photos, backbone=write_bundle(tmp_path / "network"))
    collection.index()
    (photos / "2.png").unlink()  # drawn as a grey square
    told = Recording()
    out = collection.map(tmp_path / "map.png", report=told)
    assert [(now.stage, now.done, now.total) for now in told.seen] == [("drawing", i, 7) for i in range(1, 8)]
    with Image.open(out) as drawn:
        assert drawn.format == "PNG" and len(drawn.convert("RGB").getcolors(1 << 24) or []) > 20


def test_an_empty_collection_has_no_map(tmp_path: Path):
    (tmp_path / "photos").mkdir()
    collection = Collection(tmp_path / "photos", backbone=write_bundle(tmp_path / "network"))
    collection.index()
    with pytest.raises(CollectionError, match="no pictures"):
        collection.map(tmp_path / "map.png")


def test_a_second_grid_and_a_second_map_need_none_of_the_files(photos, tmp_path):
    """What a collection drew once lies in its cache, and is shown although the disk is unplugged."""
    collection = Collection(photos, at=tmp_path / "kept")
    collection.index()
    answers = collection.search(["1.png", "sub/a.jpg"], k=3)
    first = answers.grid(), collection.map(tmp_path / "1.png").read_bytes()
    photos.rename(tmp_path / "elsewhere")
    assert np.array_equal(answers.grid(), first[0])
    assert collection.map(tmp_path / "2.png").read_bytes() == first[1]


def test_a_map_is_drawn_by_the_layout(indexed: Collection, tmp_path: Path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        map_module, "image_map", lambda points, *rest, **more: seen.append(points) or Image.new("L", (1, 1))
    )
    indexed.map(tmp_path / "map.png")
    assert np.array_equal(seen[0], indexed.layout()[1])


def test_without_the_extra_a_map_is_a_plane_and_says_what_to_install(tmp_path: Path, monkeypatch):
    for seed in range(11):
        draw(tmp_path / f"photos/{seed}.png", seed)
    collection = Collection(tmp_path / "photos", backbone=write_bundle(tmp_path / "network"))
    collection.index()
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    told = Recording()
    assert collection.map(tmp_path / "map.png", report=told).is_file()
    assert len(told.lines) == 1 and "pip install 'lookalike[map]'" in told.lines[0]
