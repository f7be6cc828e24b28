"""What every test shares: real pictures when they are there, and a home that is not the user's."""

import os
from pathlib import Path

import pytest
from support.pictures import draw


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
