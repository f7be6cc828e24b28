"""Pictures that are alike and apart, and Ray on this machine, started once for all tests of a file."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from lookalike.distributed.ray_engine import RayEngine, start_ray


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """Ray with two workers, whose token authentication is on; an engine that finds it started uses it."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    RayEngine(workers=2)  # sets what Ray reads when it is imported
    import ray

    start_ray(ray, None, 2)
    yield ray
    ray.shutdown()
