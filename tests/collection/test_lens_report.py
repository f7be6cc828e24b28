"""What lies beside a lens: a page of its proof with the pictures that were asked about, named by their files."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from support.badges import classes, flat, sides

from lookalike import Collection
from lookalike.collection.feature_loader import load_features
from lookalike.collection.lens_report import lens_report
from lookalike.learning.config import LearnConfig
from lookalike.learning.datasets.readers import read
from lookalike.learning.feature_set import VIEWS
from lookalike.learning.pipeline import learn_lens


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    collection = Collection(classes(tmp_path_factory.mktemp("badges"), 30, 3))
    collection.index()
    return collection


def test_a_proof_names_files_as_the_collection_does_and_others_by_their_whole_path(photos: Collection, tmp_path: Path):
    inside = photos.learn(photos.folder, name="inside", quick=True)
    outside = photos.learn(sides(tmp_path / "data"), name="outside", quick=True)
    files = set(photos.table.columns()["file"])
    for lens, known in ((inside, files.__contains__), (outside, lambda name: Path(name).is_absolute())):
        kept = json.loads((photos.home.lens(lens.name) / "proof.json").read_text())
        assert kept == lens.proof.to_json()
        for one in kept["best"] + kept["worst"]:
            named = [one["query"], *(file for first in one["hits"].values() for file, *_ in first)]
            assert all(map(known, named)) and len(named) == 11
    kind = [one["query"].split("/")[0] for one in inside.proof.best]
    assert kind  # what is right has the query's kind
    for one in inside.proof.best:
        for file, _, right in one["hits"]["lens"]:
            assert right == (file.split("/")[0] == one["query"].split("/")[0])


def test_the_page_shows_the_queries_even_where_a_picture_is_gone(photos: Collection, tmp_path: Path):
    data = classes(tmp_path / "data", 30, 3)
    material = load_features(read(data), photos.folder, photos.table, photos.backbone)
    taught = learn_lens(material, LearnConfig(quick=True), name="mine", folder=photos.folder, about={})
    page = lens_report(taught, material, photos.folder, tmp_path / "cache")["proof.png"]
    assert isinstance(page, Image.Image) and page.width == 1400
    shown = len(taught.proof.best[:3]) + len(taught.proof.worst[:3])
    assert shown >= 3 and page.height > 600 + 500 * shown
    query = material.paths[taught.proof.best[0]["query"]]
    query.write_bytes(b"no picture")
    without = lens_report(taught, material, photos.folder, None)["proof.png"]
    assert isinstance(without, Image.Image) and without.size == page.size
    assert without.tobytes() != page.tobytes()


def test_a_view_is_drawn_as_it_was_embedded(photos: Collection, tmp_path: Path):
    """Embedded again, a drawn view has the features that were learned from; another view of its picture has not."""
    material = load_features(read(flat(tmp_path / "flat", 6)), photos.folder, photos.table, photos.backbone, seed=3)
    assert material.views is not None
    looks = [material.views.image(row, material.paths[row]) for row in range(6 * (VIEWS + 1))]
    again = photos.backbone.embed(looks)
    assert_allclose((again * material.features).sum(axis=1), 1, atol=2e-3)
    crops = material.views.number >= 2
    others = (again[crops] * np.roll(material.features, 1, axis=0)[crops]).sum(axis=1)
    assert others.max() < 0.998


def test_parts_of_pictures_ask_in_the_proof_and_teach_nothing(photos: Collection, tmp_path: Path):
    material = load_features(read(flat(tmp_path / "flat", 30)), photos.folder, photos.table, photos.backbone)
    assert material.views is not None
    assert [int(part.sum()) for part in (material.views.query_mask, material.views.gallery_mask)] == [30, 30]
    taught = learn_lens(material, LearnConfig(quick=True), name="views", folder=photos.folder, about={})
    other = np.where(material.views.query_mask[:, None], np.roll(material.features, 1, axis=0), material.features)
    changed = learn_lens(
        replace(material, features=other), LearnConfig(quick=True), name="views", folder=photos.folder, about={}
    )
    assert_array_equal(taught.lens.matrix, changed.lens.matrix)
    assert taught.proof.hold_out == "views" and taught.proof.queries == 30 == taught.proof.pictures
    assert taught.proof.ways != changed.proof.ways
    for one in taught.proof.best:
        rows = [row for first in one["hits"].values() for row, *_ in first]
        assert material.views.query_mask[one["query"]] and material.views.gallery_mask[rows].all()
