"""A collection's folder: where things lie, collection.json, the lock."""

import json
import os
import shlex
import subprocess
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from support.pictures import draw

from lookalike import Collection
from lookalike.collection.config import BackboneRecord, CollectionConfig
from lookalike.collection.folder import CollectionFolder
from lookalike.errors import CollectionError, LockedError

CONFIG = CollectionConfig("x", "i", "n", "f32", "l", "o", "s", {"i": BackboneRecord("n", "f32", "p")})


def test_the_configuration_comes_back_as_it_was_written(tmp_path: Path):
    records = {id: BackboneRecord("n", "f32", "p") for id in "ios"}
    config = replace(CONFIG, backbones=records)
    CollectionFolder(tmp_path).save(config)
    assert CollectionFolder(tmp_path).config() == config


def test_plain_goes_back_to_the_original_backbone_and_known_ones_include_the_one_in_use():
    assert CONFIG.plain == "o"
    assert CollectionConfig("x", "i", "n", "f32").plain == "i"
    assert CollectionConfig("x", "i", "n", "f32").known() == {"i": BackboneRecord("n", "f32")}
    assert CONFIG.known() == CONFIG.backbones


def test_a_configuration_is_required_of_an_indexed_folder_only(tmp_path: Path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "file").touch()
    for name, words in (("photos", "Run: lookalike index"), ("nowhere", "no such folder"), ("file", "a file")):
        with pytest.raises(CollectionError, match=words):
            CollectionFolder(tmp_path / name).require_config()


def test_the_command_that_mends_names_the_collection_in_a_shell(tmp_path: Path):
    folder = tmp_path / "my photos"
    assert shlex.split(CollectionFolder(folder).shell_words) == [str(folder)]
    elsewhere = CollectionFolder(folder, tmp_path / "kept")
    assert shlex.split(elsewhere.shell_words) == [str(folder), "--at", str(tmp_path / "kept")]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "\x00"])
def test_a_damaged_configuration_is_one_line_that_says_how_to_start_again(tmp_path: Path, text: str):
    home = CollectionFolder(tmp_path)
    home.at.mkdir()
    (home.at / "collection.json").write_text(text)
    with pytest.raises(CollectionError, match=r"cannot be read .* check .* --repair\. Tables, lenses and judgements"):
        home.config()


def test_a_newer_format_is_refused(tmp_path: Path):
    home = CollectionFolder(tmp_path)
    home.save(CONFIG)
    path = home.at / "collection.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    with pytest.raises(CollectionError, match="format 2, this lookalike knows up to 1"):
        home.config()


def test_a_second_writer_is_told_who_holds_the_lock_and_the_lock_ends_with_an_error(tmp_path: Path):
    home = CollectionFolder(tmp_path)
    with pytest.raises(KeyError), home.write_lock():
        with (
            pytest.raises(LockedError, match=rf"process {os.getpid()} \(write, since .* UTC\) is writing"),
            home.write_lock(),
        ):
            pass
        raise KeyError
    with home.write_lock():
        assert (home.at / "lock.holder").is_file()
    assert not (home.at / "lock.holder").exists()


def test_a_collection_is_kept_in_a_new_an_empty_or_its_own_folder_only(photos: Path, tmp_path: Path):
    at = tmp_path / "kept"
    at.mkdir()
    Collection(photos, at=at).index()
    assert len(Collection(photos, at=at).search("1.png", k=None)) == 7
    draw(tmp_path / "other/a.png", 50)
    with pytest.raises(CollectionError, match=rf"{at}: the collection of {photos}, not of {tmp_path}/other"):
        Collection(tmp_path / "other", at=at)
    (tmp_path / "project").mkdir()
    (tmp_path / "project/thesis.txt").write_text("mine")
    with pytest.raises(CollectionError, match=rf"{tmp_path}/project: not empty, and no collection of {photos}"):
        Collection(photos, at=tmp_path / "project")
    with pytest.raises(CollectionError, match="a file, so the collection of"):
        Collection(photos, at=tmp_path / "project/thesis.txt")
    with pytest.raises(CollectionError, match=r"the folder of the pictures .* itself"):
        Collection(photos, at=photos)
    with pytest.raises(CollectionError, match=r"this name is for the collection of"):
        Collection(photos, at=tmp_path / "other/.lookalike")


def test_a_collection_of_pictures_that_moved_is_taken_over_where_that_is_asked(photos: Path, tmp_path: Path):
    at = tmp_path / "kept"
    Collection(photos, at=at).index()
    moved = photos.rename(tmp_path / "moved")
    with pytest.raises(CollectionError, match=r"if the pictures were moved from there to here, run: .* --moved"):
        Collection(moved, at=at)
    assert Collection(moved, at=at, moved=True).index().unchanged == 7
    assert Collection(moved, at=at).home.config().folder == str(moved)
    with pytest.raises(CollectionError, match=r"no collection that .* could take over"):
        Collection(moved, at=tmp_path / "new", moved=True)


def test_an_apps_own_collection_json_among_the_pictures_is_a_file_like_others(photos: Path):
    (photos / "collection.json").write_text('{"name": "my app"}')
    collection = Collection(photos)
    collection.index()
    assert collection.home.at == photos / ".lookalike"
    assert len(Collection(photos).search("1.png", k=None)) == 7
    assert (photos / "collection.json").read_text() == '{"name": "my app"}'


def test_a_collection_is_opened_from_within_by_a_relative_name(photos: Path, monkeypatch: pytest.MonkeyPatch):
    Collection(photos).index()
    monkeypatch.chdir(photos / ".lookalike")
    inside = Collection(".")
    assert inside.folder.resolve() == photos
    assert inside.index().unchanged == 7


def test_the_collections_own_pictures_are_not_indexed_where_it_lies_among_them(photos: Path):
    collection = Collection(photos, at=photos / "index")
    collection.index()
    collection.search("1.png", k=3).grid()
    assert collection.index().added == 0
    assert len(collection.search("1.png", k=None)) == 7


@pytest.mark.parametrize("verb", ["search", "status", "lenses", "duplicates", "map"])
def test_reading_a_strangers_collection_contacts_no_network(photos: Path, verb: str):
    """Whatever backbone its collection.json names: only `index --backbone` may ask a hub."""
    Collection(photos).index()
    path = photos / ".lookalike/collection.json"
    text = json.loads(path.read_text())
    other = "f" * 32
    text |= {"backbone": other, "original": other, "backbone_name": "attacker/model"}
    text["backbones"][other] = {"name": "attacker/model", "precision": "f32", "place": "attacker/model"}
    path.write_text(json.dumps(text))
    (photos / ".lookalike/tables").rename(photos / ".lookalike/before")
    (photos / ".lookalike/tables").mkdir()
    for name in (f"{text['original']}.lance",):
        next((photos / ".lookalike/before").glob("*[0-9a-f].lance")).rename(photos / ".lookalike/tables" / name)
    words = {"search": ["search", photos, photos / "1.png"], "map": ["map", photos, "--out", photos.parent / "m.png"]}
    code = f"""
import sys
def audit(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        print("NETWORK", event, arguments)
sys.addaudithook(audit)
from lookalike.cli.main import main
main({[str(word) for word in words.get(verb, [verb, photos])]!r})
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "NETWORK" not in run.stdout
    assert "Traceback" not in run.stderr
    if verb == "search":
        assert "no backbone of that name on this machine" in run.stderr


def test_a_folder_is_found_in_any_form_of_unicode(tmp_path: Path):
    nfc, nfd = (unicodedata.normalize(form, "été") for form in ("NFC", "NFD"))
    (tmp_path / nfd).mkdir()
    home = CollectionFolder(tmp_path / nfc)
    assert (home.folder, home.at) == (tmp_path / nfd, tmp_path / nfd / ".lookalike")
    assert CollectionFolder(tmp_path / nfc, tmp_path / f"{nfc}-at").at == tmp_path / f"{nfc}-at"  # new
    (tmp_path / nfc).mkdir()
    assert CollectionFolder(tmp_path / nfc).folder == tmp_path / nfc


def test_a_writer_makes_nothing_in_the_place_of_a_disk_that_is_away(indexed: Collection, tmp_path: Path):
    indexed.folder.rename(tmp_path / "away")
    for act in (lambda: indexed.use("plain"), lambda: indexed.forget("kind"), indexed.index):
        with pytest.raises(CollectionError) as error:
            act()
        assert error.value.code == "collection.offline"
    assert not indexed.folder.exists()
    (tmp_path / "away").rename(indexed.folder)
    indexed.use("plain")
