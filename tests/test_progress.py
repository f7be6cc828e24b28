"""How far work has come: rates and remaining time by hand, and reporters that pass on what they are told."""

import pytest
from support.recording import Recording

from lookalike import progress
from lookalike.errors import Cancelled
from lookalike.progress import SILENT, Progress, RenamedStage, Reporter, Timer, as_reporter, track


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands where a test puts it, in seconds."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_rate_and_remaining_time_by_hand(clock):
    """4 in 2 seconds are 2 a second; the 6 that remain take 3."""
    timer = Timer("indexing", 10)
    clock[0] += 2
    assert timer.at(4, {"loss": 0.5}) == Progress("indexing", 4, 10, 2.0, 3.0, {"loss": 0.5})


def test_before_anything_is_done_nothing_is_known_of_the_remaining_time(clock):
    assert Timer("indexing", 10).at(0) == Progress("indexing", 0, 10, 0.0, 0.0, {})


def test_more_than_the_total_counts_as_the_total(clock):
    timer = Timer("proving", 5)
    clock[0] += 6
    assert timer.at(6) == Progress("proving", 6, 6, 1.0, 0.0, {})


def test_items_are_reported_when_their_taker_is_done_with_them(clock):
    reporter, seen_before = Recording(), []
    for item in track("abc", "drawing", 3, reporter):
        seen_before.append((item, len(reporter.seen)))
        clock[0] += 1
    assert seen_before == [("a", 0), ("b", 1), ("c", 2)]
    assert reporter.seen == [Progress("drawing", done, 3, 1.0, float(3 - done), {}) for done in (1, 2, 3)]


def test_a_reporter_can_stop_what_is_tracked():
    taken = []

    def stop(now: Progress) -> None:
        if now.done == 2:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        taken.extend(track("abc", "drawing", 3, as_reporter(stop)))
    assert taken == ["a", "b"]


def test_a_reporter_is_taken_as_it_is_and_none_is_silent():
    reporter = Recording()
    assert as_reporter(reporter) is reporter
    assert as_reporter(None) is SILENT and type(SILENT) is Reporter


def test_a_plain_function_is_told_of_progress_and_not_of_messages():
    seen: list[Progress] = []
    reporter = as_reporter(seen.append)
    reporter.progress(Progress("indexing", 1, 2))
    reporter.message("a line")
    assert seen == [Progress("indexing", 1, 2)]


def test_a_renamed_stage_passes_everything_else_on():
    reporter = Recording()
    renamed = RenamedStage(reporter, "proving")
    renamed.progress(Progress("learning", 3, 9, 1.5, 4.0, {"loss": 0.1}))
    renamed.message("a line")
    assert reporter.seen == [Progress("proving", 3, 9, 1.5, 4.0, {"loss": 0.1})]
    assert reporter.lines == ["a line"]
