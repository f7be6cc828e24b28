"""Names, folders, files and ids to bundles."""

import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest
from support.drawn_network import write_bundle

from lookalike.errors import BundleError
from lookalike.models.bundle import read
from lookalike.models.efficientnet import build_bundle
from lookalike.models.registry import cache_folder, resolve_bundle


def test_a_copy_of_the_weights_stands_in_for_the_package(tmp_path, f32, packaged):
    copy = tmp_path / "copy.pth"
    copy.write_bytes(packaged("efficientnet-lite0").read_bytes())
    assert resolve_bundle(copy).id == f32.id
    assert build_bundle("efficientnet-lite0", tmp_path / "anew", weights=copy).id == f32.id


def test_other_weights_are_refused_by_their_hash(tmp_path):
    (tmp_path / "other.pth").write_bytes(b"other")
    with pytest.raises(BundleError, match="not the weights of efficientnet-lite0"):
        build_bundle("efficientnet-lite0", tmp_path / "anew", weights=tmp_path / "other.pth")
    with pytest.raises(BundleError, match=r"other\.pth: not the weights of"):
        resolve_bundle(tmp_path / "other.pth")
    assert not (tmp_path / "anew").exists()


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LOOKALIKE_CACHE", str(tmp_path / "file"))
    assert cache_folder() == tmp_path / "file"
    with pytest.raises(BundleError, match="Set LOOKALIKE_CACHE"):
        resolve_bundle("efficientnet-lite0")


def test_an_unknown_name_lists_those_that_there_are():
    with pytest.raises(BundleError, match=r"resnet: no backbone of that name\. There are efficientnet-lite0"):
        resolve_bundle("resnet")


@pytest.mark.parametrize("name", ["./nothing/here", "nothing\\here", "a/b/c", "nothing"])
def test_a_name_that_is_none_lists_what_can_be_named(name: str):
    with pytest.raises(BundleError, match=r"no backbone of that name\. There are efficientnet-lite0"):
        resolve_bundle(name)


def test_a_folder_with_a_bundle_is_read_where_it_lies(tmp_path):
    folder = write_bundle(tmp_path / "own")
    assert resolve_bundle(folder) == resolve_bundle(str(folder)) == read(folder)


def test_the_cache_is_the_users_own_where_none_is_named(monkeypatch):
    monkeypatch.delenv("LOOKALIKE_CACHE")
    assert cache_folder() == platformdirs.user_cache_path("lookalike")


def test_a_user_without_a_home_folder_is_told_what_to_set(tmp_path: Path):
    code = """
import os, pwd
def none(uid):
    raise KeyError(uid)
pwd.getpwuid = none
for name in ("HOME", "XDG_CACHE_HOME", "LOOKALIKE_CACHE"):
    os.environ.pop(name, None)
from lookalike.errors import BundleError
from lookalike.models.registry import cache_folder
try:
    cache_folder()
except BundleError as error:
    print(error)
os.environ["LOOKALIKE_CACHE"] = "here"
print(cache_folder())
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "this user has no home folder to keep backbones in. Set LOOKALIKE_CACHE to a folder.\nhere\n"
