"""Features with their files: which rows teach, and what the files are called."""

from pathlib import Path

import numpy as np
from numpy.testing import assert_array_equal

from lookalike.learning.feature_set import VIEWS, FeatureSet, ViewSet
from lookalike.learning.labelled_features import LabelledFeatures


def viewed(pictures=3):
    n = pictures * (VIEWS + 1)
    number, turn = np.tile(np.arange(VIEWS + 1), pictures), np.repeat(np.arange(pictures), VIEWS + 1)
    views = ViewSet(0, 224, turn, number)
    data = LabelledFeatures.create(
        np.eye(n), turn, query_mask=views.query_mask, gallery_mask=views.gallery_mask, content=np.arange(n)
    )
    content = tuple(bytes([row]) for row in range(n))
    return FeatureSet(data, tuple(Path(f"{one}.png") for one in turn), content, (), views)


def test_rows_that_only_query_teach_nothing():
    taught = viewed().training_rows()
    assert len(taught.data) == len(taught.paths) == len(taught.content) == 3 * VIEWS
    assert taught.views is not None and (taught.views.number < VIEWS).all()
    assert_array_equal(taught.data.features.argmax(axis=1), [one[0] for one in taught.content])


def test_without_such_rows_all_teach():
    some = FeatureSet(LabelledFeatures.create(np.eye(2), [0, 0]), (Path("a"), Path("b")), (b"a", b"b"))
    assert some.training_rows() is some


def test_files_of_the_folder_are_called_as_there_and_others_by_their_whole_path(tmp_path):
    inside, outside = tmp_path / "photos/sub/a.png", tmp_path / "b.png"
    some = FeatureSet(LabelledFeatures.create(np.eye(2), [0, 0]), (inside, outside), (b"a", b"b"))
    assert some.names(tmp_path / "photos") == ["sub/a.png", str(outside.resolve())]
