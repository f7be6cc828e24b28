"""Another backbone for a collection: filled while the old one serves, cut over at the end, gone back to, dropped."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose
from PIL import Image
from support.drawn_network import FIRST, SECOND, write_pair
from support.pictures import aged, draw
from support.recording import Recording

from lookalike import Collection, similarity
from lookalike.cli.main import main
from lookalike.collection.folder import CollectionFolder
from lookalike.errors import BundleError, CollectionError, LensError
from lookalike.models.lens import Lens
from lookalike.models.registry import earlier_bundle


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return write_pair(tmp_path / "networks")


@pytest.fixture
def photos(photos: Path) -> Path:
    """Three of them of one colour each, so that the two backbones tell them apart differently."""
    for name, colour in {"1.png": (200, 40, 20), "2.png": (30, 180, 60), "10.png": (90, 90, 200)}.items():
        Image.new("RGB", (16, 16), colour).save(photos / name)
        aged(photos / name)
    aged(Path(shutil.copy(photos / "1.png", photos / "sub/copy.png")))
    return photos


@pytest.fixture
def indexed(photos: Path, pair: tuple[Path, Path]) -> Collection:
    """Under the first backbone, with a lens of it in service."""
    collection = Collection(photos, backbone=pair[0])
    collection.index()
    Lens("turn", np.zeros(3), np.eye(3)[::-1], {"backbone": FIRST}).save(collection.home.lens("turn"))
    collection.use("turn", anyway=True)
    return collection


def colours(file: Path) -> np.ndarray:
    """The mean colour of a picture, as the network sees it: squashed to 8 px, 0 to 1."""
    image = Image.open(file).convert("RGB").resize((8, 8), Image.Resampling.BICUBIC)
    return np.asarray(image, np.float64).mean((0, 1)) / 255


def values(photos: Path, query: str, of: Callable[[np.ndarray], np.ndarray]) -> dict[str, float]:
    rows = {file: of(colours(photos / file)) for file in ("1.png", "2.png", "10.png")}
    return {file: float(similarity(row[None], rows[query][None])[0, 0]) for file, row in rows.items()}


def found(collection: Collection, query: str, **how) -> dict[str, float]:
    hits = collection.search(query, k=None, **how)
    return {hit.file: hit.similarity for hit in hits if hit.file in ("1.png", "2.png", "10.png")}


def never(progress: object) -> None:
    raise AssertionError(f"something was embedded: {progress}")


def test_after_the_switch_hits_are_those_of_the_new_backbone(indexed: Collection, photos: Path, pair):
    """Worked by hand from the pictures: cosines of mean colours before, of their square roots after."""
    before = found(indexed, "1.png", lens="plain")
    assert before == pytest.approx(values(photos, "1.png", lambda row: row), abs=3e-3)
    done = Collection(photos, backbone=pair[1]).index()
    after = found(Collection(photos), "1.png")
    assert (done.added, done.unchanged) == (7, 0)
    assert after == pytest.approx(values(photos, "1.png", np.sqrt), abs=3e-3)
    assert abs(before["2.png"] - after["2.png"]) > 0.1  # two networks indeed


def test_a_collection_of_the_earlier_version_serves_until_it_is_indexed_and_moves_then(photos: Path):
    earlier = earlier_bundle("efficientnet-lite0")
    before = Collection(photos, backbone=earlier.path)
    before.index()
    record = {"name": earlier.name, "precision": before.backbone.precision, "place": "efficientnet-lite0"}
    table = json.loads((before.home.at / "collection.json").read_text())
    (before.home.at / "collection.json").write_text(json.dumps(table | {"backbones": {earlier.id: record}}))
    lens = Lens("swap", np.zeros(2816), np.eye(2816, 5), {"backbone": earlier.id})
    lens.save(before.home.lens("swap"))

    old = Collection(photos)
    hits = old.search(photos / "1.png", lens="plain")
    assert old.backbone.id == earlier.id and hits[0].similarity == pytest.approx(1, abs=1e-3)
    old.use("swap", anyway=True)
    (note,) = Collection(photos).index().notes
    assert "The lens swap was learned on this one, so this one stays" in note
    assert f"lookalike index {photos} --backbone efficientnet-lite0" in note

    old.use("plain")
    done = Collection(photos).index()
    (note,) = done.notes
    assert done.added == 7 and "newer version of efficientnet-lite0" in note and f"lookalike use {photos} swap" in note
    now = Collection(photos)
    assert (now.backbone.length, now.search("1.png").lens) == (3488, "plain")
    assert now.index().notes == []
    now.use("swap", anyway=True, report=never)
    assert Collection(photos).backbone.id == earlier.id
    now.use("plain", report=never)
    assert Collection(photos).backbone.length == 3488


def test_readers_see_the_old_state_whole_until_the_cut(indexed: Collection, photos: Path, pair):
    old = found(indexed, "1.png", lens="plain")
    seen = []

    def report(progress) -> None:
        seen.append((indexed.search("1.png").lens, found(Collection(photos), "1.png", lens="plain")))
        assert CollectionFolder(photos).config().backbone == FIRST

    Collection(photos, backbone=pair[1]).index(report=report)
    assert seen == [("turn", old)] * 7
    assert found(indexed, "1.png", lens="plain") != old  # one that was open before follows
    assert indexed.backbone.id == SECOND


def test_a_reader_beside_switches_meets_one_state_or_the_other(indexed: Collection, photos: Path, pair):
    answers = [found(indexed, "1.png")]
    Collection(photos, backbone=pair[1]).index()
    answers.append(found(indexed, "1.png"))
    stop, wrong = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            one = found(indexed, photos / "1.png")
            if one not in answers:
                wrong.append(one)

    reader = threading.Thread(target=read)
    reader.start()
    writer = Collection(photos)
    for _ in range(10):
        writer.use("turn", anyway=True)
        Collection(photos, backbone=pair[1]).index()
    stop.set()
    reader.join()
    assert wrong == []


def test_a_lens_of_the_old_backbone_stays_listed_and_says_how_to_go_back(indexed: Collection, photos: Path, pair):
    done = Collection(photos, backbone=pair[1]).index()
    assert "plain is in service" in done.notes[0]
    assert f"lookalike use {photos} turn" in done.notes[1]
    assert done.damaged == {}
    now = Collection(photos)
    assert now.search("1.png").lens == "plain"
    assert [(row["name"], row["backbone"], row["here"], row["serves"]) for row in now.lenses()] == [
        ("turn", "first", False, False)
    ]
    with pytest.raises(LensError, match=r"learned on backbone first, .* run: lookalike use"):
        now.search("1.png", lens="turn")


@pytest.mark.parametrize(("name", "lens"), [("plain", "plain"), ("turn", "turn")])
def test_going_back_embeds_nothing_and_gives_the_same_answers(indexed: Collection, photos: Path, pair, name, lens):
    before = found(indexed, "1.png", lens=lens)
    Collection(photos, backbone=pair[1]).index()
    collection = Collection(photos)
    collection.use(name, anyway=True, report=never)
    assert found(collection, "1.png") == before
    assert (collection.backbone.id, collection.search("1.png").lens) == (FIRST, lens)
    assert CollectionFolder(photos).config().lens == (None if lens == "plain" else lens)
    assert CollectionFolder(photos).config().switching is None


def test_files_that_came_since_are_embedded_on_going_back(indexed: Collection, photos: Path, pair):
    Collection(photos, backbone=pair[1]).index()
    draw(photos / "new.png", 77)
    (photos / "2.png").unlink()
    Collection(photos).index()
    seen = []
    collection = Collection(photos)
    collection.use("turn", anyway=True, report=seen.append)
    assert [(one.done, one.total) for one in seen] == [(1, 1)]
    files = {hit.file for hit in collection.search("new.png", k=None)}
    assert "new.png" in files
    assert "2.png" not in files


SWITCH = """
import os, signal, sys
from lookalike import Collection

def report(now):
    if now.done == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

Collection(sys.argv[1], backbone=sys.argv[2]).index(own=False, report=report)
"""


def test_a_killed_switch_serves_on_and_the_same_command_goes_on(tmp_path: Path, pair):
    folder = tmp_path / "many"
    for seed in range(600):
        draw(folder / f"{seed}.png", seed, size=(16, 16))
    Collection(folder, backbone=pair[0]).index(own=False)
    before = Collection(folder).search("1.png", k=9)
    run = subprocess.run([sys.executable, "-c", SWITCH, str(folder), str(pair[1]), "400"], check=False)
    assert run.returncode == -9
    collection = Collection(folder)
    assert list(collection.search("1.png", k=9)) == list(before)
    rows = {table["backbone"]: table for table in collection.status()["tables"]}
    assert rows["first"]["serves"]
    assert rows["second"]["filling"]
    there = rows["second"]["pictures"]
    assert 256 <= there < 600
    assert f"lookalike index {folder} --backbone {pair[1]}" in collection.index(own=False).notes[0]
    seen = []
    done = Collection(folder, backbone=pair[1]).index(own=False, report=seen.append)
    assert (len(seen), done.added, done.unchanged) == (600 - there, 600 - there, there)
    assert Collection(folder).status()["pictures"] == 600
    assert Collection(folder).index(own=False).notes == []


def test_dropping_frees_what_does_not_serve_and_plain_stays_where_it_is(indexed: Collection, photos: Path, pair):
    done = Collection(photos, backbone=pair[1]).index(drop_old=True)
    assert done.freed > 0
    collection = Collection(photos)
    assert [(one["id"], one["serves"], one["original"]) for one in collection.status()["tables"]] == [
        (SECOND, True, True)
    ]
    assert [path.name for path in (photos / ".lookalike/tables").iterdir()] == [f"{SECOND}.lance"]
    collection.use("plain", report=never)
    assert collection.backbone.id == SECOND
    seen = []
    collection.use("turn", anyway=True, report=seen.append)  # its table is made again
    assert (len(seen), collection.search("1.png").lens) == (7, "turn")


def test_a_switch_that_would_lose_most_pictures_is_refused_until_told(indexed: Collection, photos: Path, pair):
    for name in ["1.png", "2.png", "10.png", "sub/a.jpg"]:
        (photos / name).unlink()
    with pytest.raises(CollectionError, match="4 of 7 pictures are missing, so first stays in use"):
        Collection(photos, backbone=pair[1]).index()
    assert (Collection(photos).status()["backbone"], Collection(photos).status()["pictures"]) == ("first", 7)
    Collection(photos, backbone=pair[1]).index(prune=True)
    assert (Collection(photos).status()["backbone"], Collection(photos).status()["pictures"]) == ("second", 3)


def test_going_back_works_while_the_disk_of_the_pictures_is_away(photos: Path, pair, tmp_path: Path):
    at = tmp_path / "kept"
    Collection(photos, at=at, backbone=pair[0]).index()
    Collection(photos, at=at, backbone=pair[1]).index()
    photos.rename(tmp_path / "away")
    told = Recording()
    collection = Collection(photos, at=at)
    collection.use("plain", report=told)
    assert told.seen == []  # nothing was embedded
    assert "is not there: its pictures are those of the last index under first" in told.lines[0]
    assert (collection.backbone.id, collection.search("1.png")[0].file) == (FIRST, "1.png")


def test_searching_with_another_backbone_is_one_line(indexed: Collection, photos: Path, pair):
    with pytest.raises(CollectionError, match=r"made with backbone first, asked for second\. Leave --backbone out"):
        Collection(photos, backbone=pair[1]).search("1.png")


def test_a_backbone_named_by_its_folder_is_found_again_from_anywhere(photos: Path, pair, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(pair[0].parent)
    Collection(photos, backbone="first").index()
    monkeypatch.chdir(tmp_path)
    assert Collection(photos).search("1.png")[0].file == "1.png"
    shutil.rmtree(pair[0])
    with pytest.raises(BundleError, match="no backbone"):
        Collection(photos).search("1.png")


def test_a_collection_from_before_there_were_several_backbones_opens_and_switches(indexed: Collection, photos, pair):
    path = indexed.home.at / "collection.json"
    old = {key: value for key, value in json.loads(path.read_text()).items() if key not in ("original", "switching")}
    place = old.pop("backbones")[FIRST]["place"]
    old["backbone_name"] = place
    path.write_text(json.dumps(old))
    before = found(Collection(photos), "1.png")
    Collection(photos, backbone=pair[1]).index()
    collection = Collection(photos)
    collection.use("turn", anyway=True, report=never)
    assert found(collection, "1.png") == before


def test_a_forgotten_lens_leaves_the_tables_of_all_backbones(indexed: Collection, photos: Path, pair):
    assert indexed.table.lenses() == {"turn": 3}
    table = indexed.table
    Collection(photos, backbone=pair[1]).index()
    Collection(photos).forget("turn")
    assert table.lenses() == {}
    assert Collection(photos).lenses() == []


def test_a_lens_of_the_new_backbone_has_its_column_at_the_cut(indexed: Collection, photos: Path, pair):
    Lens("other", np.zeros(3), np.eye(3)[::-1] * [1, 2, 3], {"backbone": SECOND}).save(indexed.home.lens("other"))
    assert "other" in indexed.index().damaged  # not of a backbone that is known here
    Collection(photos, backbone=pair[1]).index()
    collection = Collection(photos)
    assert collection.table.lenses() == {"other": 3}
    _, features = collection.table.features()
    _, served = collection.table.features(column="lens:other")
    assert_allclose(served.astype(np.float32), collection.lens("other").apply(features), atol=1e-3)


def test_the_command_line_switches_shows_goes_back_and_drops(photos: Path, pair):
    def lookalike(*words: object) -> str:
        ran = CliRunner().invoke(main, [str(word) for word in words])
        assert ran.exit_code == 0, ran.output
        return ran.output

    lookalike("index", photos, "--backbone", pair[0])
    said = lookalike("index", photos, "--backbone", pair[1])
    assert "7 added" in said
    assert "The collection uses backbone second now, first no longer; plain is in service." in said
    assert [line.split()[1:3] for line in lookalike("status", photos).splitlines() if line.startswith("table ")] == [
        ["second", "7"],
        ["first", "7"],
    ]
    assert "The collection uses backbone first now" in lookalike("use", photos, "plain")
    assert "MB freed" in lookalike("index", photos, "--drop-old")
    tables = json.loads(lookalike("status", photos, "--json"))["tables"]
    assert [(one["backbone"], one["serves"]) for one in tables] == [("first", True)]


@pytest.mark.parametrize("kind", ["resnet", "dinov2"])
def test_a_network_from_elsewhere_takes_over_and_serves(indexed, photos: Path, tmp_path: Path, kind, from_transformers):
    folder = Path(shutil.copytree(from_transformers(kind)[0], tmp_path / kind))
    Collection(photos, backbone=folder).index()
    shutil.rmtree(folder)  # what it was converted to is enough
    collection = Collection(photos)
    assert collection.backbone.name == kind
    assert [hit.similarity for hit in collection.search(photos / "1.png", k=2)] == [1.0, 1.0]
    features = collection.embed([photos / "1.png", photos / "2.png"])
    by_file = {hit.file: hit.similarity for hit in collection.search("1.png", k=None)}
    assert by_file["2.png"] == pytest.approx(float(features[0] @ features[1]), abs=1e-3)
    collection.use("turn", anyway=True, report=never)
    assert collection.search("1.png").lens == "turn"
