"""Work that takes too long is given up."""

import asyncio
import threading

import pytest

from lookalike.server.errors import Refusal
from lookalike.server.timed import timed


def test_what_is_done_in_time_is_given_and_its_error_raised():
    assert asyncio.run(timed(lambda: 5)) == 5
    with pytest.raises(ZeroDivisionError):
        asyncio.run(timed(lambda: 1 // 0))


def test_what_takes_longer_is_refused():
    go_on = threading.Event()
    with pytest.raises(Refusal) as caught:
        asyncio.run(timed(lambda: go_on.wait(20), limit_s=0.05))
    go_on.set()
    assert (caught.value.status, caught.value.code) == (422, "query.slow")
