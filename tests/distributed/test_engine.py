"""Shards done in this process: what came of each, also of those that are added meanwhile."""

from collections import deque

import pytest

from lookalike.distributed.engine import LocalEngine
from lookalike.errors import CollectionError


def halved(n: int) -> int:
    if n % 2:
        raise CollectionError(f"{n} is odd")
    return n // 2


def test_each_shard_has_its_outcome_and_errors_of_ours_end_no_run():
    done = list(LocalEngine().run(lambda: halved, deque([2, 3, 4])))
    assert [(one.shard, one.value) for one in done] == [(2, 1), (3, None), (4, 2)]
    assert str(done[1].error) == "3 is odd"


def test_shards_may_be_added_until_the_last_outcome():
    waiting = deque([8])
    found = []
    for outcome in LocalEngine().run(lambda: halved, waiting):
        found.append(outcome.value)
        if outcome.value and outcome.value > 1:
            waiting.append(outcome.value)
    assert found == [4, 2, 1]


def test_what_is_no_error_of_ours_ends_the_run():
    with pytest.raises(TypeError):
        list(LocalEngine().run(lambda: halved, deque(["x"])))
