"""`search`: which questions are one, the least similar first, copies hidden, in every form of output."""

import functools
import json
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
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


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        pass


def test_the_picture_at_an_address_is_a_query_where_private_ones_are_allowed(folder: Path):
    running = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=running.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{running.server_port}/2.png"
    try:
        found = run("search", folder, "--url", url, "--allow-private", "-k", 1, "--json")
        assert json.loads(found.stdout)["query"] == url
        assert json.loads(found.stdout)["hits"][0]["file"] == "2.png"
        both = files("search", folder, "3.png", "--url", url, "--allow-private", "--together")
        assert both == files("search", folder, "3.png", "--plus", "2.png")
        refused = run("search", folder, "--url", url)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert refused.stderr.startswith(f"{url}: 127.0.0.1 is 127.0.0.1, an address of a private network.")
    finally:
        running.shutdown()
        running.server_close()


def test_an_address_in_the_place_of_a_picture_says_how_to_ask_with_it(folder: Path):
    found = run("search", folder, "https://host.example/a.png")
    assert found.exit_code == 2
    assert "https://host.example/a.png is an address: write it behind --url." in found.stderr
