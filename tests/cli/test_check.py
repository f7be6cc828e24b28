"""The verb check: what it prints, and its exit code (see also tests/collection/test_check.py)."""

from pathlib import Path

from click.testing import CliRunner

from lookalike import Collection
from lookalike.cli.main import main


def test_a_whole_collection_ends_with_0_and_a_damaged_one_with_1(indexed: Collection):
    run = CliRunner()
    result = run.invoke(main, ["check", str(indexed.folder)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert "Nothing is damaged." in result.stderr
    lens = Path(indexed.home.lens("kind"))
    lens.mkdir(parents=True)
    (lens / "lens.json").write_text("{")
    result = run.invoke(main, ["check", str(indexed.folder)])
    assert result.exit_code == 1
    assert result.stdout.startswith("lens: ")
    assert "1 thing damaged." in result.stderr
