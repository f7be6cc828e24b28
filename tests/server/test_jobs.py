"""Jobs: one at a time, watched, stopped, remembered; what they tell is thinned and bounded."""

import threading
from pathlib import Path

import pytest

from lookalike.errors import LensError
from lookalike.progress import Progress
from lookalike.server import jobs
from lookalike.server.errors import Refusal
from lookalike.server.jobs import Job, Jobs


def finished(runner: Jobs, job: Job) -> Job:
    runner._thread.join(10)
    assert job.is_over
    return job


def test_a_job_gives_its_result_and_is_remembered():
    runner = Jobs()
    job = finished(runner, runner.start("index", lambda reporter: {"added": 3}))
    assert (job.state, job.result, job.error) == ("done", {"added": 3}, None)
    assert job.started <= job.ended
    assert runner.get(job.id) is job
    assert runner.running() is None
    with pytest.raises(Refusal, match="no such job"):
        runner.get("0" * 16)


def test_a_second_job_is_refused_while_one_runs_and_stop_ends_it_at_its_next_report():
    runner, go_on = Jobs(), threading.Event()

    def work(reporter):
        reporter.progress(Progress("indexing", 1, 9))
        go_on.wait(10)
        reporter.progress(Progress("indexing", 2, 9))
        pytest.fail("it went on after Stop")

    job = runner.start("index", work)
    with pytest.raises(Refusal) as caught:
        runner.start("learn", lambda reporter: None)
    assert (caught.value.status, caught.value.details) == (409, {"job": job.id})
    assert runner.stop(job.id).state == "stopping"
    go_on.set()
    finished(runner, job)
    assert (job.state, job.error) == ("stopped", None)
    assert runner.stop(job.id).state == "stopped"  # once more changes nothing


def test_an_error_of_the_library_is_told_and_a_fault_is_a_number(caplog: pytest.LogCaptureFixture):
    runner = Jobs()

    def refused(reporter):
        raise LensError("stripes: a lens already.", code="lens.taken")

    def broken(reporter):
        raise ZeroDivisionError("/home/somebody")

    job = finished(runner, runner.start("learn", refused))
    told = {"code": "lens.taken", "message": "stripes: a lens already.", "details": {}}
    assert (job.state, job.error) == ("failed", told)
    job = finished(runner, runner.start("learn", broken))
    assert job.error["code"] == "server.error"
    assert "somebody" not in job.error["message"]
    assert "somebody" in caplog.text


def test_the_curve_is_thinned_and_begins_anew_with_another_stage():
    runner = Jobs()

    def work(reporter):
        for step in range(1, 4001):
            reporter.progress(Progress("validating", step, 4000, metrics={"loss": 1 / step}))
        for step in range(1, 31):
            reporter.progress(Progress("learning", step, 30, metrics={"loss": 0.5, "active": 0.25, "recall@1": 0.75}))

    long = Jobs()
    job = finished(long, long.start("learn", lambda reporter: [
        reporter.progress(Progress("learning", step, 4000, metrics={"loss": 1 / step})) for step in range(1, 4001)
    ] and None))  # fmt: skip
    assert 250 <= len(job.curve) <= jobs.MOST_POINTS
    steps = [point[0] for point in job.curve]
    assert steps == sorted(steps)
    assert steps[-1] > 3900
    job = finished(runner, runner.start("learn", work))
    assert job.curve == [[step, 0.5, 0.25, 0.75] for step in range(1, 31)]
    assert job.stage == {"doing": "learning", "done": 30, "total": 30, "rate": 0.0, "remaining_s": 0.0}


def test_lines_and_jobs_are_bounded():
    runner = Jobs()
    job = finished(runner, runner.start("learn", lambda reporter: [reporter.message(str(i)) for i in range(300)] and 1))
    assert job.said == [str(i) for i in range(100, 300)]
    for _ in range(25):
        finished(runner, runner.start("index", lambda reporter: None))
    assert len(runner.list()) == jobs.MOST_JOBS
    assert job not in runner.list()


def test_closing_stops_what_runs():
    runner, begun = Jobs(), threading.Event()

    def work(reporter):
        while True:
            reporter.progress(Progress("learning", 1, 2))
            begun.set()

    job = runner.start("learn", work)
    assert begun.wait(10)
    runner.close()
    assert job.state == "stopped"


def test_the_file_of_a_job_goes_with_the_job(tmp_path: Path):
    """One that is forgotten after the 20 next ones, the others at the end; no other file, whatever a result says."""
    runner, files = Jobs(), []
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.png").touch()
    finished(runner, runner.start("index", lambda reporter: {"path": str(tmp_path / "photos" / "1.png")}))
    for number in range(jobs.MOST_JOBS + 1):
        folder = tmp_path / f"{jobs.OWN_FOLDER}{number}"
        folder.mkdir()
        files.append(folder / "rows.csv")
        files[-1].touch()
        finished(runner, runner.start("export", lambda reporter: {"path": str(files[-1])}))
    assert [file.exists() for file in files] == [False] + [True] * jobs.MOST_JOBS
    runner.close()
    assert not any(file.parent.exists() for file in files)
    assert (tmp_path / "photos" / "1.png").exists()
