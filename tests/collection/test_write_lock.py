"""The lock of a collection between processes: who holds it, and waiting for its end."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from support.recording import Recording

from lookalike.collection.write_lock import LockHolder, WriteLock
from lookalike.errors import Cancelled, LockedError

HOLD = """
import sys
from pathlib import Path
from lookalike.collection.write_lock import WriteLock
lock = WriteLock(Path(sys.argv[1]), Path("photos"))
lock.acquire("index", None)
print("held", flush=True)
sys.stdin.read()
lock.release()
"""


@pytest.fixture
def other(tmp_path: Path):
    """Another process that holds the lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.stdin.close()
    process.wait()
    process.stdout.close()


class EndsTheOther(Recording):
    """Lets the other process go once it is told that we wait."""

    def __init__(self, process: subprocess.Popen):
        super().__init__()
        self.process = process

    def message(self, line: str) -> None:
        super().message(line)
        self.process.stdin.close()


class Cancels(Recording):
    def progress(self, progress) -> None:
        raise Cancelled("stopped")


def test_without_waiting_the_holder_is_named_with_its_work(tmp_path: Path, other):
    with pytest.raises(LockedError) as error:
        WriteLock(tmp_path, Path("photos")).acquire("learn", None)
    start = f"photos: python on {platform.node()}, process {other.pid} (index, since 2"
    assert str(error.value).startswith(start)
    assert error.value.details == json.loads((tmp_path / "lock.holder").read_text())
    assert error.value.details["process"] == other.pid
    assert set(error.value.details) == {"program", "process", "host", "work", "since"}
    assert str(error.value).endswith(" UTC) is writing to it. Wait until it is done, or end it.")


def test_who_waits_is_told_once_for_whom_and_gets_the_lock_afterwards(tmp_path: Path, other):
    reporter = EndsTheOther(other)
    lock = WriteLock(tmp_path, Path("photos"))
    lock.acquire("learn", reporter, lambda: "It is kept.")
    assert other.wait() == 0
    assert len(reporter.lines) == 1
    assert f", process {other.pid} (index, since" in reporter.lines[0]
    assert reporter.lines[0].endswith("to save what was learned. It is kept.")
    holder = LockHolder.parse(lock.holder.read_bytes())
    assert (holder.process, holder.work, holder.host) == (os.getpid(), "learn", platform.node())
    lock.release()
    assert not lock.holder.exists()


def test_waiting_can_be_cancelled_and_the_holder_keeps_the_lock(tmp_path: Path, other):
    with pytest.raises(Cancelled):
        WriteLock(tmp_path, Path("photos")).acquire("learn", Cancels())
    with pytest.raises(LockedError):
        WriteLock(tmp_path, Path("photos")).acquire("learn", None)


GOOD = {"program": "lookalike", "process": 7, "host": "box", "work": "index", "since": "2026-11-27T12:05:00Z"}


def test_a_holder_in_words():
    holder = LockHolder.parse(json.dumps(GOOD).encode())
    assert str(holder) == "lookalike on box, process 7 (index, since 2026-11-27 12:05 UTC)"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"process 7 (index, since 2026-11-27 12:05 UTC)",
        b"\xff",
        b"[" * 4000,
        json.dumps(GOOD | {"process": True}).encode(),
        json.dumps(GOOD | {"process": -1}).encode(),
        json.dumps(GOOD | {"since": "now"}).encode(),
        json.dumps(GOOD | {"host": None}).encode(),
    ],
)
def test_what_no_holder_wrote_names_nobody(tmp_path: Path, other, content: bytes):
    assert LockHolder.parse(content) is None
    (tmp_path / "lock.holder").write_bytes(content)
    with pytest.raises(LockedError) as error:
        WriteLock(tmp_path, Path("photos")).acquire("learn", None)
    assert str(error.value) == "photos: another process is writing to it. Wait until it is done, or end it."
    assert error.value.details == {}


def test_a_holder_names_itself_in_one_short_line():
    holder = LockHolder.parse(json.dumps(GOOD | {"program": "a\n\x1b[2J" * 99}).encode())
    assert holder.program.isprintable()
    assert len(holder.program) == 100
