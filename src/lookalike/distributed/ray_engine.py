"""Shards done by actors of Ray, on this machine or a cluster; a worker that ends is started again."""

import os
import socket
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Generic

from lookalike.distributed.engine import Build, Outcome, Shard, Value, WorkerDiedError
from lookalike.errors import CollectionError, LookalikeError, MissingExtraError

TRIES = 3  # of a shard whose process ends
AHEAD = 2  # shards that a worker has: one that it does and one that waits, so that it never waits for the driver
LAST_S = 30.0  # for shards under way after Ctrl-C
CONNECT_S = 10.0
STORE_BYTES = 100_000_000  # of Ray's own store on this machine; no picture goes into it
SETTINGS = {  # read when Ray is imported: it sends no statistics, and a worker that ends is ours to report
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": "A worker died or was killed",
}
ENVIRONMENT = {"LANCE_CPU_THREADS": "1", "OMP_NUM_THREADS": "1"}  # each worker is one of many


class RayEngine:
    """Does shards with Ray.

    Ray listens on all addresses of a machine, and does what it is told: so workers on this machine ask for a token.

    Args:
        address: of a cluster, host:port, ray://host:port or "auto"; None to start workers on this machine.
        workers: how many; None for one a processor.
    Raises: MissingExtraError, without the extra "ray"; CollectionError, where RAY_AUTH_MODE leaves workers on this
        machine open to everybody who reaches it.
    """

    def __init__(self, address: str | None = None, workers: int | None = None):
        self.address, self.asked = address, workers
        self.workers, self.elsewhere = workers or 0, address is not None
        if "ray" not in sys.modules:  # it reads these when it is imported
            settings = SETTINGS | ({"RAY_AUTH_MODE": "token"} if address is None else {})
            for name, value in settings.items():
                os.environ.setdefault(name, value)
        if address is None and (mode := os.environ.get("RAY_AUTH_MODE", "token")) != "token":
            raise CollectionError(
                f"RAY_AUTH_MODE={mode}: whoever reaches this machine could let Ray run anything. Unset it, or set it "
                "to token."
            )
        try:
            import ray
        except ModuleNotFoundError as error:
            raise MissingExtraError("--on ray", "ray") from error
        self._ray: Any = ray
        self._is_ours = False

    def run(self, build: Build[Shard, Value], waiting: deque[Shard]) -> Generator[Outcome[Shard, Value]]:
        """See `Engine.run`. A shard whose process ends is done again; after the third time its outcome is a
        WorkerDiedError.

        Raises: CollectionError, where Ray cannot be started or reached.
        """
        if not waiting:
            return
        self._open()
        self.workers = self.asked or max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        yield from _Run(self._ray, min(self.workers, len(waiting)), build, waiting).outcomes()

    def close(self) -> None:
        """End what was started here; a Ray that the caller had started stays."""
        if self._is_ours:
            self._is_ours = False
            self._ray.shutdown()

    def _open(self) -> None:
        """Start or join Ray, unless this process has done so already."""
        if self._ray.is_initialized():
            return
        try:
            start_ray(self._ray, self.address, self.asked)
        except Exception as error:  # Ray has no class of its own for these
            self._ray.shutdown()
            where = f"{self.address}: no cluster of Ray answers there" if self.address else "Ray could not be started"
            raise CollectionError(f"{where} ({_first_line(error)}).") from error
        self._is_ours = True


def start_ray(ray: Any, address: str | None, workers: int | None) -> None:
    """Join a cluster, or start Ray on this machine, where it takes the addresses and ends with this process.

    Args:
        ray: the module.
        address: of a cluster; None for this machine.
        workers: how many processors this machine shall offer; None for all that it has.
    Raises: OSError, where nothing listens at an address; what Ray raises.
    """
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    options["runtime_env"] = {"env_vars": ENVIRONMENT}
    if address is None:
        options |= {
            "address": "local", "num_cpus": workers or os.cpu_count() or 1, "include_dashboard": False,
            "object_store_memory": STORE_BYTES, "_node_ip_address": "127.0.0.1",
        }  # fmt: skip
    else:
        _try_connecting(address)
        options["address"] = address
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "lance is not fork-safe")  # what is forked becomes a program of Ray's at once
        try:
            ray.init(**options)
        except Exception:  # a machine under load may be too slow for it once
            ray.shutdown()
            if address is not None:
                raise
            ray.init(**options)


@dataclass
class _Task(Generic[Shard]):
    """One shard that a worker has: what Ray calls its result, and how often its process has ended."""

    shard: Shard
    result: Any = None
    deaths: int = 0


class _Actor:
    """Lives in a worker's process: makes what does the shards with the first of them."""

    def __init__(self) -> None:
        self._work: Callable[[Any], Any] | None = None

    def do(self, build: list[Any], shard: Any) -> Any:
        """One shard; an error that is an outcome is given back as it is, whatever its class.

        Args:
            build: a reference to it in Ray's store, in a list, so that it is read once and not with each shard.
            shard: to do.
        """
        try:
            if self._work is None:
                import ray

                self._work = ray.get(build[0])()
            return self._work(shard), None
        except (LookalikeError, OSError) as error:
            return None, error.with_traceback(None)


class _Run(Generic[Shard, Value]):
    """One run: the workers, and the shards that each of them has."""

    def __init__(self, ray: Any, workers: int, build: Build[Shard, Value], waiting: deque[Shard]):
        self._ray, self._waiting = ray, waiting
        self._kind = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(_Actor)
        self._build = ray.put(build)
        self._actors = [self._kind.remote() for _ in range(workers)]
        self._tasks: list[deque[_Task[Shard]]] = [deque() for _ in self._actors]

    def outcomes(self) -> Generator[Outcome[Shard, Value]]:
        """What came of each shard; afterwards the workers' processes end."""
        try:
            yield from self._outcomes()
        finally:
            for actor in self._actors:
                self._ray.kill(actor)

    def _outcomes(self) -> Generator[Outcome[Shard, Value]]:
        ends: float | None = None
        while True:
            try:
                if ends is None:
                    self._fill()
                under_way = [tasks[0].result for tasks in self._tasks if tasks]  # a worker does its shards in order
                if not under_way or (ends is not None and time.monotonic() > ends):
                    break
                done = set(self._ray.wait(under_way, timeout=1.0)[0])
            except KeyboardInterrupt:
                if ends is not None:
                    raise
                ends = time.monotonic() + LAST_S
                self._drop_those_that_wait()
                continue
            for worker, tasks in enumerate(self._tasks):
                if tasks and tasks[0].result in done:
                    yield from self._finish(worker, tasks)
        if ends is not None:
            raise KeyboardInterrupt

    def _fill(self) -> None:
        """Give every worker what it has too little of, one shard each in turn; nothing behind a suspect."""
        for _ in range(AHEAD):
            for worker, tasks in enumerate(self._tasks):
                if self._waiting and len(tasks) < AHEAD and not (tasks and tasks[0].deaths):
                    tasks.append(self._begun(worker, _Task(self._waiting.popleft())))

    def _begun(self, worker: int, task: _Task[Shard]) -> _Task[Shard]:
        task.result = self._actors[worker].do.remote([self._build], task.shard)
        return task

    def _drop_those_that_wait(self) -> None:
        """Only the first shard of each worker is under way."""
        for tasks in self._tasks:
            while len(tasks) > 1:
                self._ray.cancel(tasks.pop().result)

    def _finish(self, worker: int, tasks: deque[_Task[Shard]]) -> Iterator[Outcome[Shard, Value]]:
        """What came of a worker's first shard. Where its process has ended, a new one does it alone: the second one
        may have ended it, before the result of the first was on its way. The second goes back to those that wait.
        """
        try:
            value, error = self._ray.get(tasks[0].result)
        except (self._ray.exceptions.RayActorError, self._ray.exceptions.OutOfMemoryError) as died:
            self._ray.kill(self._actors[worker])  # also one that only could not be reached
            self._actors[worker] = self._kind.remote()
            while len(tasks) > 1:
                self._waiting.appendleft(tasks.pop().shard)
            tasks[0].deaths += 1
            if tasks[0].deaths < TRIES:
                self._begun(worker, tasks[0])
            else:
                yield Outcome(tasks.popleft().shard, error=WorkerDiedError(_first_line(died)))
        else:
            yield Outcome(tasks.popleft().shard, value, error)


def _try_connecting(address: str) -> None:
    """Whether anything listens there: Ray itself would ask for minutes.

    Raises: OSError.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()


def _first_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
