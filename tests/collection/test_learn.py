"""Every layout goes from pictures to a proved lens in one call, stored for the backbone that it was learned on."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support import drawn_convolutions
from support.badges import LOOKS, NAMES, badge, flat, kind_of, sides, table
from support.recording import Recording

from lookalike import Backbone, Collection
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.write_lock import WriteLock
from lookalike.errors import Cancelled, LensError
from lookalike.images.decode import decode_square
from lookalike.models.lens import Lens
from lookalike.progress import Progress


def test_a_taught_lens_is_better_on_kinds_that_it_never_saw(badges: Collection):
    proof = badges.lens("kind").proof
    assert proof is not None and proof.verdict == "taught"
    assert proof.results["lens"].recall_at_1 > proof.results["plain"].recall_at_1


def test_searching_through_the_lens_finds_more_of_the_own_kind(badges: Collection):
    def right(lens: str) -> int:
        answers = badges.search([f"{kind}/0.png" for kind in NAMES], k=2, lens=lens, others=True)
        return sum(kind_of(hit.file) == kind for kind, hits in zip(NAMES, answers, strict=True) for hit in hits)

    assert right("kind") > right("plain")


def test_a_lens_says_what_it_was_learned_from_and_with_what(badges: Collection):
    settings = badges.lens("kind").settings
    assert settings["backbone"] == badges.backbone.id
    assert settings["data"] == [str(badges.folder)]
    assert settings["layout"] == "classes"
    assert settings["config"]["method"] == {"name": "ClosedForm"}
    assert {"date", "seed", "versions"} <= settings.keys()


@pytest.fixture(scope="module")
def read_quickly(badges: Collection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pictures, indexed by a tiny network."""
    place = tmp_path_factory.mktemp("quickly")
    folder = shutil.copytree(badges.folder, place / "badges", ignore=shutil.ignore_patterns(".lookalike"))
    drawn_convolutions.write_bundle(place / "network")
    Collection(folder, backbone=place / "network").index()
    return folder


LAYOUTS = ("classes", "sides", "labels", "pairs", "triplets", "views", "judgements", "several")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_becomes_a_lens_in_one_call(read_quickly: Path, tmp_path: Path, layout: str):
    photos = Collection(shutil.copytree(read_quickly, tmp_path / "badges"))
    data = tmp_path / "data"
    data.mkdir()
    files = [[f"{kind}/{look}.png" for look in range(LOOKS)] for kind in NAMES]
    pairs = [(looks[0], looks[1]) for looks in files]
    triplets = [(*pair, files[i - 1][2]) for i, pair in enumerate(pairs)]
    if layout == "judgements":
        for query, yes in pairs:
            photos.judge(query, yes=[yes])
    source = {
        "classes": lambda: photos.folder,
        "sides": lambda: sides(data),
        "labels": lambda: table(data / "x.csv", "file,label", [(f, kind_of(f)) for looks in files for f in looks]),
        "pairs": lambda: table(data / "x.csv", "a,b", pairs),
        "triplets": lambda: table(data / "x.csv", "anchor,positive,negative", triplets),
        "views": lambda: flat(data),
        "judgements": lambda: None,
        "several": lambda: [photos.folder, sides(data)],
    }[layout]()
    lens = photos.learn(source, name="mine", quick=True)
    assert lens.settings["layout"] == layout
    assert lens.proof is not None
    hits = photos.search(files[0][0], lens="mine")
    assert (hits.lens, hits[0].file, hits[0].similarity) == ("mine", files[0][0], 1.0)
    kept = Lens.load(photos.home.lens("mine"))
    assert_array_equal(kept.matrix, lens.matrix)
    assert kept.proof == lens.proof
    assert (photos.home.lens("mine") / "proof.png").stat().st_size > 1000


def test_without_data_the_pictures_own_views_are_learned_from(own_badges: Collection):
    for kind in NAMES:
        for look in range(1, LOOKS):
            (own_badges.folder / f"{kind}/{look}.png").unlink()
    own_badges.index(prune=True)
    lens = own_badges.learn()
    assert (lens.name, lens.settings["layout"], lens.settings["method"]) == ("own", "views", "label free")
    assert lens.proof is not None and lens.proof.protocol.queries == len(NAMES)
    assert "says that a part is traced to its picture, not that kinds are told apart" in " ".join(lens.proof.notes)
    with pytest.raises(LensError, match=r"no loss, margin, epochs or rate\. Leave them out, or give examples"):
        own_badges.learn(name="other", loss="triplet")


def test_as_views_takes_the_pictures_even_where_there_are_judgements(read_quickly: Path, tmp_path: Path):
    """Views of a sample, and the spread of all: of 4 pictures views were taken, the others are in the table."""
    photos = Collection(shutil.copytree(read_quickly, tmp_path / "badges"))
    for kind in NAMES:
        photos.judge(f"{kind}/0.png", yes=[f"{kind}/1.png"])
    lens = photos.learn(as_="views", seed=2)
    assert (lens.settings["data"], lens.settings["pictures"]) == (["views"], len(photos))
    assert lens.settings["rows"] == len(photos)
    assert photos.learn(name="judged", quick=True).settings["layout"] == "judgements"


def test_pictures_outside_the_collection_are_embedded_and_broken_ones_named(own_badges: Collection, tmp_path: Path):
    data = sides(tmp_path / "data")
    (data / "left/00.png").write_bytes(b"no picture")
    told = Recording()
    own_badges.learn(data, quick=True, report=told)
    assert own_badges.home.lenses() == ["data", "kind"]
    assert any("1 picture left out: " in line and "00.png" in line for line in told.lines)


def test_the_same_seed_learns_the_same_lens_to_the_bit(own_badges: Collection):
    one, other = (own_badges.learn(own_badges.folder, name=name, seed=3, epochs=2) for name in ("one", "other"))
    assert_array_equal(one.matrix, other.matrix)
    first, second = (replace(lens.proof, summary="", notes=(), protocol=one.proof.protocol) for lens in (one, other))
    assert first == second  # but for how often these examples were proved before
    assert (one.proof.protocol.attempt, other.proof.protocol.attempt) == (2, 2)


def test_the_correction_keeps_its_curve_with_recall_of_held_out_queries(own_badges: Collection):
    told = Recording()
    lens = own_badges.learn(own_badges.folder, name="deep", report=told, epochs=4)
    folder = own_badges.home.lens("deep")
    header, *lines = (folder / "curves.csv").read_text().splitlines()
    assert header.startswith("step,loss,active") and len(lines) == 4
    assert float(lines[-1].split(",")[-1]) > 0
    assert (folder / "curves.png").stat().st_size > 1000
    assert {"validating", "proving", "drawing"} <= told.stages
    assert lens.proof is not None and lens.proof.selected in {"correction", "closed form"}
    learned = "learning" in told.stages  # on all examples, where the correction will serve
    assert learned == (lens.proof.selected == "correction")


def test_too_few_examples_get_a_verdict_of_their_own(own_badges: Collection, tmp_path: Path):
    pairs = table(tmp_path / "x.csv", "a,b", [("kind-00/0.png", "kind-00/1.png"), ("kind-01/0.png", "kind-01/1.png")])
    lens = own_badges.learn(pairs, name="few", quick=True, use=True)
    assert lens.proof is not None and lens.proof.verdict == "too few"
    assert own_badges.search("kind-00/0.png").lens == "kind"


def test_pictures_indexed_later_get_the_vector_of_every_lens(own_badges: Collection):
    new = own_badges.folder / "kind-00" / "new.png"
    badge(0, 99).save(new)
    own_badges.index()
    files, rows = own_badges.table.features(["kind-00/new.png"], column="lens:kind")
    assert files == ["kind-00/new.png"]
    assert own_badges.embed([new], lens="kind")[0] @ rows[0].astype(np.float32) > 0.999


def test_what_would_be_learned_from_can_be_seen_first(own_badges: Collection):
    lines = own_badges.check(own_badges.folder)
    assert "90 pictures in 30 groups of 3" in lines
    assert any(line.startswith("held out: whole groups") for line in lines)
    assert own_badges.home.lenses() == ["kind"]


def test_the_model_with_its_lens_is_one_onnx_file(own_badges: Collection, tmp_path: Path):
    onnxruntime = pytest.importorskip("onnxruntime")
    own_badges.export(tmp_path / "kind.onnx", lens="kind")
    session = onnxruntime.InferenceSession(tmp_path / "kind.onnx")
    (pictures,) = session.get_inputs()
    files = [own_badges.folder / f"{kind}/0.png" for kind in NAMES[:4]]
    square = np.stack([decode_square(file, own_badges.backbone.bundle.side_px).array for file in files])
    (theirs,) = session.run(None, {pictures.name: square})
    ours = own_badges.lens("kind").apply(Backbone(precision="f32").embed(files))
    assert ((theirs * ours).sum(axis=1) > 0.9999).all()


class Releases(Recording):
    """Gives the lock back when it is told that somebody waits for it."""

    def __init__(self, lock: WriteLock):
        super().__init__()
        self.lock = lock

    def message(self, line: str) -> None:
        super().message(line)
        if "Waiting until it is done" in line:
            self.lock.release()


def test_a_learned_lens_waits_for_another_writer_and_is_kept(own_badges: Collection):
    lock = WriteLock(CollectionFolder(own_badges.folder).at, own_badges.folder)
    lock.acquire("index", None)
    reporter = Releases(lock)
    own_badges.learn(own_badges.folder, name="waited", quick=True, report=reporter)
    assert sum("(index, since" in line for line in reporter.lines) == 1
    assert "waiting" in reporter.stages
    assert "waited" in CollectionFolder(own_badges.folder).lenses()
    assert not (own_badges.home.at / "learned" / "waited").exists()


class Ends(Recording):
    """Ends the waiting, as Ctrl-C or a reporter does."""

    def __init__(self, how: type[BaseException]):
        super().__init__()
        self.how = how

    def progress(self, progress: Progress) -> None:
        if progress.stage == "waiting":
            raise self.how


@pytest.fixture(params=[KeyboardInterrupt, Cancelled])
def ended(own_badges: Collection, request: pytest.FixtureRequest) -> list[str]:
    """What a learning said that waited for another writer, until it was ended."""
    lock, reporter = WriteLock(own_badges.home.at, own_badges.folder), Ends(request.param)
    lock.acquire("index", None)
    with pytest.raises(request.param):
        own_badges.learn(own_badges.folder, name="ended", quick=True, report=reporter)
    lock.release()
    return reporter.lines


def test_a_lens_whose_waiting_was_ended_can_be_used_as_if_it_was_saved(own_badges: Collection, ended: list[str]):
    kind = own_badges.lens("kind")
    assert ended[-2].endswith("to save what was learned. To stop waiting, press Ctrl-C: ended is kept.")
    assert ended[-1] == f"ended is kept. To put it into service, run: lookalike use {own_badges.folder} ended"
    assert [row["name"] for row in own_badges.lenses()] == ["ended", "kind"]
    assert own_badges.lens("ended").fingerprint == kind.fingerprint  # learned from the same
    own_badges.use("ended")
    assert own_badges.home.config().lens == "ended"
    assert own_badges.table.lenses().keys() >= {"ended"}
    assert (own_badges.home.saved_lens("ended") / "proof.png").is_file()
    assert not own_badges.home.waiting_lens("ended").exists()


def test_index_saves_it_and_a_name_that_was_taken_meanwhile_gets_a_number(own_badges: Collection, ended: list[str]):
    shutil.copytree(own_badges.home.lens("kind"), own_badges.home.saved_lens("ended"))
    assert own_badges.index().notes == ["The lens ended-2 was saved: its learning was ended while it waited."]
    assert own_badges.home.lenses() == ["ended", "ended-2", "kind"]
    assert own_badges.table.lenses().keys() >= {"ended", "ended-2"}
    assert own_badges.verify() == []


def test_its_name_is_taken_and_it_can_be_forgotten(own_badges: Collection, ended: list[str]):
    with pytest.raises(LensError, match="ended: a lens of"):
        own_badges.learn(own_badges.folder, name="ended", quick=True)
    own_badges.forget("ended")
    assert own_badges.home.lenses() == ["kind"]


def test_learning_it_again_with_replace_leaves_one(own_badges: Collection, ended: list[str]):
    own_badges.learn(own_badges.folder, name="ended", quick=True, replace=True)
    assert own_badges.home.lens("ended") == own_badges.home.saved_lens("ended")
    assert not own_badges.home.waiting_lens("ended").exists()
