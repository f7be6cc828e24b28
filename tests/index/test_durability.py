"""Every commit is forced to the disk: contents first, then what refers to them, the manifest last."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.forced import record_forced
from support.pictures import draw
from support.small_table import row, small_table, turned

from lookalike.index.refused import RefusedFile, RefusedTable
from lookalike.index.table import Table


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What is forced to the disk from now on, in order."""
    return record_forced(monkeypatch)


def contents(folder: Path) -> set[Path]:
    """Every file of a table that a version needs."""
    return {path for path in folder.rglob("*") if path.is_file() and path.suffix not in {".json", ".txt"}}


COMMITS: dict[str, Callable[[Table], object]] = {
    "rows appended": lambda table: table.append([row(60)], {"pattern": turned}),
    "rows replaced": lambda table: table.append([row(3)], {"pattern": turned}),
    "rows removed": lambda table: table.remove(["0003.png"]),
    "a column added": lambda table: table.add_lens("other", 3, turned),
    "a column dropped": lambda table: table.drop_lens("pattern"),
}


@pytest.mark.parametrize("commit", COMMITS.values(), ids=COMMITS)
def test_each_commit_forces_its_new_files_then_their_folders_then_the_manifest(
    tmp_path: Path, request: pytest.FixtureRequest, commit: Callable[[Table], object]
):
    table, folder = small_table(tmp_path / "t.lance"), tmp_path / "t.lance"
    table.add_lens("pattern", 3, turned)
    before = contents(folder)
    forced: list[Path] = request.getfixturevalue("forced")
    commit(table)
    new = contents(folder) - before
    manifests = {path for path in new if path.suffix == ".manifest"}
    assert manifests
    assert new <= set(forced)
    first_manifest = min(forced.index(path) for path in manifests)
    for path in new - manifests:
        assert forced.index(path) < forced.index(path.parent) < first_manifest
    assert forced[-1] == folder / "_versions"


def test_a_new_table_is_forced_whole_before_its_name(tmp_path: Path, forced: list[Path]):
    small_table(tmp_path / "t.lance")
    names = [path.name for path in forced]
    for path in contents(tmp_path / "t.lance"):
        assert names.index(path.name) < names.index(path.parent.name) < names.index("new")
    assert forced[-1] == tmp_path


def test_refused_files_are_forced_as_well(tmp_path: Path, forced: list[Path]):
    refused = RefusedTable(tmp_path / "r.lance")
    refused.append([RefusedFile("a.png", 1, 2, "broken")])
    forced.clear()
    refused.append([RefusedFile("b.png", 1, 2, "broken")])
    assert {path.parent.name for path in forced} >= {"data", "_versions", "_transactions"}
    assert forced[-1] == tmp_path / "r.lance/_versions"


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
