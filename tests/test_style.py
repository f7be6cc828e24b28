"""What a machine can check of how we write, so that reviews need not."""

import ast
import re
from pathlib import Path

import pytest

import lookalike

SRC = Path(lookalike.__file__).parent
# A file imports only from files above it, and a file of a folder from its own folder too.
HOUSE = [
    "errors",
    "home",
    "bounds",
    "silence",
    "finding",
    "sniffing",
    "colours",
    "pictures",
    "thumbnails",
    "weights",
    "bundle",
    "layers",
    "starter",
    "runtime",
    "conversion",
    "backbone",
    "table",
    "halves",
    "verdict",
    "lens",
    "indexing",
    "codes",
    "ranking",
    "drawing",
    "gallery",
    "queries",
    "seeing",
    "hits",
    "searching",
    "onnx_model",
    "exports",
    "learn",
    "siamese",
    "gathering",
    "lessons",
    "teaching",
    "keepsakes",
    "serving",
    "switching",
    "deepening",
    "teachable",
    "collection",
    "screen",
    "cli_teach",
    "cli",
    "__main__",
]
FILES = sorted(SRC.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The modules of ours that a file imports, wherever in the file; not for types alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names


@pytest.mark.parametrize("room", HOUSE)
def test_a_file_imports_only_from_files_above_it(room: str):
    above = {*HOUSE[: HOUSE.index(room)], room}
    for path in [SRC / f"{room}.py"] if (SRC / f"{room}.py").is_file() else (SRC / room).rglob("*.py"):
        ours = {name.split(".")[1] for name in imported(path) if name.startswith("lookalike.")}
        assert ours <= above, f"{path.relative_to(SRC)} imports {sorted(ours - above)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_opens_with_one_sentence_and_stays_under_400_lines(path: Path):
    text = path.read_text(encoding="utf-8")
    assert re.match(r'r?""".+?"""', text, re.DOTALL)
    assert len(text.splitlines()) <= 400
    assert path.stem not in {"utils", "helpers", "common"}


@pytest.mark.parametrize("path", [path for path in FILES if path.stem[:3] != "cli"], ids=lambda path: path.name)
def test_only_the_command_line_prints_or_exits(path: Path):
    calls = {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}
    assert not calls & {"print", "sys.exit", "exit", "click.echo"}


def test_searching_and_indexing_import_no_torch():
    for path in FILES:
        if "siamese" not in path.parts and "conversion" not in path.parts:
            assert not any(name.split(".")[0] == "torch" for name in imported(path)), path


def test_every_public_name_is_there_and_documented():
    words = (Path(__file__).parents[1] / "docs/python.md").read_text(encoding="utf-8")
    for name in lookalike.__all__:
        assert getattr(lookalike, name) is not None
        assert f"`{name}" in words, f"docs/python.md does not name {name}"


def test_the_command_reference_is_the_one_that_help_prints():
    """Written anew by: python tools/write_reference.py"""
    import sys

    sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
    from write_reference import reference

    assert (Path(__file__).parents[1] / "docs/command-line.md").read_text(encoding="utf-8") == reference()
