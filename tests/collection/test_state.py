"""Each verb reads collection.json once, and works on that state whoever writes meanwhile."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image
from support.drawn_network import FIRST, SECOND, write_pair
from support.recording import Recording

from lookalike import Collection
from lookalike.collection.folder import CollectionFolder
from lookalike.errors import LensError
from lookalike.models.lens import Lens
from lookalike.progress import Progress

KINDS, LOOKS = 24, 3


def colours(folder: Path) -> Path:
    """A folder a kind: pictures of one colour with a little noise, which is what the drawn networks see."""
    rng = np.random.default_rng(0)
    for kind in range(KINDS):
        colour = rng.integers(20, 230, 3)
        for look in range(LOOKS):
            pixels = np.clip(colour + rng.integers(-20, 20, 3) + rng.integers(-9, 9, (16, 16, 3)), 0, 255)
            path = folder / f"kind-{kind:02d}/{look}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(path)
    return folder


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return write_pair(tmp_path / "networks")


@pytest.fixture
def collection(photos: Path, pair: tuple[Path, Path]) -> Collection:
    """Under the first backbone, with a lens of it in service."""
    Collection(photos, backbone=pair[0]).index()
    found = Collection(photos)
    Lens("turn", np.zeros(3), np.eye(3)[::-1], {"backbone": FIRST}).save(found.home.lens("turn"))
    found.use("turn", anyway=True)
    return found


def test_a_lens_is_stored_for_the_backbone_it_was_learned_on_though_somebody_switches_meanwhile(
    collection: Collection, photos: Path, pair: tuple[Path, Path], tmp_path: Path
):
    """The switch comes while pictures from outside are embedded; the lens is the one that is learned without it."""
    data = colours(tmp_path / "data")
    undisturbed = Collection(shutil.copytree(photos, tmp_path / "copy"))
    expected = undisturbed.learn(data, name="mine", quick=True)

    class Switching(Recording):
        def progress(self, progress: Progress) -> None:
            super().progress(progress)
            if progress.stage == "embedding" and progress.done == 5:
                Collection(photos, backbone=pair[1]).index()

    told = Switching()
    lens = collection.learn(data, name="mine", quick=True, use=True, report=told)
    assert "embedding" in told.stages
    assert lens.backbone == Lens.load(collection.home.lens("mine")).backbone == FIRST
    assert_array_equal(lens.matrix, expected.matrix)
    config = CollectionFolder(photos).config()
    assert config is not None and (config.backbone, config.lens) == (SECOND, None)
    assert any("was learned on backbone first" in line and "switched to second" in line for line in told.lines)
    with pytest.raises(LensError, match="learned on backbone first"):
        Collection(photos).search("1.png", lens="mine")
    again = Collection(photos)
    again.use("mine", anyway=True)
    assert (again.backbone.id, again.search("1.png").lens) == (FIRST, "mine")


def test_a_lens_of_a_backbone_that_was_dropped_meanwhile_can_still_be_used(
    collection: Collection, photos: Path, pair: tuple[Path, Path], tmp_path: Path
):
    """The table of the backbone goes while the proof is drawn; its record comes back with the lens."""
    collection.forget("turn")

    def report(now: Progress) -> None:
        if now.stage == "drawing" and now.done == 1:
            Collection(photos, backbone=pair[1]).index(drop_old=True)

    lens = collection.learn(colours(tmp_path / "data"), name="mine", quick=True, report=report)
    assert lens.backbone == FIRST
    again = Collection(photos)
    again.use("mine", anyway=True)
    assert (again.backbone.id, again.search("1.png").lens) == (FIRST, "mine")


VERBS: dict[str, tuple[Callable[[Collection, Path], object], int]] = {
    "search": (lambda photos, _: photos.search("1.png"), 1),
    "search of many": (lambda photos, _: photos.search(["1.png", "2.png"], lens="turn"), 1),
    "index": (lambda photos, _: photos.index(drop_old=True), 1),
    "status": (lambda photos, _: photos.status(), 1),
    "lenses": (lambda photos, _: photos.lenses(), 1),
    "lens": (lambda photos, _: photos.lens("turn"), 1),
    "use": (lambda photos, _: photos.use("plain"), 1),
    "forget": (lambda photos, _: photos.forget("turn"), 1),
    "embed": (lambda photos, _: photos.embed(["photos/1.png"], lens="turn"), 1),
    "export": (lambda photos, out: photos.export(out / "x.npy", lens="turn"), 1),
    "duplicates": (lambda photos, _: photos.duplicates(), 1),
    "map": (lambda photos, out: photos.map(out / "map.png"), 1),
    "judge": (lambda photos, _: photos.judge("1.png", yes=["2.png"]), 1),
    "check": (lambda photos, out: photos.check(colours(out / "data")), 1),
    "learn": (lambda photos, out: photos.learn(colours(out / "data"), quick=True), 2),  # once more under the lock
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_reads_the_configuration_once(
    verb: str, collection: Collection, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    reads = []
    original = CollectionFolder.config

    def config(home: CollectionFolder):
        reads.append(home.at)
        return original(home)

    opened = Collection(photos)
    monkeypatch.setattr(CollectionFolder, "config", config)
    call, expected = VERBS[verb]
    call(opened, tmp_path)
    assert len(reads) == expected
