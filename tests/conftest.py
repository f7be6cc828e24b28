"""What every test shares: real pictures when they are there, and a home that is not the user's."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.badges import KINDS, LOOKS, classes
from support.pictures import draw

from lookalike import Collection
from lookalike.models.lens import Lens


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real pictures that LOOKALIKE_DATA names; without it the test is skipped and says so."""
    named = os.environ.get("LOOKALIKE_DATA", "")
    if not named or not Path(named).is_dir():
        pytest.skip("needs the real pictures: set LOOKALIKE_DATA to their folder")
    return Path(named)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Backbones are made in a folder of this run, not in the user's cache."""
    os.environ.setdefault("LOOKALIKE_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with six pictures, one of them under two names."""
    folder = tmp_path / "photos"
    for seed, name in enumerate(["1.png", "2.png", "10.png", "it's \n한글.png", "sub/a.jpg", "sub/b.webp"]):
        draw(folder / name, seed)
    (folder / "sub/copy.png").write_bytes((folder / "1.png").read_bytes())
    return folder


@pytest.fixture(scope="session")
def badges(tmp_path_factory: pytest.TempPathFactory, own_cache: None) -> Collection:
    """A collection of badges with one lens, "kind", learned from its own class folders; not to be changed."""
    collection = Collection(classes(tmp_path_factory.mktemp("badges"), KINDS, LOOKS))
    collection.index()
    collection.learn(collection.folder, name="kind", quick=True, use=True)
    return collection


@pytest.fixture
def own_badges(badges: Collection, tmp_path: Path) -> Collection:
    """A copy of it that a test may change."""
    return Collection(shutil.copytree(badges.folder, tmp_path / "badges"))


@pytest.fixture
def indexed(photos: Path) -> Collection:
    collection = Collection(photos)
    collection.index()
    return collection


@pytest.fixture
def swapped(indexed: Collection) -> Collection:
    """With a lens of five dimensions, swap, that nobody learned."""
    rng = np.random.default_rng(5)
    lens = Lens("swap", rng.random(2816) / 99, rng.standard_normal((2816, 5)), {"backbone": indexed.backbone.id})
    lens.save(indexed.home.lens("swap"))
    indexed.index()
    return indexed
