"""The verbs of learning in the shell."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from lookalike import Collection
from lookalike.cli.main import main


def test_the_shell_learns_shows_uses_and_forgets(own_badges: Collection, tmp_path: Path):
    def run(*words: object) -> Result:
        return CliRunner().invoke(main, [str(word) for word in words])

    folder = own_badges.folder
    checked = run("learn", folder, "--from", folder, "--check")
    assert "90 pictures in 30 groups of 3" in checked.stdout
    learned = run("learn", folder, "--from", folder, "--name", "two", "--quick", "--json")
    assert json.loads(learned.stdout)["verdict"] == "taught"
    assert f"lookalike use {folder} two" in learned.stderr
    assert run("use", folder, "two").exit_code == 0
    assert "* two" in run("lenses", folder).stdout
    assert run("judge", folder, "kind-00/0.png", "--yes", "kind-00/1.png").exit_code == 0
    assert run("judge", folder, "--list").stdout == "kind-00/0.png: kind-00/1.png\n"
    assert run("judge", folder, "--undo").exit_code == 0
    assert run("judge", folder).exit_code == 2
    assert run("forget", folder, "two").exit_code == 0
    missing = run("learn", folder, "--from", tmp_path / "nowhere")
    assert missing.exit_code == 1 and missing.stderr.count("\n") == 1
