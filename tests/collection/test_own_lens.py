"""The lens that index learns from the pictures alone: when, once, never behind anyone's back, never in the way."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image, PngImagePlugin
from support import drawn_convolutions
from support.pictures import aged, draw
from support.recording import Recording

from lookalike import Collection
from lookalike.cli.main import main
from lookalike.collection import own_lens
from lookalike.errors import Cancelled
from lookalike.learning.closed_form.label_free import label_free
from lookalike.models.lens import Lens
from lookalike.progress import Progress, Reporter

ENOUGH = 24


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_lens, "ENOUGH", ENOUGH)
    monkeypatch.setattr(own_lens, "FEWEST_VIEWS", 8)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own") / "network"
    drawn_convolutions.write_bundle(folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(ENOUGH):
        draw(tmp_path / "photos" / f"{seed:02}.png", seed)
    return tmp_path / "photos"


@pytest.fixture
def photos(folder: Path, network: Path) -> Collection:
    return Collection(folder, backbone=network)


def more(folder: Path, first: int, last: int) -> None:
    for seed in range(first, last):
        draw(folder / f"{seed:02}.png", seed)


def about_own(notes: list[str]) -> list[str]:
    return [line for line in notes if "The lens own" in line]


def test_it_is_learned_once_there_are_enough_pictures_and_says_the_way_back(photos: Collection, folder: Path):
    (folder / "00.png").rename(folder.parent / "00.png")
    shutil.copy(folder / "01.png", folder / "copy.png")  # the same content twice is one picture
    assert photos.index().notes == [] and photos.home.lenses() == []
    (folder.parent / "00.png").rename(folder / "00.png")
    told = Recording()
    (line,) = about_own(photos.index(report=told).notes)
    assert "from these 24 pictures alone" in line and f"lookalike use {folder} plain" in line
    assert {"indexing", "embedding"} <= told.stages
    assert photos.search("00.png").lens == "own"
    photos.use("plain")
    assert photos.search("00.png").lens == "plain"
    photos.use("own")  # without --anyway: it claims nothing that a proof could show


def test_it_is_the_label_free_lens_of_its_rows_and_their_views(photos: Collection):
    photos.index()
    lens, snapshot = photos.lens("own"), photos.table.snapshot()
    sample = own_lens.OwnLens(photos.home, photos._lenses).sample(snapshot, photos.backbone)
    assert (len(sample.rows), len(sample.views), sample.pictures) == (ENOUGH, 8, ENOUGH)
    assert_array_equal(np.unique(sample.viewed, return_counts=True)[1], [2, 2, 2, 2])
    again = label_free(sample.rows, sample.views, sample.viewed)
    assert_allclose(lens.matrix @ lens.matrix.T, again.matrix @ again.matrix.T, rtol=1e-4, atol=1e-6)
    assert (lens.settings["pictures"], lens.settings["layout"]) == (ENOUGH, "views")


def test_plain_and_the_features_stay_what_they_were(photos: Collection, folder: Path, network: Path):
    bare = Collection(folder, at=folder.parent / "bare", backbone=network)
    bare.index(own=False)
    photos.index()
    assert bare.home.lenses() == []
    for one, other in zip(photos.search("03.png", lens="plain"), bare.search("03.png"), strict=True):
        assert (one.file, one.similarity) == (other.file, pytest.approx(other.similarity, abs=1e-6))
    assert_array_equal(photos.embed([folder / "03.png"]), bare.embed([folder / "03.png"]))
    assert np.stack(photos.to_pandas()["features"]).shape == np.stack(bare.to_pandas()["features"]).shape


def test_it_never_changes_by_itself_and_says_once_that_the_collection_doubled(photos: Collection, folder: Path):
    photos.index()
    before = photos.lens("own").fingerprint
    more(folder, ENOUGH, 2 * ENOUGH - 1)
    assert photos.index().notes == []
    more(folder, 2 * ENOUGH - 1, 2 * ENOUGH)
    (line,) = photos.index().notes
    assert "24 pictures, and there are 48 now" in line and f"lookalike learn {folder} --as views --replace" in line
    assert photos.index().notes == []
    assert photos.lens("own").fingerprint == before
    assert len(photos.search("00.png", k=None)) == 2 * ENOUGH  # its column is filled all the same


def test_the_command_that_renews_it_does_and_leaves_it_in_service(photos: Collection, folder: Path):
    photos.index()
    before = photos.lens("own").fingerprint
    more(folder, ENOUGH, 2 * ENOUGH)
    photos.index()
    lens = photos.learn(as_="views", replace=True)
    assert lens.name == "own" and lens.fingerprint != before and lens.proof is not None
    assert photos.home.require_config().lens == "own"
    assert photos.index().notes == []


def test_forgotten_it_stays_forgotten(photos: Collection):
    photos.index()
    photos.forget("own")
    assert photos.index().notes == [] and photos.home.lenses() == []
    assert photos.search("00.png").lens == "plain"


def test_a_lens_of_that_name_that_was_learned_otherwise_stays(photos: Collection, folder: Path):
    photos.index(own=False)
    mine = Lens("own", np.zeros(20), np.eye(20), {"backbone": photos.backbone.id})
    mine.save(photos.home.lens("own"))
    photos.index()
    assert photos.lens("own").fingerprint == mine.fingerprint


def test_where_it_cannot_be_learned_the_pictures_are_indexed_all_the_same(folder: Path, network: Path):
    for path in folder.iterdir():
        path.unlink()
    for number in range(ENOUGH):  # different bytes, the same picture
        note = PngImagePlugin.PngInfo()
        note.add_text("number", str(number))
        Image.new("RGB", (16, 16), (200, 40, 20)).save(folder / f"{number}.png", pnginfo=note)
        aged(folder / f"{number}.png")
    photos = Collection(folder, backbone=network)
    done = photos.index()
    assert done.added == ENOUGH
    assert done.notes == [
        "own, the lens from pictures alone, was not learned: all pictures have the same features: nothing tells them "
        "apart. Add different pictures."
    ]
    assert photos.search("0.png").lens == "plain"


class StopsAtViews(Reporter):
    def __init__(self, error: type[BaseException]):
        self.error = error

    def progress(self, progress: Progress) -> None:
        if progress.stage == "embedding":
            raise self.error("enough")


@pytest.mark.parametrize("error", [Cancelled, KeyboardInterrupt])
def test_stopped_while_it_is_learned_the_pictures_stay_and_the_next_run_learns_it(photos: Collection, error):
    with pytest.raises(error):
        photos.index(report=StopsAtViews(error))
    assert len(photos) == ENOUGH and photos.home.lenses() == []
    assert about_own(photos.index().notes)
    assert photos.home.require_config().lens == "own"


def test_killed_before_it_was_said_the_next_run_says_it(photos: Collection, folder: Path):
    photos.index()
    (photos.home.lens("own") / own_lens.TOLD).unlink()
    assert "from these 24 pictures alone" in photos.index().notes[0]
    assert photos.index().notes == []


def test_under_another_backbone_it_is_learned_anew_and_stays_in_or_out_of_service(
    photos: Collection, folder: Path, tmp_path: Path
):
    photos.index()
    first = photos.backbone.id
    for seed, used in ((1, True), (2, False)):
        if not used:
            Collection(folder).use("plain")
        drawn_convolutions.write_bundle(tmp_path / f"network{seed}", seed=seed)
        other = Collection(folder, backbone=tmp_path / f"network{seed}")
        other.index()
        assert other.lens("own").backbone == other.backbone.id != first
        assert other.home.require_config().lens == ("own" if used else None)


def test_a_blind_test_can_judge_it_against_plain(photos: Collection, folder: Path):
    more(folder, ENOUGH, 60)
    photos.index()
    while asked := photos.questions("blind", lens="own", n=40):
        for question in asked:
            done = photos.answer(question, right=question.candidates[:1])
        if done.proof is not None:
            break
    proof = photos.lens("own").proof
    assert proof is not None and proof.blind is not None
    assert (proof.blind.questions, proof.permutation.recalls) == (40, ())
    assert "whether examples taught it was not looked at" in proof.notes[0]


def test_the_shell_says_that_own_answers_and_how_to_leave_it_out(photos: Collection, folder: Path):
    def run(*words: str) -> str:
        result = CliRunner().invoke(main, [words[0], str(folder), *words[1:]])
        assert result.exit_code == 0, result.output
        return result.stderr

    photos.index(own=False)
    assert "own" not in run("index", "--no-own")
    assert "back to plain with" in run("index")
    assert "Through own, learned from these pictures alone. Without it: --lens plain" in run("search", "00.png")
    assert "--lens plain" not in run("search", "00.png", "--lens", "own")
    assert "--lens plain" not in run("search", "00.png", "--lens", "plain")
    listed = CliRunner().invoke(main, ["lenses", str(folder)]).stdout
    assert listed.startswith("* own") and "Learned from your pictures alone. It makes no claim about kinds." in listed


def test_a_taught_lens_is_compared_with_it_and_learned_beside_the_spread_of_the_pictures(photos: Collection):
    photos.index()
    kinds = {f"{seed:02}.png": f"kind {seed % 12}" for seed in range(ENOUGH)}
    lens = photos.learn(kinds, name="kinds", quick=True)
    assert lens.proof is not None and lens.proof.own is not None
    assert set(lens.proof.results) >= {"plain", "own", "lens"}
    assert lens.settings["prior_share"] in (0, 0.2, 0.5, 0.8, 1)
    photos.forget("own")
    assert photos.learn(kinds, name="again", quick=True).proof.own is None
    assert photos.learn(as_="views").proof.own is None  # the lens without labels is not compared with itself


def test_where_there_are_few_pictures_labels_are_learned_from_alone(photos: Collection, folder: Path):
    (folder / "00.png").unlink()
    photos.index()
    kinds = {f"{seed:02}.png": f"kind {seed % 8}" for seed in range(1, ENOUGH)}
    assert "prior_share" not in photos.learn(kinds, quick=True).settings
