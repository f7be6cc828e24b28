"""Indexing and the table: what is new, changed, moved, gone; what a kill and an unplugged disk leave."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from PIL import Image
from support import drawn_network
from support.pictures import aged, draw

from lookalike import Collection
from lookalike.errors import Cancelled, CollectionError, LockedError
from lookalike.index import reader
from lookalike.index.embed_files import IndexOptions
from lookalike.index.index_report import IndexReport
from lookalike.index.indexer import Indexer
from lookalike.index.refused import RefusedFile, RefusedTable
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
    """Batches that were written and never committed, and a collection.json that never took its place."""
    (photos / "broken.png").write_bytes(b"")
    aged(photos / "broken.png")
    collection = Collection(photos)
    collection.index()
    kept = {}
    for table in (collection.table, collection.refused):
        data = Path(table.uri) / "data"
        (kept[data],) = data.iterdir()
        shutil.copy(kept[data], data / "101010101010101010101010aaaabbbbccccddddeeeeffff00.lance")
        for name in ("data/.tmpa1B2c3", "_versions/.tmpTCjPrn", ".checksums.txt.0a1b2c3d"):
            (data.parent / name).write_bytes(b"half")
    (photos / ".lookalike/.collection.json.k1ll3d").write_text("{")
    collection.index()
    assert not list((photos / ".lookalike/tables").rglob(".*"))
    assert {data: list(data.iterdir()) for data in kept} == {data: [file] for data, file in kept.items()}
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


def index(folder: Path, **options: object) -> IndexReport:
    """One run in a collection of its own, by the tiny network."""
    return Collection(folder).index(**options)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Six pictures, two of them in a folder, indexed by a tiny network."""
    folder = tmp_path / "tiny"
    for seed, name in enumerate(["1.png", "2.png", "3.png", "4.png", "trip/5.png", "trip/6.png"]):
        draw(folder / name, seed)
    first, _ = drawn_network.write_pair(tmp_path)
    Collection(folder, backbone=first).index()
    return folder


def files_of(folder: Path) -> list[str]:
    return sorted(Collection(folder).table.columns()["file"])


def test_a_picture_that_was_too_large_is_read_once_the_limit_is_raised(tiny: Path):
    draw(tiny / "large.png", 9)
    assert list(index(tiny, megapixels=0.001).refused) == ["large.png"]
    again = index(tiny, megapixels=0.001)
    assert (again.refused, again.still_refused) == ({}, 1)
    assert index(tiny).added == 1
    assert "large.png" in files_of(tiny)


def test_what_the_system_refused_is_tried_in_each_run_and_a_broken_picture_is_not(tiny: Path, monkeypatch):
    draw(tiny / "locked.png", 9)
    (tiny / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    os.utime(tiny / "broken.png", (5, 5))  # a date as new as the run would be read once more
    opened: list[str] = []
    read_bytes = Path.open

    def refusing(self: Path, *args: object, **more: object):
        opened.append(self.name)
        if self.name == "locked.png":
            raise PermissionError(13, "Permission denied")
        return read_bytes(self, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refusing)
        assert set(index(tiny).refused) == {"locked.png", "broken.png"}
        opened.clear()
        assert index(tiny).still_refused == 2
        assert "locked.png" in opened
        assert "broken.png" not in opened
    assert index(tiny).added == 1


def test_a_picture_that_the_system_refuses_for_once_keeps_its_row(tiny: Path, monkeypatch):
    os.utime(tiny / "1.png", (5, 5))
    read_bytes = Path.open

    def refusing(self: Path, *args: object, **more: object):
        if self.name == "1.png":
            raise OSError(5, "Input/output error")
        return read_bytes(self, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refusing)
        assert list(index(tiny).refused) == ["1.png"]
    assert len(files_of(tiny)) == 6
    assert (index(tiny).added, len(files_of(tiny))) == (0, 6)


@pytest.mark.parametrize("way", ["dangling link", "empty"])
def test_pictures_below_what_cannot_be_looked_at_stay(tiny: Path, tmp_path: Path, way: str):
    (tiny / "trip").rename(tmp_path / "unplugged")
    if way == "dangling link":
        (tiny / "trip").symlink_to(tmp_path / "nowhere")
    else:
        (tiny / "trip").mkdir()  # where a disk is mounted, and is not now
    done = index(tiny)
    assert (done.gone, done.kept_unseen) == (0, 2)
    assert len(files_of(tiny)) == 6
    (tiny / "trip").unlink() if way == "dangling link" else (tiny / "trip").rmdir()
    (tmp_path / "unplugged").rename(tiny / "trip")
    done = index(tiny)
    assert (done.added, done.changed, len(files_of(tiny))) == (0, 0, 6)


def test_a_picture_rewritten_within_a_tick_of_the_clock_is_read_again(tiny: Path):
    """Its size and its date are as they were; what is in it is not."""
    now = int(time.time())
    Image.new("RGB", (20, 20), "red").save(tiny / "7.bmp")
    os.utime(tiny / "7.bmp", (now, now))
    index(tiny)
    Image.new("RGB", (20, 20), "blue").save(tiny / "7.bmp")
    os.utime(tiny / "7.bmp", (now, now))
    done = index(tiny)
    assert (done.changed, done.unchanged) == (1, 6)


@pytest.mark.parametrize("seconds", [2**35, -(2**33)])
def test_a_date_that_64_bits_cannot_hold_is_kept_as_the_nearest(tiny: Path, seconds: int):
    try:
        os.utime(tiny / "1.png", (seconds, seconds))
    except OverflowError:
        pytest.skip("this disk keeps no such dates")
    index(tiny)
    assert index(tiny).unchanged == 6


def test_equal_contents_of_one_run_are_decoded_once(tiny: Path, monkeypatch):
    for copy in range(20):
        shutil.copy(tiny / "1.png", tiny / f"copy-{copy}.png")
        draw(tiny / "new/0.png", 40)
        shutil.copy(tiny / "new/0.png", tiny / f"new/copy-{copy}.png")
    decoded: list[int] = []
    decode_square = reader.decode_square

    def counted(*args: object):
        decoded.append(1)
        return decode_square(*args)

    monkeypatch.setattr(reader, "decode_square", counted)
    assert index(tiny).added == 41
    assert len(decoded) == 1
    columns = Collection(tiny).table.columns()
    assert len(set(columns["content"])) == 7


def test_pictures_that_are_left_out_from_now_on_leave_the_table_however_many_they_are(tiny: Path):
    (tiny / ".lookalikeignore").write_text("/*.png\n")
    done = index(tiny)
    assert (done.dropped, done.gone, done.kept_missing) == (4, 0, 0)
    assert files_of(tiny) == ["trip/5.png", "trip/6.png"]
    (tiny / ".lookalikeignore").unlink()
    assert index(tiny, exclude=["1.png"]).added == 3


def test_files_beside_pictures_are_counted_apart(tiny: Path):
    for name in ("1.png.json", "2.png.json", "notes.txt"):
        (tiny / name).write_text('{"title": "x"}')
    (tiny / "broken.jpg").write_bytes(b"\xff\xd8\xff no")
    done = index(tiny)
    assert list(done.refused) == ["broken.jpg"]
    assert done.other_files == {".json": 2, ".txt": 1}
    found = Collection(tiny).status()
    assert (list(found["refused"]), found["other_files"]) == (["broken.jpg"], 3)


def test_a_picture_whose_features_are_no_numbers_is_refused_and_the_others_are_found(tmp_path: Path):
    """The network divides the mean colour by nothing: black pictures give 0 / 0."""
    bundle = drawn_network.write_bundle(tmp_path / "network")
    model = onnx.load(bundle / "model.onnx")
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.array(0, np.float32), "white"))
    (bundle / "model.onnx").write_bytes(model.SerializeToString())
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("1.png", "copy.png"):
        Image.new("RGB", (20, 20), "black").save(folder / name)
    done = Collection(folder, backbone=bundle).index()
    assert (done.added, set(done.refused)) == (0, {"1.png", "copy.png"})
    assert all("no numbers under this backbone" in reason for reason in done.refused.values())


def test_a_row_that_was_refused_when_a_run_was_killed_is_removed_by_the_next(tiny: Path):
    """Killed between two commits: the file stands in both tables, with the size and date of the broken one."""
    (tiny / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    state = (tiny / "1.png").stat()
    collection = Collection(tiny)
    collection.refused.append([RefusedFile("1.png", state.st_size, state.st_mtime_ns, "cut off", "broken")])
    index(tiny)
    index(tiny)
    assert "1.png" not in files_of(tiny)


def test_a_jpeg_that_lacks_only_its_end_is_indexed_and_said(photos: Path):
    """Its copy as well; the half of it is refused."""
    draw(photos / "whole.jpg", 60, size=(160, 160))
    content = (photos / "whole.jpg").read_bytes()
    for name, size in (("cut.jpg", len(content) - 9), ("copy.jpg", len(content) - 9), ("half.jpg", len(content) // 2)):
        (photos / name).write_bytes(content[:size])
    done = Collection(photos).index()
    assert (done.added, list(done.refused)) == (10, ["half.jpg"])
    assert list(done.in_part) in (["cut.jpg"], ["copy.jpg"])
    assert next(iter(done.in_part.values())).startswith("its last")
    assert Collection(photos).index().in_part == {}
    outside = photos.parent / "cut.jpg"
    outside.write_bytes(content[: len(content) - 3])
    hits = Collection(photos).search(outside)
    assert hits.note.startswith(f"{outside}: cut short, and read without its ")
    assert hits[:2].note == hits.note
    assert hits[0].file in ("whole.jpg", "cut.jpg", "copy.jpg")
    assert Collection(photos).search(photos / "whole.jpg").note == ""


@pytest.mark.parametrize("in_the_way", [False, True])
def test_indexing_keeps_thumbnails_of_large_pictures_and_goes_on_where_it_cannot(photos: Path, in_the_way: bool):
    Image.new("RGB", (1700, 1300), (200, 30, 30)).save(photos / "large.jpg")
    collection = Collection(photos)
    if in_the_way:
        collection.home.at.mkdir()
        (collection.home.cache).write_bytes(b"")
    assert collection.index().added == 8
    kept = [path.name[-8:] for path in collection.home.cache.glob("thumbnails/*/*")]
    assert kept == ([] if in_the_way else ["-320.jpg"])
