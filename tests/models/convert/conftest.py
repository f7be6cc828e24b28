"""Small networks of several kinds, saved and converted once."""

from pathlib import Path

import pytest

# One network of stages and one of tokens. The slow ones repeat for further families what these cover.
QUICK = ["resnet", "dinov2"]
SLOW = ["vit", "dinov3", "convnext", "clip", "clip_vision", "siglip", "siglip_vision"]


@pytest.fixture(scope="session", params=[*QUICK, *(pytest.param(kind, marks=pytest.mark.slow) for kind in SLOW)])
def converted(request, from_transformers):
    """A kind, the folder that it was saved in, and the bundle that was made of it."""
    return request.param, *from_transformers(request.param)


@pytest.fixture
def resnet(from_transformers) -> Path:
    """The folder of one that was converted; a copy of it is known by its content."""
    return from_transformers("resnet")[0]
