"""The page on the architecture and its drawing name what is there: folders, files, tests and functions."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src/lookalike"
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
COMING = {"distributed"}

sys.path.insert(0, str(ROOT / "tools"))
from draw_architecture import BOXES  # noqa: E402


def test_every_folder_and_file_of_the_package_s_root_is_on_the_page_and_in_the_drawing():
    drawn = {name for box in BOXES for name in box.title.split()}
    for path in SRC.iterdir():
        if path.name.startswith("__") or path.suffix not in {"", ".py"}:
            continue
        name = path.name if path.is_file() else f"{path.name}/"
        assert name in drawn
        assert f"`{name}`" in PAGE
    for box in BOXES:
        assert box.coming == (box.title.rstrip("/") in COMING)


def test_every_step_of_the_drawing_is_a_file_or_folder_that_is_there():
    for box in BOXES:
        for text in (text for column in box.columns for _, _, text in column):
            for name in re.findall(r"[a-z_]+(?:\.py|/)", text):
                assert (SRC / box.title / name).exists(), f"{box.title}{name}"


def test_every_path_on_the_page_is_there():
    folders = "images|drawing|models|index|learning|collection|server|cli|tests"
    named = re.findall(rf"`((?:{folders})/[\w/]*(?:\.py)?)`", PAGE)
    assert len(named) > 30
    for name in named:
        path = ROOT / name if name.startswith("tests/") else SRC / name
        assert path.exists() or path.with_suffix(".py").exists(), name
