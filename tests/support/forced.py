"""What is forced to the disk, in order, while it really is."""

import os
from pathlib import Path

import pytest


def record_forced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A list that takes every file and folder that `os.fsync` gets from now on; skips where their names are unknown."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to name what is forced to the disk")
    found: list[Path] = []
    fsync = os.fsync

    def record(opened: int) -> None:
        found.append(Path(f"/proc/self/fd/{opened}").readlink())
        fsync(opened)

    monkeypatch.setattr(os, "fsync", record)
    return found
