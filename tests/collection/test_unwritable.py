"""A collection or a place that cannot be written is said before the work; a full disk keeps what was committed."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.recording import Recording

from lookalike import Collection
from lookalike.cli.main import main
from lookalike.errors import CollectionError


@pytest.fixture
def immutable() -> Iterator[object]:
    """Makes folders that nobody can write, not even root; they can be written again afterwards."""
    made: list[Path] = []

    def make(folder: Path) -> Path:
        done = subprocess.run(["chattr", "+i", folder], check=False, capture_output=True)
        if done.returncode:
            folder.chmod(0o555)
        try:
            (folder / "try").touch()
        except OSError:
            made.append(folder)
            return folder
        (folder / "try").unlink()
        pytest.skip("needs a folder that cannot be written: no chattr here, and permissions do not bind root")

    yield make
    for folder in made:
        subprocess.run(["chattr", "-i", folder], check=False, capture_output=True)
        folder.chmod(0o755)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", disk]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("needs root, to mount a small disk")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


@pytest.mark.parametrize("options", [{"quick": True}, {}])
@pytest.mark.parametrize("name", ["lenses", "tables"])
def test_learning_is_refused_before_the_work(own_badges: Collection, immutable, name: str, options: dict):
    immutable(own_badges.home.at / name)
    reporter = Recording()
    with pytest.raises(CollectionError) as caught:
        own_badges.learn(own_badges.folder, name="new", report=reporter, **options)
    assert str(caught.value).startswith(f"{own_badges.home.at}: cannot be written (")
    assert str(caught.value).endswith("so nothing was begun. Mount the disk for writing, or mend the permissions.")
    assert not reporter.seen


def test_a_file_in_the_place_of_a_folder_is_noticed_too(indexed: Collection):
    (indexed.home.at / "lenses").write_text("")
    with pytest.raises(CollectionError, match=r"cannot be written \(Not a directory\), so nothing was begun"):
        indexed.learn()


def test_index_says_it_before_it_embeds(indexed: Collection, photos: Path, immutable):
    (photos / "11.png").write_bytes((photos / "10.png").read_bytes() + b"more")
    immutable(indexed.home.at / "tables")
    reporter = Recording()
    with pytest.raises(CollectionError, match="what was committed is kept"):
        indexed.index(report=reporter)
    assert not reporter.seen


def test_places_for_results_are_checked_before_the_work(indexed: Collection, photos: Path, immutable, tmp_path: Path):
    (tmp_path / "closed").mkdir()
    closed = immutable(tmp_path / "closed")
    asked = ["search", photos, "1.png"]
    for words in (
        [*asked, "--grid", closed / "new/grid.png"],
        [*asked, "--copy-to", closed / "new"],
        ["map", photos, closed / "map.png"],
        ["export", photos, closed / "rows.csv"],
        ["export", photos, closed / "model.onnx"],
    ):
        done = CliRunner().invoke(main, list(map(str, words)))
        assert done.exit_code == 1
        assert done.stdout == ""
        assert done.stderr.startswith(f"{words[-1]}: cannot be written (nothing can be written in {closed}).")
        assert len(done.stderr.splitlines()) == 1
    with pytest.raises(CollectionError, match="nothing can be written"):
        indexed.map(closed / "map.png")


def test_a_lens_that_the_disk_cannot_hold_is_not_learned(photos: Path, small_disk: Path):
    collection = Collection(photos, at=small_disk / "kept")
    collection.index()
    with pytest.raises(CollectionError) as caught:
        collection.learn(quick=True)
    assert str(caught.value) == (
        f"{small_disk / 'kept'}: the result takes 49 MB, but the disk has 2 MB free. Free some space."
    )


def test_a_full_disk_is_one_line_in_every_verb_and_what_was_committed_stays(photos: Path, small_disk: Path):
    place = ["--at", str(small_disk / "kept")]
    Collection(photos, at=small_disk / "kept").index()
    fill(small_disk)
    (photos / "new.png").write_bytes((photos / "10.png").read_bytes() + bytes(9))
    for words in (
        ["index", photos],
        ["learn", photos, "--quick"],
        ["judge", photos, "1.png", "--yes", "2.png"],
        ["export", photos, small_disk / "rows.csv"],
    ):
        done = CliRunner().invoke(main, [*map(str, words), *place])
        assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1), (words, done.stderr)
        assert "No space left on device" in done.stderr or "MB free" in done.stderr
    done = CliRunner().invoke(main, ["search", str(photos), "1.png", "-k", "9", *place])
    assert (done.exit_code, len(done.stdout.splitlines())) == (0, 7)
    (small_disk / "filler").unlink()
    done = CliRunner().invoke(main, ["index", str(photos), *place])
    assert (done.exit_code, done.stderr.split(",")[0]) == (0, "1 added")
    assert not list(small_disk.rglob(".try.*"))
