"""A backbone's learning that is broken off where it hurts: late, under other examples, or for good."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from numpy.lib.format import open_memmap
from support import drawn_convolutions
from support.faults import ctrl_c_at, run_broken
from support.stripes import HOW, stripes

from lookalike import Collection
from lookalike.cli.main import main
from lookalike.collection.lens_report import lens_report
from lookalike.collection.switch_backbone import BackboneSwitch
from lookalike.errors import ExamplesError, LensError

pytest.importorskip("torch")

WORDS = ["--name", "deep", "--unfreeze", "stem", "--epochs", "60", "--rate", "0.01", "--quick"]


@pytest.fixture(scope="module")
def untaught(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    place = tmp_path_factory.mktemp("broken_off")
    drawn_convolutions.write_bundle(place / "network")
    photos = Collection(stripes(place / "photos"), backbone=place / "network")
    photos.index(own=False)
    return photos


@pytest.fixture
def photos(untaught: Collection, tmp_path: Path) -> Collection:
    """A copy of it that a test may change, with the dates of its files."""
    return Collection(shutil.copytree(untaught.folder, tmp_path / "photos"))


def words(photos: Collection) -> list[str]:
    """The command that learns."""
    return ["learn", str(photos.folder), "--from", str(photos.folder), *WORDS]


def ctrl_c(photos: Collection, where: Callable[..., Any], *more: str) -> str:
    """The command, which gets Ctrl-C when it calls something: what it says."""
    with ctrl_c_at(where):
        ran = CliRunner().invoke(main, [*words(photos), *more])
    assert ran.exit_code == 130, ran.output
    assert "Interrupted." in ran.stderr
    return ran.stderr


def kill_while_it_learns(photos: Collection, step: int) -> None:
    def report(now) -> None:
        if now.stage == "tuning" and now.done == step:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        photos.learn(photos.folder, name="deep", report=report, **HOW)


def test_a_kill_while_the_proof_is_drawn_loses_nothing_that_was_learned(photos: Collection):
    assert run_broken(lens_report, "SIGKILL", *words(photos)).returncode == -signal.SIGKILL
    assert photos.lenses() == []
    learned: list = []
    lens = photos.learn(photos.folder, name="deep", resume=True, report=learned.append, **HOW)
    assert [now for now in learned if now.stage in {"caching", "tuning"}] == []
    assert lens.proof.selected == "tuned backbone"
    run = photos.home.lens("deep") / "run"
    assert [path.name for path in run.iterdir()] == ["checkpoint.safetensors"]
    assert [path.name for path in (photos.home.at / "backbones").iterdir()] == [lens.backbone]


def test_ctrl_c_says_how_to_go_on_where_that_is_true(photos: Collection):
    assert "--resume" not in ctrl_c(photos, open_memmap)  # nothing is kept yet
    assert "To continue: run the same command with --resume." in ctrl_c(photos, lens_report)
    switching = ctrl_c(photos, BackboneSwitch.activate_lens, "--resume", "--use")
    assert f"To continue: lookalike use {photos.folder} deep\n" in switching
    with pytest.raises(LensError, match=r"put it into service with: lookalike use .* deep"):
        photos.learn(photos.folder, name="deep", resume=True, **HOW)


def test_other_examples_are_refused_before_what_is_kept_is_written_over(photos: Collection):
    kill_while_it_learns(photos, 40)
    run = photos.home.lens("deep") / "run"
    kept = (run / "activations.npy").read_bytes()
    for kind in photos.folder.glob("kind-*"):
        (kind / "0.png").rename(kind / "0.away")
    with pytest.raises(LensError, match="Continue with the same, or start again with --replace"):
        photos.learn(photos.folder, name="deep", resume=True, **HOW)
    assert (run / "activations.npy").read_bytes() == kept
    for kind in photos.folder.glob("kind-*"):
        (kind / "0.away").rename(kind / "0.png")
    assert photos.learn(photos.folder, name="deep", resume=True, **HOW).proof.selected == "tuned backbone"


def test_what_was_broken_off_can_be_forgotten(photos: Collection):
    kill_while_it_learns(photos, 40)
    assert (photos.home.lens("deep") / "run" / "activations.npy").stat().st_size > 100_000
    photos.forget("deep")
    assert not photos.home.lens("deep").exists()
    for name in ("deep", "..", "../lenses", ""):
        with pytest.raises(LensError):
            photos.forget(name)
    assert photos.home.lens("deep").parent.is_dir()


@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_picture_that_changes_while_it_learns_is_named_and_nothing_is_lost(photos: Collection, how: str):
    """A changed one would be proved by what plain says of the old picture and the lens of the new one."""
    one = photos.folder / "kind-07" / "3.png"
    picture, date = one.read_bytes(), one.stat().st_mtime_ns

    def report(now) -> None:
        if now.stage == "tuning" and now.done == 40:
            one.write_bytes((photos.folder / "kind-08" / "3.png").read_bytes())
            if how == "gone":
                one.unlink()

    with pytest.raises(ExamplesError, match=r"kind-07/3.png: vanished or changed .* put it back, .* --resume"):
        photos.learn(photos.folder, name="deep", report=report, **HOW)
    one.write_bytes(picture)
    os.utime(one, ns=(date, date))
    learned: list = []
    photos.learn(photos.folder, name="deep", resume=True, report=learned.append, **HOW)
    assert [now for now in learned if now.stage in {"caching", "tuning"}] == []
