"""What the system says of a folder, with real files and the system's own events."""

import shutil
import time
from pathlib import Path
from threading import Event

import pytest

from lookalike.collection.alarm import Alarm

pytest.importorskip("watchfiles")


def heard(alarm: Alarm, wanted: set[str]) -> set[str]:
    """What it says until all that is wanted was said."""
    found: set[str] = set()
    end = time.monotonic() + 20
    while not wanted <= found and time.monotonic() < end:
        found |= (alarm.wait() or {}).keys()
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos/.lookalike").mkdir(parents=True)
    (tmp_path / "photos/kept").mkdir()
    return tmp_path / "photos"


def test_it_names_what_a_scan_would_look_at_and_nothing_else(folder: Path):
    alarm = Alarm(folder, folder / "kept", Event())
    for name in ("a.jpg", ".lookalike/lock", "kept/lock", "._a.jpg", "Thumbs.db", ".lookalikeignore"):
        (folder / name).write_bytes(b"1")
    (folder / "last.jpg").write_bytes(b"1")
    assert heard(alarm, {"a.jpg", ".lookalikeignore", "last.jpg"}) == {"a.jpg", ".lookalikeignore", "last.jpg"}
    alarm.close()


def test_it_goes_on_in_a_folder_that_was_replaced(folder: Path):
    alarm = Alarm(folder, folder / ".lookalike", Event())
    shutil.move(folder, folder.with_name("away"))
    assert alarm.wait() is None
    assert alarm.wait() == {}
    folder.mkdir()
    assert alarm.wait() is None, "anything may have changed"
    (folder / "b.jpg").write_bytes(b"1")
    assert heard(alarm, {"b.jpg"}) == {"b.jpg"}
    alarm.close()


def test_a_stop_ends_the_wait(folder: Path):
    stop = Event()
    alarm = Alarm(folder, folder / ".lookalike", stop)
    stop.set()
    assert alarm.wait() == {}
    alarm.close()
