"""The page's routes on a collection that is larger than memory is meant to hold answer as for any other."""

from collections.abc import Iterator

import pytest
from support.client import Client
from support.many_rows import many_rows

from lookalike.index.catalog import MemoryCatalog
from lookalike.server.run import Listening, Server
from lookalike.server.workspace import Workspace

N = 6000


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    photos = many_rows(tmp_path_factory.mktemp("large"), N)
    workspace = Workspace()
    opened = workspace.add(photos)
    opened.collection._searcher.most = 1000
    with pytest.MonkeyPatch.context() as names:
        names.setattr(MemoryCatalog, "__init__", lambda *_: pytest.fail("all names were read"))
        with Server(workspace, Listening(port=0)).running() as server, Client(server) as client:
            yield client


def test_pictures_thumbnails_searches_and_answers_are_given_without_holding_all_names(api: Client):
    page = api.json(f"{api.c}/pictures?offset=1500&limit=3")
    assert (page["total"], [one["file"] for one in page["pictures"]]) == (
        N,
        [f"000{i}.png" for i in (1500, 1501, 1502)],
    )
    assert len(api.json(f"{api.c}/pictures?where=file%20%3C%20'0000005.png'")["pictures"]) == 5
    picture = api.id_of("0000000.png")
    assert api.json(f"{api.c}/pictures/{picture}")["files"] == ["0000000.png"]
    assert api.get(f"{api.c}/thumbs/{picture}?side=160").headers["content-type"] == "image/jpeg"
    hits = api.json(f"{api.c}/search", {"positive": [{"id": page["pictures"][0]["id"]}], "k": 9})["hits"]
    assert (len(hits), hits[0]["file"], hits[0]["similarity"]) == (9, "0001500.png", 1)
    api.json(f"{api.c}/judgements", {"query": picture, "yes": [hits[1]["id"]], "no": []}, status=201)
    [said] = api.json(f"{api.c}/judgements")
    assert (said["query"]["id"], said["yes"]["file"]) == (picture, hits[1]["file"])
    group = api.json(f"{api.c}/groups", {"name": "two", "add": [picture, hits[2]["id"]]}, status=201)
    assert {one["id"] for one in group["pictures"]} == {picture, hits[2]["id"]}
    assert api.json(f"{api.c}/pictures/{'0' * 32}", status=404)["error"]["code"] == "picture.unknown"
