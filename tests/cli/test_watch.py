"""`watch`: a process of its own, with a line for each change set, that Ctrl-C ends."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.pictures import draw

from lookalike import Collection

pytest.importorskip("watchfiles")
QUIET_S = 0.3


def test_ctrl_c_ends_at_once_with_nothing_lost(photos: Path):
    command = [sys.executable, "-m", "lookalike", "watch", str(photos), "--quiet", str(QUIET_S)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first[8:] == "  7 added; 7 pictures.\n"
        draw(photos / "more.png", 57)
        assert process.stdout.readline()[8:] == "  1 added; 8 pictures.\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, out) == (130, "")
    assert err == "Interrupted. What was committed is kept; run the same command to continue.\n"
    assert len(Collection(photos)) == 8
