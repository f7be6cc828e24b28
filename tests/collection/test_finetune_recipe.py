"""`learn --recipe keras-siamese` in a collection: proved like any other lens, and kept as proved."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose
from PIL import Image
from support import drawn_convolutions
from support.recording import Recording

from lookalike import Backbone, Collection
from lookalike.cli.main import main
from lookalike.models.bundle import read

pytest.importorskip("torch")
HOW = {"recipe": "keras-siamese", "unfreeze": "stem", "epochs": 3, "rate": 0.001, "quick": True}


def pairs(folder: Path, kinds: int) -> Path:
    """Two looks of each kind of stripes, in left/ and right/."""
    pictures, _ = drawn_convolutions.pictures(kinds, 2)
    for number, picture in enumerate(pictures):
        path = folder / ("right" if number % 2 else "left") / f"{number // 2}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    return folder


def places(folder: Path, looks: int = 12) -> Path:
    """A square of any colour at one of nine places, a folder a place: what a backbone that pools its map cannot see."""
    rng = np.random.default_rng(0)
    for place in range(9):
        for look in range(looks):
            picture = np.full((16, 16, 3), rng.integers(60), np.uint8)
            top, left = (1 + 5 * part for part in divmod(place, 3))
            picture[top : top + 4, left : left + 4] = rng.integers(128, 256, 3)
            path = folder / f"place-{place}/{place}-{look}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(path)
    return folder


def learned(place: Path, photos: Path, **how: object) -> tuple[Collection, list[str]]:
    """A collection, read by a tiny network, and what was said while the recipe learned."""
    told = Recording()
    drawn_convolutions.write_bundle(place / "network", **drawn_convolutions.COARSE)
    collection = Collection(photos, backbone=place / "network")
    collection.index()
    collection.learn(photos, name="theirs", report=told, **{**HOW, **how})
    return collection, told.lines


@pytest.fixture(scope="module")
def worse(tmp_path_factory: pytest.TempPathFactory) -> tuple[Collection, list[str]]:
    """60 pairs, from which it learns little in three epochs."""
    place = tmp_path_factory.mktemp("worse")
    return learned(place, pairs(place / "photos", 60))


@pytest.fixture(scope="module")
def better(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """Places, which its flattened map tells apart."""
    place = tmp_path_factory.mktemp("better")
    return learned(place, places(place / "photos"), epochs=4)[0]


def test_both_losses_of_each_epoch_are_said_and_kept(worse):
    photos, said = worse
    told = [line for line in said if line.startswith("epoch ")]
    assert [line.split(":")[0] for line in told] == [f"epoch {number} of 3" for number in (1, 2, 3)]
    kept = (photos.home.lens("theirs") / "epochs.csv").read_text().splitlines()
    assert kept[0] == "epoch,loss,validation"
    for line, row in zip(told, kept[1:], strict=True):
        number, loss, validation = row.split(",")
        words = line.replace(",", "").split()
        assert number == words[1]
        assert [float(words[5]), float(words[7])] == pytest.approx([float(loss), float(validation)], rel=1e-4)
    assert (photos.home.lens("theirs") / "epochs.png").is_file()


def test_where_it_is_no_better_a_lens_stays_and_the_proof_says_so(worse):
    photos, said = worse
    proof = photos.lens("theirs").proof
    for lines in (said, proof.notes):
        assert any("the recipe keras-siamese was tried and left out" in line for line in lines)
    assert json.loads((photos.home.lens("theirs") / "lens.json").read_text())["backbone"] == photos.backbone.id


def test_where_it_is_better_it_is_proved_beside_plain_and_a_lens(better):
    """On the same queries; it finds each place first, where the others cannot see places."""
    proof = json.loads((better.home.lens("theirs") / "proof.json").read_text())
    assert proof["verdict"] in ("taught", "better")
    assert proof["selected"] == "tuned backbone"
    found = {name: one["recall_at_1"] for name, one in proof["results"].items()}
    assert found["plain"] + 0.1 < found["untouched backbone"] < found["tuned backbone"] - 0.1
    assert found["tuned backbone"] == found["lens"] > 0.95


def test_where_it_is_better_search_goes_by_its_256_values(better, tmp_path):
    """Its lens is the identity: similarity is the cosine of the network's own 256 values."""
    photos = Collection(shutil.copytree(better.folder, tmp_path / "photos"))
    photos.use("theirs")
    settings = json.loads((photos.home.lens("theirs") / "lens.json").read_text())
    bundle = read(photos.home.backbone(settings["backbone"]))
    assert bundle.length == 256
    assert bundle.tuning["recipe"] == "keras-siamese"
    assert settings["config"]["method"]["name"] == "KerasSiamese"
    hits = photos.search("place-0/0-0.png", k=None)
    rows = Backbone(bundle, precision=photos.backbone.precision).embed([photos.folder / hit.file for hit in hits])
    assert_allclose([hit.similarity for hit in hits], np.clip(rows @ rows[0], -1, 1), atol=3e-3)
    assert_allclose(photos.lens("theirs").matrix, np.eye(256))
    assert {hit.file.split("/")[0] for hit in hits[:12]} == {"place-0"}


def test_the_shell_knows_it_and_says_first_what_it_costs(worse):
    photos, _ = worse
    words = [
        "learn",
        str(photos.folder),
        "--from",
        str(photos.folder),
        "--recipe",
        "keras-siamese",
        "--unfreeze",
        "stem",
    ]
    ran = CliRunner().invoke(main, [*words, "--epochs", "2", "--check"])
    assert ran.exit_code == 0, ran.output
    assert "drawn-convolutions learns from stem on: " in ran.output
    assert "steps." in ran.output
