"""`search --text`: words alone, with pictures and weights, in every form of output; and what cannot be asked."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.drawn_words import write_colours, write_words

from lookalike import Collection
from lookalike.cli.main import main

pytest.importorskip("tokenizers")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("asked")
    Collection(write_colours(place / "photos"), backbone=write_words(place / "bundle")).index()
    return place / "photos"


def run(*words: object):
    return CliRunner().invoke(main, [str(one) for one in words], catch_exceptions=False)


def files(*words: object) -> list[str]:
    return [json.loads(line)["hits"][0]["file"] for line in run(*words, "--json").stdout.splitlines()]


def test_words_find_pictures(folder: Path):
    found = run("search", folder, "--text", "red, GREEN", "-k", 1)
    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout.split()[-1] == "yellow.png"
    (line,) = run("search", folder, "--text", "빨간", "-k", 1, "--json").stdout.splitlines()
    assert json.loads(line)["query"] == '"빨간"'
    assert json.loads(line)["hits"][0]["file"] == "red.png"


def test_pictures_words_and_weights_are_one_query(folder: Path):
    assert files("search", folder, "red.png", "--text", "green") == ["yellow.png"]
    assert files("search", folder, "red.png^0.1", "--text", "blue^3") == ["blue.png"]
    assert files("search", folder, "--text", "red", "--text", "green^-1", "-k", 1) == ["red.png"]
    grid = folder.parent / "grid.png"
    assert run("search", folder, "--text", "red", "--grid", grid).exit_code == 0
    assert grid.stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        ([], 2, "main search: Missing argument 'QUERY...' (or --text WORDS, --url URL, --clipboard). See: main search"),
        (["--text", " "], 1, "no words. Write what the pictures should show."),
        (["--text", "red", "--lens", "taste"], 1, "words through the lens taste: a lens is learned on pictures and "),
        (["--text", "red^-1"], 1, "nothing that the answers should be like. Give at least one a weight above 0."),
        (["--text", "red^0"], 1, "a weight of 0.0: give a number up to 1000, below 0 for what is unlike."),
        (["none.png", "--text", "red"], 1, "none.png: no such picture, here or in the collection. Check the name."),
    ],
)
def test_what_cannot_be_asked_is_one_line(folder: Path, words: list[str], code: int, line: str):
    found = run("search", folder, *words)
    assert (found.exit_code, found.stdout) == (code, "")
    assert found.stderr.startswith(line)
    assert found.stderr.count("\n") == 1


def test_a_backbone_without_words_is_one_line_with_those_that_have_them(indexed: Collection):
    found = run("search", indexed.folder, "--text", "red")
    assert found.exit_code == 1
    assert found.stderr == (
        "the backbone efficientnet-lite0 knows no words. Of those with names here, clip and siglip2 do: "
        "index with --backbone siglip2.\n"
    )
