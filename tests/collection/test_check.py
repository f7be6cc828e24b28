"""A damaged collection is never taken for an empty one: every verb says what is damaged, and check mends it."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from support import drawn_network
from support.pictures import draw
from support.table_damage import WAYS, flip_bit

from lookalike import Collection
from lookalike.cli.main import main
from lookalike.collection.check import Finding
from lookalike.index.quantization import Int8Codes
from lookalike.models.compiled_cache import CompiledCache
from lookalike.models.lens import Lens


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures in two runs, a judgement, and a lens, swap, that nobody learned; by a tiny network."""
    folder = tmp_path_factory.mktemp("made")
    first, _ = drawn_network.write_pair(folder)
    for seed in range(8):
        draw(folder / f"photos/{seed}.png", seed)
        if seed == 3:
            Collection(folder / "photos", backbone=first).index()
    collection = Collection(folder / "photos")
    lens = Lens("swap", np.zeros(3), np.eye(3, 2), {"backbone": collection.backbone.id})
    lens.save(collection.home.lens("swap"))
    collection.index()
    collection.judge("0.png", ["1.png"])
    return folder / "photos"


@pytest.fixture
def photos(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "photos")


def home(photos: Path) -> Path:
    return photos / ".lookalike"


def data_files(photos: Path) -> list[Path]:
    return sorted((home(photos) / "tables").glob("*[0-9a-f].lance/data/*"))


def manifests(photos: Path) -> list[Path]:
    return sorted((home(photos) / "tables").glob("*[0-9a-f].lance/_versions/*.manifest"))


DAMAGE: dict[str, Callable[[Path], None]] = {
    "a data file missing": lambda photos: [file.unlink() for file in data_files(photos)] and None,
    "a data file cut": lambda photos: [WAYS["cut"](file) for file in data_files(photos)] and None,
    "a data file garbled": lambda photos: [WAYS["garbled"](file) for file in data_files(photos)] and None,
    "all manifests empty": lambda photos: [os.truncate(file, 0) for file in manifests(photos)] and None,
    "all manifests garbled": lambda photos: [WAYS["garbled"](file) for file in manifests(photos)] and None,
    "collection.json empty": lambda photos: os.truncate(home(photos) / "collection.json", 0),
    "collection.json of wrong types": lambda photos: (
        (home(photos) / "collection.json").write_text('{"format": 1}') and None
    ),
}
VERBS: dict[str, Callable[[Path], list[str]]] = {
    "search": lambda photos: ["search", str(photos), str(photos / "0.png")],
    "status": lambda photos: ["status", str(photos)],
    "duplicates": lambda photos: ["duplicates", str(photos)],
    "export": lambda photos: ["export", str(photos), str(photos.parent / "out.csv")],
    "map": lambda photos: ["map", str(photos), str(photos.parent / "map.png")],
    "learn": lambda photos: ["learn", str(photos), "--quick"],
    "judge": lambda photos: ["judge", str(photos), "0.png", "--yes", "2.png"],
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("damage", DAMAGE)
def test_every_verb_says_in_one_line_what_is_damaged_and_what_mends_it(photos: Path, damage: str, verb: str):
    DAMAGE[damage](photos)
    result = CliRunner().invoke(main, VERBS[verb](photos))
    assert result.exit_code == 1
    assert result.exception is None or isinstance(result.exception, SystemExit)
    (line,) = result.stderr.splitlines()
    assert ".lookalike" in line
    assert "lookalike index" in line or "lookalike check" in line
    assert "no pictures yet" not in line
    assert "elete" not in line


# What a lens is asked for: they work where the table is not needed, and else say in one line what is damaged.
LENS_VERBS: dict[str, Callable[[Path], list[str]]] = {
    "lenses": lambda photos: ["lenses", str(photos)],
    "judge --list": lambda photos: ["judge", str(photos), "--list"],
    "judge --undo": lambda photos: ["judge", str(photos), "--undo"],
    "use plain": lambda photos: ["use", str(photos), "plain"],
    "use swap": lambda photos: ["use", str(photos), "swap", "--anyway"],
    "forget": lambda photos: ["forget", str(photos), "swap"],
    "learn --from": lambda photos: ["learn", str(photos), "--from", str(photos), "--as", "views", "--quick"],
    "search --lens": lambda photos: ["search", str(photos), "0.png", "--lens", "swap"],
    "map": VERBS["map"],
}


@pytest.mark.parametrize("verb", LENS_VERBS)
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_verb_about_lenses_works_or_says_in_one_line_what_is_damaged(photos: Path, damage: str, verb: str):
    DAMAGE[damage](photos)
    result = CliRunner().invoke(main, LENS_VERBS[verb](photos))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    works = not damage.startswith("collection.json") and verb in {"lenses", "use plain"}
    works |= verb.startswith("judge --")
    works |= damage == "a data file garbled" and verb == "forget"  # it reads no rows
    assert result.exit_code == (0 if works else 1), result.stderr
    if not works:
        (line,) = result.stderr.splitlines()
        assert ".lookalike" in line
        assert "lookalike index" in line or "lookalike check" in line
    assert (home(photos) / "lenses/swap/lens.json").is_file() == (verb != "forget" or not works)
    assert len(Collection(photos).judgements.standing()) == (verb != "judge --undo")


@pytest.mark.parametrize("verb", ["search", "status", "duplicates", "export", "learn", "judge"])
def test_every_verb_says_in_one_line_that_an_older_version_answers(photos: Path, verb: str):
    os.truncate(min(manifests(photos)), 0)  # the newest
    result = CliRunner().invoke(main, VERBS[verb](photos))
    (line,) = [line for line in result.stderr.splitlines() if "older" in line]
    assert ".manifest: empty" in line and line.endswith(f"To mend it, run: lookalike index {photos}")


@pytest.mark.parametrize("damage", DAMAGE)
def test_check_names_it_repairs_it_and_index_makes_the_collection_whole_again(made: Path, photos: Path, damage: str):
    DAMAGE[damage](photos)
    assert any(not one.repaired for one in Collection(photos).verify())
    found = Collection(photos).verify(repair=True)
    assert found
    lost = damage.startswith("collection.json")  # and with it where the tiny network lies
    done = Collection(photos, backbone=made.parent / "first" if lost else None).index()
    assert done.added + done.unchanged == 8
    assert Collection(photos).verify() == []
    assert len(Collection(photos).search("0.png", k=None)) == 8
    assert len(Collection(photos).judgements.standing()) == 1


def test_a_single_flipped_bit_is_found_and_its_pictures_are_embedded_anew(photos: Path):
    for file in data_files(photos):
        flip_bit(file, 0.4)
    result = CliRunner().invoke(main, ["check", str(photos)])
    assert (result.exit_code, "its checksum differs" in result.stdout) == (1, True)
    assert CliRunner().invoke(main, ["check", str(photos), "--repair"]).exit_code == 0
    assert Collection(photos).verify() == []
    done = Collection(photos).index()
    assert (done.added, done.unchanged) == (8, 0)


def test_nothing_is_found_in_a_whole_collection_and_nothing_is_changed(photos: Path):
    before = {path: path.stat().st_mtime_ns for path in home(photos).rglob("*") if path.is_file()}
    assert Collection(photos).verify() == []
    assert {path: path.stat().st_mtime_ns for path in home(photos).rglob("*") if path.is_file()} == before


def test_codes_leftovers_and_judgements_are_looked_at_too(photos: Path):
    codes = home(photos) / "cache/codes/plain@x"
    codes.mkdir(parents=True)
    (codes / "values.npy").write_bytes(b"damaged")
    Int8Codes.build(np.eye(3, dtype=np.float32)).save(codes.parent / "plain@y")
    (codes.parent / "plain@y/prefix").mkdir()
    (home(photos) / "lenses/.kind.ab12cd34").mkdir(parents=True)
    (home(photos) / "cache/.grid.png.ab12cd34").write_bytes(b"half")
    for name in ("judgements.jsonl", "proofs.jsonl"):
        with (home(photos) / name).open("a") as file:
            file.write("not JSON\n")
    parts = [one.part for one in Collection(photos).verify()]
    assert parts == ["codes", "codes", "judgements", "proofs", "leftover", "leftover"]
    left = [one for one in Collection(photos).verify(repair=True) if not one.repaired]
    assert [one.part for one in left] == ["judgements", "proofs"]
    assert [one.part for one in Collection(photos).verify()] == ["judgements", "proofs"]
    assert len(Collection(photos).judgements.standing()) == 1


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_damaged_compiled_network_is_removed_and_compiled_anew(own_cache: Path, photos: Path, tmp_path: Path):
    outside = draw(tmp_path / "outside.png", 99)
    expected = Collection(photos).embed([outside])
    (blob,) = (own_cache / "compiled").rglob("*.blob")
    assert Collection(photos).verify() == []
    flip_bit(blob, 0.5)
    (found,) = Collection(photos).verify()
    assert (found.part, found.repaired, str(blob.parent) in found.what) == ("compiled", False, True)
    (found,) = Collection(photos).verify(repair=True)
    assert (found.part, found.repaired, blob.exists()) == ("compiled", True, False)
    assert np.array_equal(Collection(photos).embed([outside]), expected)
    assert Collection(photos).verify() == []


def test_a_compiled_network_of_another_backbone_is_not_looked_at(own_cache: Path, photos: Path):
    cache = CompiledCache(own_cache / "compiled/other-f32-8-2")
    (cache.open() / "1.blob").write_bytes(b"1")
    cache.seal()
    (cache.folder / "1.blob").write_bytes(b"2")
    assert Collection(photos).verify(repair=True) == []


def test_a_damaged_lens_is_named_and_stays(photos: Path):
    lens = home(photos) / "lenses/swap"
    (lens / "lens.json").write_text("{")
    for repair in (False, True):
        (found,) = Collection(photos).verify(repair=repair)
        assert (found.part, found.repaired) == ("lens", False)
    assert lens.is_dir()


def test_the_command_prints_each_finding_and_ends_with_what_it_found(photos: Path):
    run = CliRunner()
    assert run.invoke(main, ["check", str(photos)]).exit_code == 0
    data_files(photos)[0].unlink()
    result = run.invoke(main, ["check", str(photos), "--json"])
    assert result.exit_code == 1
    assert all(json.loads(line)["part"] == "table" for line in result.stdout.splitlines())
    result = run.invoke(main, ["check", str(photos), "--repair"])
    assert (result.exit_code, "0 left" in result.stderr) == (0, True)
    assert run.invoke(main, ["check", str(photos)]).exit_code == 0


def test_a_folder_that_was_never_indexed_is_one_line(tmp_path: Path):
    result = CliRunner().invoke(main, ["check", str(tmp_path)])
    assert (result.exit_code, "not indexed yet" in result.stderr) == (1, True)


def test_a_finding_reads_as_one_line():
    assert str(Finding("table", "t.lance: cut", "Run it.")) == "table: t.lance: cut. Run it."
