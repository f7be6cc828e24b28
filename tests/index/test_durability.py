"""What a commit wrote is forced to the disk, contents first and names last; after a power cut it is there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.pictures import draw
from support.small_table import row, small_table, turned

from lookalike.index.table import Table

MANIFEST = "_versions"


@pytest.fixture
def synced(monkeypatch) -> list[Path]:
    """What was forced to the disk, in order."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to name what is forced to the disk")
    found: list[Path] = []
    fsync = os.fsync

    def recorded(descriptor: int) -> None:
        found.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", recorded)
    return found


def in_table(table: Table, paths: list[Path]) -> list[str]:
    return [path.relative_to(table.uri).as_posix() for path in paths if path.is_relative_to(table.uri)]


def contents(table: Table) -> set[str]:
    """All files of a table, by their paths in it."""
    return {path.relative_to(table.uri).as_posix() for path in Path(table.uri).rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.append([row(60)]),
        lambda table: table.append([row(3)]),
        lambda table: table.remove(["0003.png", "0004.png"]),
        lambda table: table.add_lens("pattern", 3, turned),
    ],
    ids=["append", "replace", "remove", "column"],
)
def test_a_commit_forces_each_new_file_before_the_manifest_that_leads_to_it(tmp_path: Path, synced, change):
    table = small_table(tmp_path / "t.lance")
    before = contents(table)
    synced.clear()
    change(table)
    new, order = contents(table) - before, in_table(table, synced)
    assert new
    assert new <= set(order)
    first_manifest = min(order.index(name) for name in new if name.startswith(MANIFEST))
    for name in new:
        if not name.startswith(MANIFEST):
            assert order.index(name) < first_manifest
            assert order.index(Path(name).parent.as_posix()) < first_manifest  # the folder that names it
    assert order[-1] == MANIFEST


def test_what_was_there_before_is_not_forced_again(tmp_path: Path, synced):
    table = small_table(tmp_path / "t.lance")
    before = contents(table)
    synced.clear()
    table.append([row(60)])
    assert before.isdisjoint(in_table(table, synced))


def mounted(image: Path, at: Path) -> bool:
    at.mkdir()
    return subprocess.run(["mount", "-o", "loop", image, at], check=False, capture_output=True).returncode == 0


def test_a_power_cut_after_an_index_loses_no_committed_picture(tmp_path: Path):
    """The image of a mounted disk is copied as soon as `index` is done: what was not forced to it is not there."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("needs root, mkfs.ext4 and loop devices to cut the power")
    image, cut = tmp_path / "disk.img", tmp_path / "cut.img"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True, capture_output=True)
    disk, after = tmp_path / "disk", tmp_path / "after"
    if not mounted(image, disk):
        pytest.skip("no loop device can be mounted here")
    try:
        for seed in range(6):
            draw(disk / f"photos/{seed}.png", seed)
        os.sync()
        run = [sys.executable, "-m", "lookalike", "index", disk / "photos"]
        subprocess.run(run, check=True, capture_output=True)
        draw(disk / "photos/7.png", 7)
        subprocess.run(run, check=True, capture_output=True)
        shutil.copyfile(image, cut)
    finally:
        subprocess.run(["umount", disk], check=True)
    assert mounted(cut, after)
    try:
        (table,) = after.glob("photos/.lookalike/tables/*[0-9a-f].lance")
        assert sorted(Table(table).columns()["file"]) == [*(f"{seed}.png" for seed in range(6)), "7.png"]
    finally:
        subprocess.run(["umount", after], check=True)
