"""Work that a reporter cancels, at every stage: what was committed stays, the lock is free, no thread remains."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support import drawn_convolutions
from support.recording import Recording
from support.stripes import HOW, stripes

from lookalike import Collection
from lookalike.errors import Cancelled
from lookalike.progress import Progress, Reporter


class Cancelling(Recording):
    """Raises Cancelled in one stage, as soon as so many are done."""

    def __init__(self, stage: str, done: int = 1):
        super().__init__()
        self.stage, self.done = stage, done

    def progress(self, progress: Progress) -> None:
        super().progress(progress)
        if progress.stage == self.stage and progress.done >= self.done:
            raise Cancelled(f"cancelled in {self.stage}")


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection of stripes under a tiny network, and beside it the same pictures outside."""
    place = tmp_path_factory.mktemp("cancel")
    drawn_convolutions.write_bundle(place / "network")
    stripes(place / "outside")
    stripes(place / "photos")
    Collection(place / "photos", backbone=place / "network").index(own=False)
    return place


@pytest.fixture
def place(begun: Path, tmp_path: Path) -> Path:
    return shutil.copytree(begun, tmp_path / "place")


def index_new(photos: Collection, place: Path, reporter: Reporter) -> object:
    shutil.copytree(stripes(place / "more", 10, seed=7), photos.folder / "more")
    return photos.index(own=False, report=reporter)


def switch(photos: Collection, place: Path, reporter: Reporter) -> object:
    drawn_convolutions.write_bundle(place / "other", seed=1)
    return Collection(photos.folder, backbone=place / "other").index(own=False, report=reporter)


def use(photos: Collection, place: Path, reporter: Reporter) -> object:
    drawn_convolutions.write_bundle(place / "other", seed=1)
    Collection(photos.folder, backbone=place / "other").index(own=False)
    shutil.copytree(stripes(place / "more", 10, seed=7), photos.folder / "more")
    return photos.use("plain", report=reporter)


def new(place: Path) -> Path:
    """Pictures of which nothing is known, in folders of classes."""
    return stripes(place / "new", 24, seed=9)


VERBS: dict[str, tuple[Callable[[Collection, Path, Reporter], object], tuple[str, ...]]] = {
    "index": (index_new, ("indexing",)),
    "switch": (switch, ("switching",)),
    "use": (use, ("switching",)),
    "search": (
        lambda photos, place, reporter: photos.search([*place.glob("outside/*/0.png")], report=reporter),
        ("searching",),
    ),
    "map": (lambda photos, place, reporter: photos.map(place / "map.png", report=reporter), ("drawing",)),
    "check": (lambda photos, place, reporter: photos.check(new(place), report=reporter), ("embedding",)),
    "learn views": (
        lambda photos, place, reporter: photos.learn(name="x", quick=True, report=reporter),
        ("embedding", "proving", "drawing"),
    ),
    "learn": (
        lambda photos, place, reporter: photos.learn(new(place), name="x", epochs=3, report=reporter),
        ("embedding", "validating", "proving", "learning", "drawing"),
    ),
    "fine-tune": (
        lambda photos, place, reporter: photos.learn(place / "outside", name="x", report=reporter, use=True, **HOW),
        ("caching", "tuning", "embedding", "drawing", "switching"),
    ),
}
CASES = [(verb, stage) for verb, (_, stages) in VERBS.items() for stage in stages]


@pytest.mark.parametrize(("verb", "stage"), CASES, ids=[f"{verb}, {stage}" for verb, stage in CASES])
def test_cancelled_work_leaves_what_was_committed_a_free_lock_and_no_thread(verb: str, stage: str, place: Path):
    if verb in ("learn", "fine-tune"):
        pytest.importorskip("torch")
    photos = Collection(place / "photos")
    before = list(photos.search("kind-00/0.png", k=9, lens="plain"))
    threads, reporter = set(threading.enumerate()), Cancelling(stage)
    try:
        VERBS[verb][0](photos, place, reporter)
    except Cancelled as cancelled:  # held with its frames, in which nothing may keep running
        assert set(threading.enumerate()) == threads
        assert stage in str(cancelled)
    else:
        assert stage == "learning", f"{verb} never came to {stage}"
        pytest.skip("the proof did not choose the correction")
    assert reporter.seen[-1].stage == stage  # nothing was reported afterwards
    with photos.home.write_lock():
        pass
    assert not list(photos.home.at.glob(".collection.json.*"))
    again = Collection(place / "photos")
    if verb != "use":  # its collection was under the other backbone
        assert list(again.search("kind-00/0.png", k=9, lens="plain", where="file LIKE 'kind-%'")) == before
    assert [row["name"] for row in again.lenses()] == (["x"] if (verb, stage) == ("fine-tune", "switching") else [])


def test_a_cancelled_index_run_is_continued_by_the_next_one(place: Path):
    photos = Collection(place / "photos")
    with pytest.raises(Cancelled):
        index_new(photos, place, Cancelling("indexing", 20))
    assert photos.index(own=False).added == 60
    assert photos.status()["pictures"] == 420


def test_a_cancelled_fine_tuning_says_how_to_continue_and_does(place: Path):
    pytest.importorskip("torch")
    photos, reporter = Collection(place / "photos"), Cancelling("tuning", 40)
    with pytest.raises(Cancelled):
        photos.learn(place / "outside", name="x", report=reporter, **HOW)
    assert "To continue: run the same command with --resume." in reporter.lines
    told = Recording()
    photos.learn(place / "outside", name="x", resume=True, report=told, **HOW)
    assert [now.done for now in told.seen if now.stage == "tuning"] == list(range(26, 61))
