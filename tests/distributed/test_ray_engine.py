"""Shards done by workers of a real Ray: outcomes, errors, processes that end, Ctrl-C."""

import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lookalike.distributed.engine import WorkerDiedError
from lookalike.distributed.ray_engine import RayEngine
from lookalike.errors import CollectionError, QueryError


class Tenfold:
    """Makes workers that multiply; some numbers end the process, once or each time."""

    def __init__(self, marks: Path | None = None, always: int = -1):
        self.marks, self.always = marks, always

    def __call__(self) -> Callable[[int], int]:
        return self.work

    def work(self, n: int) -> int:
        if n == self.always:
            assert self.marks is not None
            with (self.marks / "ended").open("a") as ended:
                ended.write(f"{n}\n")
            time.sleep(0.5)  # what was done before it is on its way
            os._exit(1)
        if self.always < 0 and self.marks is not None and not (mark := self.marks / str(n)).exists():
            mark.touch()
            os._exit(1)
        if n == 7:
            raise QueryError("7 is not asked for")
        if n == 9:
            raise OSError(5, "no disk")
        return 10 * n


def test_every_shard_has_its_outcome(ray: Any):
    """Errors of the program and of the system are outcomes, of their own class."""
    done = {one.shard: one for one in RayEngine(workers=2).run(Tenfold(), deque(range(10)))}
    assert {n: one.value for n, one in done.items() if one.error is None} == {n: 10 * n for n in (*range(7), 8)}
    assert type(done[7].error) is QueryError
    assert isinstance(done[9].error, OSError)


def test_a_process_that_ends_loses_no_shard(ray: Any, tmp_path: Path):
    """Every shard ends its process once: each is done again, and none twice."""
    done = [(one.shard, one.value) for one in RayEngine(workers=2).run(Tenfold(tmp_path), deque(range(4)))]
    assert sorted(done) == [(0, 0), (1, 10), (2, 20), (3, 30)]


def test_a_shard_that_ends_its_process_each_time_is_given_up_alone_after_the_third_time(ray: Any, tmp_path: Path):
    done = {one.shard: one for one in RayEngine(workers=2).run(Tenfold(tmp_path, always=2), deque(range(5)))}
    assert (tmp_path / "ended").read_text() == "2\n" * 3
    assert isinstance(done.pop(2).error, WorkerDiedError)
    assert {n: one.value for n, one in done.items()} == {0: 0, 1: 10, 3: 30, 4: 40}


def test_after_ctrl_c_what_is_under_way_ends_and_nothing_is_begun(ray: Any):
    engine, waiting = RayEngine(workers=1), deque(range(1000))
    outcomes = engine.run(Tenfold(), waiting)
    first = next(outcomes)
    found = [first.value, *_interrupted(ray, outcomes)]
    assert found == [0, 10]  # the one that was done, and the one under way; the one behind it is dropped
    assert len(waiting) == 997


def test_workers_on_this_machine_ask_for_a_token(ray: Any, monkeypatch: pytest.MonkeyPatch):
    """Without one Ray would run anything for whoever reaches the machine."""
    assert os.environ.get("RAY_AUTH_MODE", "token") == "token"
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(CollectionError, match="RAY_AUTH_MODE=disabled: whoever reaches this machine"):
        RayEngine(workers=1)


def test_an_address_where_no_cluster_answers_is_said_in_one_line():
    """In a process of its own, without the Ray of the other tests."""
    import subprocess
    import sys

    program = (
        "from collections import deque\n"
        "from lookalike.distributed.ray_engine import RayEngine\n"
        "try:\n"
        "    list(RayEngine('127.0.0.1:9', 1).run(int, deque(['1'])))\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    kind, _, line = run.stdout.partition(" ")
    assert kind == CollectionError.__name__
    assert line.startswith("127.0.0.1:9: no cluster of Ray answers there")
    assert line.count("\n") == 1


def _interrupted(ray: Any, outcomes: Any) -> list[int]:
    """What comes after Ctrl-C in the wait for the next outcome."""
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray, "wait", _raise_once(ray.wait))
        with pytest.raises(KeyboardInterrupt):
            found.extend(one.value for one in outcomes)
    return found


def _raise_once(wait: Callable[..., Any]) -> Callable[..., Any]:
    raised = []

    def instead(*args: Any, **options: Any) -> Any:
        if not raised:
            raised.append(True)
            raise KeyboardInterrupt
        return wait(*args, **options)

    return instead
