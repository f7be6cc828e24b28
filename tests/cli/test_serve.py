"""lookalike serve: what it prints, what it refuses, how it ends."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.pictures import draw

from lookalike.cli.main import main

pytest.importorskip("fastapi")
httpx = pytest.importorskip("httpx")

PROGRAM = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
runpy.run_module("lookalike", run_name="__main__", alter_sys=True)
"""


def test_listening_to_the_network_takes_all_three(tmp_path: Path):
    for given in (
        ["--listen", "0.0.0.0"],
        ["--listen", "0.0.0.0", "--host", "photos.example"],
        ["--listen", "0.0.0.0", "--password-file", str(tmp_path / "p")],
        ["--host", "photos.example"],
        ["--password-file", str(tmp_path / "p")],
    ):
        result = CliRunner().invoke(main, ["serve", str(tmp_path), *given])
        assert result.exit_code == 2
        assert result.output.count("\n") == 1
        assert "--listen" in result.output


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [("short", 0o600, "at least 8"), ("long enough\n", 0o644, "others can read it"), (None, 0, "cannot be read")],
)
def test_a_password_is_long_and_ours_alone(tmp_path: Path, text: str | None, mode: int, said: str):
    file = tmp_path / "password"
    if text is not None:
        file.write_text(text)
        file.chmod(mode)
    given = ["serve", str(tmp_path), "--listen", "127.0.0.1", "--host", "a.example", "--password-file", str(file)]
    result = CliRunner().invoke(main, given)
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert said in result.output


def test_where_a_collection_is_kept_goes_with_one_folder(tmp_path: Path):
    result = CliRunner().invoke(main, ["serve", "--at", str(tmp_path)])
    assert result.exit_code == 2
    assert "--at goes with one FOLDER" in result.output


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_it_prints_its_address_answers_and_ends_with_ctrl_c(tmp_path: Path):
    draw(tmp_path / "photos" / "a.png", 1)
    arguments = ["serve", str(tmp_path / "photos"), "--no-open", "--port", "0"]
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment,
    ) as process:  # fmt: skip
        found = re.fullmatch(r"Open (http://127\.0\.0\.1:\d+)/#t=([0-9a-f]{32})\n", process.stdout.readline())
        assert found
        own, token = found.groups()
        assert process.stdout.readline() == "Ctrl-C ends it.\n"
        answer = httpx.get(f"{own}/api/session", headers={"authorization": f"Bearer {token}"}, timeout=60)
        assert answer.json()["collections"][0]["name"] == "photos"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, "")
        assert token not in err
