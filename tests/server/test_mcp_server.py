"""The tools for assistants, asked by the SDK's own client."""

import asyncio
import base64
import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.badges import classes
from support.drawn_words import write_colours, write_words
from support.pictures import draw

from lookalike import Collection

pytest.importorskip("mcp")

from mcp import Client as McpClient
from mcp import StdioServerParameters
from support.client import Client

from lookalike.server.mcp_server import mcp_server
from lookalike.server.run import Listening, Server
from lookalike.server.workspace import OpenCollection, Workspace

READS = {"status", "lenses", "pictures", "look", "search"}


def calls(server: Any, *asked: tuple[str, dict[str, Any]]) -> list[Any]:
    """The results of some calls, one after the other."""

    async def run() -> list[Any]:
        async with McpClient(server) as client:
            return [await client.call_tool(name, arguments) for name, arguments in asked]

    return asyncio.run(run())


def names(server: Any) -> dict[str, bool]:
    """The tools, and whether each says that it only reads."""

    async def run() -> dict[str, bool]:
        async with McpClient(server) as client:
            found = await client.list_tools()
            return {tool.name: bool(tool.annotations.read_only_hint) for tool in found.tools}

    return asyncio.run(run())


def images(result: Any) -> list[Image.Image]:
    return [Image.open(io.BytesIO(base64.b64decode(one.data))) for one in result.content if one.type == "image"]


@pytest.fixture
def opened(drawn_photos: Path) -> OpenCollection:
    return OpenCollection(drawn_photos)


def test_it_is_read_only_unless_changes_are_allowed(opened: OpenCollection):
    assert names(mcp_server(opened.folder)) == dict.fromkeys(READS, True)
    changing = names(mcp_server(opened.folder, changes=True))
    assert {name for name, reads in changing.items() if not reads} == {"judge", "undo", "teach", "use"}
    (result,) = calls(mcp_server(opened.folder), ("judge", {"query": "0" * 32, "yes": ["0" * 32]}))
    assert result.is_error


def test_a_search_gives_the_librarys_hits_with_their_pictures(opened: OpenCollection, tmp_path: Path):
    one, two, three = (opened.pictures().at(place).id for place in (1, 2, 3))
    content = draw(tmp_path / "new.png", 77).read_bytes()
    collection = Collection(opened.folder)
    alone, combined, sent = calls(
        mcp_server(opened.folder),
        ("search", {"positive": [one], "k": 4}),
        ("search", {"positive": [one, two], "negative": [three], "k": 3, "where": "file LIKE '0%'"}),
        ("search", {"positive": [], "picture_base64": base64.b64encode(content).decode(), "k": 2}),
    )
    expected = (
        collection.search("01.png", 4),
        collection.search(positive=["01.png", "02.png"], negative=["03.png"], k=3, where="file LIKE '0%'"),
        collection.search(content, 2),
    )
    for result, hits in zip((alone, combined, sent), expected, strict=True):
        told = json.loads(result.content[0].text)
        assert told["lens"] == "plain"
        assert [(one["file"], one["similarity"]) for one in told["hits"]] == [
            (hit.file, round(hit.similarity, 3)) for hit in hits
        ]
        assert [image.size for image in images(result)] == [(96, 64)] * len(hits)


def test_pictures_are_listed_and_looked_at(opened: OpenCollection):
    listed, looked, status = calls(
        mcp_server(opened.folder),
        ("pictures", {"offset": 3, "limit": 2}),
        ("look", {"id": opened.pictures().at(3).id}),
        ("status", {}),
    )
    assert listed.structured_content["total"] == 12
    assert [one["file"] for one in listed.structured_content["pictures"]] == ["03.png", "04.png"]
    assert json.loads(looked.content[0].text)["files"] == ["03.png", "more/copy.png"]
    assert len(images(looked)) == 1
    assert (status.structured_content["pictures"], status.structured_content["lens"]) == (12, "plain")


def test_what_is_wrong_is_a_line_to_read(opened: OpenCollection):
    one = opened.pictures().at(1).id
    asked = [
        ("search", {"positive": ["../../etc/passwd"]}, "no such picture"),
        ("search", {"positive": []}, "no positive picture"),
        ("search", {"positive": [one], "k": 1000}, "50"),
        ("search", {"positive": [one], "lens": "stripes"}, "no such lens"),
        ("search", {"positive": [one], "where": "nope = 1"}, "no column"),
        ("search", {"positive": [], "picture_base64": "%%%"}, "no base64"),
        ("search", {"positive": [], "picture_base64": base64.b64encode(b"<svg>").decode()}, "SVG"),
        ("look", {"id": "0" * 32}, "no such picture"),
    ]
    results = calls(mcp_server(opened.folder), *((name, arguments) for name, arguments, _ in asked))
    for result, (name, _, said) in zip(results, asked, strict=True):
        assert result.is_error, name
        assert said in result.content[0].text
        assert "Traceback" not in result.content[0].text


def test_an_assistant_judges_teaches_and_uses(tmp_path: Path):
    classes(tmp_path / "photos")
    folder = tmp_path / "photos"
    Collection(folder).index()
    opened = OpenCollection(folder)
    kinds: dict[str, list[str]] = {}
    for picture in opened.pictures().page().pictures:
        kinds.setdefault(picture.file.split("/")[0], []).append(picture.id)
    judged = [("judge", {"query": ids[0], "yes": ids[1:]}) for ids in kinds.values()]
    *said, taught, served, plain, lenses, undone = calls(
        mcp_server(opened.folder, changes=True),
        *judged,
        ("teach", {"name": "kinds"}),
        ("use", {"name": "kinds"}),
        ("use", {"name": "plain"}),
        ("lenses", {}),
        ("undo", {}),
    )
    assert [one.structured_content["judgements"] for one in said] == [len(ids) - 1 for ids in kinds.values()]
    assert taught.structured_content["name"] == "kinds"
    assert served.is_error != taught.structured_content["serves"]  # only a lens that is proved better serves
    assert not plain.is_error
    assert [one["name"] for one in lenses.structured_content["result"]] == ["kinds"]
    assert undone.structured_content["no"] is None


def test_an_assistants_answers_are_kept_as_the_page_keeps_them(drawn_photos: Path, tmp_path: Path):
    """✓ as a pair, ✗ as apart; both by files, in one order, and only the assistant's say who said it."""
    query, right, wrong = (OpenCollection(drawn_photos).pictures().at(place).id for place in (1, 2, 5))
    workspace = Workspace()
    opened = workspace.add(shutil.copytree(drawn_photos, tmp_path / "asked"))
    answer = {"query": query, "yes": [right], "no": [wrong]}
    with Server(workspace, Listening(port=0)).running() as server, Client(server) as api:
        api.json(f"{api.c}/judgements", answer, status=201)
    of_page = [json.loads(line) for line in opened.collection.judgements.path.read_text().splitlines()]
    folder = shutil.copytree(drawn_photos, tmp_path / "told")
    (result,) = calls(mcp_server(folder, changes=True), ("judge", answer))
    assert result.structured_content == {"judgements": 2}
    said = [json.loads(line) for line in Collection(folder).judgements.path.read_text().splitlines()]
    assert [one.pop("who", None) for one in said] == ["assistant"] * 2
    assert [one.pop("who", None) for one in of_page] == [None] * 2
    without_time = [[{name: one[name] for name in one if name != "t"} for one in lines] for lines in (said, of_page)]
    assert without_time[0] == without_time[1]
    assert [(one["yes"], one["no"]) for one in said if "yes" in one] == [("02.png", None)]
    assert [one["apart"] for one in said if "apart" in one] == [["01.png", "05.png"]]


def test_the_command_speaks_the_protocol_on_standard_input_and_output(drawn_photos: Path):
    parameters = StdioServerParameters(command=sys.executable, args=["-m", "lookalike", "mcp", str(drawn_photos)])
    assert set(names(parameters)) == READS


def test_an_assistant_asks_in_words(tmp_path: Path):
    pytest.importorskip("tokenizers")
    photos = write_colours(tmp_path / "photos")
    Collection(photos, backbone=write_words(tmp_path / "bundle")).index()
    told, alone, none = calls(
        mcp_server(photos), ("status", {}), ("search", {"text": "red, green", "k": 1}), ("search", {})
    )
    assert json.loads(told.content[0].text)["words"] is True
    assert json.loads(alone.content[0].text)["hits"][0]["file"] == "yellow.png"
    assert len(images(alone)) == 1
    assert none.is_error
    assert "or give a text" in none.content[0].text
