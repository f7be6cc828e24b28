"""Every layout goes from pictures to a proved lens in one call; refused lenses do not serve; nothing is lost."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.testing import assert_array_equal
from support.badges import badge, classes, flat, sides, table

from lookalike import Backbone, Collection
from lookalike.cli.main import main
from lookalike.errors import LensError, QueryError
from lookalike.images.decode import decode_square
from lookalike.learning.closed_form.default import recipe
from lookalike.learning.config import LearnConfig
from lookalike.learning.pipeline import correction
from lookalike.models.lens import Lens
from lookalike.progress import Stage

KINDS, LOOKS = 30, 3
NAMES = [f"kind-{kind:02d}" for kind in range(KINDS)]


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """A collection of badges with one lens, "kind", learned from its own class folders."""
    photos = Collection(classes(tmp_path_factory.mktemp("badges"), KINDS, LOOKS))
    photos.index()
    photos.learn(photos.folder, name="kind", quick=True, use=True)
    return photos


@pytest.fixture
def photos(taught: Collection, tmp_path: Path) -> Collection:
    """A copy of it that a test may change."""
    return Collection(shutil.copytree(taught.folder, tmp_path / "badges"))


def kind_of(file: str) -> str:
    return file.split("/")[0]


def test_a_taught_lens_is_better_on_kinds_that_it_never_saw(taught: Collection):
    proof = taught.lens("kind").proof
    assert proof is not None and proof.verdict == "taught"
    assert proof.ways["lens"]["recall@1"] > proof.ways["plain"]["recall@1"]


def test_the_lens_in_service_answers_where_none_is_named(taught: Collection):
    assert taught.search("kind-00/0.png").lens == "kind"
    assert taught.search("kind-00/0.png", lens="plain").lens == "plain"


def test_searching_through_the_lens_finds_more_of_the_own_kind(taught: Collection):
    def right(lens: str) -> int:
        answers = taught.search([f"{kind}/0.png" for kind in NAMES], k=2, lens=lens, others=True)
        return sum(kind_of(hit.file) == kind for kind, hits in zip(NAMES, answers, strict=True) for hit in hits)

    assert right("kind") > right("plain")


def test_a_lens_says_what_it_was_learned_from_and_with_what(taught: Collection):
    settings = taught.lens("kind").settings
    assert settings["backbone"] == taught.backbone.id
    assert settings["data"] == [str(taught.folder)]
    assert settings["reading"] == "classes"
    assert settings["how"]["quick"] is True
    assert {"date", "seed", "versions"} <= settings.keys()


LAYOUTS = ("classes", "sides", "labels", "pairs", "triplets", "views", "judgements", "several")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_becomes_a_lens_in_one_call(photos: Collection, tmp_path: Path, layout: str):
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
    assert lens.settings["reading"] == layout
    assert lens.proof is not None
    hits = photos.search(files[0][0], lens="mine")
    assert (hits.lens, hits[0].file, hits[0].similarity) == ("mine", files[0][0], 1.0)
    kept = Lens.load(photos.home.lens("mine"))
    assert_array_equal(kept.matrix, lens.matrix)
    assert kept.proof == lens.proof
    assert (photos.home.lens("mine") / "proof.png").stat().st_size > 1000


def test_without_data_the_pictures_own_views_are_learned_from(photos: Collection):
    assert photos.learn(name="own", quick=True).settings["reading"] == "views"


def test_pictures_outside_the_collection_are_embedded_and_broken_ones_named(photos: Collection, tmp_path: Path):
    data = sides(tmp_path / "data")
    (data / "left/00.png").write_bytes(b"no picture")
    said: list[str] = []
    photos.learn(data, quick=True, say=said.append)
    assert photos.home.lenses() == ["data", "kind"]
    assert any("1 picture left out: " in line and "00.png" in line for line in said)


def test_the_same_seed_learns_the_same_lens_to_the_bit(photos: Collection):
    one, other = (photos.learn(photos.folder, name=name, seed=3, epochs=2) for name in ("one", "other"))
    assert_array_equal(one.matrix, other.matrix)
    assert one.proof == other.proof


def test_the_correction_keeps_its_curve_with_recall_of_held_out_queries(photos: Collection):
    stages: list[Stage] = []
    lens = photos.learn(photos.folder, name="deep", report=stages.append, epochs=4)
    folder = photos.home.lens("deep")
    header, *lines = (folder / "curves.csv").read_text().splitlines()
    assert header.startswith("step,loss,active") and len(lines) == 4
    assert float(lines[-1].split(",")[-1]) > 0
    assert (folder / "curves.png").stat().st_size > 1000
    assert {"rehearsing", "proving"} <= {stage.doing for stage in stages}
    assert lens.proof is not None and lens.proof.chosen in {"correction", "closed form"}
    learned = "learning" in {stage.doing for stage in stages}  # on all examples, where the correction will serve
    assert learned == (lens.proof.chosen == "correction")


def test_interrupted_learning_keeps_the_best_so_far(taught: Collection):
    def stop(stage: Stage) -> None:
        if stage.done == 3:
            raise KeyboardInterrupt

    group = np.repeat(np.arange(KINDS), LOOKS)
    features = taught.embed([taught.folder / f"{kind}/{look}.png" for kind in NAMES for look in range(LOOKS)])
    said: list[str] = []
    lens = recipe(correction(LearnConfig(epochs=200), stop, said))(features, group, None, None)
    assert lens.settings["correction"]["step"] == 3
    assert "stopped after step 3 of 200" in said[0]


def test_a_name_that_is_taken_is_refused_before_anything_is_learned(photos: Collection):
    with pytest.raises(LensError, match=r"kind: a lens of .* already. Choose another with --name, or add --replace"):
        photos.learn(photos.folder, name="kind")
    with pytest.raises(LensError, match="cannot name a lens"):
        photos.learn(photos.folder, name="Kind!")


def test_a_replaced_lens_answers_with_its_new_weights(photos: Collection):
    before = photos.search("kind-00/0.png", lens="kind", others=True)[0].similarity
    photos.learn(photos.folder, name="kind", quick=True, dims=16, replace=True)
    after = photos.search("kind-00/0.png", lens="kind", others=True)[0].similarity
    assert before != after
    assert photos.table.lenses() == {"kind": 16}


def nonsense(photos: Collection, path: Path) -> Path:
    """Labels laid on the pictures at random."""
    files = photos.table.columns()["file"]
    labels = np.random.default_rng(0).permutation([kind_of(file) for file in files])
    return table(path, "file,label", list(zip(files, labels, strict=True)))


def test_nonsense_does_not_serve_unless_told(photos: Collection, tmp_path: Path):
    lens = photos.learn(nonsense(photos, tmp_path / "x.csv"), name="nonsense", quick=True, use=True)
    assert lens.proof is not None and lens.proof.verdict == "refused"
    assert photos.search("kind-00/0.png").lens == "kind"
    with pytest.raises(LensError, match=r"nonsense: Not (surely )?better than plain: .* add --anyway"):
        photos.use("nonsense")
    photos.use("nonsense", anyway=True)
    assert photos.search("kind-00/0.png").lens == "nonsense"


def test_a_lens_in_service_is_not_replaced_by_a_worse_one(photos: Collection, tmp_path: Path):
    before = Lens.load(photos.home.lens("kind"))
    with pytest.raises(LensError, match=r"kind: Not (surely )?better than plain.* stays in service"):
        photos.learn(nonsense(photos, tmp_path / "x.csv"), name="kind", quick=True, replace=True)
    assert_array_equal(Lens.load(photos.home.lens("kind")).matrix, before.matrix)


def test_too_few_examples_get_a_verdict_of_their_own(photos: Collection, tmp_path: Path):
    pairs = table(tmp_path / "x.csv", "a,b", [("kind-00/0.png", "kind-00/1.png"), ("kind-01/0.png", "kind-01/1.png")])
    lens = photos.learn(pairs, name="few", quick=True, use=True)
    assert lens.proof is not None and lens.proof.verdict == "too few"
    assert photos.search("kind-00/0.png").lens == "kind"


def test_pictures_indexed_later_get_the_vector_of_every_lens(photos: Collection):
    new = photos.folder / "kind-00" / "new.png"
    badge(0, 99).save(new)
    photos.index()
    files, rows = photos.table.features(["kind-00/new.png"], column="lens:kind")
    assert files == ["kind-00/new.png"]
    assert photos.embed([new], lens="kind")[0] @ rows[0].astype(np.float32) > 0.999


def test_use_and_forget(photos: Collection):
    photos.use("plain")
    assert photos.search("kind-00/0.png").lens == "plain"
    photos.use("kind")
    photos.forget("kind")
    assert photos.search("kind-00/0.png").lens == "plain"
    assert (photos.home.lenses(), photos.table.lenses()) == ([], {})
    with pytest.raises(LensError, match=r"kind: no lens of .* There are: none"):
        photos.forget("kind")


def test_a_lens_folder_can_be_copied_to_another_collection(photos: Collection, tmp_path: Path):
    other = Collection(flat(tmp_path / "other", kinds=4))
    other.index()
    shutil.copytree(photos.home.lens("kind"), other.home.lens("badge"))
    other.use("badge")
    assert other.search("00.png").lens == "badge"
    assert other.table.lenses() == {"badge": photos.lens("kind").dims}


def test_lenses_are_listed_with_what_their_proofs_say(photos: Collection):
    (one,) = photos.lenses()
    assert (one["name"], one["serves"], one["verdict"]) == ("kind", True, "taught")
    (photos.home.lens("kind") / "weights.safetensors").write_bytes(b"")
    (one,) = photos.lenses()
    assert one["verdict"] is None and "damaged" in one["words"]


def test_the_learned_similarity_leaves_out_what_is_less_alike(photos: Collection):
    proof = photos.lens("kind").proof
    assert proof is not None and proof.cut_off is not None
    hits = photos.search("kind-00/0.png", k=None, lens="kind", min_similarity="learned")
    assert 1 <= len(hits) < len(NAMES) and min(hit.similarity for hit in hits) >= proof.cut_off
    with pytest.raises(LensError, match="plain: no similarity was learned"):
        photos.search("kind-00/0.png", lens="plain", min_similarity="learned")


def test_judgements_are_kept_listed_and_taken_back(photos: Collection, tmp_path: Path):
    assert photos.judge("kind-00/0.png", yes=["kind-00/1.png"], no=["kind-01/0.png", "kind-02/0.png"]) == 2
    assert photos.judge(photos.folder / "kind-01/0.png", yes=[photos.folder / "kind-01/1.png"]) == 1
    rows = [("kind-02/0.png", "kind-02/1.png", "")]
    assert photos.judge_from(table(tmp_path / "x.csv", "query,yes,no", rows)) == 1
    photos.judgements.undo()
    told = [(one.query, one.yes, one.no) for one in photos.judgements.standing()]
    assert told[0] == ("kind-00/0.png", "kind-00/1.png", "kind-01/0.png") and len(told) == 3
    with pytest.raises(QueryError, match=r"nowhere\.png: not a picture of"):
        photos.judge("kind-00/0.png", yes=["nowhere.png"])


def test_what_would_be_learned_from_can_be_seen_first(photos: Collection):
    lines = photos.check(photos.folder)
    assert "90 pictures in 30 groups of 3" in lines
    assert any(line.startswith("held out: whole groups") for line in lines)
    assert photos.home.lenses() == ["kind"]


def test_the_model_with_its_lens_is_one_onnx_file(photos: Collection, tmp_path: Path):
    onnxruntime = pytest.importorskip("onnxruntime")
    photos.export(tmp_path / "kind.onnx", lens="kind")
    session = onnxruntime.InferenceSession(tmp_path / "kind.onnx")
    (pictures,) = session.get_inputs()
    files = [photos.folder / f"{kind}/0.png" for kind in NAMES[:4]]
    square = np.stack([decode_square(file, photos.backbone.bundle.side_px).array for file in files])
    (theirs,) = session.run(None, {pictures.name: square})
    ours = photos.lens("kind").apply(Backbone(precision="f32").embed(files))
    assert ((theirs * ours).sum(axis=1) > 0.9999).all()


def test_the_shell_learns_shows_uses_and_forgets(photos: Collection, tmp_path: Path):
    def run(*words: object) -> Result:
        return CliRunner().invoke(main, [str(word) for word in words])

    folder = photos.folder
    checked = run("learn", folder, "--from", folder, "--check")
    assert "90 pictures in 30 groups of 3" in checked.stdout
    learned = run("learn", folder, "--from", folder, "--name", "two", "--quick", "--json")
    assert json.loads(learned.stdout)["verdict"] == "taught"
    assert f"lookalike use {folder} two" in learned.stderr
    assert run("use", folder, "two").exit_code == 0
    assert "* two" in run("lenses", folder).stdout
    assert run("judge", folder, "kind-00/0.png", "--yes", "kind-00/1.png").exit_code == 0
    assert run("judge", folder, "--list").stdout == "kind-00/0.png: kind-00/1.png\n"
    assert run("judge", folder, "--undo").exit_code == 0
    assert run("judge", folder).exit_code == 2
    assert run("forget", folder, "two").exit_code == 0
    missing = run("learn", folder, "--from", tmp_path / "nowhere")
    assert missing.exit_code == 1 and missing.stderr.count("\n") == 1
