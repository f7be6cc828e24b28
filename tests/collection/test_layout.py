"""A collection's layout: the door, what is kept of it, and when it is made again."""

from pathlib import Path

import numpy as np
import pytest
from support.drawn_network import write_bundle
from support.pictures import draw
from support.recording import Recording

from lookalike import Collection
from lookalike.errors import Cancelled, CollectionError

pytest.importorskip("openTSNE")


@pytest.fixture
def drawn(tmp_path: Path) -> Collection:
    """Fourteen pictures, two of them of one content."""
    for seed in range(13):
        draw(tmp_path / f"photos/{seed:02}.png", seed)
    (tmp_path / "photos/copy.png").write_bytes((tmp_path / "photos/03.png").read_bytes())
    collection = Collection(tmp_path / "photos", backbone=write_bundle(tmp_path / "network"))
    collection.index()
    return collection


def kept(collection: Collection) -> Path:
    (file,) = (collection.home.cache / "layouts").iterdir()
    return file


def test_files_and_points_are_in_one_order_and_copies_lie_side_by_side(drawn):
    files, points = drawn.layout()
    assert files == sorted(files) and len(files) == 14
    assert points.shape == (14, 2) and points.dtype == np.float32 and 0 <= points.min() < points.max() <= 1
    apart = np.linalg.norm(points - points[files.index("copy.png")], axis=1)
    assert files[np.argsort(apart)[1]] == "03.png" and np.sort(apart)[1] > 0


def test_it_is_made_once_and_again_when_pictures_come(drawn):
    told, again = Recording(), Recording()
    first = drawn.layout(report=told)[1]
    assert {now.stage for now in told.seen} == {"laying out"}
    assert np.array_equal(Collection(drawn.folder).layout(report=again)[1], first) and not again.seen
    before = kept(drawn)
    draw(drawn.folder / "new.png", 99)
    drawn.index()
    files, points = drawn.layout(report=again)
    assert len(files) == len(points) == 15 and again.seen
    assert kept(drawn) != before  # and the old one is gone


@pytest.mark.parametrize("damage", ["cut", "one bit", "empty"])
def test_a_damaged_layout_is_made_again(drawn, damage):
    first = drawn.layout()[1]
    whole = kept(drawn).read_bytes()
    flipped = whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]
    kept(drawn).write_bytes({"cut": whole[:-8], "one bit": flipped, "empty": b""}[damage])
    assert np.array_equal(drawn.layout()[1], first)
    assert kept(drawn).read_bytes() == whole


def test_another_seed_is_another_layout(drawn):
    first = kept(drawn).read_bytes() if drawn.layout() else b""
    drawn.layout(seed=7)
    assert kept(drawn).read_bytes() != first


def test_what_is_cancelled_leaves_nothing(drawn):
    def stop(progress):
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        drawn.layout(report=stop)
    assert not (drawn.home.cache / "layouts").exists()


def test_each_lens_has_its_own(swapped):
    plain, through = swapped.layout()[1], swapped.layout(lens="swap")[1]
    assert not np.array_equal(plain, through)
    names = sorted(path.name.split("@")[0] for path in (swapped.home.cache / "layouts").iterdir())
    assert names == ["plain", "swap"]


def test_a_collection_without_pictures_has_none(tmp_path):
    (tmp_path / "photos").mkdir()
    collection = Collection(tmp_path / "photos", backbone=write_bundle(tmp_path / "network"))
    collection.index()
    with pytest.raises(CollectionError, match="no pictures"):
        collection.layout()
