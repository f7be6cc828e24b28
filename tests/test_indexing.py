"""Indexing and the table: what is new, changed, moved, gone; what a kill and an unplugged disk leave."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import draw

from lookalike import Collection
from lookalike.errors import CollectionError, LockedError


def test_the_first_run_adds_and_the_second_finds_nothing_to_do(photos: Path):
    done = Collection(photos).index()
    assert (done.added, done.unchanged, done.refused) == (7, 0, {})
    again = Collection(photos).index()
    assert (again.added, again.changed, again.moved, again.gone, again.unchanged) == (0, 0, 0, 0, 7)


def test_new_changed_moved_and_gone_files_are_told_apart(photos: Path):
    Collection(photos).index()
    draw(photos / "new.png", 50)
    draw(photos / "2.png", 51, size=(80, 80))
    (photos / "10.png").rename(photos / "moved.png")
    (photos / "sub/b.webp").unlink()
    done = Collection(photos).index()
    assert (done.added, done.changed, done.moved, done.gone) == (1, 1, 1, 1)
    columns = Collection(photos).table.columns()
    assert sorted(columns["file"]) == sorted(
        ["1.png", "2.png", "moved.png", "new.png", "it's \n한글.png", "sub/a.jpg", "sub/copy.png"]
    )
    assert columns["width"][columns["file"].index("2.png")] == 80


def test_a_moved_file_keeps_its_features(photos: Path):
    collection = Collection(photos)
    collection.index()
    before = collection.table.features(["10.png"])[1]
    (photos / "10.png").rename(photos / "moved.png")
    collection.index()
    assert collection.table.features(["moved.png"])[1].tobytes() == before.tobytes()


def test_a_folder_that_looks_unplugged_loses_nothing_without_prune(photos: Path):
    Collection(photos).index()
    for name in ["1.png", "2.png", "10.png", "sub/a.jpg"]:
        (photos / name).unlink()
    done = Collection(photos).index()
    assert (done.gone, done.kept_missing) == (0, 4)
    assert Collection(photos).index(prune=True).gone == 4
    assert len(Collection(photos).table.columns()["file"]) == 3


def test_a_missing_folder_is_one_line(tmp_path: Path):
    with pytest.raises(CollectionError, match="no such folder"):
        Collection(tmp_path / "nowhere").index()
    assert not (tmp_path / "nowhere").exists()


def test_refused_files_are_kept_with_reasons_and_tried_again_only_when_they_change(photos: Path):
    (photos / "broken.png").write_bytes(b"")
    assert list(Collection(photos).index().refused) == ["broken.png"]
    assert Collection(photos).index().refused == {}
    assert "empty file" in Collection(photos).status()["refused"]["broken.png"]
    draw(photos / "broken.png", 60)
    done = Collection(photos).index()
    assert (done.added, Collection(photos).status()["refused"]) == (1, {})


def test_a_picture_that_breaks_leaves_the_table(photos: Path):
    Collection(photos).index()
    (photos / "2.png").write_bytes(b"")
    assert list(Collection(photos).index().refused) == ["2.png"]
    assert "2.png" not in Collection(photos).table.columns()["file"]


def test_a_second_writer_is_told_who_holds_the_lock(photos: Path):
    collection = Collection(photos)
    collection.index()
    with collection.home.writing(), pytest.raises(LockedError, match=rf"process {os.getpid()} is writing"):
        Collection(photos).index()


def test_a_newer_format_is_refused_with_the_mend(photos: Path):
    Collection(photos).index()
    path = photos / ".lookalike/collection.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(CollectionError, match="Upgrade with"):
        Collection(photos).index()


def test_killed_runs_lose_nothing_committed_and_the_next_one_finishes(tmp_path: Path):
    """Five kills at growing moments; rows only ever grow, and the last run ends with all 600."""
    folder = tmp_path / "many"
    for seed in range(600):
        draw(folder / f"{seed}.png", seed)
    before = 0
    for moment in (0.9, 1.2, 1.5, 1.8, 2.1):
        run = subprocess.Popen([sys.executable, "-m", "lookalike", "index", str(folder)], stderr=subprocess.DEVNULL)
        time.sleep(moment)
        run.send_signal(signal.SIGKILL)
        run.wait()
        collection = Collection(folder)
        rows = len(collection.table.columns()["file"]) if collection.home.settings() else 0
        assert rows >= before
        before = rows
    Collection(folder).index()
    files = Collection(folder).table.columns()["file"]
    assert len(files) == len(set(files)) == 600
