"""A backbone learns in a collection: told, resumed after a kill, proved, switched to, gone back from, dropped."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image
from support import drawn_convolutions
from support.drawn_network import write_pair
from support.pictures import aged
from support.recording import Recording
from support.stripes import HOW, KINDS, LOOKS, stripes

from lookalike import Backbone, Collection
from lookalike.cli.main import main
from lookalike.errors import BundleError, ExamplesError, LensError
from lookalike.learning.evaluation.metrics import recall_at_k
from lookalike.models.bundle import read
from lookalike.progress import Progress

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def untaught(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """A collection of stripes, read by a tiny network that can learn."""
    place = tmp_path_factory.mktemp("deeper")
    drawn_convolutions.write_bundle(place / "network")
    photos = Collection(stripes(place / "photos"), backbone=place / "network")
    photos.index(own=False)
    return photos


@pytest.fixture(scope="module")
def deeper(untaught: Collection, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """A copy of it with a lens, deep, for which the whole network learned; not in service."""
    photos = Collection(shutil.copytree(untaught.folder, tmp_path_factory.mktemp("taught") / "photos"))
    photos.learn(photos.folder, name="deep", **HOW)
    return photos


@pytest.fixture
def photos(deeper: Collection, tmp_path: Path) -> Collection:
    """A copy of that one which a test may change."""
    return Collection(shutil.copytree(deeper.folder, tmp_path / "photos"))


def share_right(photos: Collection, new: Path, lens: str) -> float:
    """recall@1 on kinds that nobody learned, each asking all others, by the embedding of this lens or plain."""
    files = sorted(new.rglob("*.png"))
    kind = np.array([int(file.parent.name[-2:]) for file in files])
    rows = photos.embed(files, lens=lens)
    return recall_at_k(rows, rows, kind, kind, itself=np.arange(len(files)))


def test_the_lens_names_the_tuned_backbone_and_everything_says_where_it_came_from(deeper: Collection, untaught):
    (row,) = deeper.lenses()
    settings = json.loads((deeper.home.lens("deep") / "lens.json").read_text())
    bundle = read(deeper.home.backbone(settings["backbone"]))
    assert (bundle.id, bundle.parent) == (settings["backbone"], untaught.backbone.id)
    assert settings["untouched"] == untaught.backbone.id
    assert (settings["tuning"]["layer"], settings["tuning"]["steps"], settings["config"]["method"]["layer"]) == (
        "stem",
        60,
        "stem",
    )
    assert (row["backbone"], row["here"], row["serves"]) == (bundle.name, False, False)
    run = deeper.home.lens("deep") / "run"
    assert [path.name for path in run.iterdir()] == ["checkpoint.safetensors"]  # what was cached is freed


def test_the_proof_compares_plain_before_with_the_lens_after_on_one_split(deeper: Collection):
    proof = json.loads((deeper.home.lens("deep") / "proof.json").read_text())
    assert proof["protocol"]["folds"] == 1
    assert proof["verdict"] in ("taught", "better")
    assert {"plain", "untouched backbone", "tuned backbone", "lens"} <= proof["results"].keys()
    recall = {name: one["recall_at_1"] for name, one in proof["results"].items()}
    assert recall["tuned backbone"] > recall["untouched backbone"] + 0.05
    assert proof["selected"] == "tuned backbone"
    assert any("through a lens on the tuned backbone" in note for note in proof["notes"])


def test_a_fine_tuning_counts_as_a_proof_of_its_examples(photos: Collection):
    first = json.loads((photos.home.lens("deep") / "proof.json").read_text())["protocol"]
    assert (first["proved_before"], first["attempt"]) == (0, 1)
    protocol = photos.learn(photos.folder, name="simple", quick=True).proof.protocol
    assert (protocol.proved_before, protocol.attempt) == (1, 2)


def test_the_collection_switches_to_it_answers_by_its_values_and_goes_back(photos: Collection, untaught, tmp_path):
    before = photos.search("kind-00/0.png", k=9)
    Image.new("RGB", (16, 16), (200, 30, 90)).save(photos.folder / "new.png")
    aged(photos.folder / "new.png")
    photos.index(own=False)
    seen: list = []
    photos.use("deep", report=seen.append)
    assert [(now.done, now.total) for now in seen] == [(1, 1)]  # it has read the others for the proof
    after = photos.search("kind-00/0.png", k=None)
    assert after.lens == "deep"
    settings = json.loads((photos.home.lens("deep") / "lens.json").read_text())
    network = Backbone(photos.home.backbone(settings["backbone"]), precision=photos.backbone.precision)
    files = [hit.file for hit in after]
    lens = photos.lens("deep")
    rows = lens.apply(network.embed([photos.folder / file for file in files]))
    assert_allclose([hit.similarity for hit in after], rows @ rows[files.index("kind-00/0.png")], atol=3e-3)
    new = stripes(tmp_path / "new", 24, seed=9)
    assert share_right(photos, new, "deep") > share_right(untaught, new, "plain") + 0.1
    photos.use("plain", report=lambda now: pytest.fail("embedded anew"))
    assert list(photos.search("kind-00/0.png", k=9, where="file <> 'new.png'")) == list(before)
    done = photos.index(drop_old=True, own=False)
    assert done.freed > 0
    assert photos.home.tables() == [untaught.backbone.id]
    photos.use("deep", report=seen.append)  # its backbone is kept as long as the lens is
    assert len(seen) == 1 + KINDS * LOOKS + 1
    assert photos.search("kind-00/0.png").lens == "deep"
    photos.use("plain")
    photos.forget("deep")
    photos.index(drop_old=True, own=False)
    assert list((photos.home.at / "backbones").iterdir()) == []


LEARN = """
import os, signal, sys
from lookalike import Collection

def report(now):
    if now.stage == sys.argv[2] and now.done == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

how = {"unfreeze": "stem", "epochs": 60, "rate": 0.01, "quick": True}
Collection(sys.argv[1]).learn(sys.argv[1], name="deep", report=report, **how)
"""


def test_a_killed_learning_goes_on_and_comes_to_the_same_lens(untaught: Collection, deeper: Collection, tmp_path: Path):
    """Killed at step 40 of 60, after the checkpoint of step 25: the same curve, the same bits."""
    photos = Collection(shutil.copytree(untaught.folder, tmp_path / "photos"))
    run = subprocess.run([sys.executable, "-c", LEARN, str(photos.folder), "tuning", "40"], check=False)
    assert run.returncode == -9
    assert photos.lenses() == []
    with pytest.raises(LensError, match="Continue with --resume, or start again with --replace"):
        photos.learn(photos.folder, name="deep", **HOW)
    steps: list = []

    def report(now) -> None:
        if now.stage == "tuning":
            steps.append(now.done)

    lens = photos.learn(photos.folder, name="deep", resume=True, report=report, **HOW)
    assert steps == list(range(26, 61))
    unbroken = deeper.home.lens("deep")
    resumed = photos.home.lens("deep")

    def curve(folder: Path) -> list[str]:
        lines = (folder / "curves.csv").read_text().splitlines()
        at = lines[0].split(",").index("loss")
        return [line.split(",")[at] for line in lines]

    assert curve(resumed) == curve(unbroken)
    settings = json.loads((unbroken / "lens.json").read_text())
    assert lens.backbone == settings["backbone"]  # the id is of the weights
    from safetensors.numpy import load_file

    theirs, ours = (load_file(folder / "weights.safetensors") for folder in (unbroken, resumed))
    assert_array_equal(theirs["matrix"], ours["matrix"])


def test_ctrl_c_while_it_learns_proves_and_keeps_what_was_learned_so_far(untaught: Collection, tmp_path: Path):
    photos = Collection(shutil.copytree(untaught.folder, tmp_path / "photos"))

    class Stopping(Recording):
        def progress(self, progress: Progress) -> None:
            if progress.stage == "tuning" and progress.done == 50:
                raise KeyboardInterrupt

    told = Stopping()
    lens = photos.learn(photos.folder, name="deep", report=told, **HOW)
    assert "stopped after step 50 of 60: the backbone is proved as it is" in told.lines
    assert lens.settings["untouched"] == untaught.backbone.id
    with pytest.raises(KeyboardInterrupt):  # before it learns there is nothing to keep
        photos.learn(photos.folder, name="other", report=lambda now: (_ for _ in ()).throw(KeyboardInterrupt), **HOW)


@pytest.mark.slow  # a further family: the tests above go the same way with a drawn network
def test_a_network_from_elsewhere_learns_serves_and_answers_by_its_values(from_transformers, tmp_path: Path):
    """A small ResNet of transformers, converted before the collection begins."""
    photos = Collection(stripes(tmp_path / "photos"), backbone=from_transformers("resnet")[0])
    photos.index(own=False)
    before = photos.backbone
    lens = photos.learn(photos.folder, name="deep", unfreeze=0, epochs=150, rate=0.002, quick=True, use=True)
    # Which side of a threshold a verdict falls on depends on how the processor rounds: the effect itself is large.
    assert lens.proof.serves and lens.proof.selected == "tuned backbone"
    recall = {name: one.recall_at_1 for name, one in lens.proof.results.items()}
    assert recall["tuned backbone"] > recall["untouched backbone"] + 0.05
    tuned = photos.backbone
    assert (tuned.bundle.parent, tuned.id) == (before.id, lens.backbone)
    hits = photos.search("kind-00/0.png", k=None)
    assert hits.lens == "deep"
    files = [hit.file for hit in hits]
    rows = lens.apply(tuned.embed([photos.folder / file for file in files]))
    assert_allclose([hit.similarity for hit in hits], rows @ rows[files.index("kind-00/0.png")], atol=3e-3)
    photos.use("plain")
    assert photos.backbone.id == before.id


def test_where_deeper_is_no_better_the_lens_stays_on_the_untouched_backbone_and_the_proof_says_so(
    untaught: Collection, tmp_path: Path
):
    """A rate that wrecks the network: nothing of it is kept."""
    photos = Collection(shutil.copytree(untaught.folder, tmp_path / "photos"))
    told = Recording()
    lens = photos.learn(
        photos.folder, name="deep", unfreeze="head", epochs=2, rate=30.0, quick=True, use=True, report=told
    )
    assert lens.backbone == untaught.backbone.id
    assert any("unfreezing from head on was tried and left out" in note for note in lens.proof.notes)
    assert any("was tried and left out" in line for line in told.lines)
    assert not any((photos.home.at / "backbones").iterdir())
    assert photos.search("kind-00/0.png").lens == ("deep" if lens.proof.serves else "plain")
    assert not (photos.home.lens("deep") / "run").exists()


def test_the_cost_is_told_first_and_a_check_learns_nothing(untaught: Collection):
    lines = untaught.check(untaught.folder, **HOW)
    assert any("drawn-convolutions learns from stem on: 484 of 484 weights learn from" in line for line in lines)
    assert any("queries are held out before; then the tuned backbone reads all 360 pictures" in line for line in lines)
    assert untaught.lenses() == []
    assert not (untaught.home.at / "backbones").exists()


def test_what_cannot_be_learned_is_one_line(untaught: Collection, photos: Collection):
    with pytest.raises(ExamplesError, match="not views of single ones"):
        untaught.learn(unfreeze="stem")
    with pytest.raises(BundleError, match=r"no layer 'steam'\. The nearest is 'stem'"):
        untaught.learn(untaught.folder, unfreeze="steam", name="x")
    with pytest.raises(LensError, match="no learning of that name was interrupted"):
        untaught.learn(untaught.folder, unfreeze="stem", name="x", resume=True)
    with pytest.raises(LensError, match="with --unfreeze LAYER"):
        untaught.learn(untaught.folder, name="x", resume=True)
    photos.use("deep")
    with pytest.raises(LensError, match="in service"):
        photos.learn(photos.folder, name="deep", replace=True, **HOW)


def test_the_command_line_learns_says_the_cost_and_switches(untaught: Collection, tmp_path: Path):
    folder = shutil.copytree(untaught.folder, tmp_path / "photos")
    words = ["learn", str(folder), "--from", str(folder), "--name", "deep", "--unfreeze", "0", "--epochs", "60"]
    ran = CliRunner().invoke(main, [*words, "--rate", "0.01", "--quick", "--use"])
    assert ran.exit_code == 0, ran.output
    assert "484 of 484 weights learn from" in ran.stderr
    assert "lens, not tuned" in ran.stdout
    assert f"lookalike search {folder} QUERY --lens deep" in ran.stderr
    status = json.loads(CliRunner().invoke(main, ["status", str(folder), "--json"]).stdout)
    assert "-tuned-" in status["backbone"]
    assert [table["original"] for table in status["tables"]] == [False, True]
    assert Collection(folder).search("kind-00/0.png").lens == "deep"
    gone = CliRunner().invoke(main, ["forget", str(shutil.copytree(folder, tmp_path / "gone")), "deep"])
    assert "-tuned-" in gone.stderr
    assert f"To go back: lookalike use {tmp_path / 'gone'} plain" in gone.stderr
    back = CliRunner().invoke(main, ["use", str(folder), "plain"])
    assert "The collection uses backbone drawn-convolutions now" in back.stderr


def test_the_backbone_before_a_tuned_one_is_found_after_the_old_tables_are_dropped(photos: Collection, tmp_path: Path):
    before = photos.backbone.id
    write_pair(tmp_path / "networks")
    other = Collection(photos.folder, backbone=tmp_path / "networks/first")
    other.index(
        drop_old=True, own=False
    )  # plain stays with this one; deep needs the tuned one, and that one its parent to learn
    other.use("deep")
    assert before not in photos.home.tables()
    assert any("drawn-convolutions learns from stem on" in line for line in other.check(photos.folder, **HOW))
    lens = other.learn(photos.folder, name="again", **HOW)
    assert lens.settings["untouched"] == before
