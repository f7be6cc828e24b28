"""What tests of several modules of models need: the default backbone in f32, and where its weights lie."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from lookalike.models.backbone import Backbone
from lookalike.models.efficientnet import SPECS


@pytest.fixture(scope="session")
def f32(own_cache: None) -> Backbone:
    return Backbone(precision="f32")


@pytest.fixture(scope="session")
def packaged() -> Callable[[str], Path]:
    """The file of weights that the package of a member of the family holds."""

    def path(name: str) -> Path:
        """The weights of a member; the test is skipped where its package is missing."""
        spec = find_spec(SPECS[name].package)
        if spec is None:
            pytest.skip(f"needs the package of {name}")
        return next(Path(spec.submodule_search_locations[0]).rglob("*.pth"))

    return path
