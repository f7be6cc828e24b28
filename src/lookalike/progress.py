"""How far work has come: what everything that takes time tells whoever waits for it."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Progress:
    """One stage of some work.

    Attributes:
        stage: what is being done: "indexing", "embedding", "searching", "laying out", "drawing", "switching",
            "filling",
            "preparing" (of a search among more pictures than memory is meant to hold); of
            learning also "validating", "proving" and "learning"; where a backbone learns also "caching" and "tuning".
        done, total: of files, pictures, folds or steps.
        rate: of these a second.
        remaining_s: seconds until this stage is done.
        metrics: of the newest step: "loss", "active" (the share of triplets that still teach) and "recall@1" on
            held-out queries, those of them that there are.
    """

    stage: str
    done: int
    total: int
    rate: float = 0.0
    remaining_s: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)


class Reporter:
    """Takes what work tells of itself. This one is silent; the command line draws a bar.

    Both methods may raise `Cancelled` to stop the work: what was committed stays.
    """

    def progress(self, progress: Progress) -> None:
        """Take how far the work has come; called often."""

    def message(self, line: str) -> None:
        """Take a line for people, without a line end."""


SILENT = Reporter()
ReporterLike = Reporter | Callable[[Progress], object] | None


class _Callback(Reporter):
    """A plain function as a reporter; messages are dropped."""

    def __init__(self, function: Callable[[Progress], object]):
        self._function = function

    def progress(self, progress: Progress) -> None:
        self._function(progress)


def as_reporter(given: ReporterLike) -> Reporter:
    """A reporter from what callers give: a Reporter, a function that takes Progress, or None for silence.

    >>> seen = []
    >>> as_reporter(seen.append).progress(Progress("indexing", 1, 2))
    >>> seen[0].stage
    'indexing'
    """
    if given is None:
        return SILENT
    return given if isinstance(given, Reporter) else _Callback(given)


class RenamedStage(Reporter):
    """Passes everything on, every stage under one name: what several folds do is one stage to whoever waits.

    Args:
        reporter: to pass on to.
        stage: the name.
    """

    def __init__(self, reporter: Reporter, stage: str):
        self.reporter, self.stage = reporter, stage

    def progress(self, progress: Progress) -> None:
        self.reporter.progress(replace(progress, stage=self.stage))

    def message(self, line: str) -> None:
        self.reporter.message(line)


class Timer:
    """Makes the Progress of one stage, with its rate and the time that remains.

    >>> Timer("proving", total=4).at(2).done
    2
    """

    def __init__(self, stage: str, total: int):
        self.stage, self.total, self.started = stage, total, time.monotonic()

    def at(self, done: int, metrics: Mapping[str, float] | None = None) -> Progress:
        """Progress after so many; more than the total counts as the total."""
        total = max(self.total, done)
        rate = done / max(time.monotonic() - self.started, 1e-6)
        remaining_s = (total - done) / rate if rate else 0.0
        return Progress(self.stage, done, total, rate, remaining_s, metrics or {})


def track(items: Iterable[Item], stage: str, total: int, reporter: Reporter) -> Iterator[Item]:
    """Hand items on and report after each that its taker is done with.

    >>> seen = []
    >>> list(track("ab", "drawing", 2, as_reporter(seen.append)))
    ['a', 'b']
    >>> [(now.done, now.total) for now in seen]
    [(1, 2), (2, 2)]
    """
    timer = Timer(stage, total)
    for done, item in enumerate(items, start=1):
        yield item
        reporter.progress(timer.at(done))
