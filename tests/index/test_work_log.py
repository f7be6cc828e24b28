"""What a killed run leaves: its files in work are read alone, and what kills alone is refused."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lookalike import Collection
from lookalike.errors import ImageError
from lookalike.index.work_log import WorkLog, logged


def killed(path: Path, *names: str) -> None:
    """A process that is reading files in threads, and is ended by SIGKILL."""
    code = (
        "import os, signal, sys\nfrom contextlib import ExitStack\nfrom pathlib import Path\n"
        "from lookalike.index.work_log import WorkLog\n"
        "log = WorkLog(Path(sys.argv[1]))\nopened = ExitStack()\n"
        "with log.reading('done before.jpg'): pass\n"
        "for name in sys.argv[2:]: opened.enter_context(log.reading(name))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, path, *names]).returncode != 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_files_in_work_at_a_kill_are_suspects_and_one_that_kills_alone_is_refused(tmp_path):
    path = tmp_path / "reading"
    killed(path, "sub/ä.jpg", "b.jpg")
    log = WorkLog(path)
    assert (log.suspects, log.killers) == ({"sub/ä.jpg", "b.jpg"}, set())
    log.close(finished=False)
    killed(path, "b.jpg")
    log = WorkLog(path)
    assert (log.suspects, log.killers) == ({"sub/ä.jpg"}, {"b.jpg"})
    with (
        pytest.raises(ImageError, match="was being read when the last run was killed") as refused,
        log.reading("b.jpg"),
    ):
        pass
    assert refused.value.kind == "killed"
    with log.reading("sub/ä.jpg"):
        pass
    log.close(finished=True)
    assert not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_suspect_is_read_alone(tmp_path):
    """While `a` is read, which was in work at a kill, no other file is; afterwards the others go on."""
    path = tmp_path / "reading"
    killed(path, "a")
    log = WorkLog(path)
    order, started = [], threading.Event()

    def other() -> None:
        started.set()
        with log.reading("b"):
            order.append("b")

    thread = threading.Thread(target=other)
    with log.reading("a"):
        thread.start()
        started.wait()
        order.append("a")
    thread.join()
    assert order == ["a", "b"]
    log.close(finished=True)


def test_a_damaged_log_names_nobody_and_no_log_is_no_work(tmp_path):
    path = tmp_path / "reading"
    path.write_bytes(b"\xff" * 20_000)
    log = WorkLog(path)
    assert not log.suspects | log.killers
    log.close(finished=True)
    read = len
    with logged(None, read) as same:
        assert same is read


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_file_that_killed_two_runs_is_refused_and_all_others_are_indexed(photos: Path):
    path = photos / ".lookalike/reading"
    killed(path, "1.png", "2.png")
    killed(path, "2.png")
    done = Collection(photos).index()
    assert done.added == 6
    assert list(done.refused) == ["2.png"]
    assert "was being read when the last run was killed" in done.refused["2.png"]
    assert not path.exists()
