"""What lies beside a lens: a page of its proof with the pictures that were asked about, named by their files."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from support.badges import classes, flat, sides

from lookalike import Collection
from lookalike.collection.feature_loader import FeatureLoader
from lookalike.collection.lens_report import arms_of, lens_report, proof_page
from lookalike.drawing.grid import Block, Cell, Row
from lookalike.learning import prove
from lookalike.learning.config import ClosedForm, LearnConfig
from lookalike.learning.datasets.readers import read
from lookalike.learning.evaluation.blind_questions import BlindQuestion
from lookalike.learning.evaluation.blind_test import Asked, Ticked, weigh_blind_test
from lookalike.learning.feature_set import VIEWS, FeatureSet
from lookalike.learning.pipeline import LearnResult, learn_lens, plan_learning
from lookalike.progress import SILENT

RED = Image.new("RGB", (30, 20), "#c0392b")


@pytest.fixture(scope="module")
def photos(badges: Collection, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return Collection(shutil.copytree(badges.folder, tmp_path_factory.mktemp("reports") / "badges"))


def load(photos: Collection, data: Path, seed: int = 0) -> FeatureSet:
    return FeatureLoader(photos.folder, photos.table.snapshot(), photos.backbone).load(read(data), seed)


def learned(features: FeatureSet) -> LearnResult:
    config = LearnConfig(ClosedForm())
    return learn_lens(features, config, plan_learning(features, config), SILENT)


def test_a_proof_names_files_as_the_collection_does_and_others_by_their_whole_path(photos: Collection, tmp_path: Path):
    inside = photos.learn(photos.folder, name="inside", quick=True)
    outside = photos.learn(sides(tmp_path / "data"), name="outside", quick=True)
    files = set(photos.table.columns()["file"])
    for lens, known in ((inside, files.__contains__), (outside, lambda name: Path(name).is_absolute())):
        kept = json.loads((photos.home.lens(lens.name) / "proof.json").read_text())
        assert kept == lens.proof.to_json()
        for one in kept["queries"]["best"] + kept["queries"]["worst"]:
            named = [one["query"], *(hit["image"] for hits in one["hits"].values() for hit in hits)]
            assert all(map(known, named)) and len(named) == 11
    assert inside.proof.queries.best
    for one in inside.proof.queries.best:  # what is right has the query's kind
        for hit in one.hits["lens"]:
            assert hit.relevant == (hit.image.split("/")[0] == one.query.split("/")[0])


def test_the_page_shows_the_queries_even_where_a_picture_is_gone(photos: Collection, tmp_path: Path):
    data = classes(tmp_path / "data", 30, 3)
    features = load(photos, data)
    taught = learned(features)
    page = lens_report(taught, "mine", features, photos.folder, tmp_path / "cache")["proof.png"]
    assert isinstance(page, Image.Image) and page.width == 1400
    shown = len(taught.proof.queries.best[:3]) + len(taught.proof.queries.worst[:3])
    assert shown >= 3 and page.height > 600 + 500 * shown
    query = features.paths[taught.proof.queries.best[0].query]
    query.write_bytes(b"no picture")
    without = lens_report(taught, "mine", features, photos.folder, None)["proof.png"]
    assert isinstance(without, Image.Image) and without.size == page.size
    assert without.tobytes() != page.tobytes()


def test_a_view_is_drawn_as_it_was_embedded(photos: Collection, tmp_path: Path):
    """Embedded again, a drawn view has the features that were learned from; another view of its picture has not."""
    features = load(photos, flat(tmp_path / "flat", 6), seed=3)
    assert features.views is not None
    looks = [features.views.image(row, features.paths[row]) for row in range(6 * (VIEWS + 1))]
    again = photos.backbone.embed(looks)
    assert_allclose((again * features.data.features).sum(axis=1), 1, atol=2e-3)
    crops = features.views.number >= 2
    others = (again[crops] * np.roll(features.data.features, 1, axis=0)[crops]).sum(axis=1)
    assert others.max() < 0.998


def test_parts_of_pictures_ask_in_the_proof_and_teach_nothing(photos: Collection, tmp_path: Path):
    features = load(photos, flat(tmp_path / "flat", 30))
    assert features.views is not None
    assert [int(part.sum()) for part in (features.views.query_mask, features.views.gallery_mask)] == [30, 30]
    taught = learned(features)
    other = np.where(
        features.views.query_mask[:, None], np.roll(features.data.features, 1, axis=0), features.data.features
    )
    changed = learned(replace(features, data=replace(features.data, features=other)))
    assert_array_equal(taught.lens.matrix, changed.lens.matrix)
    assert taught.proof.protocol.hold_out == "views"
    assert taught.proof.protocol.queries == 30 == taught.proof.protocol.images
    assert taught.proof.results != changed.proof.results
    for one in taught.proof.queries.best:
        rows = [hit.image for hits in one.hits.values() for hit in hits]
        assert features.views.query_mask[one.query] and features.views.gallery_mask[rows].all()


def taught():
    """A proof of a lens that is worth having: ten features differ within groups, ten hardly do."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(60), 2)
    x = rng.standard_normal((120, 20))
    x[:, :10] = rng.standard_normal((60, 10))[group] + 0.3 * x[:, :10]
    return prove(x, group)


def test_a_page_shows_the_bars_of_a_proof_and_its_queries_under_them():
    proof = taught()
    drawn = []

    def block(entry):
        drawn.append(entry.query)
        row = [Cell(RED, "x.jpg", 0.5, right=False)] * 5
        return Block(Cell(RED, f"{entry.query}.jpg"), [Row("plain", row), Row("lens", row)])

    page = proof_page(proof, block, lens="lens pattern", most=2)
    assert page.width == 1400
    assert drawn == [entry.query for entry in proof.queries.best[:2] + proof.queries.worst[:2]]
    assert page.height > 600 + 400 * len(drawn)
    arms = arms_of(proof, "lens pattern")
    assert (arms[0].name, arms[-1].name) == ("plain", "lens pattern")
    assert arms[-1].value == proof.results["lens"].recall_at_1


def test_a_proof_of_too_few_examples_is_a_page_of_words():
    page = proof_page(prove([[1, 0], [0, 1]], [0, 1]), lambda entry: pytest.fail("no query is drawn"))
    assert (page.width, page.height < 250) == (1400, True)


def test_a_blind_test_is_drawn_as_shares_of_the_first_twelve():
    found = tuple((f"{i}.jpg", 0.5) for i in range(12))
    question = BlindQuestion("q.jpg", found, found, tuple(file for file, _ in found))
    ticked = [Ticked(question, frozenset({"0.jpg", "1.jpg", "2.jpg"}))] * 40
    proof = weigh_blind_test(ticked, Asked(1, 0, 500, 0))
    assert [(arm.name, arm.value, arm.low, arm.high) for arm in arms_of(proof, "clicks")] == [
        ("plain", 0.25, 0.25, 0.25),
        ("clicks", 0.25, 0.25, 0.25),
    ]
    assert proof_page(proof, lens="clicks").width == 1400
