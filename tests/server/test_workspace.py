"""The collections of a server, and the folders that were opened before."""

import json
import os
import stat
from pathlib import Path

import pytest
from support.pictures import draw

from lookalike import Collection
from lookalike.errors import CollectionError
from lookalike.server import workspace
from lookalike.server.errors import Refusal
from lookalike.server.workspace import OpenCollection, Workspace, choose_folder, collection_id


def test_a_folder_is_opened_once_and_found_by_its_id(tmp_path: Path):
    (tmp_path / "photos").mkdir()
    opened = Workspace()
    one = opened.add(tmp_path / "photos")
    assert opened.add(tmp_path / "photos" / ".." / "photos") is one
    assert opened.get(one.id) is one
    assert opened.all() == [one]
    assert (one.name, one.is_online, one.is_indexed) == ("photos", True, False)
    assert str(tmp_path) not in one.id
    with pytest.raises(Refusal, match="no such collection"):
        opened.get("0" * 16)


def test_folders_that_were_opened_come_back_the_newest_first(tmp_path: Path):
    kept = tmp_path / "state" / "recent.json"
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        Workspace(kept).add(tmp_path / name)
    Workspace(kept).add(tmp_path / "a", tmp_path / "elsewhere")
    (tmp_path / "b").rmdir()
    found = Workspace(kept).recent()
    assert list(found.values()) == [
        (tmp_path / "a", tmp_path / "elsewhere"), (tmp_path / "c", None), (tmp_path / "a", None)
    ]  # fmt: skip
    assert set(found) == {collection_id(*one) for one in found.values()}


def test_a_list_that_is_damaged_or_cannot_be_written_is_no_list(tmp_path: Path):
    (tmp_path / "photos").mkdir()
    for text in ("", "{", "[1]", '{"folder": 1}', '[{"folder": "\\u0000", "at": null}]', json.dumps([{"folder": 5}])):
        (tmp_path / "recent.json").write_text(text)
        assert Workspace(tmp_path / "recent.json").recent() == {}
    (tmp_path / "file").touch()
    Workspace(tmp_path / "file" / "recent.json").add(tmp_path / "photos")


def test_pictures_are_read_once_until_another_version_is_written(tmp_path: Path):
    draw(tmp_path / "a.png", 1)
    opened = OpenCollection(tmp_path)
    with pytest.raises(CollectionError):
        opened.pictures()
    opened.another().index()
    first = opened.pictures()
    assert opened.pictures() is first
    draw(tmp_path / "b.png", 2)
    opened.another().index()
    assert len(opened.pictures().gallery) == 2
    assert opened.picture(opened.pictures().at(1).id).file == "b.png"
    with pytest.raises(Refusal, match="no such picture"):
        opened.picture("0" * 32)


def test_a_folder_is_chosen_in_a_window_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(workspace.sys, "platform", "linux")
    with pytest.raises(Refusal) as caught:
        choose_folder()
    assert caught.value.status == 501
    chooser = tmp_path / "zenity"
    chooser.write_text(f"#!/bin/sh\necho {tmp_path}\n")
    chooser.chmod(chooser.stat().st_mode | stat.S_IXUSR)
    assert choose_folder() == tmp_path
    chooser.write_text("#!/bin/sh\nexit 1\n")
    assert choose_folder() is None
    assert os.access(chooser, os.X_OK)


@pytest.mark.parametrize("damage", ["tables", "collection.json"])
def test_a_collection_that_cannot_be_read_counts_nothing_and_hinders_no_other(tmp_path: Path, damage: str):
    """The page begins with the counts of all collections, and must open to tell which one is damaged."""
    draw(tmp_path / "photos" / "1.png", 1)
    Collection(tmp_path / "photos").index()
    (tmp_path / "photos" / ".lookalike" / damage).rename(tmp_path / "moved")
    if damage == "collection.json":
        (tmp_path / "photos" / ".lookalike" / damage).write_text("{")
    assert OpenCollection(tmp_path / "photos").count() == 0
