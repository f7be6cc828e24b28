"""Small networks of several kinds, saved and converted once."""

from pathlib import Path

import pytest
from support.elsewhere import save

from lookalike.models.registry import resolve_bundle


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, own_cache: None):
    """A kind -> the folder that it is saved in, once."""
    root = tmp_path_factory.mktemp("models")
    return lambda kind: root / kind if (root / kind).is_dir() else save(kind, root / kind)


QUICK = ["resnet", "dinov2"]


KINDS = ["vit", "convnext", "clip", "clip_vision", "siglip", "siglip_vision"]


@pytest.fixture(scope="session", params=[*QUICK, *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS)])
def converted(request, models):
    """A kind, the folder that it was saved in, and the bundle that was made of it."""
    return request.param, models(request.param), resolve_bundle(models(request.param))


@pytest.fixture
def resnet(models) -> Path:
    return models("resnet")
