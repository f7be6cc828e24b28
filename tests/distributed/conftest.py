"""Pictures that are alike and apart, and Ray on this machine, started once for all tests of a file."""

from collections.abc import Iterator
from typing import Any

import pytest

from lookalike.distributed.ray_engine import start_ray


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """Ray with two workers, whose token authentication is on; an engine that finds it started uses it."""
    ray = pytest.importorskip("ray")
    start_ray(ray, None, 2)
    yield ray
    ray.shutdown()
