"""The options that say where work is done."""

from pathlib import Path

from click.testing import CliRunner

from lookalike.cli.main import main


def test_an_engine_that_is_not_known_is_one_line(tmp_path: Path):
    ran = CliRunner().invoke(main, ["index", str(tmp_path), "--on", "spark"])
    assert (ran.exit_code, ran.output) == (1, "--on spark: not known. There are ray and ray=ADDRESS.\n")


def test_no_workers_are_wrong_usage(tmp_path: Path):
    ran = CliRunner().invoke(main, ["index", str(tmp_path), "--on", "ray", "--workers", "0"])
    assert ran.exit_code == 2
    assert "0 is not in the range x>=1" in ran.output
