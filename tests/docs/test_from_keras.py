"""The pages for those who come from the Keras tutorial: every block runs, in the page's order, in both languages."""

import ast
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from support.pictures import draw

from lookalike.cli.main import main
from lookalike.models.layers import layer_index

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ENGLISH, KOREAN = "from-keras.md", "from-keras.ko.md"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with what the pages speak of: 40 pairs, whose right one is the left one behind others."""
    for seed in range(40):
        left = draw(tmp_path / "pairs/left" / f"{seed}.jpg", seed, (64, 96))
        right = draw(tmp_path / "pairs/right" / f"{seed}.jpg", 100 + seed, (64, 96))
        Image.blend(Image.open(left), Image.open(right), 0.5).save(right)
    for seed, name in enumerate(["query.jpg", "a.jpg", "test-images/1.jpg", "test-images/2.jpg"]):
        draw(tmp_path / name, 200 + seed, (64, 96))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def blocks(page: str) -> list[tuple[str, str]]:
    return BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))


@pytest.mark.slow  # a whole page
def test_the_blocks_run_as_they_stand(desk: Path, capsys: pytest.CaptureFixture[str]):
    names: dict[str, object] = {}
    for number, (language, block) in enumerate(blocks(ENGLISH), start=1):
        if language == "python":
            exec(compile(block, f"{ENGLISH}, block {number}", "exec"), names)
            continue
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            assert words[0] == "lookalike", line
            ran = CliRunner().invoke(main, words[1:])
            assert ran.exit_code == 0, f"{line}\n{ran.output}"
    said = capsys.readouterr().out
    assert "80 {}\n" in said
    assert "['file', 'features']" in said
    assert "1.000  left/1.jpg\n" in said
    assert "epoch 3 of 3: loss" in said
    assert next(layer.index for layer in names["photos"].layers("blocks.15") if layer.trainable) == layer_index(
        names["photos"].backbone.bundle, "blocks.15"
    )
    assert names["before"].shape == (2, 3488)
    assert names["after"].shape == (2, len(names["frame"].features[0]))
    assert [hit.file for hit in names["hits"]] == names["frame"].file[names["scores"].argsort()[::-1][:5]].tolist()
    assert len(names["answers"]) == 2
    assert all(hit.file != "left/1.jpg" for hit in names["others"])
    assert np.allclose(np.linalg.norm(names["after"], axis=1), 1, atol=1e-5)
    assert names["photos"].lens("tutorial").proof is not None
    for drawn in ("six.png", "tests.png", "features.parquet"):
        assert (desk / drawn).is_file()


def test_both_languages_show_the_same_blocks():
    """But for what their comments say: so running the one runs the other."""
    english, korean = blocks(ENGLISH), blocks(KOREAN)
    assert len(english) == len(korean)
    for (kind, ours), (other, theirs) in zip(english, korean, strict=True):
        assert kind == other
        if kind == "python":
            assert ast.dump(ast.parse(ours)) == ast.dump(ast.parse(theirs))
        else:
            assert ours == theirs


def test_both_languages_have_the_same_steps_and_faults():
    """As many headings and rows of tables, and the same names in code: no step or fault is told to one reader only."""
    pages = [(DOCS / page).read_text(encoding="utf-8") for page in (ENGLISH, KOREAN)]
    for mark in (r"^## ", r"^\| "):
        one, other = (len(re.findall(mark, page, re.MULTILINE)) for page in pages)
        assert one == other
    calls = [set(re.findall(r"`([A-Za-z_]+)`", page)) for page in pages]
    assert calls[0] == calls[1]
