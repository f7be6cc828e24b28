"""How far work has come: one stage of it, as it is reported."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass


Report = Callable[["Stage"], None]


@dataclass(frozen=True)
class Stage:
    """How far learning has come: what is being done, how much of it, and what it looks like meanwhile.

    Attributes:
        doing: "embedding", "rehearsing", "proving", "learning", "applying"; where a backbone learns also "caching",
            "tuning" and "switching".
        done, total: of pictures, splits or steps.
        rate: of these a second.
        remaining_s: seconds until this stage is done.
        loss, active, recall: of the newest step: its loss, the share of triplets that still teach, and recall@1 on
            held-out queries; None where there is none.
    """

    doing: str
    done: int
    total: int
    rate: float = 0.0
    remaining_s: float = 0.0
    loss: float | None = None
    active: float | None = None
    recall: float | None = None


def _watched(pipeline: Iterator[Any], total: int, report: Report | None) -> Iterator[Any]:
    started = time.monotonic()
    for done, one in enumerate(pipeline, start=1):
        yield one
        if report is not None:
            rate = done / max(time.monotonic() - started, 1e-6)
            report(Stage("embedding", done, total, rate, (total - done) / rate))


@dataclass(frozen=True)
class Progress:
    """How far an index run is: files done of all that are to do, files a second, seconds that remain."""

    done: int
    total: int
    rate: float
    remaining_s: float
