"""What befalls collections: full and read-only disks, two writers, readers meanwhile, files that vanish, odd names."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support import drawn_convolutions
from support.pictures import draw

from lookalike import Collection
from lookalike.errors import CollectionError
from lookalike.index.embed_files import IndexOptions
from lookalike.models.lens import Lens

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX system")


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "lookalike", *map(str, words)]


def lookalike(*words: object, blocks: int | None = None) -> subprocess.CompletedProcess[str]:
    """The command as a process; with a limit, no file it writes may grow larger than so many blocks of a kB or half."""
    limit = [] if blocks is None else ["sh", "-c", 'ulimit -f "$0"; exec "$@"', str(blocks)]
    return subprocess.run(limit + command(*words), capture_output=True, text=True, check=False)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of two megabytes, where this system lets us mount one."""
    at = tmp_path / "disk"
    at.mkdir()
    mount = shutil.which("mount")
    if not mount or subprocess.run([mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", at], check=False).returncode:
        pytest.skip("no disk can be mounted here")
    yield at
    subprocess.run(["umount", at], check=True)


def many(folder: Path, count: int) -> Path:
    for seed in range(count):
        draw(folder / f"{seed}.png", seed, size=(24, 24))
    return folder


def assert_whole(collection: Collection, count: int) -> None:
    """Every file once, with features of length 1, and every picture finds itself."""
    files, features = collection.table.features()
    assert len(files) == len(set(files)) == count
    np.testing.assert_allclose(np.linalg.norm(features.astype(np.float32), axis=1), 1, atol=1e-2)
    assert collection.search(files[0], k=1)[0].file == files[0]


def test_a_full_disk_is_one_line_and_the_next_run_goes_on(disk: Path, tmp_path: Path):
    folder = many(tmp_path / "many", 400)
    run = lookalike("index", folder, "--at", disk / "kept")
    assert (run.returncode, run.stdout) == (1, "")
    assert len(run.stderr.splitlines()) == 1
    assert run.stderr.startswith(f"{disk}/kept: No space left on device. Free some space")
    kept = Collection(folder, at=disk / "kept")
    there = len(kept.table.columns()["file"])
    assert there < 400
    if there:
        assert_whole(kept, there)
    subprocess.run(["mount", "-o", "remount,size=50m", disk], check=True)
    assert f"{400 - there} added" in lookalike("index", folder, "--at", disk / "kept").stderr
    assert_whole(kept, 400)


@POSIX
def test_files_that_cannot_grow_are_one_line_and_nothing_committed_is_harmed(tmp_path: Path):
    folder = many(tmp_path / "many", 60)
    Collection(folder).index()
    before = Collection(folder).table.features()
    for seed in range(100, 160):
        draw(folder / f"{seed}.png", seed)
    run = lookalike("index", folder, blocks=150)
    assert (run.returncode, run.stdout) == (1, "")
    assert len(run.stderr.splitlines()) == 1
    assert "what was committed is kept" in run.stderr
    after = Collection(folder).table.features()
    assert after[0] == before[0]
    assert after[1].tobytes() == before[1].tobytes()
    Collection(folder).index()
    assert_whole(Collection(folder), 120)


def test_a_read_only_disk_is_one_line_to_index_and_can_be_searched(disk: Path, tmp_path: Path):
    many(disk / "photos", 20)
    shutil.copytree(disk / "photos", disk / "fresh")
    Collection(disk / "photos").index()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    for folder in (disk / "photos", disk / "fresh"):
        run = lookalike("index", folder)
        assert (run.returncode, len(run.stderr.splitlines())) == (1, 1)
        assert "Read-only file system). Keep the collection elsewhere with --at DIR" in run.stderr
    assert lookalike("search", disk / "photos", disk / "photos/3.png", "-k", 1).stdout == "1.000\t3.png\n"
    assert "20 added" in lookalike("index", disk / "fresh", "--at", tmp_path / "kept").stderr
    assert lookalike("search", tmp_path / "kept", "3.png", "-k", 1).stdout == "1.000\t3.png\n"


def test_of_two_index_runs_at_once_one_works_and_the_other_says_who(tmp_path: Path):
    folder = many(tmp_path / "many", 300)
    first = subprocess.Popen(command("index", folder), stderr=subprocess.PIPE, text=True)
    while not (folder / ".lookalike/lock.holder").is_file() and first.poll() is None:
        time.sleep(0.005)
    second = lookalike("index", folder)
    _, said = first.communicate(timeout=120)
    assert (first.returncode, second.returncode) == (0, 1)
    assert second.stderr.startswith(
        f"{folder}: lookalike on {socket.gethostname()}, process {first.pid} (index, since "
    )
    assert second.stderr.endswith(" UTC) is writing to it. Wait until it is done, or end it.\n")
    assert "300 added" in said
    assert_whole(Collection(folder), 300)


def test_a_reader_during_index_sees_whole_states_that_only_grow(tmp_path: Path):
    """With a lens, whose vectors must come in the same commit as the rows."""
    folder = many(tmp_path / "many", 30)
    collection = Collection(folder, backbone=drawn_convolutions.write_bundle(tmp_path / "network").path)
    collection.index()
    rng = np.random.default_rng(0)
    lens = Lens("swap", rng.random(20) / 99, rng.standard_normal((20, 5)), {"backbone": collection.backbone.id})
    lens.save(collection.home.lens("swap"))
    collection.index()
    many(folder, 3 * IndexOptions().commit_rows)
    run = subprocess.Popen(command("index", folder), stderr=subprocess.DEVNULL)
    seen = set()
    while run.poll() is None:
        files, features = collection.table.features()
        assert len(files) == len(set(files))
        assert len(files) >= max(seen, default=0)
        seen.add(len(files))
        served, vectors = collection.table.features(files, "lens:swap")
        assert served == files
        np.testing.assert_allclose(vectors.astype(np.float32), lens.apply(features), atol=1e-3)
        hits = collection.search("0.png", k=None, lens="swap")
        assert hits[0].file == "0.png"
        assert len(hits) >= len(files)
    assert run.returncode == 0
    assert len(seen) >= 2
    assert_whole(collection, 3 * IndexOptions().commit_rows)


def test_files_that_vanish_or_change_while_indexing_harm_nobody_else(tmp_path: Path):
    folder = many(tmp_path / "many", 120)

    def report(now) -> None:
        if now.done == 1:  # the walk is over, and reading is a few batches ahead at most
            for seed in range(100, 110):
                (folder / f"{seed}.png").unlink()
            draw(folder / "119.png", 999, size=(90, 50))

    done = Collection(folder).index(report=report)
    assert (done.added, done.refused) == (110, {})
    assert_whole(Collection(folder), 110)
    again = Collection(folder).index()  # the date that the walk saw is no longer the file's
    assert (again.changed, again.added, again.gone) == (1, 0, 0)
    columns = Collection(folder).table.columns()
    assert columns["width"][columns["file"].index("119.png")] == 90


@POSIX
def test_odd_names_links_in_circles_and_names_that_are_no_utf8(photos: Path):
    (photos / "sub/up").symlink_to(photos)
    (photos / "lost.png").symlink_to(photos / "nowhere.png")
    names = ['two "quotes".png', "it's.png", "🐱 고양이.png", "-k.png", "tab\there.png", "100%.png", "back\\slash.png"]
    for seed, name in enumerate(names):
        draw(photos / name, 200 + seed)
    expected = 7 + len(names)
    if sys.platform != "darwin":
        shutil.copy(photos / "1.png", os.fsencode(photos) + b"/caf\xe9.png")
    run = lookalike("index", photos)
    assert run.returncode == 0
    assert f"{expected} added" in run.stderr
    assert "skipped sub/up: a link to a folder that was read already." in run.stderr
    assert "skipped lost.png: a link to nowhere. Mend or remove it." in run.stderr
    if sys.platform != "darwin":
        assert r"skipped caf\xe9.png: its name is not UTF-8. Rename it." in run.stderr
    collection = Collection(photos)
    for name in names:
        assert collection.search(name, k=1)[0].file == name
        assert collection.search(photos / name, k=1)[0].file == name
    for name in names:
        (photos / name).unlink()
    assert Collection(photos).index(prune=True).gone == len(names)
    assert_whole(Collection(photos), 7)


@POSIX
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_named_and_its_pictures_are_kept_for_later(photos: Path):
    Collection(photos).index()
    (photos / "sub").chmod(0)
    try:
        done = Collection(photos).index()
    finally:
        (photos / "sub").chmod(0o700)
    assert list(done.skipped) == ["sub"]
    assert (done.gone, len(Collection(photos).table.columns()["file"])) == (0, 7)


def test_a_picture_whose_content_came_from_a_file_that_changed_keeps_that_content(photos: Path):
    """10.png's bytes move to a new name while 10.png gets others: the copy has the old features, not the new ones."""
    collection = Collection(photos)
    collection.index()
    old = collection.table.features(["10.png"])[1].tobytes()
    shutil.copy(photos / "10.png", photos / "zz copy.png")
    draw(photos / "10.png", 77)
    done = collection.index()
    assert (done.added, done.changed) == (1, 1)
    assert collection.table.features(["zz copy.png"])[1].tobytes() == old
    assert collection.table.features(["10.png"])[1].tobytes() != old


def test_a_disk_that_vanishes_while_a_collection_is_open_is_one_line(photos: Path, tmp_path: Path):
    collection = Collection(photos, at=tmp_path / "kept")
    collection.index()
    photos.rename(tmp_path / "unplugged")
    with pytest.raises(CollectionError, match="no such folder"):
        collection.index()
    assert collection.search("1.png", k=1)[0].file == "1.png"  # what is known of it can still be asked
    photos.mkdir()  # an empty mount point
    assert collection.index().kept_missing == 7


def test_threads_may_search_while_another_indexes(photos: Path):
    collection = Collection(photos)
    collection.index()
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(10):
                assert collection.search("1.png", k=2)[0].file == "1.png"
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for seed in range(3):
        draw(photos / f"more {seed}.png", 300 + seed)
        Collection(photos).index()
    for thread in threads:
        thread.join()
    assert failures == []
