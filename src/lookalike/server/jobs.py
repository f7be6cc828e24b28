"""Work that takes time: one job at a time a collection, in a thread; started, watched, stopped, remembered."""

import secrets
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from lookalike.errors import Cancelled, LookalikeError
from lookalike.progress import Progress, Reporter
from lookalike.server.errors import LOG, Refusal

MOST_POINTS, MOST_LINES, MOST_JOBS = 500, 200, 20
OWN_FOLDER = "lookalike-export-"  # begins the names of folders that hold the file of one job
State = Literal["running", "stopping", "done", "stopped", "failed"]
Work = Callable[[Reporter], Any]  # gives the job's result, which JSON can hold


@dataclass
class Job:
    """One piece of work, and all that can be said of it.

    Attributes:
        stage: doing, done, total, rate, remaining_s; None before the first report.
        curve: [step, loss, active, recall@1], at most 500 points: of a longer one every second point is dropped.
        said: lines for people, the last 200.
        result: what it gave, as JSON; a "path" in a folder named OWN_FOLDER.. goes when the job is forgotten.
        error: {code, message, details}.
        revision: raised by every change.
    """

    id: str
    do: str
    state: State = "running"
    stage: dict[str, Any] | None = None
    curve: list[list[float | None]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    started: str = field(default_factory=lambda: _now())
    ended: str | None = None
    result: Any = None
    error: dict[str, Any] | None = None
    revision: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in ("done", "stopped", "failed")


class Jobs:
    """The jobs of one collection."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self, do: str, work: Work) -> Job:
        """Begin a job.

        Raises: Refusal, while another one runs: its id is in the details.
        """
        with self._lock:
            if (running := self.running()) is not None:
                raise Refusal(409, "job.running", f"busy: {running.do} is running.", {"job": running.id})
            job = Job(secrets.token_hex(8), do)
            self._jobs[job.id] = job
            while len(self._jobs) > MOST_JOBS:
                _remove_file(self._jobs.popitem(last=False)[1])
            self._thread = threading.Thread(target=_run, args=(job, work), name=f"job {do}")
            self._thread.start()
        return job

    def running(self) -> Job | None:
        """The job that is not over."""
        return next((job for job in self._jobs.values() if not job.is_over), None)

    def get(self, id: str) -> Job:
        """One job. Raises: Refusal."""
        try:
            return self._jobs[id]
        except KeyError:
            raise Refusal(404, "job.unknown", "no such job.") from None

    def list(self) -> list[Job]:
        """All that are remembered, the newest first."""
        return list(reversed(self._jobs.values()))

    def stop(self, id: str) -> Job:
        """Ask a job to end at its next report."""
        job = self.get(id)
        if job.state == "running":
            job.state = "stopping"
            job.revision += 1
        return job

    def close(self, timeout_s: float = 10) -> None:
        """Stop what runs, and wait for it; the files that jobs made go."""
        if (job := self.running()) is not None:
            self.stop(job.id)
        if self._thread is not None:
            self._thread.join(timeout_s)
        for job in self._jobs.values():
            _remove_file(job)


class _JobReporter(Reporter):
    """Writes what work tells into its job; raises Cancelled once the job is to stop."""

    def __init__(self, job: Job):
        self.job, self._told, self._every, self._step = job, 0.0, 1, 0

    def progress(self, progress: Progress) -> None:
        self._check()
        job = self.job
        if progress.metrics:
            self._add_point(progress)
        now = time.monotonic()
        is_new = job.stage is None or job.stage["doing"] != progress.stage
        if not is_new and progress.done < progress.total and now - self._told < 0.05:
            return  # learning reports thousands of times
        self._told = now
        job.stage = {
            "doing": progress.stage,
            "done": progress.done,
            "total": progress.total,
            "rate": round(progress.rate, 2),
            "remaining_s": round(progress.remaining_s, 1),
        }
        job.revision += 1

    def message(self, line: str) -> None:
        self._check()
        self.job.said = [*self.job.said, line][-MOST_LINES:]
        self.job.revision += 1

    def _check(self) -> None:
        if self.job.state == "stopping":
            raise Cancelled("stopped.")

    def _add_point(self, progress: Progress) -> None:
        if self.job.curve and progress.done <= (self.job.curve[-1][0] or 0):  # another fold, or another stage
            self.job.curve, self._every, self._step = [], 1, 0
        self._step += 1
        if self._step % self._every:
            return
        found = (progress.metrics.get(name) for name in ("loss", "active", "recall@1"))
        self.job.curve.append([progress.done, *(None if one is None else round(float(one), 5) for one in found)])
        if len(self.job.curve) > MOST_POINTS:
            self.job.curve = self.job.curve[::2]
            self._every *= 2
        self.job.revision += 1


def _run(job: Job, work: Work) -> None:
    state: State = "failed"
    try:
        job.result = work(_JobReporter(job))
        state = "done"
    except Cancelled:
        state = "stopped"
    except LookalikeError as error:
        job.error = {"code": error.code, "message": str(error), "details": error.details}
    except Refusal as refusal:
        job.error = {"code": refusal.code, "message": refusal.message, "details": refusal.details}
    except Exception as error:
        LOG.error("job %s failed", job.id, exc_info=error)
        line = f"an error of lookalike itself, {job.id} in the server's log."
        job.error = {"code": "server.error", "message": line, "details": {}}
    job.ended = _now()
    job.state = state
    job.revision += 1


def _remove_file(job: Job) -> None:
    if isinstance(job.result, dict) and (path := job.result.get("path")) is not None:
        folder = Path(path).parent
        if folder.name.startswith(OWN_FOLDER):
            shutil.rmtree(folder, ignore_errors=True)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
