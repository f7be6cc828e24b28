"""A collection's folder: where things lie, collection.json, the lock."""

import json
import os
import shlex
from pathlib import Path

import pytest

from lookalike.collection.config import BackboneRecord, CollectionConfig
from lookalike.collection.folder import CollectionFolder
from lookalike.errors import CollectionError, LockedError

CONFIG = CollectionConfig("x", "i", "n", "f32", "l", "o", "s", {"i": BackboneRecord("n", "f32", "p")})


def test_the_configuration_comes_back_as_it_was_written(tmp_path: Path):
    CollectionFolder(tmp_path).save(CONFIG)
    assert CollectionFolder(tmp_path).config() == CONFIG


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
    with pytest.raises(CollectionError, match=r"cannot be read .* index the folder again\.$"):
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
