"""Pictures that are alike and apart, and Ray on this machine, started once for all tests of a file."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    """Ray with two workers, whose token authentication is on; an engine that finds it started uses it."""
    ray = pytest.importorskip("ray")
    ray.init(
        address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100_000_000,
        _node_ip_address="127.0.0.1",
    )  # fmt: skip
    yield ray
    ray.shutdown()
