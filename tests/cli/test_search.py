"""`search`: which questions are one, the least similar first, copies hidden, in every form of output."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image, ImageOps
from support.pictures import drawn, scene

from lookalike import Collection
from lookalike.cli.main import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("searched") / "photos"
    place.mkdir(parents=True)
    looks = [
        scene(),
        scene().rotate(90),
        scene().convert("L"),
        Image.new("RGB", (40, 40), "red"),
        Image.fromarray(drawn(5)),
    ]
    for number, look in enumerate([*looks, ImageOps.invert(scene())], start=1):
        look.save(place / f"{number}.png")
    (place / "copy.png").write_bytes((place / "1.png").read_bytes())
    Collection(place).index()
    return place


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in words], catch_exceptions=False, prog_name="lookalike")


def files(*words: object) -> list[list[str]]:
    lines = run(*words, "--json").stdout.splitlines()
    return [[hit["file"] for hit in json.loads(line)["hits"]] for line in lines]


def test_reverse_is_the_same_list_from_its_other_end(folder: Path):
    (forward,) = files("search", folder, "1.png", "-k", 9, "--others")
    assert len(forward) == 5
    assert files("search", folder, "1.png", "-k", 9, "--others", "--reverse") == [forward[::-1]]
    assert files("search", folder, "1.png", "-k", 1, "--reverse") == [forward[-1:]]


def test_together_is_one_question_as_plus_asks_it(folder: Path):
    assert len(files("search", folder, "1.png", "2.png", "3.png")) == 3
    (together,) = files("search", folder, "1.png", "2.png", "3.png", "--together")
    assert [together] == files("search", folder, "1.png", "--plus", "2.png", "--plus", "3.png")
    assert set(together) == {"4.png", "5.png", "6.png"}
    photos = Collection(folder)
    assert together == [hit.file for hit in photos.search(positive=["1.png", "2.png", "3.png"])]
    (less,) = files("search", folder, "1.png", "2.png", "--together", "--minus", "3.png")
    assert less == [hit.file for hit in photos.search(positive=["1.png", "2.png"], negative=["3.png"])]
    assert files("search", folder, "1.png", "--together") == files("search", folder, "1.png")
    weighted = run("search", folder, "1.png^3", "2.png", "--together", "--json").stdout
    assert json.loads(weighted)["query"] == "3 1.png + 2.png"


def test_unique_hides_copies_and_says_how_many(folder: Path):
    found = run("search", folder, "1.png", "-k", 3, "--unique")
    assert found.stdout.splitlines()[0] == "1.000\t1.png"
    assert "copy.png" not in found.stdout
    assert len(found.stdout.splitlines()) == 3
    assert found.stderr == "1 copy or nearly equal picture hidden among the hits.\n"
    as_json = json.loads(run("search", folder, "1.png", "--unique", "--json").stdout)
    assert as_json["hidden"] == 1
    assert "hidden" not in json.loads(run("search", folder, "1.png", "--json").stdout)


def test_several_queries_beside_plus_are_refused_with_what_joins_them(folder: Path):
    found = run("search", folder, "1.png", "2.png", "--plus", "3.png")
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr == (
        "lookalike search: --plus and --minus: name one QUERY that is a picture, or add --together. "
        "See: lookalike search --help\n"
    )
