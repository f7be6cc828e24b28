"""The verb check: what it prints, and its exit code (see also tests/collection/test_check.py)."""

from pathlib import Path

from click.testing import CliRunner
from support.pictures import draw

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


def test_compact_says_how_many_pieces_there_were_and_are(indexed: Collection):
    draw(indexed.folder / "later.png", 77)
    indexed.index()
    before = indexed.table.features()
    result = CliRunner().invoke(main, ["compact", str(indexed.folder)])
    assert (result.exit_code, result.stderr) == (0, "2 pieces before, 1 now.\n")
    assert indexed.table.features()[0] == before[0]
    assert indexed.table.features()[1].tobytes() == before[1].tobytes()
    assert CliRunner().invoke(main, ["compact", str(indexed.folder)]).stderr == "1 piece before, 1 now.\n"


def test_what_is_no_collection_cannot_be_compacted(tmp_path: Path):
    result = CliRunner().invoke(main, ["compact", str(tmp_path)])
    assert result.exit_code == 1
    assert "index" in result.stderr
