"""Views of pictures, embedded: each is told which picture it is of, and what cannot be read has none."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from support import drawn_convolutions
from support.pictures import draw
from support.recording import Recording

from lookalike import Backbone
from lookalike.collection.view_features import view_features
from lookalike.images.augment import retakes
from lookalike.images.decode import load


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    drawn_convolutions.write_bundle(folder := tmp_path_factory.mktemp("views") / "network")
    return Backbone(folder, threads=1, precision="f32")


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    return [draw(tmp_path / f"{seed}.png", seed) for seed in range(20)]


def test_each_view_is_that_of_its_picture(backbone: Backbone, pictures: list[Path]):
    rows, viewed = view_features(pictures, 2, backbone)
    assert_array_equal(viewed, np.repeat(np.arange(20), 2))
    for at in (0, 17):
        looks = retakes(load(pictures[at]), 2, np.random.default_rng([at, 2]))
        expected = backbone.embed([np.asarray(one.convert("RGB")) for one in looks])
        assert_allclose(rows[viewed == at], expected, atol=1e-3)


def test_what_cannot_be_read_has_no_views(backbone: Backbone, pictures: list[Path]):
    pictures[3].write_bytes(b"no picture")
    pictures[5].unlink()
    told = Recording()
    rows, viewed = view_features(pictures, 1, backbone, reporter=told)
    assert len(rows) == 18 and not {3, 5} & set(viewed.tolist())
    assert told.stages == {"embedding"} and told.seen[-1].total == 20


def test_of_no_pictures_there_are_no_views(backbone: Backbone):
    rows, viewed = view_features([], 2, backbone)
    assert rows.shape == (0, backbone.length) and viewed.shape == (0,)
