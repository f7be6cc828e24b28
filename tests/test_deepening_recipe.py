"""`learn --recipe keras-siamese` in a collection: proved like any other lens, and kept as proved."""

import json
import shutil
from pathlib import Path

import drawn_convolutions
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose
from PIL import Image

from lookalike import Backbone, Collection
from lookalike.bundle import read
from lookalike.cli import main

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


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[Collection, list[str]]:
    """A collection of 60 pairs, read by a tiny network, and what was said while the recipe learned."""
    place, said = tmp_path_factory.mktemp("recipe"), []
    drawn_convolutions.write_bundle(place / "network")
    photos = Collection(pairs(place / "photos", 60), backbone=place / "network")
    photos.index()
    photos.learn(photos.folder, name="theirs", say=said.append, **HOW)
    return photos, said


def test_both_losses_of_each_epoch_are_said_and_kept(taught):
    photos, said = taught
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


def test_it_is_proved_beside_plain_and_a_lens_and_kept_as_proved(taught):
    """The queries are those of the untouched lens; what serves is the better one, and the proof says so."""
    photos, said = taught
    settings = json.loads((photos.home.lens("theirs") / "lens.json").read_text())
    proof = photos.lens("theirs").proof if settings["backbone"] == photos.backbone.id else None
    if proof is not None:  # not better: the lens on the untouched backbone stays, and a note says what was tried
        assert any("the recipe keras-siamese was tried and left out" in line for line in said)
        assert any("the recipe keras-siamese was tried and left out" in note for note in proof.notes)
    else:
        ways = json.loads((photos.home.lens("theirs") / "proof.json").read_text())["ways"]
        assert ways["tuned"]["recall@1"] > ways["untouched"]["recall@1"]


def test_where_it_is_better_search_goes_by_its_256_values(taught, tmp_path, monkeypatch):
    """Its lens is the identity: similarity is the cosine of the network's own 256 values."""
    photos = Collection(shutil.copytree(taught[0].folder, tmp_path / "photos"))
    monkeypatch.setattr("lookalike.learn.deeper.beaten", lambda *ranks: True)  # as if it had answered more
    monkeypatch.setattr("lookalike.verdict.Proof.serves", True)
    photos.learn(photos.folder, name="better", **HOW)
    photos.use("better")
    settings = json.loads((photos.home.lens("better") / "lens.json").read_text())
    bundle = read(photos.home.backbone(settings["backbone"]))
    assert (bundle.length, bundle.tuning["recipe"], settings["how"]["recipe"]) == (
        256,
        "keras-siamese",
        "keras-siamese",
    )
    hits = photos.search("left/0.png", k=None)
    rows = Backbone(bundle, precision=photos.backbone.precision).embed([photos.folder / hit.file for hit in hits])
    assert_allclose([hit.similarity for hit in hits], np.clip(rows @ rows[0], -1, 1), atol=3e-3)
    assert_allclose(photos.lens("better").matrix, np.eye(256))


def test_the_shell_knows_it_and_says_first_what_it_costs(taught):
    photos, _ = taught
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
