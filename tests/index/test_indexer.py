"""Indexing and the table: what is new, changed, moved, gone; what a kill and an unplugged disk leave."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support.pictures import draw

from lookalike import Collection
from lookalike.errors import Cancelled, CollectionError, LockedError
from lookalike.images.scan import scan_folder
from lookalike.index.indexer import Indexer, IndexOptions, embed_files
from lookalike.index.refused import RefusedTable
from lookalike.index.table import Table
from lookalike.models.backbone import Backbone
from lookalike.progress import Progress, Reporter


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
    with collection.home.write_lock(), pytest.raises(LockedError, match=rf"process {os.getpid()} \(.*\) is writing"):
        Collection(photos).index()


def test_a_newer_format_is_refused_with_the_mend(photos: Path):
    Collection(photos).index()
    path = photos / ".lookalike/collection.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(CollectionError, match="Upgrade with"):
        Collection(photos).index()


def test_killed_runs_lose_nothing_committed_and_the_next_one_finishes(tmp_path: Path):
    """One kill before anything is there, one right after a commit; a row stays bit for bit what a clean run gives."""
    for seed in range(400):
        draw(tmp_path / f"clean/{seed}.png", seed)
    shutil.copytree(tmp_path / "clean", tmp_path / "killed")
    Collection(tmp_path / "clean").index()
    names, features = Collection(tmp_path / "clean").table.features()
    clean = {name: row.tobytes() for name, row in zip(names, features, strict=True)}
    collection = Collection(tmp_path / "killed")
    command = [sys.executable, "-m", "lookalike", "index", str(tmp_path / "killed")]
    before: set[str] = set()
    for kill in range(2):
        run = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while run.poll() is None:
            there = set(collection.table.columns()["file"]) if collection.home.config() else set()
            assert before <= there
            if len(there) > len(before) or (kill == 0 and collection.home.config()):
                break
            time.sleep(0.05)
        run.kill()
        code = run.wait()
        assert sys.platform == "win32" or code == -signal.SIGKILL
        files, features = collection.table.features()
        assert before <= there <= set(files)
        assert len(files) == len(set(files)) < 400
        assert all(clean[file] == row.tobytes() for file, row in zip(files, features, strict=True))
        before = set(files)
    collection.index()
    files, features = collection.table.features()
    assert {file: row.tobytes() for file, row in zip(files, features, strict=True)} == clean


def test_what_killed_runs_left_half_written_is_gone_after_the_next(photos: Path):
    """A batch that was written and never committed, and a collection.json that never took its place."""
    collection = Collection(photos)
    collection.index()
    data = Path(collection.table.uri) / "data"
    (kept,) = data.iterdir()
    shutil.copy(kept, data / "101010101010101010101010aaaabbbbccccddddeeeeffff00.lance")
    (photos / ".lookalike/.collection.json.k1ll3d").write_text("{")
    collection.index()
    assert list(data.iterdir()) == [kept]
    assert not list((photos / ".lookalike").glob(".*"))
    assert collection.search("1.png", k=1)[0].file == "1.png"


class Stops(Reporter):
    """Raises an error after so many files."""

    def __init__(self, after: int, error: type[BaseException]):
        self.after, self.error = after, error

    def progress(self, progress: Progress) -> None:
        if progress.done == self.after:
            raise self.error


@pytest.mark.parametrize("error", [Cancelled, KeyboardInterrupt])
def test_who_stops_keeps_what_was_committed_and_no_thread_remains(tmp_path: Path, error: type[BaseException]):
    """Batches of 8: stopped after 20 files, two batches are in the table; the next run reads the other 14."""
    for seed in range(30):
        draw(tmp_path / f"photos/{seed}.png", seed)
    table, refused = Table(tmp_path / "t.lance"), RefusedTable(tmp_path / "r.lance")
    options = IndexOptions(commit_rows=8, commit_seconds=1e9)

    def indexer() -> Indexer:
        return Indexer(tmp_path / "photos", table, refused, Backbone(), options=options)

    before = set(threading.enumerate())
    with pytest.raises(error):
        indexer().run(Stops(20, error))
    assert set(threading.enumerate()) <= before
    assert len(table.columns()["file"]) == 16
    done = indexer().run()
    assert (done.added, done.unchanged, len(table.columns()["file"])) == (14, 16, 30)


def test_files_are_embedded_without_a_table_and_a_known_content_is_not(photos: Path):
    """7 files, two of one content; a broken file is refused with its reason."""
    (photos / "broken.png").write_bytes(b"")
    files, backbone = scan_folder(photos).files, Backbone()
    (batch,) = embed_files(files, backbone)
    assert (len(batch.rows), batch.copies, [one.file for one in batch.refused]) == (7, [], ["broken.png"])
    twice = next(row.content for row in batch.rows if row.file == "1.png")
    (batch,) = embed_files(files, backbone, {twice})
    assert (len(batch.rows), {copy.file.file for copy in batch.copies}) == (5, {"1.png", "sub/copy.png"})
