"""Collection: opening, and lenses that come from elsewhere."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from support.pictures import draw

from lookalike import Collection, LookalikeError
from lookalike.errors import CollectionError, LensError, QueryError


def test_opening_writes_nothing_and_searching_says_to_index_first(photos: Path):
    with pytest.raises(CollectionError, match="Run: lookalike index"):
        Collection(photos).search("1.png")
    assert not (photos / ".lookalike").exists()


def test_a_collection_kept_elsewhere_leaves_the_folder_alone(photos: Path, tmp_path: Path):
    Collection(photos, at=tmp_path / "kept").index()
    assert not (photos / ".lookalike").exists()
    assert Collection(tmp_path / "kept").search("1.png")[0].file == "1.png"


def test_pictures_that_come_later_get_every_lens_and_so_do_moved_and_changed_ones(swapped: Collection, photos: Path):
    (photos / "10.png").rename(photos / "moved.png")
    draw(photos / "2.png", 51, size=(80, 80))
    draw(photos / "new.png", 52)
    Collection(photos).index()
    files, features = swapped.table.features()
    served, vectors = swapped.table.features(column="lens:swap")
    assert {"moved.png", "new.png", "2.png"} < set(served)
    assert served == files
    np.testing.assert_allclose(vectors.astype(np.float32), swapped.lens("swap").apply(features), atol=1e-3)


def test_a_damaged_lens_is_named_in_one_line_and_served_again_once_it_is_mended(swapped: Collection, photos: Path):
    weights = swapped.home.lens("swap") / "weights.safetensors"
    good = weights.read_bytes()
    weights.write_bytes(good[:100])
    draw(photos / "new.png", 52)
    done = Collection(photos).index()
    assert done.added == 1
    assert len(done.damaged["swap"].splitlines()) == 1
    assert swapped.table.snapshot().unfilled("swap") == ["new.png"]
    with pytest.raises(LensError, match="damaged lens"):
        swapped.search("1.png", lens="swap")
    weights.write_bytes(good)
    assert Collection(photos).index().damaged == {}
    assert swapped.table.snapshot().unfilled("swap") == []
    assert swapped.search("new.png", lens="swap")[0].file == "new.png"


def test_a_lens_folder_copied_here_serves_at_once_and_has_its_column_after_indexing(
    swapped: Collection, tmp_path: Path
):
    draw(tmp_path / "others/x.png", 1)
    draw(tmp_path / "others/y.png", 2)
    others = Collection(tmp_path / "others")
    shutil.copytree(swapped.home.lens("swap"), others.home.lens("copied"))
    others.index()
    assert others.table.lenses() == {"copied": 5}
    shutil.copytree(swapped.home.lens("swap"), others.home.lens("late"))
    assert others.search("x.png", lens="late").lens == "late"
    assert list(others.search("x.png", lens="late")) == list(others.search("x.png", lens="copied"))


def test_our_errors_share_one_root():
    assert issubclass(QueryError, LookalikeError)
    assert issubclass(CollectionError, LookalikeError)
