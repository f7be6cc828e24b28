"""A folder that changes is always current: real files, real events, a real collection."""

import shutil
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from queue import Queue

import pytest
from support.pictures import draw

from lookalike import Collection
from lookalike.errors import CollectionError
from lookalike.index.index_report import IndexReport
from lookalike.index.reader import Decoded
from lookalike.progress import Reporter

pytest.importorskip("watchfiles")
QUIET_S = 0.3
PATIENCE_S = 120


class Watched(Reporter):
    """A collection that a thread watches; what was found and said comes in two queues."""

    def __init__(self, photos: Collection):
        self.photos, self.stop = photos, threading.Event()
        self.reports: Queue[IndexReport] = Queue()
        self.lines: Queue[str] = Queue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.first = self.next()

    def _run(self) -> None:
        for report in self.photos.watch(quiet_s=QUIET_S, every_s=3600, stop=self.stop, report=self):
            self.reports.put(report)

    def message(self, line: str) -> None:
        self.lines.put(line)

    def next(self) -> IndexReport:
        return self.reports.get(timeout=PATIENCE_S)

    def end(self) -> None:
        self.stop.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        assert self.reports.empty()


@pytest.fixture
def watched(indexed: Collection) -> Iterator[Watched]:
    found = Watched(Collection(indexed.folder))
    yield found
    found.end()


def counts(report: IndexReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.moved, report.gone


def gathered(watched: Watched, total: int) -> list[IndexReport]:
    """Reports until so many files were added."""
    found = [watched.next()]
    while sum(one.added for one in found) < total:
        found.append(watched.next())
    return found


def test_a_burst_is_gathered_and_the_table_is_current(watched: Watched, tmp_path: Path):
    """The files are drawn before, so that they come one upon the other however busy the machine is."""
    folder = watched.photos.folder
    assert counts(watched.first) == (0, 0, 0, 0)
    drawn = [draw(tmp_path / f"drawn/{seed}.png", seed) for seed in range(20, 32)]
    (folder / "burst").mkdir()
    for path in drawn:
        path.rename(folder / "burst" / path.name)
    assert len(gathered(watched, 12)) <= 2
    assert "burst/31.png" in Collection(folder)


def test_a_rename_costs_no_embedding_and_a_deletion_is_one(watched: Watched):
    folder = watched.photos.folder
    embedded, pipeline = [], watched.photos.backbone.pipeline

    def counted(files, read):
        for one in pipeline(files, read):
            embedded.append(isinstance(one[1], Decoded))
            yield one

    watched.photos.backbone.pipeline = counted  # type: ignore[method-assign]
    (folder / "sub").rename(folder / "moved")
    report = watched.next()
    assert counts(report) == (0, 0, 3, 0)
    assert embedded == [False] * 3
    (folder / "2.png").unlink()
    assert counts(watched.next()) == (0, 0, 0, 1)
    assert len(Collection(folder)) == 6


def write_slowly(path: Path, content: bytes) -> float:
    """Write a file in seven pieces; returns the longest time from one to the next in seconds."""
    written = [time.monotonic()]
    with path.open("wb") as file:
        for start in range(0, len(content), len(content) // 6):
            file.write(content[start : start + len(content) // 6])
            file.flush()
            written.append(time.monotonic())
            threading.Event().wait(QUIET_S / 2)
    return max(later - sooner for sooner, later in pairwise(written))


def test_a_file_is_read_when_it_stopped_growing(watched: Watched, tmp_path: Path):
    """On a machine that stands still for longer than the time of quiet a file does stop growing: then another one."""
    folder = watched.photos.folder
    for seed in range(77, 97):
        whole, slow = draw(tmp_path / f"whole-{seed}.png", seed), folder / f"slow-{seed}.png"
        longest = write_slowly(slow, whole.read_bytes())
        report = watched.next()
        if longest < QUIET_S:
            break
        while Collection(folder).search(whole, 1)[0].file != slow.name:
            watched.next()
    assert (counts(report), report.refused, report.in_part) == ((1, 0, 0, 0), {}, {})
    assert Collection(folder).search(whole, 1)[0].file == slow.name


def test_another_writer_is_waited_for(watched: Watched):
    folder = watched.photos.folder
    with Collection(folder).home.write_lock("learn"):
        draw(folder / "new.png", 55)
        line = watched.lines.get(timeout=PATIENCE_S)
        assert line.startswith(f"{folder}: ")
        assert line.endswith("is writing to it. Waiting until it is done.")
        assert watched.reports.empty()
    assert counts(watched.next()) == (1, 0, 0, 0)
    assert watched.lines.get(timeout=PATIENCE_S) == f"{folder}: watching goes on."


def test_a_folder_that_vanishes_is_waited_for_and_nothing_is_made_in_its_place(watched: Watched, tmp_path: Path):
    folder, away = watched.photos.folder, tmp_path / "away"
    folder.rename(away)
    line = watched.lines.get(timeout=PATIENCE_S)
    assert line.startswith(f"{folder}: no such folder. Check the name, or plug its disk in.")
    folder.mkdir()  # where its disk was mounted
    line = watched.lines.get(timeout=PATIENCE_S)
    assert "the collection is not there any longer. Mount its disk." in line
    assert list(folder.iterdir()) == []
    folder.rmdir()
    draw(away / "meanwhile.png", 56)
    away.rename(folder)
    assert counts(watched.next()) == (1, 0, 0, 0)
    assert len(Collection(folder)) == 8


def test_pictures_that_vanish_beside_their_collection_are_kept(photos: Path, tmp_path: Path):
    collection = Collection(photos, at=tmp_path / "kept")
    watched = Watched(collection)
    for path in (photos / "sub", *photos.glob("*.png")):
        shutil.move(path, tmp_path / f"away-{path.name}")
    report = watched.next()
    assert (report.gone, report.kept_missing) == (0, 7)
    watched.end()
    assert len(Collection(photos, at=tmp_path / "kept")) == 7


def test_the_first_look_raises_what_index_raises(tmp_path: Path):
    with pytest.raises(CollectionError, match="no such folder"):
        next(Collection(tmp_path / "none").watch())
