"""Every block of the pages runs, on pictures drawn for it: what is written there is what happens."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from support import badges, elsewhere
from support.pictures import draw

from lookalike.cli.main import main

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "docs/tutorial.md", "docs/python.md"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with what the pages speak of."""
    for seed in range(12):
        for folder in ("photos", "Pictures"):
            draw(tmp_path / folder / ("shoes" if seed % 2 else "hats") / f"{seed}.jpg", seed, (64 + 8 * seed, 96))
    for seed, name in enumerate(
        ["query.jpg", "a.jpg", "b.jpg", "some-picture.jpg", "folder-of-queries/1.jpg", "c.jpg"]
    ):
        draw(tmp_path / name, seed, (64 + 8 * seed, 96))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    text = re.sub(
        r"## lookalike\.learning\.training.*?(?=\n## )", "", text, flags=re.DOTALL
    )  # test_training_examples.py
    return [block for kind, block in BLOCK.findall(text) if kind == language]


@pytest.mark.slow  # whole pages
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")])
def test_shell_blocks_run_as_they_stand(page: str, desk: Path):
    for line in "".join(blocks(page, "sh")).splitlines():
        words = [str(Path(word).expanduser()) for word in shlex.split(line, comments=True)]
        assert words[0] == "lookalike", line
        ran = CliRunner().invoke(main, words[1:])
        assert ran.exit_code == 0, f"{line}\n{ran.output}"
    drawn = re.findall(r"\S+\.(?:png|parquet)\b", "".join(blocks(page, "sh")))
    assert drawn
    assert all((desk / name).is_file() for name in drawn)


@pytest.mark.slow  # a whole page
def test_the_commands_of_deeper_run_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """On badges before any ground; a small network that lies in a folder of that name stands for the one on the hub."""
    pytest.importorskip("transformers")
    badges.classes(tmp_path / "photos")
    elsewhere.save("dinov2", tmp_path / "facebook/dinov2-small")
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["index", "photos"]).exit_code == 0
    said = []
    for line in "".join(blocks("docs/deeper.md", "sh")).splitlines():
        ran = CliRunner().invoke(main, shlex.split(line, comments=True)[1:])
        assert ran.exit_code == 0, f"{line}\n{ran.output}"
        said.append(ran.output)
    layers, cost, learned, there, back, *moved = said
    assert "4 trainable layers, 1,013,696 parameters" in layers
    assert "1,013,696 of 3,350,000 weights learn from 54 pictures in 4 views" in cost
    assert "through a lens on the tuned backbone" in " ".join(learned.split())
    assert "deep is in service" in there
    assert "plain is in service" in back
    assert "uses backbone dinov2-small now" in moved[1]
    assert "uses backbone efficientnet-lite0 now" in moved[3]


@pytest.mark.slow  # whole pages
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")])
def test_python_blocks_run_one_after_the_other(page: str, desk: Path, capsys: pytest.CaptureFixture[str]):
    names: dict[str, object] = {}
    for number, block in enumerate(blocks(page, "python"), start=1):
        exec(compile(block, f"{page}, block {number}", "exec"), names)
    assert "1.000  " in capsys.readouterr().out


def test_no_page_points_at_what_is_not_there():
    for page in [*PAGES, *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text(encoding="utf-8")):
            assert ((ROOT / page).parent / target).exists(), f"{page} points at {target}"
