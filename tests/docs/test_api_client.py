"""The example of a program that asks the server, as it stands."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.badges import classes

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

from lookalike.server.run import Listening, Server
from lookalike.server.workspace import Workspace

EXAMPLE = Path(__file__).parents[2] / "examples" / "api_client.py"


def test_the_example_indexes_searches_judges_and_learns(tmp_path: Path):
    classes(tmp_path / "photos")
    workspace = Workspace()
    opened = workspace.add(tmp_path / "photos")
    with Server(workspace, Listening(port=0)).running() as server:
        done = subprocess.run(
            [sys.executable, str(EXAMPLE), f"http://127.0.0.1:{server.port}", server.access.token],
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "'lines': 1" in done.stdout
    assert [one.query for one in opened.collection.judgements.standing()] == [opened.pictures().at(0).file]
    assert "'name': 'taught'" in done.stdout
