"""What every test shares: real pictures when they are there, and a home that is not the user's."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support import elsewhere
from support.badges import KINDS, LOOKS, classes
from support.object_storage import s3, s3_server  # noqa: F401  (fixtures)
from support.once import once
from support.pictures import aged, draw

from lookalike import Collection
from lookalike.models.bundle import Bundle
from lookalike.models.lens import Lens
from lookalike.models.registry import resolve_bundle


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real pictures that LOOKALIKE_DATA names; without it the test is skipped and says so."""
    named = os.environ.get("LOOKALIKE_DATA", "")
    if not named or not Path(named).is_dir():
        pytest.skip("needs the real pictures: set LOOKALIKE_DATA to their folder")
    return Path(named)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of this run, which all its workers share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session", autouse=True)
def own_cache(run_folder: Path) -> None:
    """Backbones are made once, in a folder of this run, not in the user's cache."""
    os.environ.setdefault("LOOKALIKE_CACHE", str(run_folder / "cache"))


@pytest.fixture(scope="session")
def from_transformers(run_folder: Path, own_cache: None) -> Callable[[str], tuple[Path, Bundle]]:
    """A kind of network -> the folder it is saved in and its bundle, both made once a run; not to be changed."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")

    def of(kind: str) -> tuple[Path, Bundle]:
        def make(folder: Path) -> None:
            resolve_bundle(elsewhere.save(kind, folder))

        folder = once(run_folder / kind, make)
        return folder, resolve_bundle(folder)

    return of


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with six pictures, one of them under two names."""
    folder = tmp_path / "photos"
    for seed, name in enumerate(["1.png", "2.png", "10.png", "it's \n한글.png", "sub/a.jpg", "sub/b.webp"]):
        draw(folder / name, seed)
    (folder / "sub/copy.png").write_bytes((folder / "1.png").read_bytes())
    aged(folder / "sub/copy.png")
    return folder


@pytest.fixture(scope="session")
def badges(run_folder: Path, own_cache: None) -> Collection:
    """A collection of badges with one lens, "kind", learned from its own class folders; not to be changed."""

    def make(folder: Path) -> None:
        collection = Collection(classes(folder, KINDS, LOOKS))
        collection.index()
        collection.learn(folder, name="kind", quick=True, use=True)

    return Collection(once(run_folder / "badges", make))


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
    f = indexed.backbone.length
    lens = Lens("swap", rng.random(f) / 99, rng.standard_normal((f, 5)), {"backbone": indexed.backbone.id})
    lens.save(indexed.home.lens("swap"))
    indexed.index()
    return indexed
