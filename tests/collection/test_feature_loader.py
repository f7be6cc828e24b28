"""Features come from the table where it holds the content, else from the network, and are the same either way."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support.drawn_network import write_bundle, write_pair
from support.pictures import draw
from support.recording import Recording

from lookalike import Backbone, Collection
from lookalike.collection.feature_loader import FeatureLoader, KnownImages
from lookalike.errors import ExamplesError
from lookalike.learning.datasets.dataset import Dataset
from lookalike.learning.datasets.readers import from_files, read


@pytest.fixture
def small(photos: Path, tmp_path: Path) -> Collection:
    """The pictures, under a network that gives their mean colour; dates as new as the run would not be trusted."""
    for file in photos.rglob("*.*"):
        os.utime(file, (1000, 1000))
    collection = Collection(photos, backbone=write_bundle(tmp_path / "network"))
    collection.index()
    return collection


def loader(small: Collection, **more: int) -> FeatureLoader:
    return FeatureLoader(small.folder, small.table.snapshot(), small.backbone, **more)


def test_files_of_the_collection_and_copies_of_them_are_not_embedded(small: Collection, tmp_path: Path):
    shutil.copy(small.folder / "2.png", tmp_path / "copy.png")
    draw(tmp_path / "new.png", 50)
    paths = (small.folder / "1.png", tmp_path / "copy.png", tmp_path / "new.png", small.folder / "2.png")
    dataset = Dataset(paths, np.array([0, 1, 2, 1]), None, np.array([[1, 3, 0]]), "labels", ())
    told = Recording()
    found = loader(small).load(dataset, reporter=told)
    assert [(now.stage, now.done, now.total) for now in told.seen] == [("embedding", 1, 2), ("embedding", 2, 2)]
    assert_allclose(found.data.features, small.embed(paths), atol=1e-3)
    assert_array_equal(found.data.features[1], found.data.features[3])
    assert found.content[1] == found.content[3] != found.content[0]
    assert found.data.triplets.tolist() == [[1, 3, 0]]


def test_a_changed_file_is_embedded_again(small: Collection):
    path = small.folder / "1.png"
    draw(path, 77)
    os.utime(path, ns=(1, 1))
    told = Recording()
    found = loader(small).load(Dataset((path,), np.array([0]), None, None, "labels", ()), reporter=told)
    assert len(told.seen) == 1
    assert_allclose(found.data.features, small.embed([path]), atol=1e-3)


def test_what_cannot_be_read_is_left_out_with_its_triplets_and_named(small: Collection, tmp_path: Path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    paths = (tmp_path / "bad.png", small.folder / "1.png", small.folder / "2.png", small.folder / "10.png")
    triplets = np.array([[1, 2, 3], [0, 1, 2]])
    found = loader(small).load(Dataset(paths, np.array([0, 0, 1, 1]), None, triplets, "labels", ()))
    assert found.paths == paths[1:]
    assert found.data.labels.tolist() == [0, 1, 1]
    assert found.data.triplets.tolist() == [[0, 1, 2]]
    assert "1 picture left out: bad.png" in found.notes[0]
    with pytest.raises(ExamplesError, match="none of the 1 pictures could be read"):
        loader(small).load(Dataset(paths[:1], np.array([0]), None, None, "labels", ()))


def test_of_many_pictures_a_sample_is_learned_from_by_its_views(small: Collection):
    dataset = from_files([small.folder / name for name in ("1.png", "2.png", "10.png")])
    found = loader(small, most_viewed=2).load(dataset, seed=1)
    assert found.views is not None and len(set(found.paths)) == 2
    assert found.notes[0].startswith("views of 2 of 3 pictures, drawn at random")
    (other,) = {"1.png", "2.png", "10.png"} - {path.name for path in found.paths}
    row = small.table.features([other])[1]
    assert found.others is not None
    assert_array_equal(found.others, row.astype(np.float32))
    assert found.data.query_mask is not None and found.data.query_mask.sum() == 2
    assert len(found.training_rows().paths) == len(found.paths) - 2


def test_few_rows_picked_out_are_those_of_the_whole_column(small: Collection):
    snapshot = small.table.snapshot()
    assert snapshot is not None
    contents = [snapshot.columns()["content"][row] for row in (4, 0, 4)]
    few, many = (KnownImages(small.folder, snapshot, few=few).features(contents) for few in (9, 1))
    assert_array_equal(few, many)
    assert_array_equal(few[0], few[2])


def test_pictures_that_lie_in_several_groups_are_counted(tmp_path: Path):
    for seed in range(4):
        draw(tmp_path / f"kinds/{'ab'[seed // 2]}/{seed}.png", seed)
    shutil.copy(tmp_path / "kinds/a/0.png", tmp_path / "kinds/b/copy.png")
    first, _ = write_pair(tmp_path)
    loaded = FeatureLoader(tmp_path, None, Backbone(first)).load(read(tmp_path / "kinds", as_="classes"))
    assert "1 picture in several groups, byte for byte: remove the wrong ones" in loaded.notes
