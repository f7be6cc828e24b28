"""Shards of work in, what came of them out: in this process, or on the workers of Ray."""

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Generic, Protocol, TypedDict, TypeVar

from lookalike.errors import LookalikeError

Shard = TypeVar("Shard")
Value = TypeVar("Value")
Build = Callable[[], Callable[[Shard], Value]]  # makes a worker, once in its process; picklable


class WorkersKeywords(TypedDict, total=False):
    """Where work is done.

    Attributes:
        on: "ray" for workers on this machine, "ray=ADDRESS" for a cluster: host:port, ray://host:port or auto. Left out
            or None: in this process.
        workers: how many; None for one a processor.
        shard: how many pictures a worker takes at once; None for 4,096, or fewer, so that each gets four times some.
    """

    on: str | None
    workers: int | None
    shard: int | None


class WorkerDiedError(LookalikeError):
    """The process that did a shard ended, as often as the shard was tried."""

    code = "distributed.worker_died"


@dataclass(frozen=True)
class Outcome(Generic[Shard, Value]):
    """What came of one shard: a value, or the error that ended it."""

    shard: Shard
    value: Value | None = None
    error: Exception | None = None


class Engine(Protocol):
    """Does shards of work.

    Attributes:
        workers: how many it has; 0 while that is not known.
        elsewhere: whether they may run on other machines.
    """

    workers: int
    elsewhere: bool

    def run(self, build: Build[Shard, Value], waiting: deque[Shard]) -> Generator[Outcome[Shard, Value]]:
        """Do every shard that waits.

        Args:
            build: makes what does a shard; called once by each worker.
            waiting: taken from the left; the caller may add more until the last outcome was given.
        Yields: what came of each shard, as they end. A LookalikeError or OSError of a shard is an outcome.
        Raises: what else a shard raises. At the first Ctrl-C no new shard is begun, and KeyboardInterrupt is raised
            after those that are under way; who stops earlier closes the generator.
        """
        ...

    def close(self) -> None:
        """End the workers. A later `run` starts others."""
        ...


class LocalEngine:
    """Does shards in this process, one after the other.

    >>> [one.value for one in LocalEngine().run(lambda: len, deque(["a", "bcd"]))]
    [1, 3]
    """

    workers, elsewhere = 1, False

    def run(self, build: Build[Shard, Value], waiting: deque[Shard]) -> Generator[Outcome[Shard, Value]]:
        work = build()
        while waiting:
            shard = waiting.popleft()
            try:
                value = work(shard)
            except (LookalikeError, OSError) as error:
                yield Outcome(shard, error=error)
            else:
                yield Outcome(shard, value)

    def close(self) -> None:
        pass
